import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SLACK, secondsInForce, spells } from '../../client/scripts/lib/collect/in-force.ts';
import { judge } from '../../client/scripts/lib/collect/judge.ts';
import { TIMED } from '../../client/scripts/lib/strategy.ts';
import type { Packet } from '../../client/scripts/lib/trace/pcap.ts';
import { BEGIN, evidence, honest, path, type Shape, switches } from '../collect-evidence.ts';

const share = fc.double({ min: 0, max: 1, noNaN: true });
const shape = (period: fc.Arbitrary<number>): fc.Arbitrary<Shape> =>
  fc.record({
    strategy: fc.constantFrom(...TIMED.filter((name) => name !== 'fixed')),
    seed: fc.maxSafeNat(),
    paths: fc.integer({ min: 1, max: 5 }),
    period,
    page: fc.double({ min: 0.05, max: 3, noNaN: true }),
    sends: fc.array(fc.record({ share, late: share }), { minLength: 1, maxLength: 60 }),
  });

test('the trace of a schedule is a success, whatever strategy, seed and period', () => {
  fc.assert(
    fc.property(shape(fc.double({ min: 0.01, max: 1, noNaN: true })), (wish) => {
      const made = honest(wish);
      const verdict = judge(made);
      assert.equal(verdict.failure, null);
      const [packets_out, packets_in] = [wish.sends.length, wish.sends.length];
      const sum = (key: 'packets_out' | 'packets_in' | 'bytes_out' | 'bytes_in' | 'in_force') =>
        verdict.totals.reduce((all, totals) => all + totals[key], 0);
      assert.deepEqual([sum('packets_out'), sum('packets_in')], [packets_out, packets_in]);
      assert.deepEqual([sum('bytes_out'), sum('bytes_in')], [100 * packets_out, 1400 * packets_in]);
      // Both paths have the half millisecond of a switch.
      const excess = sum('in_force') - wish.page;
      assert.ok(excess > -1e-5 && excess < 0.0006 * (made.switches.length + 1), String(excess));
    }),
  );
});

test('one packet on another path than the schedule has, by more than the slack, is always found', () => {
  const moved = fc.tuple(shape(fc.double({ min: 0.15, max: 1, noNaN: true })), fc.nat(), fc.nat(), share);
  let count = 0;
  fc.assert(
    fc.property(moved, ([wish, which, to, where]) => {
      const made = honest({ ...wish, strategy: 'rr', paths: 2 + (wish.paths % 4) });
      const all = spells(made.switches, made.ended).slice(1);
      fc.pre(all.length > 0);
      const spell = all[which % all.length] as (typeof all)[number];
      const [from, until] = [spell.from + 0.001 + SLACK, spell.to - 0.001 - SLACK];
      fc.pre(until > from);
      const others = made.paths.filter((each) => each.interface !== spell.path);
      const other = others[to % others.length]?.pcap.packets as Packet[];
      other.push({ time: from + where * (until - from), size: 100, direction: 1 });
      const verdict = judge(made);
      assert.equal(verdict.checks.find(({ name }) => name === 'clock')?.ok, false);
      assert.notEqual(verdict.status, 'success');
      count++;
    }),
  );
  assert.ok(count > 50, String(count));
});

const packet = fc.record({
  time: fc.double({ min: BEGIN, max: BEGIN + 4, noNaN: true }),
  size: fc.integer({ min: 0, max: 1420 }),
  direction: fc.constantFrom(1 as const, -1 as const, 0 as const),
});

test('totals are those of the packets, whatever the order; what has no direction counts for none', () => {
  fc.assert(
    fc.property(fc.array(fc.array(packet), { minLength: 1, maxLength: 4 }), (captures) => {
      const paths = captures.map((packets, i) => path(i + 1, packets));
      const { totals, checks } = judge(evidence({ paths }));
      for (const [i, packets] of captures.entries()) {
        const of = (direction: number) => packets.filter((each) => each.direction === direction);
        const bytes = (direction: number) => of(direction).reduce((sum, { size }) => sum + size, 0);
        const found = totals[i];
        assert.deepEqual([found?.packets_out, found?.packets_in], [of(1).length, of(-1).length]);
        assert.deepEqual([found?.bytes_out, found?.bytes_in], [bytes(1), bytes(-1)]);
      }
      const shuffled = judge(
        evidence({ paths: captures.map((packets, i) => path(i + 1, [...packets].reverse())) }),
      );
      assert.deepEqual(shuffled.totals, totals);
      const clock = (of: typeof checks) => of.find(({ name }) => name === 'clock');
      assert.deepEqual(clock(shuffled.checks), clock(checks));
    }),
  );
});

test('seconds in force of pieces of time add up to those of the whole', () => {
  const log = fc.array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 3 })), {
    minLength: 1,
  });
  fc.assert(
    fc.property(log, share, (steps, cut) => {
      let at = 0;
      const list = steps.map(([gap, number]) => {
        at += gap / 10;
        return [at, `wgnet${number}`] as const;
      });
      const all = spells(switches(list), BEGIN + at + 1);
      const [from, to] = [BEGIN, BEGIN + at + 2];
      const middle = from + cut * (to - from);
      const whole = secondsInForce(all, from, to);
      const [a, b] = [secondsInForce(all, from, middle), secondsInForce(all, middle, to)];
      for (const [name, seconds] of whole)
        assert.ok(Math.abs((a.get(name) ?? 0) + (b.get(name) ?? 0) - seconds) < 1e-4, name);
      assert.ok(whole.size > 0);
    }),
  );
});
