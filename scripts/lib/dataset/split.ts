/**
 * Splits a trace of one path over several, as migration would have: the same strategies, seeds and schedules as the
 * client's. Pure.
 */
import { type Choice, choose, type StrategyName } from '../../../client/scripts/lib/strategy.ts';
import type { TracePacket } from './trace.ts';

export interface SplitPlan {
  strategy: StrategyName;
  seed: number;
  paths: number;
  /** Entry 0's path, from 0, where it is not to be drawn. */
  first?: number | undefined;
  /** Seconds. */
  period: number;
  /** Entry 0's time, on the trace's clock. */
  start: number;
  /** The last entry, whose path stays; none where the schedule goes on. */
  last?: number | undefined;
}

export interface SplitModel {
  /**
   * `roaming`: what comes in takes the path of what went out last, since WireGuard answers to where it last heard
   * from; `schedule`: the path in force.
   */
  downlink: 'roaming' | 'schedule';
  /** Seconds from the client to the comp server, and as long back. */
  delay: number;
}

/** Entries of a schedule that are drawn at most. */
export const MOST_ENTRIES = 1e7;

/** The moment of entry n, seconds after the start: as `entries` of schedule.ts has it. */
const momentOf = (n: number, period: number): number => Math.round(n * period * 1e6) / 1e6;

/** The number of the entry in force so many seconds after the start; 0 before it. */
export function entryAt(elapsed: number, period: number): number {
  // Differences of times since 1970 are exact to a quarter of a microsecond only.
  const micro = Math.round(elapsed * 1e6) / 1e6;
  let n = Math.max(0, Math.floor(micro / period));
  while (momentOf(n + 1, period) <= micro) n++;
  while (n > 0 && momentOf(n, period) > micro) n--;
  return n;
}

/** Draws a choice's paths as far as they are asked for. Throws a RangeError beyond {@link MOST_ENTRIES}. */
function drawnFrom({ holds, paths }: Choice): (n: number) => number {
  const iterator = paths[Symbol.iterator]();
  const drawn: number[] = [];
  return (n) => {
    const wanted = holds ? 0 : n;
    if (wanted > MOST_ENTRIES) throw new RangeError('too many entries');
    while (drawn.length <= wanted) drawn.push(iterator.next().value as number);
    return drawn[wanted] as number;
  };
}

/** The path in force at a time of the trace's clock. */
function pathsInForce({
  strategy,
  seed,
  paths,
  first,
  period,
  start,
  last = Infinity,
}: SplitPlan): (time: number) => number {
  const pathOf = drawnFrom(choose(strategy, { seed, paths, first }));
  return (time) => pathOf(Math.min(entryAt(time - start, period), last));
}

/**
 * Gives every packet of a trace, which is in the order of time, its path. What goes out takes the path in force. What
 * comes in at `t` left the comp server at `t - delay`, which had heard by then what went out until `t - 2 delay`: it
 * takes the path of the last of those. Before the server has heard anything it is the first outgoing packet's path.
 */
export function split(
  packets: readonly TracePacket[],
  plan: SplitPlan,
  { downlink, delay }: SplitModel,
): TracePacket[] {
  const inForce = pathsInForce(plan);
  const sent = packets.flatMap(({ direction, time }, i) =>
    direction === 1 ? [{ i, time, path: inForce(time) }] : [],
  );
  let heard = -1;
  let next = 0;
  return packets.map((packet, i) => {
    if (packet.direction === 1) return { ...packet, path: (sent[next++] as { path: number }).path };
    if (downlink === 'schedule') return { ...packet, path: inForce(packet.time - delay) };
    const isHeard = (one: { i: number; time: number } | undefined): boolean =>
      one !== undefined && (delay === 0 ? one.i < i : one.time <= packet.time - 2 * delay);
    while (isHeard(sent[heard + 1])) heard++;
    return { ...packet, path: sent[Math.max(heard, 0)]?.path ?? inForce(packet.time) };
  });
}
