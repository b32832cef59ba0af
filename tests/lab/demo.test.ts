import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { after, test } from 'node:test';
import { labDown } from '../../scripts/lib/lab/lab.ts';
import { until } from '../../scripts/lib/poll.ts';
import { attempt, run } from '../../scripts/lib/transport/local.ts';

const name = `t-demo-${process.pid}`;
after(() => labDown(name));

const leftovers = async (): Promise<string[]> => [
  ...(await run(['ip', 'netns', 'list'])).split('\n').filter((line) => line.includes(`-${name}-`)),
  ...(existsSync(`.lab-${name}`) ? ['folder'] : []),
];

test('the demo: the whole network, a page through it under migration, nothing past the tunnels; then it is gone', async () => {
  const { code, stdout, stderr } = await attempt([
    'npm',
    'run',
    'demo',
    '--',
    '--name',
    name,
    '--seconds',
    '3',
  ]);
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /✓ droplets made +4$/m);
  assert.match(stdout, /✓ droplets left +0$/m);
  assert.match(stdout, /✓ the site saw the comp server +198\.51\.100\.1\d\d$/m);
  assert.match(stdout, /✓ paths that carried traffic +3$/m);
  assert.match(stdout, /✓ packets past the tunnels +0$/m);
  assert.match(stdout, /✓ changed by the second set-up +0$/m);
  for (const path of ['wgnet1', 'wgnet2', 'wgnet3'])
    assert.match(stdout, new RegExp(`${path} +[1-9]\\d* % `));
  assert.deepEqual(await leftovers(), []);
});

test('Ctrl-C in the middle, in mode quic with its droplets made: it says so, ends with 99, and leaves nothing', async () => {
  const demo = spawn('node', ['--import=tsx', 'scripts/demo.ts', '--name', name, '--mode', 'quic'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [demo.stdout, demo.stderr])
    stream.setEncoding('utf8').on('data', (text) => (said += text));
  // Three: that mode makes no comp server.
  await until(300_000, () => said.includes('3 droplets') || demo.exitCode !== null);
  assert.ok(said.includes('3 droplets'), said);
  demo.kill('SIGINT');
  assert.ok(await until(120_000, () => demo.exitCode !== null));
  assert.equal(demo.exitCode, 99, said);
  assert.deepEqual(await leftovers(), []);
});
