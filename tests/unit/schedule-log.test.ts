/** Switch logs, read as the schedules that were carried out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../client/scripts/lib/fault.ts';
import { type Heading, readAnySchedule, readSchedule } from '../../client/scripts/lib/schedule-file.ts';
import { SCHEDULE_VERSION } from '../../client/scripts/lib/schedule-text.ts';

const names = (paths: number): string[] => Array.from({ length: paths }, (_, i) => `wgnet${i + 1}`);
const heading = (paths: number, more: object = {}): Heading => ({
  ...{ event: 'plan', version: SCHEDULE_VERSION, strategy: 'ur', period: 0.1, seed: 7 },
  interfaces: names(paths),
  ...more,
});

const text = (...lines: (object | string)[]): string =>
  lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');

const START = { ...heading(2), event: 'start', time: 1.76e9 };
const change = (n: number, due: number, path: string, more: object = {}) => ({
  ...{ event: 'switch', n, due, time: due + 0.0002, done: due + 0.0004, path, from: null },
  ...more,
});

test('a switch log is read too: its remarks are left, its times are those of the plan', () => {
  const log = text(
    { event: 'ready', time: 1.76e9 },
    { ...START, version: 0 },
    change(0, 1_760_000_000.000123, 'wgnet1'),
    { event: 'late', n: 1, time: 1, skipped: 2, late: 0.2 },
    { event: 'error', n: 3, due: 1, time: 1, path: 'wgnet2', stays: 'wgnet1', message: 'no' },
    { event: 'clock', time: 5, step: 3600 },
    { event: 'health', time: 5, out: ['wgnet2'], back: [], healthy: ['wgnet1'] },
    // Behind a step of the clock by an hour.
    change(4, 1_760_003_600.400123, 'wgnet1', { planned: 'wgnet2' }),
    { event: 'end', time: 1_760_003_600.900123, reason: 'SIGTERM', entries: 2 },
    '',
  );
  const entries = [
    { n: 0, at: 0, path: 0 },
    // Drawn by rules that are not today's: what came up late stays missing.
    { n: 3, at: 0.3, path: 1 },
    { n: 4, at: 0.4, path: 1 },
  ];
  assert.deepEqual(readSchedule(log, 'log').entries, entries);
  const used = readAnySchedule(log, 'log', { which: 'used' });
  assert.deepEqual(
    used.entries.map(({ path }) => path),
    [0, 0],
  );
  assert.ok(Math.abs((used.end ?? 0) - 0.9) < 1e-5);
});

test('a log without a period counts from its first entry', () => {
  const log = text(
    { ...START, period: null },
    change(0, 1_760_000_000.5, 'wgnet1'),
    change(1, 1_760_000_000.75, 'wgnet2'),
    change(2, 1_760_000_003.5, 'wgnet1'),
  );
  assert.deepEqual(
    readSchedule(log, 'log').entries.map(({ at }) => at),
    [0, 0.25, 3],
  );
});

test('without a period too, an entry that failed is one, and the first tells when all began', () => {
  const failed = {
    ...{ event: 'error', n: 0, due: 1_760_000_000.5 },
    path: 'wgnet2',
    stays: null,
    message: 'no',
  };
  const log = text(
    { ...START, period: null },
    failed,
    change(1, 1_760_000_001.5, 'wgnet1'),
    // A split's.
    { event: 'error', time: 1, path: 'wg0', message: 'gone' },
  );
  const [planned, used] = [readSchedule(log, 'log'), readAnySchedule(log, 'log', { which: 'used' })];
  assert.deepEqual(planned.entries, [
    { n: 0, at: 0, path: 1 },
    { n: 1, at: 1, path: 0 },
  ]);
  assert.deepEqual(used.entries, [{ n: 1, at: 1, path: 0 }]);
});

test('what came up late is drawn again only where that gives the entries that are there', () => {
  const start = { ...START, strategy: 'rr', first: 1, seed: 1 };
  const late = { event: 'late', n: 1, time: 1, skipped: 2, late: 0.2 };
  const numbers = (first: object, path: string): number[] =>
    readSchedule(text(first, change(0, 1e9, 'wgnet1'), late, change(3, 1e9 + 0.3, path)), 'log').entries.map(
      ({ n }) => n,
    );
  assert.deepEqual(numbers(start, 'wgnet2'), [0, 1, 2, 3]);
  assert.deepEqual(numbers(start, 'wgnet1'), [0, 3]);
  assert.deepEqual(numbers({ ...start, schedule: 'plan.jsonl' }, 'wgnet2'), [0, 3]);
  assert.deepEqual(numbers({ ...start, seed: undefined }, 'wgnet2'), [0, 3]);
  assert.deepEqual(numbers({ ...start, first: 3 }, 'wgnet2'), [0, 3]);
  assert.throws(
    () => readSchedule(text(start, { ...late, n: 0, skipped: 1e15 }), 'log'),
    /goes on to entry 999999999999999 /,
  );
});

test('the path that was used between two entries is read too', () => {
  const move = (n: number, done: number, path: string): object => ({
    ...{ event: 'detour', n, time: done, done, path, from: 'wgnet1', planned: 'wgnet1' },
  });
  const log = text(
    { ...START, period: 1 },
    change(0, 1e9, 'wgnet1'),
    move(0, 1e9 + 0.25, 'wgnet2'),
    change(1, 1e9 + 1, 'wgnet1'),
    // Behind the time of entry 2, and before it was carried out.
    move(1, 1e9 + 1.5, 'wgnet2'),
    move(1, 1e9 + 2.001, 'wgnet1'),
    change(2, 1e9 + 2, 'wgnet2'),
    { event: 'end', time: 1e9 + 3 },
  );
  assert.deepEqual(
    readAnySchedule(log, 'log', { which: 'used' }).entries.map(({ n, at, path }) => [n, at, path]),
    [
      [0, 0, 0],
      [0, 0.25, 1],
      [1, 1, 0],
      [1, 1.5, 1],
      [2, 2, 1],
    ],
  );
  assert.deepEqual(
    readSchedule(log, 'log').entries.map(({ at, path }) => [at, path]),
    [
      [0, 0],
      [1, 0],
      [2, 1],
    ],
  );
});

test('a log that was cut off by force is read up to there, with a word; a plan is not', () => {
  const said: string[] = [];
  const warn = (words: string): void => void said.push(words);
  const cut = text(START, change(0, 1e9, 'wgnet1'), '{"event":"swi');
  assert.equal(readSchedule(cut, 'log', { warn }).entries.length, 1);
  assert.deepEqual(said, ['log:3: is cut off, and left out']);
  assert.throws(() => readSchedule(cut.replace('"start"', '"plan"'), 'log', { warn }), /is cut off/);
  assert.equal(said.length, 1);
});

test('of a file with two runs, or a broken line in it, the way to the good part is said', () => {
  const next = (content: string, file: string): string | undefined => {
    try {
      readSchedule(content, file);
    } catch (error) {
      if (error instanceof Fault) return error.next;
      throw error;
    }
    return undefined;
  };
  const two = text(START, change(0, 1e9, 'wgnet1'), '{"event":"end"}', START);
  assert.equal(
    next(two, 'my log'),
    "tail -n +4 'my log' > one.jsonl takes this one, head -n 3 'my log' > one.jsonl the one before",
  );
  const broken = text(START, change(0, 1e9, 'wgnet1'), '{"event":"swi{"event":"start"}', '');
  assert.equal(next(broken, 'log'), 'head -n 2 log > one.jsonl takes what is before it');
});

test('the log of a split has what each path carried', () => {
  const log = text(
    { ...START, strategy: 'packet', seed: 9 },
    { event: 'split', time: 1, done: 1.1, cycle: 65_536, paths: names(2) },
    { event: 'counts', packets: { wgnet2: 70 } },
    { event: 'end', time: 2 },
  );
  assert.deepEqual(readAnySchedule(log, 'log').counts, [0, 70]);
  assert.throws(
    () => readSchedule(log, 'log'),
    (error) =>
      error instanceof Fault &&
      /^error: log: is a schedule by packet.*\n {2}next: migrate.ts --strategy packet --seed 9/.test(
        error.toString(),
      ),
  );
});
