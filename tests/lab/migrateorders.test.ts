/** What migrate.ts can be told: by files, by another program, by flags that it refuses. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { type Line, type Migrator, outcome, reached, SCRIPT, until } from './migrator.ts';
import { EMPTY, ends, here, NAMESPACE, routes, start, useTunnels } from './veth-tunnels.ts';

useTunnels();

test('a file is carried out as it says, a log of that as well, and again and again where told', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'comps-replay-'));
  try {
    const [plan, log] = [join(folder, 'plan'), join(folder, 'log')];
    assert.equal(
      (await ends('--strategy', 'wr', '--seed', '5', '--period', '0.02', '--plan', '20', '--log', plan)).code,
      0,
    );
    const planned = readFileSync(plan, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line): Line => JSON.parse(line));
    const told = (migrator: Migrator) => {
      const skipped = new Set(
        migrator
          .of('late')
          .flatMap(({ n = 0, skipped }) => Array.from({ length: Number(skipped) }, (_, i) => n + i)),
      );
      assert.deepEqual(
        migrator.of('switch').map(({ n, path }) => [n, path]),
        planned.filter(({ n = 0 }) => !skipped.has(n)).map(({ n, path }) => [n, path]),
      );
    };
    const first = await ends('--schedule', plan);
    assert.equal(first.code, 0, first.stderr);
    told(first);
    assert.equal(first.lines.at(-1)?.reason, 'schedule');
    const begun = first.lines[0];
    assert.deepEqual([begun?.strategy, begun?.seed, begun?.schedule], ['wr', 5, plan]);
    if (first.of('late').length === 0) {
      writeFileSync(log, first.lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
      told(await ends('--schedule', log));
    }
    const again = start('--schedule', plan, '--repeat');
    await again.line('the second round', reached(30));
    assert.equal(await again.stop(), 0);
    for (const { n = 0, path } of again.of('switch')) assert.equal(path, planned[n % 20]?.path);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('--hold: schedules begin and end at the word of whoever started it, each the one of its seed', async () => {
  const migrator = start('--strategy', 'wr', '--period', '0.02', '--seed', '1', '--hold');
  const say = (line: string): unknown => migrator.process.stdin?.write(`${line}\n`);
  await migrator.line('it to wait', ({ event }) => event === 'ready');
  const before = routes();
  assert.deepEqual(migrator.of('switch'), []);
  const schedules = async (count: number): Promise<Line[]> =>
    until(`${count} schedules`, () => migrator.of('start').length === count && migrator.of('start'));
  const entries = () => migrator.of('switch').length;
  for (const [i, order] of ['run 42', 'run', 'run 42'].entries()) {
    const seen = entries();
    say(order);
    await schedules(i + 1);
    await until('some switches', () => entries() > seen + 8);
    say('stop');
    await until('its end', () => migrator.of('end').length === i + 1);
    const still = entries();
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.equal(entries(), still, 'nothing is switched between two schedules');
  }
  assert.deepEqual(
    migrator.of('start').map(({ seed }) => seed),
    [42, 1, 42],
  );
  const plan = await ends('--strategy', 'wr', '--seed', '42', '--plan', '2000');
  const paths = plan.of('entry').map(({ path }) => path);
  const runs = migrator.lines.reduce<Line[][]>((all, line) => {
    if (line.event === 'start') all.push([]);
    else if (line.event === 'switch') all.at(-1)?.push(line);
    return all;
  }, []);
  for (const i of [0, 2]) for (const { n, path } of runs[i] ?? []) assert.equal(path, paths[n as number]);
  assert.notEqual(before.length, 0);
  say('go');
  await until('its complaint', () =>
    migrator.stderr.includes('no order: "go"; there are run, run SEED and stop'),
  );
  // Its starter is gone: a schedule that runs ends, and so does it.
  say('run 7');
  await schedules(4);
  migrator.process.stdin?.end();
  assert.equal(await migrator.ended, 0, migrator.stderr);
  assert.equal(migrator.lines.at(-1)?.event, 'end');
});

test('it ends when nobody reads its log any more, and not before its reader does', async () => {
  const slow = start('--period', '0.001');
  await slow.line('some switches', reached(5));
  slow.process.stdout?.pause();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  slow.process.kill('SIGTERM');
  slow.process.stdout?.resume();
  assert.equal(await slow.ended, 0, slow.stderr);
  const end = slow.lines.at(-1);
  assert.equal(end?.event, 'end');
  assert.equal(slow.of('switch').length, end.entries);

  const alone = start('--period', '0.01');
  await alone.line('some switches', reached(5));
  alone.process.stdout?.destroy();
  assert.equal(await alone.ended, 0, alone.stderr);
});

test('what is not as needed is refused, with the next step, before anything is touched', async () => {
  const before = routes();
  const cases: [string[], RegExp, string?][] = [
    [[], /no wgnet interface .*\n {2}next: \/etc\/wireguard\/setup\.sh\n$/, EMPTY],
    [
      ['--interfaces', 'wgnet1,wgnet7'],
      /^error: --interfaces: no interface wgnet7; there is wgnet1, wgnet2, wgnet3\n$/,
    ],
    [['--interfaces', 'lo'], /^error: --interfaces: "lo" is not the name of a tunnel such as wgnet1\n$/],
    [['--period', '0'], /^error: --period: "0" is not a number of seconds from 0\.001 to 1000000\n$/],
    [['--first', '4'], /^error: --first: "4" is not the number of a path: there are 3\n$/],
    [['--seed', '-1'], /^error: --seed: "-1" is not a whole number from 0 to 9007199254740991\n$/],
    [['--strategy', 'bogus'], /none, rr, ur, wr, fixed, bwr, packet/],
    [['--strategy', 'fixed'], /^error: --strategy fixed: needs the weights of the paths\n {2}next: /],
    [['--strategy', 'fixed', '--weights', '1,2'], /^error: --weights: 2 weights for 3 paths\n/],
    [['--strategy', 'packet', '--period', '1'], /^error: --period: packet counts packets, not seconds\n/],
    [['--strategy', 'rr', '--detach'], /^error: --detach: rr needs this program at each choice\n/],
    [['--stop', '--seed', '1'], /^error: --seed: --stop begins nothing\n/],
    [['--repeat'], /^error: --repeat: there is no --schedule to repeat\n/],
    [['--schedule', '/nowhere'], /^error: --schedule: ENOENT/],
    [['--schedule', '/dev/null', '--seed', '1'], /^error: --seed: with --schedule the file says it all\n/],
    [['--schedule', '/dev/null'], /^error: --schedule: \/dev\/null is neither a file nor a pipe\n {2}next: /],
    [['--strategy', 'packet'], /^error: wgnet1: has no IPv4 address\n {2}next: /],
    [['extra'], /too many arguments/],
    [['--log', '/nowhere/at/all'], /^error: --log: ENOENT/],
  ];
  const seen = await Promise.all(cases.map(([words, , namespace]) => outcome(here(words, namespace))));
  for (const [i, [words, expected]] of cases.entries()) {
    assert.match(seen[i]?.stderr ?? '', expected);
    assert.equal(seen[i]?.code, 1, words.join(' '));
    assert.deepEqual(
      seen[i]?.lines.filter(({ event }) => event !== 'start'),
      [],
    );
  }
  assert.deepEqual(routes(), before);
});

test('without the right to change routes, and without ip, it says so', async () => {
  const run = promisify(execFile);
  const script = [process.execPath, '--import', 'tsx', SCRIPT];
  const drop = ['--bounding-set', '-net_admin', '--inh-caps', '-net_admin'];
  await assert.rejects(run('ip', ['netns', 'exec', NAMESPACE, 'setpriv', ...drop, ...script]), {
    code: 1,
    stderr: /needs root \(CAP_NET_ADMIN\)[\s\S]*next: /,
  });
  // Found there too, whatever PATH says; a netns exec has mounts of its own.
  const hide = 'for d in /usr/sbin /sbin; do mount --bind /mnt "$d"; done; PATH=/nonexistent exec "$@"';
  await assert.rejects(run('ip', ['netns', 'exec', NAMESPACE, 'sh', '-c', hide, 'sh', ...script]), {
    code: 1,
    stderr: /cannot run ip: .*ENOENT[\s\S]*next: apt-get install iproute2/,
  });
});
