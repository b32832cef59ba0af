import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { firstEntries } from '../../client/scripts/lib/schedule.ts';
import { choose } from '../../client/scripts/lib/strategy.ts';
import { agreement, compareVisit } from '../../scripts/lib/dataset/compare.ts';
import { guessClient, parseCell, parseCsv } from '../../scripts/lib/dataset/parse.ts';
import { entryAt, type SplitPlan, split } from '../../scripts/lib/dataset/split.ts';
import type { TracePacket } from '../../scripts/lib/dataset/trace.ts';
import type { Schedule } from '../../scripts/lib/dataset/traces.ts';
import { pcapBytes, udpPacket } from '../pcap-writer.ts';

const micro = (seconds: number): number => Math.round(seconds * 1e6);

/** Packets in the order of time, within five seconds. */
const traces = fc
  .array(
    fc.record({
      us: fc.integer({ min: 0, max: 5_000_000 }),
      direction: fc.constantFrom<1 | -1>(1, -1),
      size: fc.integer({ min: 28, max: 1500 }),
    }),
    { minLength: 1, maxLength: 80 },
  )
  .map((list) => list.sort((a, b) => a.us - b.us))
  .chain((list) =>
    fc
      .constantFrom(0, 1_760_000_000)
      .map((origin) =>
        list.map(
          ({ us, direction, size }): TracePacket => ({ time: origin + us / 1e6, direction, size, path: 0 }),
        ),
      ),
  );

const plans = fc.record({
  strategy: fc.constantFrom('none' as const, 'rr' as const, 'ur' as const, 'wr' as const),
  seed: fc.integer({ min: 0, max: 2 ** 40 }),
  paths: fc.integer({ min: 1, max: 6 }),
  period: fc.constantFrom(0.005, 0.01, 0.1, 0.3, 1),
});

const models = fc.record({
  downlink: fc.constantFrom<'roaming' | 'schedule'>('roaming', 'schedule'),
  delay: fc.constantFrom(0, 0.001, 0.02),
});

const startOf = (packets: readonly TracePacket[]): number => packets[0]?.time ?? 0;

test('every packet lands on exactly one path that there is, and is else what it was', () =>
  fc.assert(
    fc.property(traces, plans, models, (packets, plan, model) => {
      const all = split(packets, { ...plan, start: startOf(packets) }, model);
      assert.deepEqual(
        all.map((packet) => ({ ...packet, path: 0 })),
        packets,
      );
      for (const { path } of all) assert.ok(Number.isInteger(path) && path >= 0 && path < plan.paths);
    }),
  ));

test('what goes out takes the path that the schedule has at its time, whatever the model', () =>
  fc.assert(
    fc.property(traces, plans, models, (packets, plan, model) => {
      const start = startOf(packets);
      const schedule = firstEntries(choose(plan.strategy, plan).paths, plan.period, 1002);
      for (const { time, path, direction } of split(packets, { ...plan, start }, model)) {
        const entry = schedule.findLast(({ at }) => micro(at) <= micro(time - start));
        if (direction === 1) assert.equal(path, entry?.path);
        else if (model.downlink === 'schedule' && model.delay === 0) assert.equal(path, entry?.path);
      }
    }),
  ));

test('what comes in takes the path of what went out last', () =>
  fc.assert(
    fc.property(traces, plans, (packets, plan) => {
      const all = split(packets, { ...plan, start: startOf(packets) }, { downlink: 'roaming', delay: 0 });
      for (const [i, { direction, path }] of all.entries()) {
        const heard = all.slice(0, i).findLast((one) => one.direction === 1);
        const first = all.find((one) => one.direction === 1);
        if (direction === -1 && first !== undefined) assert.equal(path, (heard ?? first).path);
      }
    }),
  ));

const packet = (time: number, direction: 1 | -1): TracePacket => ({ time, direction, size: 100, path: 0 });
const pathsOf = (packets: TracePacket[]): number[] => packets.map(({ path }) => path);
const RR: SplitPlan = { strategy: 'rr', seed: 0, paths: 3, first: 0, period: 1, start: 0 };

test('a delay: the server answers to where it was called from that long ago', () => {
  const trace = [
    packet(0.5, 1),
    packet(1.1, 1),
    packet(1.25, -1),
    packet(1.299, -1),
    packet(1.3, -1),
    packet(2.2, -1),
  ];
  assert.deepEqual(pathsOf(split(trace, RR, { downlink: 'roaming', delay: 0 })), [0, 1, 1, 1, 1, 1]);
  assert.deepEqual(pathsOf(split(trace, RR, { downlink: 'roaming', delay: 0.09 })), [0, 1, 0, 1, 1, 1]);
  assert.deepEqual(pathsOf(split(trace, RR, { downlink: 'schedule', delay: 0 })), [0, 1, 1, 1, 1, 2]);
  assert.deepEqual(pathsOf(split(trace, RR, { downlink: 'schedule', delay: 0.299 })), [0, 1, 0, 1, 1, 1]);
});

test('a packet at the very moment of a switch takes the new path; before the start it is the first', () => {
  const trace = [
    packet(0, 1),
    packet(9.999999, 1),
    packet(10, 1),
    packet(11, 1),
    packet(12.999999, 1),
    packet(13, 1),
  ];
  const all = split(trace, { ...RR, start: 10 }, { downlink: 'roaming', delay: 0 });
  assert.deepEqual(pathsOf(all), [0, 0, 0, 1, 2, 0]);
});

test('the last entry stays in force', () => {
  const trace = [packet(0.5, 1), packet(1.5, 1), packet(2.5, 1), packet(9.5, 1), packet(9.6, -1)];
  const model = { downlink: 'roaming', delay: 0 } as const;
  assert.deepEqual(pathsOf(split(trace, { ...RR, last: 1 }, model)), [0, 1, 1, 1, 1]);
  assert.deepEqual(
    pathsOf(split(trace, { ...RR, last: 0 }, { ...model, downlink: 'schedule' })),
    [0, 0, 0, 0, 0],
  );
});

test('a trace without an outgoing packet takes the paths in force', () => {
  const all = split([packet(0, -1), packet(1.5, -1)], RR, { downlink: 'roaming', delay: 0 });
  assert.deepEqual(pathsOf(all), [0, 1]);
});

test('the entry in force is the last whose moment has come, also on the clock since 1970', () =>
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 20_000 }),
      fc.constantFrom(0.001, 0.007, 0.1, 1 / 3, 1),
      (n, period) => {
        const moment = Math.round(n * period * 1e6) / 1e6;
        const start = 1_760_000_000.25;
        assert.equal(entryAt(moment, period), n);
        assert.equal(entryAt(start + moment - start, period), n);
        if (n > 0) assert.equal(entryAt(moment - 2e-6, period), n - 1);
      },
    ),
  ));

test('times that no schedule reaches are refused, not waited for', () => {
  const trace = [packet(0, 1), packet(1e9, 1)];
  assert.throws(() => split(trace, { ...RR, period: 0.001 }, { downlink: 'roaming', delay: 0 }), RangeError);
});

test('fixed splits by its weights', () => {
  const trace = Array.from({ length: 4000 }, (_, n) => packet(n, 1));
  const plan = { ...RR, strategy: 'fixed', weights: [8, 0, 2] } as const;
  const paths = pathsOf(split(trace, plan, { downlink: 'roaming', delay: 0 }));
  assert.ok(!paths.includes(1));
  // Six standard deviations are 152.
  assert.ok(Math.abs(paths.filter((path) => path === 0).length - 3200) < 160);
});

test('agreement counts packets and bytes', () => {
  const live = [packet(0, 1), { ...packet(1, -1), size: 900 }];
  const other = [packet(0, 1), { ...packet(1, -1), size: 900, path: 1 }];
  assert.deepEqual(agreement(live, other), { packets: 2, bytes: 1000, samePackets: 1, sameBytes: 100 });
});

test('lines of traces: what they may be, and what is wrong with others', () => {
  assert.deepEqual(parseCell('0.5\t-1\t1400'), { time: 0.5, direction: -1, size: 1400, path: 0 });
  assert.deepEqual(parseCell('0.5 1\r'), { time: 0.5, direction: 1, size: 1, path: 0 });
  assert.deepEqual(parseCell('0.5\t-512'), { time: 0.5, direction: -1, size: 512, path: 0 });
  assert.deepEqual(parseCsv('1e-6,-1400'), { time: 1e-6, direction: -1, size: 1400, path: 0 });
  for (const time of ['1e11', '-1e11', '1e999', '1760000000000'])
    for (const parsed of [parseCell(`${time}\t1`), parseCsv(`${time},100`)])
      assert.match('problem' in parsed ? parsed.problem : '', /its time is /);
  assert.ok('time' in parseCell('99999999999\t1'));
  for (const line of ['', '1', 'NaN\t1', 'inf\t1', '1\t0', '1\tNaN', '1\t1\tx', '1\t1\t-5', '1\t1\t1\t1'])
    assert.ok('problem' in parseCell(line), line);
  for (const line of ['', '1', '1,0', '1,', ',1', 'NaN,1', '1,2,3', '1;2'])
    assert.ok('problem' in parseCsv(line), line);
});

test('the client of a capture is the private end of its first packet, else its sender', () => {
  const from = (a: string, b: string) => guessClient(pcapBytes([{ us: 1, bytes: udpPacket(a, b, 60) }]));
  assert.equal(from('10.45.0.5', '192.0.2.1'), '10.45.0.5');
  assert.equal(from('192.0.2.1', '172.31.0.5'), '172.31.0.5');
  assert.equal(from('10.0.0.1', '192.168.0.5'), '10.0.0.1');
  assert.equal(from('192.0.2.1', '172.32.0.5'), '192.0.2.1');
  for (const shared of ['100.64.0.5', '100.79.0.5', '100.119.0.5', '100.127.255.5'])
    assert.equal(from('192.0.2.1', shared), shared, 'RFC 6598');
  for (const other of ['100.63.0.5', '100.128.0.5']) assert.equal(from('192.0.2.1', other), '192.0.2.1');
  assert.equal(guessClient(pcapBytes([])), undefined);
});

const firstPath = (seed: number): number | undefined =>
  firstEntries(choose('rr', { seed, paths: 3 }).paths, 1, 1)[0]?.path;

test('compared with live: late switches show in what goes out alone, and the last entry stays', () => {
  // Path 0, from 1.3 on path 1 (due at 1), which is the last entry: the page is done then.
  const live = [0.5, 1.2, 1.4, 5].map((time) => ({ ...packet(time, 1), path: time < 1.3 ? 0 : 1 }));
  const seed = [...Array(100).keys()].find((one) => firstPath(one) === 0) as number;
  const schedule: Schedule = {
    ...{ strategy: 'rr', seed, period: 1, start: 0, last: 1, changes: [{ due: 1, done: 1.3 }] },
  };
  const visit = {
    run: 'r',
    visit: '0000-0000',
    url: 'u',
    label: 0,
    instance: 0,
    interfaces: ['a', 'b', 'c'],
  };
  const compared = compareVisit({ ...visit, packets: live, schedule }, { downlink: 'roaming', delay: 0 });
  assert.deepEqual([compared?.up.samePackets, compared?.up.packets], [3, 4]);
  assert.deepEqual([compared?.settled.samePackets, compared?.settled.packets], [3, 3]);
});
