/** Figures of a case, from what was measured. All pure. */
import { median, percentile, type Ratios, ratiosOf } from '../figures.ts';
import { type Case, isFree, nameOf } from './cases.ts';
import type { Streams, Traffic } from './measure.ts';
import type { Packets } from './rig.ts';
import { unevenness } from './shares.ts';
import { intervalErrors, type Stamp } from './stamps.ts';

/** Of streams; and bits a second, the median. */
export interface Ratio extends Ratios {
  bits_per_second: number;
}

export interface Throughput {
  up: Ratio;
  down: Ratio;
  /** Share of the segments that were sent up again, the median: what came out of order passes for lost. */
  again: number;
}

export interface Loss {
  sent: number;
  /** Of those sent, not there; and of those there, not back. */
  lost_up: number;
  lost_down: number;
  /** Share of the packets that came there behind a later one. */
  reordered: number;
}

/** Of the distances of intervals from the period, seconds: between beginnings and between ends of switches. */
export interface Interval {
  count: number;
  median: number;
  p99: number;
  done_median: number;
  done_p99: number;
}

export interface Row {
  name: string;
  case: Case;
  line: Throughput;
  free: Throughput | null;
  packets: Loss;
  counted: Loss | null;
  /** Packets past the tunnels, in all that was measured of this case. */
  past: number;
  interval: Interval | null;
  /** Seconds of the processors a second. */
  cost: number | null;
  /** Switches made, entries left out for being too late, and those that failed, while packets were measured. */
  switches: { made: number; skipped: number; errors: number } | null;
  paths: Record<string, number> | null;
  unevenness: number | null;
}

export const lossOf = ({ sent, there, back }: Packets): Loss => ({
  sent,
  lost_up: sent - there.came,
  lost_down: there.came - back.came,
  reordered: there.came === 0 ? 0 : there.late / there.came,
});

export function intervalOf(stamps: readonly Stamp[], period: number): Interval | null {
  const begun = intervalErrors(
    stamps.map(({ time }) => time),
    period,
  );
  const done = intervalErrors(
    stamps.map((stamp) => stamp.done),
    period,
  );
  if (begun.length === 0) return null;
  return {
    count: begun.length,
    ...{ median: median(begun), p99: percentile(begun, 0.99) },
    ...{ done_median: median(done), done_p99: percentile(done, 0.99) },
  };
}

export const ratioOf = (
  own: readonly (readonly number[])[],
  base: readonly (readonly number[])[],
): Ratio => ({
  ...ratiosOf(own, base),
  bits_per_second: median(own.flat()),
});

/** All streams of a case: an element a round, which is a list, as the base is measured twice in each. */
export type Rounds = readonly (readonly Streams[])[];

export function rowOf(one: Case, rounds: Rounds, base: Rounds, traffic: Traffic): Row {
  const { packets, counted, log, idle, paths, cost } = traffic;
  const ratio = (what: 'line' | 'free', way: 'up' | 'down'): Ratio => {
    const bits = (streams: readonly Streams[]): number[] =>
      streams.flatMap((each) => each[what]?.[way].bits_per_second ?? []);
    return ratioOf(rounds.map(bits), base.map(bits));
  };
  const again = (what: 'line' | 'free'): number =>
    median(
      rounds.flat().flatMap((each) => {
        const segments = each[what]?.up.segments;
        return segments === undefined ? [] : segments.again / segments.sent;
      }),
    );
  const both = (what: 'line' | 'free'): Throughput => ({
    up: ratio(what, 'up'),
    down: ratio(what, 'down'),
    again: again(what),
  });
  return {
    ...{ name: nameOf(one), case: one, line: both('line'), free: isFree(one) ? both('free') : null },
    ...{ packets: lossOf(packets), counted: counted === null ? null : lossOf(counted) },
    past: traffic.past + rounds.flat().reduce((sum, { past }) => sum + past, 0),
    interval: one.period === null ? null : intervalOf(idle, one.period),
    cost,
    switches: log && { made: log.stamps.length, skipped: log.skipped, errors: log.errors },
    paths,
    unevenness: one.mover === 'split' && paths !== null ? unevenness(paths) : null,
  };
}
