/**
 * Splits a trace of one path over several, as migration would have: the same strategies, seeds and schedules as the
 * client's. Pure.
 */
import { type PacketInput, packetChoice, type Run } from '../../../client/scripts/lib/packet-strategy.ts';
import {
  type Choice,
  choose,
  type PacketName,
  type StrategyInput,
  type TimedName,
} from '../../../client/scripts/lib/strategy.ts';
import type { TracePacket } from './trace.ts';

/** By packet: which packet of its direction counts, not its time. */
export interface PacketPlan extends Omit<PacketInput, 'end'> {
  strategy: PacketName;
}

export interface SplitPlan extends StrategyInput {
  strategy: TimedName;
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
   * from; `schedule`: the path in force, which no strategy by packet has; `own`: the comp server splits what it sends by
   * itself, as with `hywf`, which alone has streams of random numbers for both ends.
   */
  downlink: 'roaming' | 'schedule' | 'own';
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
  period,
  start,
  last = Infinity,
  ...input
}: SplitPlan): (time: number) => number {
  const pathOf = drawnFrom(choose(strategy, input));
  return (time) => pathOf(Math.min(entryAt(time - start, period), last));
}

/** The paths of packet 0, 1, 2, … one a call. */
function packetByPacket(runs: Iterable<Run>): () => number {
  const iterator = runs[Symbol.iterator]();
  let run: Run = { path: 0, packets: 0 };
  let left = 0;
  return () => {
    while (left === 0) {
      run = iterator.next().value as Run;
      left = run.packets;
    }
    left--;
    return run.path;
  };
}

/** The paths of what goes out, one after the other, and of what comes in where that does not follow it. */
interface Paths {
  up: (time: number) => number;
  down: ((time: number) => number) | undefined;
  /** Of what comes in where nothing ever goes out. */
  idle: (time: number) => number;
}

/** Throws a TypeError for a model that the strategy does not have. */
function pathsFor(plan: SplitPlan | PacketPlan, { downlink, delay }: SplitModel): Paths {
  if ('period' in plan) {
    const inForce = pathsInForce(plan);
    if (downlink === 'own') throw new TypeError(`${plan.strategy} has no stream for the comp server`);
    const down = downlink === 'schedule' ? (time: number) => inForce(time - delay) : undefined;
    return { up: inForce, down, idle: inForce };
  }
  const { strategy, ...input } = plan;
  const own = strategy === 'hywf' && downlink === 'own';
  if (downlink !== 'roaming' && !own) throw new TypeError(`${strategy} has no downlink "${downlink}"`);
  const { runs } = packetChoice(strategy, input);
  const first = packetByPacket(runs)();
  return {
    up: packetByPacket(runs),
    idle: () => first,
    down: own
      ? packetByPacket(packetChoice(strategy, { ...input, first: undefined, end: 'server' }).runs)
      : undefined,
  };
}

/**
 * Gives every packet of a trace, which is in the order of time, its path. What goes out takes the path in force, or that
 * of its number. What comes in at `t` left the comp server at `t - delay`, which had heard by then what went out until
 * `t - 2 delay`: it takes the path of the last of those. Before the server has heard anything it is the first outgoing
 * packet's path. A first path that is told is the client's; the comp server's own first one is drawn.
 */
export function split(
  packets: readonly TracePacket[],
  plan: SplitPlan | PacketPlan,
  model: SplitModel,
): TracePacket[] {
  const { up, down, idle } = pathsFor(plan, model);
  const { delay } = model;
  const sent = packets.flatMap(({ direction, time }, i) =>
    direction === 1 ? [{ i, time, path: up(time) }] : [],
  );
  let heard = -1;
  let next = 0;
  return packets.map((packet, i) => {
    if (packet.direction === 1) return { ...packet, path: (sent[next++] as { path: number }).path };
    if (down !== undefined) return { ...packet, path: down(packet.time) };
    const isHeard = (one: { i: number; time: number } | undefined): boolean =>
      one !== undefined && (delay === 0 ? one.i < i : one.time <= packet.time - 2 * delay);
    while (isHeard(sent[heard + 1])) heard++;
    return { ...packet, path: sent[Math.max(heard, 0)]?.path ?? idle(packet.time) };
  });
}
