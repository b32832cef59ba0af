import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  bringsNothing,
  offShare,
  unused,
  type VisitSplit,
} from '../../client/scripts/lib/collect/by-packet.ts';
import { type Evidence, judge, type Verdict } from '../../client/scripts/lib/collect/judge.ts';
import { type MigratorLine, migratorFlags } from '../../client/scripts/lib/collect/migrator.ts';
import { splitFailure, splitOf } from '../../client/scripts/lib/collect/outcome.ts';
import { differences } from '../../client/scripts/lib/collect/run.ts';
import type { Settings } from '../../client/scripts/lib/trace/layout.ts';
import { back, evidence, out, path, recounted, splitEvidence } from '../collect-evidence.ts';

const wrong = ({ checks }: Verdict): string[] => checks.filter(({ ok }) => !ok).map(({ name }) => name);
const detail = ({ checks }: Verdict, name: string) => checks.find((check) => check.name === name)?.detail;

/** The evidence without what one path carried. */
const without = (from: Evidence, index: number): Evidence =>
  recounted({ ...from, paths: from.paths.map((one, i) => (i === index ? path(i + 1, []) : one)) });

test('an honest visit is a success, whatever its seed, weights and length', () =>
  fc.assert(
    fc.property(
      fc.constantFrom('packet' as const, 'bwr' as const),
      fc.nat(),
      fc
        .array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 5 })
        .filter((list) => list.some((one) => one > 0)),
      fc.integer({ min: 1, max: 3000 }),
      fc.constantFrom('random' as const, 'rr' as const),
      (strategy, seed, weights, packets, order) => {
        const input = { seed, paths: weights.length, weights, ...(strategy === 'packet' && { order }) };
        const verdict = judge(splitEvidence(strategy, input, { packets, every: 0.004 }));
        assert.deepEqual(wrong(verdict), []);
        assert.equal(verdict.status, 'success');
      },
    ),
    { seed: 6 },
  ));

test('the checks say what was seen; a path has its weight of the time', () => {
  const input = { seed: 1, paths: 2, weights: [3, 1], order: 'rr' as const };
  const verdict = judge(splitEvidence('packet', input, { packets: 400, every: 0.005 }));
  assert.equal(detail(verdict, 'paths'), '400 packets out: wgnet1 75.0 % of 75.0 %, wgnet2 25.0 % of 25.0 %');
  assert.equal(detail(verdict, 'migration'), 'the kernel split by packet');
  const [one, two] = verdict.totals.map(({ in_force }) => in_force);
  assert.ok(Math.abs((one ?? 0) - 2.1 * 0.75) < 1e-5 && Math.abs((two ?? 0) - 2.1 * 0.25) < 1e-5);
});

test('a path with weight that carried nothing is a failure where enough was sent, and none where it was not', () => {
  const made = (packets: number) => splitEvidence('packet', { seed: 1, paths: 3 }, { packets, every: 0.001 });
  const verdict = judge(without(made(200), 1));
  assert.deepEqual(wrong(verdict), ['paths']);
  assert.equal(verdict.failure?.kind, 'unused-path');
  assert.match(verdict.failure?.message ?? '', /^wgnet2 carried none of \d+ packets$/);
  assert.deepEqual(wrong(judge(without(made(20), 1))), []);
  // A batch has one draw only: a page of three batches says nothing.
  const few = splitEvidence('bwr', { seed: 3, paths: 3, weights: [1, 1, 1] }, { packets: 180, every: 0.001 });
  assert.deepEqual(wrong(judge(without(few, 1))), []);
});

test('a path of weight 0 need not carry anything, and may not carry much', () => {
  const input = { seed: 1, paths: 3, weights: [1, 0, 1] };
  const honest = splitEvidence('packet', input, { packets: 500, every: 0.001 });
  assert.deepEqual(wrong(judge(honest)), []);
  const stray = Array.from({ length: 30 }, (_, n) => [out(1.1 + n * 0.01), back(1.1005 + n * 0.01)]).flat();
  const verdict = judge(
    recounted({ ...honest, paths: honest.paths.map((one, i) => (i === 1 ? path(2, stray) : one)) }),
  );
  assert.equal(verdict.failure?.kind, 'migration');
  assert.match(verdict.failure?.message ?? '', /not split by the weights: .*wgnet2 5\.\d % of 0\.0 %/);
});

test('a split that was gone half-way is a failure, whether all was counted or not', () => {
  const honest = splitEvidence('packet', { seed: 1, paths: 2 }, { packets: 400, every: 0.001 });
  const rest = Array.from({ length: 400 }, (_, n) => [out(1.4 + n * 0.001), back(1.4005 + n * 0.001)]).flat();
  const half: Evidence = {
    ...honest,
    ...{ loaded: (honest.loaded as number) + 1, ended: honest.ended + 1 },
    paths: honest.paths.map((one, i) => (i === 0 ? path(1, [...one.pcap.packets, ...rest]) : one)),
  };
  assert.deepEqual(wrong(judge(recounted(half))), ['paths']);
  const verdict = judge(half);
  assert.equal(verdict.failure?.kind, 'migration');
  assert.match(
    verdict.failure?.message ?? '',
    /^the split did not count what was captured: wgnet1 \d+ of \d+$/,
  );
});

test('a success has counters that agree with the captures, path by path', () => {
  const honest = splitEvidence('packet', { seed: 1, paths: 2 }, { packets: 400, every: 0.001 });
  const split = honest.split as VisitSplit;
  const kept = split.counted as Record<string, number>;
  const failureWith = (counted: VisitSplit['counted']) =>
    judge({ ...honest, split: { ...split, counted } }).failure;
  assert.equal(failureWith(kept), null);
  assert.deepEqual(failureWith(undefined), {
    ...{ kind: 'migration', message: 'the split was gone before its packets could be counted' },
  });
  const { wgnet1 = 0, wgnet2 = 0 } = kept;
  for (const counted of [
    {},
    { wgnet1 },
    { wgnet1: 0, wgnet2: 0 },
    { wgnet1: wgnet2 - 50, wgnet2: wgnet1 + 50 },
  ])
    assert.match(failureWith(counted)?.message ?? '', /^the split did not count what was captured: /);
  assert.equal(
    failureWith({ wgnet1: wgnet1 - 5, wgnet2: wgnet2 + 5 }),
    null,
    'a ping on a path is none of wg0’s',
  );
});

test('what a log says of a split: its counters, its errors, and that there was one', () => {
  const settings = { strategy: 'packet' } as const;
  const start = { event: 'start', weights: [0.5, 0.5] } as const;
  const begun = { event: 'split', time: 1, done: 1, cycle: 2, paths: ['wgnet1', 'wgnet2'] } as const;
  const counts = { event: 'counts', packets: { wgnet1: 3, wgnet2: 4 } } as const;
  const end = { event: 'end' } as const;
  const of = (...lines: MigratorLine[]) => {
    const split = splitOf(settings, lines);
    return { split, failure: splitFailure(settings, { schedule: { lines, text: '' }, navigated: 1 }, split) };
  };
  assert.deepEqual(of(start, begun, counts, end), {
    ...{ split: { weights: [0.5, 0.5], perDraw: 1, counted: counts.packets }, failure: undefined },
  });
  assert.equal(of(start, begun, end).split?.counted, undefined);
  assert.equal(of(start, end).failure?.message, 'the kernel did not split');
  const error = { event: 'error', time: 2, path: 'wg0', message: 'split gone' } as const;
  assert.deepEqual(of(start, begun, error, counts, end).failure, {
    ...{ kind: 'migration', message: 'wg0: split gone' },
  });
});

test('neither the clock check nor the shares count what came before the page and behind it', () => {
  const honest = splitEvidence('packet', { seed: 1, paths: 2 }, { packets: 100, every: 0.001 });
  const closing = Array.from({ length: 300 }, (_, n) => out(1.25 + n * 0.001));
  const verdict = judge({
    ...honest,
    paths: honest.paths.map((one, i) =>
      i === 0 ? path(1, [...one.pcap.packets, ...closing, back(1.6)]) : one,
    ),
  });
  assert.deepEqual(wrong(verdict), []);
  assert.equal(judge({ ...honest, clockSteps: 1 }).failure?.kind, 'clock');
});

test('a path that sends on and on and brings nothing has fallen silent, once the others brought enough', () => {
  const input = { seed: 1, paths: 3 };
  const honest = splitEvidence('packet', input, { packets: 600, every: 0.005 });
  const dumb = honest.paths.map((one, i) =>
    i === 2
      ? path(
          3,
          one.pcap.packets.filter(({ direction, time }) => direction === 1 || time < honest.started + 1.2),
        )
      : one,
  );
  const verdict = judge({ ...honest, paths: dumb });
  assert.equal(verdict.failure?.kind, 'one-way');
  assert.equal(verdict.failure?.message, 'wgnet3 fell silent');
  // Four packets over a second while two answers came by others: an accident with weights like these.
  const seldom = evidence({
    ...{
      switches: [],
      period: null,
      split: { weights: [0.5, 0.5], perDraw: 1, counted: { wgnet1: 4, wgnet2: 2 } },
    },
    paths: [
      path(1, [out(1.1), out(1.5), out(1.9), out(2.3)]),
      path(2, [out(1.2), back(1.25), out(2), back(2.05)]),
    ],
  });
  assert.deepEqual(wrong(judge(seldom)), []);
  const timed = judge({ ...seldom, split: undefined, period: 1 });
  assert.equal(timed.failure?.message, 'wgnet1 fell silent', 'with a period that is enough');
});

test('bounds: chance decides, whatever the number of paths', () => {
  assert.deepEqual(unused([19, 0], { weights: [0.5, 0.5], perDraw: 1 }), []);
  assert.deepEqual(unused([20, 0], { weights: [0.5, 0.5], perDraw: 1 }), [1]);
  assert.deepEqual(unused([20, 0], { weights: [1, 0], perDraw: 1 }), []);
  assert.deepEqual(unused([0, 1], { weights: [1, 0], perDraw: 1 }), [0], 'a weight of 1 takes every packet');
  assert.deepEqual(unused([1399, 0], { weights: [0.5, 0.5], perDraw: 70 }), []);
  assert.deepEqual(unused([1400, 0], { weights: [0.5, 0.5], perDraw: 70 }), [1]);
  assert.deepEqual(offShare([0, 0], { weights: [0.5, 0.5], perDraw: 1 }), []);
  assert.deepEqual(offShare([5200, 4800], { weights: [0.5, 0.5], perDraw: 1 }), []);
  assert.deepEqual(offShare([5500, 4500], { weights: [0.5, 0.5], perDraw: 1 }), [0, 1]);
  assert.deepEqual(offShare([5500, 4500], { weights: [0.5, 0.5], perDraw: 70 }), []);
  assert.equal(bringsNothing(1, [], 0.5, { perDraw: 1 }), false);
});

const SETTINGS: Settings = {
  ...{ urls: ['https://a.example/'], visits: 1, strategy: 'packet', period: null, seed: 1 },
  ...{ interfaces: ['wgnet1', 'wgnet2'], timeout: 30, linger: 0, retries: 2 },
  ...{ headers_only: false, screenshots: false, keylog: false, har: false },
};

test('migrate.ts is told what was given, and nothing else', () => {
  const end = ['--interfaces', 'wgnet1,wgnet2', '--no-health', '--hold'];
  assert.deepEqual(migratorFlags(SETTINGS), ['--strategy', 'packet', ...end]);
  assert.deepEqual(migratorFlags({ ...SETTINGS, weights: [3, 1], order: 'rr' }), [
    ...['--strategy', 'packet', '--weights', '3,1', '--order', 'rr'],
    ...end,
  ]);
  assert.deepEqual(migratorFlags({ ...SETTINGS, strategy: 'bwr', batch: [5, 9] }), [
    ...['--strategy', 'bwr', '--batch', '5-9'],
    ...end,
  ]);
  assert.deepEqual(migratorFlags({ ...SETTINGS, strategy: 'rr', period: 0.05 }), [
    ...['--strategy', 'rr', '--period', '0.05'],
    ...end,
  ]);
});

test('a run goes on with its own weights, order and batches only', () => {
  const given: Settings = { ...SETTINGS, weights: [3, 1], order: 'rr' };
  assert.deepEqual(differences(SETTINGS, SETTINGS), []);
  assert.deepEqual(differences(given, { ...given, weights: [3, 1] }), []);
  assert.deepEqual(differences(given, { ...given, weights: [1, 3] }), ['weights']);
  assert.deepEqual(differences(given, SETTINGS), ['weights', 'order']);
  assert.deepEqual(differences(SETTINGS, { ...SETTINGS, batch: [5, 9] }), ['batch']);
});
