import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { drawJob } from '../../client/scripts/lib/migrate-job.ts';
import { cycleOf, packetChoice } from '../../client/scripts/lib/packet-strategy.ts';
import { firstEntries } from '../../client/scripts/lib/schedule.ts';
import { readAnySchedule, readSchedule } from '../../client/scripts/lib/schedule-file.ts';
import { choose } from '../../client/scripts/lib/strategy.ts';
import { attempt } from '../../scripts/lib/transport/local.ts';
import { runHere } from '../command.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-schedule-'));
after(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const file = (name: string, text: string): string => {
  writeFileSync(at(name), text);
  return at(name);
};
const started = (script: string, ...words: string[]) =>
  attempt(['node', '--import=tsx', `client/scripts/${script}.ts`, ...words]);
const schedule = (...words: string[]) => runHere('client/scripts/schedule.ts', words);

test('a file is the plan that migrate.ts carries out; the plot and the picture show it, also from the file', async () => {
  const words = [
    '--strategy',
    'wr',
    '--seed',
    '42',
    '--period',
    '0.05',
    '--interfaces',
    'wgnet1,wgnet2,wgnet3',
  ];
  const made = await schedule(...words, '--entries', '40', '-o', at('wr'), '--svg', at('wr.svg'));
  assert.equal(made.code, 0, made.stderr);
  const read = readSchedule(readFileSync(at('wr'), 'utf8'), 'wr');
  assert.deepEqual(read.entries, firstEntries(choose('wr', { seed: 42, paths: 3 }).paths, 0.05, 40));
  const plan = await started('migrate', ...words, '--plan', '40');
  const own = readSchedule(plan.stdout, 'plan');
  assert.deepEqual([own.entries, own.interfaces], [read.entries, read.interfaces]);
  for (const key of ['strategy', 'period', 'seed', 'first', 'weights'])
    assert.deepEqual(read.heading[key], own.heading[key], key);

  assert.match(made.stdout, /^wr, seed 42, every 50 ms, 40 entries, weights 30\.9 %, 67\.8 %, 1\.3 %\n/);
  const lines = made.stdout.trimEnd().split('\n');
  assert.deepEqual(
    lines.slice(1, 4).map((line) => [line.slice(0, 6), line.length]),
    ['wgnet1', 'wgnet2', 'wgnet3'].map((name) => [name, 80 - 1]),
  );
  assert.match(readFileSync(at('wr.svg'), 'utf8'), /^<svg .*/);
  assert.equal((await schedule('--show', at('wr'))).stdout, made.stdout);
});

test('by packet: runs of packets, and the plot of their file', async () => {
  const words = [
    '--strategy',
    'bwr',
    '--seed',
    '3',
    '--packets',
    '900',
    '--batch',
    '5-9',
    '--weights',
    '2,1',
  ];
  const made = await schedule(...words, '--paths', '2', '-o', at('bwr'));
  assert.equal(made.code, 0, made.stderr);
  const read = readAnySchedule(readFileSync(at('bwr'), 'utf8'), 'bwr');
  const choice = packetChoice('bwr', { seed: 3, paths: 2, batch: [5, 9], weights: [2, 1] });
  assert.deepEqual(read.runs, cycleOf(choice, 900));
  assert.deepEqual(read.heading.batch, [5, 9]);
  assert.equal((await schedule('--show', at('bwr'))).stdout, made.stdout);
  assert.match(made.stdout, /900 packets\n$/);
});

test('lines on standard output leave it to them alone; a duration has the entries before it', async () => {
  const words = ['--seed', '1', '--duration', '0.35', '--first', '2', '-o', '-'];
  // A program of its own: what it prints is all there when it ends.
  const { stdout, stderr, code } = await started('schedule', ...words);
  assert.equal(code, 0);
  assert.deepEqual(
    readSchedule(stdout, '-').entries.map(({ at, path }) => [at, path]),
    [
      [0, 1],
      [0.1, 2],
      [0.2, 0],
      [0.3, 1],
    ],
  );
  assert.match(stderr, /^rr, seed 1, every 100 ms, 4 entries\n/);
});

test('a switch log is plotted by the paths that were used, a split by what it counted', async () => {
  const start = { event: 'start', strategy: 'rr', seed: 1, period: 1, interfaces: ['wgnet1', 'wgnet2'] };
  const line = (n: number, path: string, planned: string) => ({
    event: 'switch',
    n,
    due: 1e9 + n,
    path,
    planned,
  });
  const lines = (...list: object[]): string => list.map((one) => JSON.stringify(one)).join('\n');
  const log = file(
    'log',
    lines(start, line(0, 'wgnet1', 'wgnet1'), line(1, 'wgnet1', 'wgnet2'), line(2, 'wgnet2', 'wgnet1'), {
      ...{ event: 'end', time: 1e9 + 4 },
    }),
  );
  const shown = await schedule('--show', log);
  assert.match(shown.stdout, /wgnet1 .* 50\.0 %\nwgnet2 .* 50\.0 %\n.*4 s\n$/);
  const split = file(
    'split',
    lines({ ...start, strategy: 'packet' }, { event: 'counts', packets: { wgnet1: 3, wgnet2: 1 } }),
  );
  assert.match((await schedule('--show', split)).stdout, /wgnet1 .* 75\.0 %\nwgnet2 .* 25\.0 %\n/);
});

test('by packet, beyond what the kernel has in its list: the list again, in both commands', async () => {
  const words = ['--strategy', 'packet', '--order', 'rr', '--weights', '3,2', '--seed', '5', '--interfaces'];
  const [made, plan] = await Promise.all([
    schedule(...words, 'wgnet1,wgnet2', '--packets', '12', '-o', '-'),
    started('migrate', ...words, 'wgnet1,wgnet2', '--plan', '12'),
  ]);
  const runs = readAnySchedule(made.stdout, '-').runs;
  assert.deepEqual(readAnySchedule(plan.stdout, '-').runs, runs);
  const paths = (list: typeof runs) => list.flatMap(({ path, packets }) => Array<number>(packets).fill(path));
  const round = paths(runs).slice(0, 5);
  assert.deepEqual(paths(runs), [...round, ...round, ...round.slice(0, 2)]);

  const flags = { strategy: 'packet', period: 0.1, first: 'random', health: true } as const;
  const job = drawJob(flags, 1, ['wgnet1', 'wgnet2', 'wgnet3'], 150_000);
  assert.ok(job.by === 'packet');
  const drawn = paths([...job.plan.runs]);
  assert.equal(drawn.length, 150_000);
  const list = paths(cycleOf(packetChoice('packet', { seed: 1, paths: 3 }), 65_536));
  assert.ok(drawn.every((path, packet) => path === list[packet % 65_536]));
  const long = await schedule('--strategy', 'packet', '--seed', '1', '--packets', '150000', '-o', '-');
  assert.deepEqual(readAnySchedule(long.stdout, '-').runs, job.plan.runs);
});

test('what is not known is not said, and one entry has a length', async () => {
  const bare = file(
    'bare',
    '{"event":"plan","interfaces":["a","b"]}\n{"event":"entry","n":0,"at":0,"path":"b"}\n',
  );
  assert.match((await schedule('--show', bare)).stdout, /^1 entry\na .* 0\.0 %\nb .*█ {2}100\.0 %\n.*1 s\n$/);
});

test('a log that was cut off is plotted, with a word on standard error', async () => {
  const cut = file(
    'cut',
    '{"event":"start","interfaces":["a"]}\n{"event":"entry","n":0,"at":0,"path":"a"}\n{"ev',
  );
  const shown = await schedule('--show', cut);
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stderr, /cut:3: is cut off, and left out/);
});

// Words, and what is said of them.
const table: [string[], RegExp][] = [
  [['--strategy', 'best'], /Allowed choices are none, rr, ur, wr, fixed, bwr, hywf, packet/],
  [['--packets', '5'], /^error: --packets: rr counts no packets\n {2}next: the same without --packets/m],
  [['--strategy', 'hywf', '--entries', '5'], /^error: --entries: hywf counts packets, not seconds/m],
  [['--first', '4'], /^error: --first: "4" is not the number of a path: there are 3/m],
  [['--duration', '1e9', '--period', '0.001'], /^error: --duration: .* a time of 1000000 entries at most/m],
  [['-o', at('none/x')], /^error: -o: there is no folder .*\n {2}next: mkdir -p /m],
  [['--show', file('bad', '{}\n'), '--seed', '1'], /^error: --seed: with --show the file says it all/m],
  [
    ['--show', '/dev/zero'],
    /^error: --show: \/dev\/zero is neither a file nor a pipe\n {2}next: --show a file/m,
  ],
  [['--show', at('bad')], /^error: .*bad:1: a schedule begins with a plan or start line\n {2}next: /m],
];
for (const [words, said] of table)
  test(`refused: ${words.join(' ').replaceAll(folder, '…')}`, async () => {
    const { code, stdout, stderr } = await schedule(...words);
    assert.equal(code, 1, stdout + stderr);
    assert.match(stderr, said);
    assert.doesNotMatch(stderr, /^ +at /m, 'no stack trace');
    assert.equal(existsSync(at('x')), false);
  });
