import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { EXIT, Fault } from '../../scripts/lib/cli.ts';
import { statusLine, statusText } from '../../scripts/lib/progress.ts';
import { converge } from '../../scripts/lib/runner/apply.ts';
import { LOCKED } from '../../scripts/lib/runner/lock.ts';
import { exitCodeOf, runPlay } from '../../scripts/lib/runner/play.ts';
import { countsOf } from '../../scripts/lib/runner/report.ts';
import { framesOf, probeScript, signs } from '../../scripts/lib/runner/script.ts';
import { type Gather, single, type Task } from '../../scripts/lib/runner/task.ts';
import { attempt } from '../../scripts/lib/transport/local.ts';
import type { Transport } from '../../scripts/lib/transport/transport.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-runner-'));
after(() => rmSync(folder, { recursive: true }));

/** A real shell of this machine; what a host remembers in /run lies in a folder of its own. */
function localShell(host: string = randomUUID()): Transport & { scripts: string[] } {
  const scripts: string[] = [];
  const run = join(folder, host);
  mkdirSync(run, { recursive: true });
  return {
    scripts,
    run: (script) => {
      scripts.push(script);
      return attempt(['sh', '-s'], { input: script.replaceAll('/run', run) });
    },
    close: () => {},
  };
}

const nothing: Gather<null> = { probe: 'true', read: () => null };

const wants = (name: string, probe: string, shell?: string): Task<null> => ({
  name,
  probe,
  judge: () => single(shell === undefined ? undefined : { line: `do ${name}`, shell }),
});

test('frames survive output without a last line break, markers in the text, and both streams', async () => {
  const probes = [
    'printf x; printf e >&2; exit 0',
    'printf "a\\n\\n"; exit 3',
    'echo "m begin 9"; echo "m end 3 0"; cat',
    ':',
  ];
  const { stdout, stderr } = await attempt(['sh', '-s'], { input: probeScript('m', probes) });
  const frames = framesOf('m', stdout, stderr);
  assert.deepEqual(frames.get(1), { code: 0, stdout: 'x', stderr: 'e' });
  assert.deepEqual(frames.get(2), { code: 3, stdout: 'a\n\n', stderr: '' });
  assert.equal(frames.get(4)?.code, 0);
});

test('a host that is right costs one round trip, one that is not costs two', async () => {
  const right = localShell();
  await converge(right, nothing, [wants('a', 'true'), wants('b', 'true')], { check: false });
  assert.equal(right.scripts.length, 1);
  const wrong = localShell();
  const { tasks } = await converge(wrong, nothing, [wants('a', 'true', 'true'), wants('b', 'true', 'true')], {
    check: false,
  });
  assert.equal(wrong.scripts.length, 2);
  assert.deepEqual(
    tasks.map(({ changed }) => changed.length),
    [1, 1],
  );
});

test('no change inherits the lock: a daemon that it starts would hold it for ever', async () => {
  const task: Task<null> = {
    name: 'fds',
    probe: 'true',
    judge: () => ({ changes: [{ line: 'look', shell: 'ls -l /proc/self/fd' }], value: ([fds = '']) => fds }),
  };
  const { values } = await converge(localShell(), nothing, [task], { check: false });
  assert.match(values.get('fds') ?? '', / 0 -> \/dev\/null/);
  assert.doesNotMatch(values.get('fds') ?? '', / 9 -> /);
});

test('check mode stops after the plan', async () => {
  const shell = localShell();
  const { tasks } = await converge(shell, nothing, [wants('a', 'true', 'exit 1')], { check: true });
  assert.equal(shell.scripts.length, 1);
  assert.equal(tasks[0]?.changed[0]?.line, 'do a');
});

test('a change that fails ends the play of its host: what came before counts, what follows is not begun', async () => {
  const tasks = [
    wants('first', 'true', 'echo made'),
    wants('second', 'true', 'echo no space >&2; false; true'),
    wants('third', 'true', 'true'),
  ];
  const outcome = await converge(localShell(), nothing, tasks, { check: false });
  assert.deepEqual(
    outcome.tasks.map(({ name, failed }) => [name, failed]),
    [
      ['first', undefined],
      ['second', 'do second: no space'],
    ],
  );
});

test('a probe that fails is a failure, never an absent state', async () => {
  const shell = localShell();
  const tasks = [wants('a', 'echo disk on fire >&2; exit 5', 'true'), wants('b', 'true', 'true')];
  const outcome = await converge(shell, nothing, tasks, { check: false });
  assert.equal(outcome.tasks[0]?.failed, 'cannot read the state: disk on fire');
  assert.equal(shell.scripts.length, 1);
});

test('a value comes from the state, or from what the change printed; in check mode there is none yet', async () => {
  const key = (made: boolean): Task<null> => ({
    name: 'key',
    probe: 'echo old',
    judge: (seen) => ({
      changes: made ? [{ line: 'make', shell: 'echo new' }] : [],
      value: (outputs) => (outputs.at(-1) ?? seen).trim(),
    }),
  });
  const value = async (made: boolean, check: boolean) =>
    (await converge(localShell(), nothing, [key(made)], { check })).values.get('key');
  assert.equal(await value(false, false), 'old');
  assert.equal(await value(true, false), 'new');
  assert.equal(await value(true, true), undefined);
  assert.equal(await value(false, true), 'old');
});

test('one host in trouble does not stop the others, and unreachable weighs more than failed', async () => {
  const refuse = (code: number) => Promise.reject(new Fault({ what: 'trouble', code }));
  const connect = (host: string): Promise<Transport> => {
    if (host === 'down') return refuse(EXIT.unreachable);
    if (host === 'odd') return refuse(EXIT.failed);
    return Promise.resolve(localShell());
  };
  const play = (hosts: string[]) =>
    runPlay({
      hosts,
      connect,
      gather: nothing,
      tasksFor: () => [wants('a', 'true', 'true')],
      check: false,
      onHost: () => {},
    });
  const results = await play(['down', 'odd', 'good']);
  assert.deepEqual(results.map(countsOf), [
    { ok: 0, changed: 0, unreachable: 1, failed: 0 },
    { ok: 0, changed: 0, unreachable: 0, failed: 1 },
    { ok: 1, changed: 1, unreachable: 0, failed: 0 },
  ]);
  assert.equal(exitCodeOf(results), EXIT.unreachable);
  assert.equal(exitCodeOf(await play(['odd', 'good'])), EXIT.failed);
  assert.equal(exitCodeOf(await play(['good'])), EXIT.ok);
});

test('each change is told as it begins, however the output is cut into pieces', () => {
  const begun: number[] = [];
  const feed = signs('m', { begin: (i) => begun.push(i) });
  for (const piece of ['m beg', 'in 0\nout\nm end 0 0\nm begin 1', '\n', 'x m begin 2\n']) feed(piece);
  assert.deepEqual(begun, [0, 1]);
});

test('the status line fits the terminal', () => {
  const working = new Map([
    ['vpn1', 'connecting'],
    ['vpn3', 'install nftables'],
  ]);
  assert.equal(statusText(working, 80), '2 at work: vpn1: connecting; vpn3: install nftables');
  assert.equal(statusText(working, 20).length, 19);
});

test('a terminal that can take nothing back, as a pipe, gets no status line; one without a size gets it whole', (t) => {
  const { stderr } = process;
  const [isTTY, columns, TERM] = [stderr.isTTY, stderr.columns, process.env.TERM];
  t.after(() => {
    Object.assign(stderr, { isTTY, columns });
    if (TERM === undefined) delete process.env.TERM;
    else process.env.TERM = TERM;
  });
  const write = t.mock.method(stderr, 'write', () => true);
  const shownTo = (terminal: boolean, term: string): string => {
    Object.assign(stderr, { isTTY: terminal, columns: 0 });
    process.env.TERM = term;
    write.mock.resetCalls();
    const status = statusLine();
    status.set('vpn1', 'connecting');
    status.end();
    return write.mock.calls.map((call) => call.arguments[0]).join('');
  };
  assert.equal(shownTo(true, 'dumb'), '');
  assert.equal(shownTo(false, 'xterm'), '');
  assert.match(shownTo(true, 'xterm'), /1 at work: vpn1: connecting(?!…)/);
});

test('what another run changed in between is planned anew, not done on stale knowledge', async () => {
  const run = join(folder, 'shared');
  const wantsFile: Task<null> = {
    name: 'file',
    probe: `ls ${run}`,
    judge: (seen) =>
      single(seen.includes('made') ? undefined : { line: 'make it', shell: `mkdir ${run}/made` }),
  };
  const [one, two] = [localShell('shared'), localShell('shared')];
  // The second run comes, probes and changes just as the first is about to.
  let between = 0;
  const first: Transport = {
    ...one,
    run: async (script) => {
      if (script.includes('mkdir')) {
        between++;
        if (between === 1) await converge(two, nothing, [wantsFile], { check: false });
      }
      return one.run(script);
    },
  };
  const outcome = await converge(first, nothing, [wantsFile], { check: false });
  assert.equal(between, 1, 'the second run came in between, and nothing was left to do');
  assert.deepEqual(outcome.tasks, [{ name: 'file', changed: [] }]);
});

test('a host on which another run stays at work is refused after a while, with the next step', async () => {
  const busy: Transport = {
    run: () => Promise.resolve({ code: LOCKED, stdout: '', stderr: '' }),
    close: () => {},
  };
  await assert.rejects(converge(busy, nothing, [], { check: false }), /another run is at work on this host/);
});

test('--forks keeps so many hosts at work, results stay in order, and a host that is cut off is given up after three tries', async () => {
  let [now, most] = [0, 0];
  const rests: number[] = [];
  const connect = (host: number): Promise<Transport> => {
    now++;
    most = Math.max(most, now);
    return Promise.resolve({
      run: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        if (host === 7) throw new Fault({ what: 'the connection was lost', code: EXIT.unreachable });
        return { code: 1, stdout: '', stderr: `I am ${host}` };
      },
      close: () => now--,
    });
  };
  const results = await runPlay({
    hosts: Array.from({ length: 64 }, (_, i) => i),
    connect,
    gather: nothing,
    tasksFor: () => [],
    check: false,
    forks: 5,
    onHost: () => {},
    rest: (ms) => {
      rests.push(ms);
      return Promise.resolve();
    },
  });
  assert.equal(most, 5);
  assert.deepEqual(rests, [1000, 3000]);
  assert.match(results[7]?.unreachable?.message ?? '', /was lost/);
  for (const i of [0, 63]) assert.match(results[i]?.failed?.message ?? '', new RegExp(`I am ${i}$`));
  assert.deepEqual([results[7]?.cost.rounds, results[63]?.cost.rounds], [3, 1]);
});
