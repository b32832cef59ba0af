import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ask, endText, Tool } from '../../client/scripts/lib/process.ts';

/** What `/proc` says of a process; undefined once it is gone, or waits to be buried. */
function commandOf(pid: number): string | undefined {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return words === '' ? undefined : words;
  } catch {
    return undefined;
  }
}

async function until(test: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 60_000;
  while (!test()) {
    assert.ok(performance.now() < end, what);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const IGNORING = ['sh', '-c', 'trap "" TERM; echo ready >&2; exec sleep 1000'];

test('a tool does not outlive a program that is killed', async () => {
  const code = `
    import { Tool } from './client/scripts/lib/process.ts';
    const tool = new Tool(${JSON.stringify(IGNORING)});
    await tool.until(60_000, () => tool.said.includes('ready'));
    console.log(tool.pid);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--import=tsx', '--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [text] = (await once(child.stdout, 'data')) as [Buffer];
  const pid = Number(text.toString());
  assert.ok(pid > 1);
  await until(() => commandOf(pid)?.startsWith('sleep') ?? false, 'it did not start');
  child.kill('SIGKILL');
  await until(() => commandOf(pid) === undefined, 'it is still there');
});

test('what a tool says and writes is kept and given, and its end is told', async () => {
  let output = '';
  const tool = new Tool(['sh', '-c', 'read word; echo "got $word"; echo aside >&2; exit 3'], (text) => {
    output += text;
  });
  assert.equal(tool.over, undefined);
  tool.input('hello\n');
  assert.deepEqual(await tool.ended, { code: 3, signal: null });
  assert.deepEqual(tool.over, { code: 3, signal: null });
  assert.equal(output, 'got hello\n');
  assert.equal(tool.said, 'aside\n');
});

test('of a tool that talks without end only the last words are kept', async () => {
  const tool = new Tool(['sh', '-c', 'seq 1 100000 >&2; echo last >&2']);
  await tool.ended;
  assert.ok(tool.said.endsWith('100000\nlast\n'));
  assert.ok(tool.said.length <= 20_000);
});

test('until: at once, when it says so, when it ends, and when time is up', async () => {
  const tool = new Tool(IGNORING);
  assert.equal(await tool.until(60_000, () => true), true);
  assert.equal(await tool.until(60_000, () => tool.said.includes('ready')), true);
  assert.equal(await tool.until(5, () => false), false);
  const never = tool.until(60_000, () => false);
  const over = tool.until(60_000, () => tool.over !== undefined);
  tool.kill('SIGKILL');
  assert.deepEqual([await never, await over], [false, true]);
  // It is over already: nothing is waited for.
  assert.equal(await tool.until(60_000, () => false), false);
  assert.equal(await tool.until(60_000, () => true), true);
});

test('until is asked anew when it is told that something has changed', async () => {
  const tool = new Tool(['sleep', '1000']);
  let there = false;
  const waiting = tool.until(60_000, () => there);
  there = true;
  tool.tell();
  assert.equal(await waiting, true);
  await tool.end('SIGTERM', 10_000);
});

test('a tool ends by the signal that it is asked with, and by force where it does not listen', async () => {
  const willing = new Tool(['sleep', '1000']);
  assert.deepEqual(await willing.end('SIGINT', 60_000), { code: null, signal: 'SIGINT' });
  const deaf = new Tool(IGNORING);
  await deaf.until(60_000, () => deaf.said.includes('ready'));
  assert.deepEqual(await deaf.end('SIGTERM', 50), { code: null, signal: 'SIGKILL' });
  // Once more is no fault.
  assert.deepEqual(await deaf.end('SIGTERM', 60_000), { code: null, signal: 'SIGKILL' });
});

test('a program that does not exist has ended, with a word on it', async () => {
  const tool = new Tool(['comps-no-such-program', '--flag']);
  assert.deepEqual(await tool.ended, { code: 127, signal: null });
  assert.match(tool.said, /comps-no-such-program.*No such file/);
  const nowhere = new Tool(['true'], undefined, { PATH: '/nowhere' });
  nowhere.input('x');
  assert.equal((await nowhere.ended).code, 127);
  assert.match(nowhere.said, /setpriv.*ENOENT/);
  assert.equal(await nowhere.until(60_000, () => false), false);
  await nowhere.end('SIGTERM', 60_000);
});

test('a tool is in a session of its own: Ctrl-C is not for it', async () => {
  let session = '';
  const tool = new Tool(['sh', '-c', 'cut -d" " -f6 /proc/self/stat; echo $$'], (text) => {
    session += text;
  });
  await tool.ended;
  const [own, pid] = session.trim().split('\n');
  assert.equal(own, pid);
  assert.match(own ?? '', /^\d+$/);
});

test('ends in words', () => {
  assert.equal(endText({ code: 1, signal: null }), 'ended with 1');
  assert.equal(endText({ code: null, signal: 'SIGKILL' }), 'was ended by SIGKILL');
});

test('ask: what it prints, or a refusal with the next step', () => {
  assert.equal(ask(['echo', 'a b'], 'x'), 'a b\n');
  assert.throws(() => ask(['comps-no-such-program'], 'install it'), {
    name: 'Fault',
    message: /^cannot run comps-no-such-program: .*ENOENT/,
    next: 'install it',
  });
  assert.throws(() => ask(['sh', '-c', 'echo bad >&2; exit 1'], 'mend it'), {
    name: 'Fault',
    message: /: bad$/,
    next: 'mend it',
  });
});
