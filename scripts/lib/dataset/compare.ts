/** How much of a live visit the splitter sends over the path it really took. Pure. */
import { isTimed } from '../../../client/scripts/lib/strategy.ts';
import { type SplitModel, split } from './split.ts';
import type { TracePacket } from './trace.ts';
import type { Visit } from './traces.ts';

interface Agreement {
  packets: number;
  bytes: number;
  /** Of `packets` and `bytes`: those on the same path. */
  samePackets: number;
  sameBytes: number;
}

const NONE: Agreement = { packets: 0, bytes: 0, samePackets: 0, sameBytes: 0 };

export const plus = (a: Agreement, b: Agreement): Agreement => ({
  packets: a.packets + b.packets,
  bytes: a.bytes + b.bytes,
  samePackets: a.samePackets + b.samePackets,
  sameBytes: a.sameBytes + b.sameBytes,
});

/** Compares two assignments of the same packets. */
export function agreement(live: readonly TracePacket[], simulated: readonly TracePacket[]): Agreement {
  return live.reduce((all, { size, path }, i) => {
    const same = simulated[i]?.path === path;
    const one = { packets: 1, bytes: size, samePackets: same ? 1 : 0, sameBytes: same ? size : 0 };
    return plus(all, one);
  }, NONE);
}

export interface Compared {
  run: string;
  visit: string;
  url: string;
  up: Agreement;
  /** Of `up`: what was sent while no change of the path was due and not carried out yet. */
  settled: Agreement;
  down: Agreement;
  all: Agreement;
}

/** A visit against its own schedule; undefined where its log has no switch, as with a strategy by packet. */
export function compareVisit(visit: Visit, model: SplitModel): Compared | undefined {
  const { schedule, interfaces, packets, run, url } = visit;
  const { start, strategy, seed, period, weights, last, changes } = schedule;
  if (start === null || period === null || !isTimed(strategy)) return undefined;
  const plan = { strategy, seed, period, weights, start, last, paths: interfaces.length };
  const simulated = split(packets, plan, model);
  const of = (which: (one: TracePacket) => boolean): Agreement =>
    agreement(packets.filter(which), simulated.filter(which));
  const up = of(({ direction }) => direction === 1);
  const down = of(({ direction }) => direction === -1);
  const settled = of(
    ({ direction, time }) => direction === 1 && !changes.some(({ due, done }) => due <= time && time <= done),
  );
  return { run, visit: visit.visit, url, up, settled, down, all: plus(up, down) };
}

/** All visits together. */
export const overall = (visits: readonly Compared[]): Omit<Compared, 'run' | 'visit' | 'url'> => ({
  up: visits.map(({ up }) => up).reduce(plus, NONE),
  settled: visits.map(({ settled }) => settled).reduce(plus, NONE),
  down: visits.map(({ down }) => down).reduce(plus, NONE),
  all: visits.map(({ all }) => all).reduce(plus, NONE),
});
