import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import type { Outcome } from '../../client/scripts/lib/collect/outcome.ts';
import { amount, canErase, Progress, period } from '../../client/scripts/lib/collect/progress.ts';
import type { VisitSummary } from '../../client/scripts/lib/trace/record.ts';
import { writeRun } from '../synthetic-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-progress-'));
after(() => rmSync(folder, { recursive: true }));
const { summary: SUMMARY } = writeRun(join(folder, 'made'))[0] as { summary: VisitSummary };

test('bytes for a person', () => {
  const table: [number, string][] = [
    ...[[0, '0.0 kB'] as const, [999, '1.0 kB'] as const, [12_345, '12.3 kB'] as const],
    ...[[1e6, '1.0 MB'] as const, [123_456_789, '123.5 MB'] as const, [1e9, '1.00 GB'] as const],
    [12_345_678_901, '12.35 GB'],
  ].map(([bytes, text]) => [Number(bytes), String(text)]);
  for (const [bytes, text] of table) assert.equal(amount(bytes), text);
});

test('times for a person', () => {
  const table: [number, string][] = [
    [-5, '0 s'],
    [0, '0 s'],
    [44.6, '45 s'],
    [89, '89 s'],
    [90, '2 min'],
    [720, '12 min'],
    [3599, '1 h 0 min'],
    [12_000, '3 h 20 min'],
    [47 * 3600, '47 h 0 min'],
    [52 * 3600, '2 d 4 h'],
  ];
  for (const [seconds, text] of table) assert.equal(period(seconds), text);
});

interface Wish {
  attempt?: number;
  failure?: Outcome['facts']['failure'];
  url?: string;
  bytes?: number;
}

function outcome({ attempt = 1, failure = null, url = 'https://a.example/', bytes = 1000 }: Wish): Outcome {
  const paths = SUMMARY.paths.map((path) => ({ ...path, bytes_in: bytes, bytes_out: 500 }));
  const times = { started: 1000, ended: 1002.34 };
  const status = failure === null ? ('success' as const) : ('failure' as const);
  const summary = { ...SUMMARY, ...times, visit: '0003-0007', attempt, url, failure, status, paths };
  return { facts: summary, summary, records: () => assert.fail('nobody asked') };
}

/** What is written to standard error, piece by piece, while `work` runs. */
function written(t: TestContext, work: () => void): string[] {
  const pieces: string[] = [];
  const write = t.mock.method(process.stderr, 'write', (text: string) => pieces.push(text) > 0);
  const error = t.mock.method(console, 'error', (text: string) => pieces.push(`${text}\n`));
  try {
    work();
  } finally {
    write.mock.restore();
    error.mock.restore();
  }
  return pieces;
}

test('a line is taken back on a terminal that knows how', () => {
  assert.equal(canErase({ isTTY: true }, { TERM: 'xterm' }), true);
  assert.equal(canErase({ isTTY: true }, {}), true);
  assert.equal(canErase({ isTTY: true }, { TERM: 'dumb' }), false);
  assert.equal(canErase({}, { TERM: 'xterm' }), false);
});

const NONE = { finished: 0, failed: 0 };
const NAMES = SUMMARY.paths.map((path) => path.interface);
const TIMEOUT = { kind: 'timeout', message: 'not loaded within 30 s' } as const;

test('piped, there is a line for each attempt, the sums at the end, and nothing else', (t) => {
  const lines = written(t, () => {
    const progress = new Progress(5, { finished: 2, failed: 1 }, NAMES, false);
    progress.at('https://a.example/');
    progress.finished(outcome({ failure: TIMEOUT }), false);
    progress.finished(outcome({ attempt: 2 }), true);
    progress.finished(outcome({ failure: TIMEOUT }), true);
    progress.end();
  });
  assert.deepEqual(lines.slice(0, -1), [
    '2/5 0003-0007 failure timeout: not loaded within 30 s; it is tried again https://a.example/ 2.3 s\n',
    '3/5 0003-0007 (attempt 2) success https://a.example/ 2.3 s\n',
    '4/5 0003-0007 failure timeout: not loaded within 30 s https://a.example/ 2.3 s\n',
  ]);
  assert.match(
    lines.at(-1) ?? '',
    /^2 visits \(and 2 before\) in \d s, 1 failed \(and 1 before\); wgnet1 4\.5 kB, wgnet2 4\.5 kB/,
  );
});

test('a terminal that does not know its size, a serial console, gets the line all the same', (t) => {
  const before = Object.getOwnPropertyDescriptor(process.stderr, 'columns');
  t.after(() =>
    before === undefined
      ? Reflect.deleteProperty(process.stderr, 'columns')
      : Object.defineProperty(process.stderr, 'columns', before),
  );
  Object.defineProperty(process.stderr, 'columns', { value: 0, configurable: true });
  const [line = ''] = written(t, () => new Progress(5, NONE, [], true).at('https://a.example/'));
  assert.match(line, /^░+ 0\/5 {4}https:\/\/a\.example\/$/);
});

test('what a page says is no command to the terminal, and no line of its own', (t) => {
  const nasty = 'a\u001b[2J\u0007\r\nb\u009b31m\u0000\u007f';
  for (const terminal of [true, false]) {
    const pieces = written(t, () => {
      const progress = new Progress(3, NONE, [], terminal);
      progress.at(`https://a.example/${nasty}`);
      progress.finished(outcome({ failure: { kind: 'dialog', message: nasty }, url: nasty }), true);
      progress.say(nasty);
    });
    const text = pieces.join('').replaceAll('\r\u001b[K', '');
    assert.match(text, /dialog: a/);
    assert.equal(text.match(/\n/g)?.length, 2);
    assert.doesNotMatch(text.replaceAll('\n', ''), /\p{Cc}/u);
  }
});

test('on a terminal successes have no line, and the bar says how many, how long and how much', (t) => {
  const pieces = written(t, () => {
    const progress = new Progress(4, NONE, NAMES, true);
    progress.finished(outcome({ bytes: 2e6 }), true);
    progress.at('https://b.example/');
    progress.finished(outcome({ failure: TIMEOUT }), true);
    progress.at('https://c.example/');
    progress.end();
  });
  assert.match(pieces[0] ?? '', /^█{5}░{15} 1\/4 {2}ETA 0 s {2}wgnet1 2\.0 MB/);
  assert.ok((pieces[0] ?? '').length < 80, 'it fits in a line');
  assert.equal(pieces[1], '\r\u001b[K');
  assert.match(pieces[2] ?? '', /^2\/4 .*timeout/);
  assert.match(pieces[3] ?? '', /^█{10}░{10} 2\/4 {2}1 failed {2}ETA/);
  assert.equal(pieces[4], '\r\u001b[K');
  assert.match(pieces[5] ?? '', /^2 visits in \d s, 1 failed; /);
  assert.equal(pieces.length, 6);
});

test('a run without a visit to make has an end all the same', (t) => {
  const pieces = written(t, () => {
    const progress = new Progress(0, NONE, [], true);
    progress.at('');
    progress.end();
  });
  assert.doesNotMatch(pieces.join(''), /NaN|Infinity/);
  const first = written(t, () => new Progress(3, NONE, [], true).at('https://a.example/'));
  assert.match(first.join(''), /^░{20} 0\/3 {4}https:\/\/a\.example\/$/);
});
