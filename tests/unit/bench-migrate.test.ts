/** The pure parts of bench/migrate.ts: cases, stamps, figures. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { percentile } from '../../bench/figures.ts';
import { BASE, casesWith, isCounted, isFree, nameOf, periodText } from '../../bench/migrate/cases.ts';
import { intervalOf, lossOf, ratioOf } from '../../bench/migrate/rows.ts';
import { sentIn, unevenness } from '../../bench/migrate/shares.ts';
import { between, intervalErrors, readLog, readLoop } from '../../bench/migrate/stamps.ts';
import { orderOf } from '../../bench/order.ts';
import { secondsIn, secondsOf } from '../../bench/process-time.ts';

test('a percentile is a value that is there, and not exceeded by that share of all', () => {
  assert.ok(Number.isNaN(percentile([], 0.5)));
  assert.equal(percentile([7], 0.99), 7);
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  assert.deepEqual(
    [0, 0.5, 0.99, 1].map((share) => percentile(hundred, share)),
    [1, 50, 99, 100],
  );
  fc.assert(
    fc.property(
      fc.array(fc.integer(), { minLength: 1 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, share) => {
        const found = percentile(values, share);
        assert.ok(values.includes(found));
        assert.ok(values.filter((value) => value <= found).length >= share * values.length);
      },
    ),
  );
});

test('all cases are there, each with a name of its own; a split only where there is one', () => {
  const all = casesWith({ split: true });
  assert.equal(new Set(all.map(nameOf)).size, 12);
  assert.equal(all[0], BASE);
  assert.equal(all.filter(({ mover }) => mover === 'split').length, 1);
  assert.deepEqual(
    casesWith({ split: false }).map(nameOf),
    all.map(nameOf).filter((name) => name !== 'kernel split'),
  );
  assert.deepEqual([1, 0.1, 0.01, 0.001, 0.0005].map(periodText), [
    '1 s',
    '100 ms',
    '10 ms',
    '1 ms',
    '0.5 ms',
  ]);
  assert.deepEqual(all.filter(isCounted).map(nameOf), [
    'no migration',
    'migrate.ts, 100 ms',
    'migrate.ts, 10 ms',
    'kernel split',
  ]);
  assert.equal(all.filter(isFree).length, 6);
});

test('each round has every case once, the base first and once in the middle, in another order', () => {
  const cases = casesWith({ split: true });
  const orders = [0, 1, 2].map((round) => orderOf(cases, round));
  for (const order of orders) {
    assert.equal(order.length, cases.length + 1);
    assert.deepEqual(new Set(order), new Set(cases));
    const places = order.flatMap((one, i) => (one === BASE ? [i] : []));
    assert.deepEqual(places, [0, 7]);
  }
  assert.equal(new Set(orders.map((order) => order[1])).size, 3);
  assert.deepEqual(orderOf([BASE], 3), [BASE, BASE]);
});

test('the switch log and the loop’s lines give the same stamps', () => {
  const lines = [
    { event: 'start', time: 1 },
    { event: 'switch', n: 0, time: 2, done: 2.5, path: 'wgnet1' },
    { event: 'late', n: 1, time: 3, skipped: 4 },
    { event: 'error', n: 5, time: 3.5, message: 'no such device' },
    { event: 'counts', packets: { wgnet1: 5 } },
    { event: 'switch', n: 6, time: 4, done: 4.5, path: 'wgnet2' },
  ];
  // The last one is still being written.
  const text = `${lines.map((line) => JSON.stringify(line)).join('\n')}\n{"event":"swi`;
  const stamps = [
    { time: 2, done: 2.5 },
    { time: 4, done: 4.5 },
  ];
  assert.deepEqual(readLog(text), { stamps, skipped: 4, errors: 1, packets: { wgnet1: 5 } });
  const loop = '2.0 2.500000\nRTNETLINK answers: No such process\n4.000000 4.5\n5.0 5.';
  assert.deepEqual(readLoop(loop), { stamps, skipped: 0, errors: 1, packets: null });
  assert.deepEqual(between(stamps, 2, 4), stamps.slice(0, 1));
});

test('an interval’s error is its distance from the period, of beginnings and of ends', () => {
  const near = (is: number | undefined, should: number): void =>
    assert.ok(Math.abs((is ?? Number.NaN) - should) < 1e-9, `${is} is not ${should}`);
  assert.deepEqual(intervalErrors([5], 1), []);
  const errors = intervalErrors([0, 0.1, 0.25, 0.3], 0.1);
  for (const [i, should] of [0, 0.05, 0.05].entries()) near(errors[i], should);
  const found = intervalOf(
    [
      { time: 0, done: 0.01 },
      { time: 0.1, done: 0.13 },
      { time: 0.2, done: 0.21 },
    ],
    0.1,
  );
  assert.equal(found?.count, 2);
  near(found?.median, 0);
  near(found?.done_median, 0.02);
  near(found?.done_p99, 0.02);
  assert.equal(intervalOf([{ time: 0, done: 0 }], 0.1), null);
});

test('ratios are of the same round, so that a machine that gets slower changes none', () => {
  const ratio = ratioOf([[90], [45], [9]], [[100], [40, 60], [10]]);
  for (const key of ['median', 'least', 'most'] as const) assert.ok(Math.abs(ratio[key] - 0.9) < 1e-9);
  assert.equal(ratio.bits_per_second, 45);
  const base = ratioOf([[80, 120]], [[80, 120]]);
  assert.deepEqual([base.least, base.median, base.most], [0.8, 1, 1.2]);
});

test('what is lost on the way there is not counted again on the way back', () => {
  const packets = {
    sent: 100,
    seconds: 1,
    refused: 0,
    there: { came: 90, late: 9 },
    back: { came: 85, late: 0 },
  };
  assert.deepEqual(lossOf(packets), { sent: 100, lost_up: 10, lost_down: 5, reordered: 0.1 });
  const none = { ...packets, there: { came: 0, late: 0 }, back: { came: 0, late: 0 } };
  assert.equal(lossOf(none).reordered, 0);
});

test('packets sent a path are read from /proc/net/dev, and how uneven they are', () => {
  const table = [
    'Inter-|   Receive                                                |  Transmit',
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed',
    '  eth0: 9 9 0 0 0 0 0 0 9 9 0 0 0 0 0 0',
    'wgnet1: 1000 10 0 0 0 0 0 0 2000 30 0 0 0 0 0 0',
    'wgnet2:1000 10 0 0 0 0 0 0 2000 70 0 0 0 0 0 0',
    '',
  ].join('\n');
  assert.deepEqual(sentIn(table), { wgnet1: 30, wgnet2: 70 });
  assert.ok(Math.abs(unevenness({ wgnet1: 30, wgnet2: 70 }) - 0.2) < 1e-9);
  assert.equal(unevenness({ a: 5, b: 5 }), 0);
});

test('processor time is that of a process, of its children, and of those it waited for', async () => {
  assert.equal(secondsIn('12 (a) b (c) S 1 12 12 0 -1 4194304 5 6 7 8 100 20 3 4 20 0 1 0 9'), 1.27);
  const before = secondsOf(process.pid);
  // A fifth of a second: far above what a tick rounds away.
  const busy = 'for (const end = process.cpuUsage().user + 2e5; process.cpuUsage().user < end; );';
  await promisify(execFile)('sh', ['-c', `${process.execPath} -e '${busy}'; true`]);
  assert.ok(secondsOf(process.pid) - before >= 0.17);
});
