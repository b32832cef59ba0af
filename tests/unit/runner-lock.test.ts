import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { until } from '../../scripts/lib/poll.ts';
import { converge } from '../../scripts/lib/runner/apply.ts';
import { holderText, LOCKED, ownName, takeLock } from '../../scripts/lib/runner/lock.ts';
import { type Gather, single, type Task } from '../../scripts/lib/runner/task.ts';
import type { Transport } from '../../scripts/lib/transport/transport.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-lock-'));
after(() => rmSync(folder, { recursive: true }));

/** A real shell, behind what its user's login shell prints; a host's /run is a folder of its own. */
function shellOf(host: string, login = ''): Transport {
  const run = join(folder, host);
  mkdirSync(run, { recursive: true });
  return {
    run: (script, { onOutput } = {}) =>
      new Promise((resolve) => {
        const child = spawn('sh', ['-c', `${login}\nexec /bin/sh -s`]);
        const answer = { stdout: '', stderr: '' };
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          answer.stdout += text;
          onOutput?.(text);
        });
        child.stderr.setEncoding('utf8').on('data', (text: string) => {
          answer.stderr += text;
        });
        child.on('close', (code) => resolve({ code, ...answer }));
        child.stdin.end(script.replaceAll('/run', run));
      }),
    close: () => {},
  };
}

const nothing: Gather<null> = { probe: 'true', read: () => null };
const wants = (shell: string): Task<null> => ({
  name: 'task',
  probe: 'true',
  judge: () => ({ changes: [{ line: 'do it', shell }], value: ([said = '']) => said }),
});

test('a second run says at once whose run it waits for, and goes on when that one has ended', async () => {
  const go = join(folder, 'go');
  const begun = join(folder, 'begun');
  const shell = `touch ${begun}; until [ -e ${go} ]; do sleep 0.02; done`;
  const first = converge(shellOf('one'), nothing, [wants(shell)], { check: false });
  assert.ok(await until(60_000, () => existsSync(begun)));
  const heard: string[] = [];
  await converge(shellOf('one'), nothing, [{ ...wants('true'), judge: () => single(undefined) }], {
    check: false,
    onWait: (what) => {
      heard.push(what);
      writeFileSync(go, '');
    },
  });
  // Both runs are of this process.
  assert.deepEqual(
    heard.map((what) => what.replace(/\d\d:\d\d:\d\d/, 'T')),
    ['a cut-off part of this run (since T) is at work there'],
  );
  await first;
  assert.match(
    readFileSync(join(folder, 'one', 'comps.lock-holder'), 'utf8'),
    /^\d+ .*'s run \(\S+, pid \d+, since /,
  );
});

test('what a killed run left of its name is not believed', async () => {
  const run = join(folder, 'stale');
  mkdirSync(run);
  // This process lives, and has not that folder open as 9.
  writeFileSync(
    join(run, 'comps.lock-holder'),
    `${process.pid} mallory@old's run (x, pid 1, since 01:02:03)\n`,
  );
  const script = takeLock('-s', 'm').replaceAll('/run', run).replace('-w 60', '-w 0');
  const held = spawn('flock', ['-x', run, 'sh', '-c', `echo held; cat`]);
  await new Promise((resolve) => held.stdout.once('data', resolve));
  const waiting = spawn('sh', ['-c', script]);
  let said = '';
  waiting.stdout.on('data', (text) => {
    said += text;
  });
  const code = await new Promise((resolve) => waiting.on('close', resolve));
  held.stdin.end();
  assert.equal(code, LOCKED);
  assert.match(said, /^m busy $/m);
  assert.doesNotMatch(said, /mallory/);
});

test('who is at work is told without a terminal’s orders, and as another run where nobody knows', () => {
  assert.equal(holderText('', ownName()), 'another run');
  assert.equal(holderText("bob@x's run (\u001b[2Jy, since 1)", ownName()), "bob@x's run (?[2Jy, since 1)");
});

test('what a change says reaches the person at once, and is no part of its output', async () => {
  const heard: string[] = [];
  const { values } = await converge(
    shellOf('say'),
    nothing,
    [wants('printf a; say \'dpkg (pid 7)\' holds the lock; say "two\nlines"; printf b')],
    { check: false, onWait: (what) => heard.push(what) },
  );
  assert.deepEqual(heard, ['dpkg (pid 7) holds the lock', 'two lines']);
  assert.equal(values.get('task'), 'ab');
});

test('what a login shell prints before, on both outputs and without a line’s end, is no part of any answer', async () => {
  const login = 'printf "Welcome to vpn1"; printf "last login: never" >&2';
  const { values, tasks } = await converge(shellOf('motd', login), nothing, [wants('printf x')], {
    check: false,
  });
  assert.deepEqual([values.get('task'), tasks[0]?.changed.length], ['x', 1]);
});
