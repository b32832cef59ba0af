import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Fault } from '../../client/scripts/lib/fault.ts';
import { cycleOf, packetChoice } from '../../client/scripts/lib/packet-strategy.ts';
import { compareVisit } from '../../scripts/lib/dataset/compare.ts';
import { type SplitPlan, split } from '../../scripts/lib/dataset/split.ts';
import { modelOf, requireFit, type SplitFlags } from '../../scripts/lib/dataset/split-flags.ts';
import type { TracePacket } from '../../scripts/lib/dataset/trace.ts';
import type { Schedule } from '../../scripts/lib/dataset/traces.ts';

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

const packet = (time: number, direction: 1 | -1): TracePacket => ({ time, direction, size: 100, path: 0 });
const pathsOf = (packets: TracePacket[]): number[] => packets.map(({ path }) => path);
const RR: SplitPlan = { strategy: 'rr', seed: 0, paths: 3, first: 0, period: 1, start: 0 };

const byPacket = fc.record({
  strategy: fc.constantFrom('bwr' as const, 'hywf' as const, 'packet' as const),
  seed: fc.integer({ min: 0, max: 2 ** 40 }),
  paths: fc.integer({ min: 2, max: 6 }),
});

test('by packet: what goes out takes the path of its number, what comes in that of what went out last', () =>
  fc.assert(
    fc.property(traces, byPacket, fc.constantFrom(0, 0.001), (packets, plan, delay) => {
      const { strategy, ...input } = plan;
      const list = cycleOf(packetChoice(strategy, input), 100).flatMap((run) =>
        Array<number>(run.packets).fill(run.path),
      );
      const all = split(packets, plan, { downlink: 'roaming', delay });
      const sent = all.filter(({ direction }) => direction === 1);
      assert.deepEqual(pathsOf(sent), list.slice(0, sent.length));
      assert.deepEqual(
        all.map((one) => ({ ...one, path: 0 })),
        packets,
      );
      if (delay > 0) return;
      for (const [i, { direction, path }] of all.entries()) {
        const heard = all.slice(0, i).findLast((one) => one.direction === 1);
        if (direction === -1) assert.equal(path, heard?.path ?? list[0]);
      }
    }),
  ));

test('hywf: both ends split by themselves, with the same chances and draws of their own', () =>
  fc.assert(
    fc.property(
      traces,
      fc.integer({ min: 0, max: 2 ** 40 }),
      fc.integer({ min: 2, max: 6 }),
      (packets, seed, paths) => {
        const all = split(packets, { strategy: 'hywf', seed, paths }, { downlink: 'own', delay: 0 });
        for (const [direction, end] of [
          [1, 'client'],
          [-1, 'server'],
        ] as const) {
          const mine = pathsOf(all.filter((one) => one.direction === direction));
          const list = cycleOf(packetChoice('hywf', { seed, paths, end }), 100).flatMap((run) =>
            Array<number>(run.packets).fill(run.path),
          );
          assert.deepEqual(mine, list.slice(0, mine.length));
        }
        const told = split(
          packets,
          { strategy: 'hywf', seed, paths, first: 1 },
          { downlink: 'own', delay: 0 },
        );
        const down = (list: TracePacket[]): number[] => pathsOf(list.filter((one) => one.direction === -1));
        assert.deepEqual(down(told), down(all), 'a first path that is told is the client’s');
      },
    ),
  ));

test('a strategy without a stream for the comp server, or without times, has no such downlink', () => {
  const trace = [packet(0, 1)];
  assert.throws(() => split(trace, RR, { downlink: 'own', delay: 0 }), TypeError);
  const plan = { strategy: 'bwr', seed: 1, paths: 3 } as const;
  for (const downlink of ['own', 'schedule'] as const)
    assert.throws(() => split(trace, plan, { downlink, delay: 0 }), TypeError);
});

test('a visit by packet is not compared: no time says which path it was', () => {
  const schedule: Schedule = { strategy: 'packet', seed: 1, period: null, start: null, last: 0, changes: [] };
  const visit = { run: 'r', visit: '0000-0000', url: 'u', label: 0, instance: 0, interfaces: ['a', 'b'] };
  assert.equal(
    compareVisit({ ...visit, packets: [packet(0, 1)], schedule }, { downlink: 'roaming', delay: 0 }),
    undefined,
  );
});

test('flags that do not go together are refused, before anything is read', () => {
  const flags: SplitFlags = { strategy: 'rr', period: 0.1, paths: 3, start: 0, delay: 0 };
  const refused = (more: Partial<SplitFlags>, words: RegExp, given: string[] = []): void =>
    assert.throws(
      () => requireFit({ ...flags, ...more }, given),
      (error) => error instanceof Fault && words.test(error.toString()),
      JSON.stringify(more),
    );
  refused({ strategy: 'fixed' }, /--strategy fixed: needs the weights/);
  refused({ weights: [1, 1, 1] }, /--weights: rr takes none/);
  refused({ strategy: 'bwr', weights: [1, 1] }, /--weights: 2 weights for 3 paths\n {2}next: /);
  refused({ strategy: 'hywf', paths: 1 }, /splits over two or more paths/);
  refused({ strategy: 'packet' }, /--start: packet counts packets/, ['start']);
  refused(
    { strategy: 'bwr', downlink: 'schedule' },
    /bwr knows no "schedule"\n {2}next: --downlink roaming$/,
  );
  refused({ strategy: 'hywf', downlink: 'schedule' }, /next: --downlink own or roaming$/);
  refused({ downlink: 'own' }, /next: --downlink roaming or schedule$/);
  refused({ strategy: 'packet', first: 4 }, /--first: "4" is not the number of a path: there are 3/);
  requireFit(flags, ['period', 'start']);
  requireFit({ ...flags, strategy: 'hywf', downlink: 'roaming' }, []);
  assert.equal(modelOf({ ...flags, strategy: 'hywf' }).downlink, 'own');
  assert.equal(modelOf({ ...flags, strategy: 'bwr' }).downlink, 'roaming');
});
