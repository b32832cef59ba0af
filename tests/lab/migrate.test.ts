/** The route engine on real interfaces: what it does to them, and what becomes of it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isAlive, reached, until } from './migrator.ts';
import {
  current,
  ends,
  ip,
  NAMESPACE,
  routes,
  start,
  TUNNELS,
  tunnelUp,
  useTunnels,
} from './veth-tunnels.ts';

useTunnels();

test('the kernel sees what the log tells, the log is what --plan told, and the other routes stay', async () => {
  const words = ['--strategy', 'wr', '--seed', '42', '--period', '0.005'];
  const plan = await ends(...words, '--plan', '101');
  const monitor = spawn('ip', ['-n', NAMESPACE, 'monitor', 'route']);
  try {
    let seen = '';
    monitor.stdout.setEncoding('utf8').on('data', (text: string) => {
      seen += text;
    });
    // It listens once it shows a change.
    await until('ip monitor', () => {
      ip('route', 'replace', 'default', 'dev', 'lo', 'table', '51821');
      ip('route', 'delete', 'default', 'dev', 'lo', 'table', '51821');
      return seen.includes('default dev lo');
    });
    const { code, lines, stderr } = await ends(...words, '--switches', '100');
    assert.equal(code, 0, stderr);
    assert.equal(stderr, '');
    assert.equal(lines[0]?.event, 'start');
    assert.equal(lines.at(-1)?.event, 'end');
    const told = lines.filter((line) => line.event === 'switch');
    const planned = new Map(plan.of('entry').map((line) => [line.n, line.path]));
    assert.equal(planned.size, 101);
    assert.deepEqual(plan.lines[0]?.weights, lines[0]?.weights);
    assert.ok(told.length > 0);
    for (const { n, path } of told) assert.equal(path, planned.get(n));
    // A machine that is too slow leaves entries out, and says so.
    assert.equal(told.length + (lines.at(-1)?.skipped as number), 101);
    const changes = told.filter((line) => line.from !== line.path).map((line) => line.path);
    const pattern = /^default dev (wgnet\d) table 51821/;
    const inKernel = (): string[] => seen.split('\n').flatMap((line) => pattern.exec(line)?.[1] ?? []);
    await until('ip monitor to show every change', () => inKernel().length >= changes.length);
    assert.deepEqual(inKernel(), changes);
    assert.equal(current(), changes.at(-1));
    assert.equal(routes().length, TUNNELS.length + 2);
  } finally {
    monitor.kill();
  }
});

test('a signal is its normal end: exit 0, an end line, the route stays, its ip is gone', async () => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    const migrator = start('--period', '0.01');
    await migrator.line('some switches', reached(5));
    const child = (await until('its ip', () => migrator.ip)) as number;
    // To the whole group, as a terminal does.
    process.kill(-migrator.pid, signal);
    assert.equal(await migrator.ended, 0, migrator.stderr);
    const end = migrator.lines.at(-1);
    assert.equal(end?.event, 'end');
    assert.equal(end.reason, signal);
    assert.equal(end.errors, 0);
    assert.equal(migrator.stderr, '');
    assert.equal(current(), end.path);
    assert.equal(isAlive(child), false);
  }
});

test('none sets its path once, and puts it back when it is taken away by hand', async () => {
  const migrator = start('--strategy', 'none', '--first', '2', '--period', '0.02');
  await migrator.line('its path', (line) => line.path === 'wgnet2');
  assert.equal(current(), 'wgnet2');
  ip('-4', 'route', 'delete', '0.0.0.0/0', 'dev', 'wgnet2', 'table', '51821');
  await until('the route to come back', () => current() === 'wgnet2');
  assert.equal(await migrator.stop(), 0);
  assert.equal(migrator.of('switch').length, 1);
});

test('an interface that is deleted is named, the others go on, and a new one of that name is used', async () => {
  const migrator = start('--strategy', 'rr', '--period', '0.01');
  await migrator.line('some switches', reached(5));
  ip('link', 'delete', 'wgnet2');
  const error = await migrator.line('an error', (line) => line.event === 'error');
  assert.equal(error.path, 'wgnet2');
  assert.match(String(error.message), /No such device|Cannot find device/);
  const later = (error.n as number) + 6;
  await migrator.line(
    'the others',
    (line) => line.event === 'switch' && (line.n as number) > later && line.from !== line.path,
  );
  tunnelUp('wgnet2');
  await migrator.line(
    'wgnet2 again',
    (line) => line.event === 'switch' && (line.n as number) > later && line.path === 'wgnet2',
  );
  ip('link', 'set', 'wgnet3', 'down');
  await migrator.line('an error of wgnet3', (line) => line.event === 'error' && line.path === 'wgnet3');
  ip('link', 'set', 'wgnet3', 'up');
  ip('route', 'add', 'default', 'dev', 'wgnet3', 'metric', '1003', 'table', '51821');
  await until('wgnet3 again', () => migrator.stderr.includes('wgnet3: works again'));
  assert.equal(await migrator.stop(), 0);
  assert.match(
    migrator.stderr,
    /^wgnet2: .*tried again.*\nwgnet2: works again\nwgnet3: .*\nwgnet3: works again\n$/,
  );
});

test('an ip that dies or hangs is replaced', async () => {
  const migrator = start('--strategy', 'rr', '--period', '0.02');
  await migrator.line('some switches', reached(15));
  for (const [signal, message] of [
    ['SIGKILL', /^ip ended/],
    ['SIGSTOP', /^ip ended \(SIGKILL\)/],
  ] as const) {
    const child = (await until('its ip', () => migrator.ip)) as number;
    const last = migrator.lines.at(-1)?.n as number;
    process.kill(child, signal);
    await until('another ip', () => migrator.ip !== undefined && migrator.ip !== child);
    // Where entries were left out meanwhile, one may come back to the path that is the current one.
    await until('switches', () =>
      migrator.of('switch').find(({ n, from, path }) => (n as number) > last + 60 && from !== path),
    );
    for (const error of migrator.of('error').filter((line) => (line.n as number) > last))
      assert.match(String(error.message), message);
    assert.equal(isAlive(child), false);
  }
  assert.equal(await migrator.stop(), 0);
});

test('only one migrator a namespace; kill -9 leaves the route, frees the place and takes its ip along', async () => {
  const first = start('--strategy', 'rr', '--period', '0.02');
  await first.line('some switches', reached(3));
  const second = await ends('--strategy', 'none');
  assert.equal(second.code, 1);
  assert.match(second.stderr, new RegExp(`process ${first.pid}\\)\n {2}next: kill ${first.pid}\n$`));
  assert.deepEqual(second.lines, []);
  const child = (await until('its ip', () => first.ip)) as number;
  await first.stop('SIGKILL');
  assert.ok(TUNNELS.includes(current() ?? ''));
  await until('its ip to end', () => !isAlive(child));
  assert.equal((await ends('--switches', '1')).code, 0);
});

test('a migrator that was stopped for a while goes on where the clock is', async () => {
  const words = ['--strategy', 'ur', '--seed', '7', '--period', '0.02'];
  const plan = await ends(...words, '--plan', '5000');
  const migrator = start(...words);
  await migrator.line('some switches', reached(5));
  migrator.process.kill('SIGSTOP');
  await until('it to stand', () => /^State:\s+T/m.test(readFileSync(`/proc/${migrator.pid}/status`, 'utf8')));
  await new Promise((resolve) => setTimeout(resolve, 200));
  migrator.process.kill('SIGCONT');
  const late = await migrator.line('what it left out', (line) => line.event === 'late');
  const next = (late.n as number) + (late.skipped as number);
  await migrator.line('switches', (line) => line.event === 'switch' && (line.n as number) > next + 5);
  assert.equal(await migrator.stop(), 0);
  const paths = plan.of('entry').map((line) => line.path);
  for (const { n, path } of migrator.of('switch')) assert.equal(path, paths[n as number]);
});
