/** The second look at the records: the visits of a plan, whole, one after the other, and the traces they give. */
import type { TraceRecord } from '../../../client/scripts/lib/trace/record.ts';
import { type Plan, type Wish, within } from './plan.ts';
import type { Item } from './source.ts';
import { decodeRecord, inOrder, onPath, type TracePacket } from './trace.ts';
import { attemptId } from './visits.ts';

export interface Visit {
  run: string;
  visit: string;
  url: string;
  label: number;
  /** Number among the visits of this label, from 0. */
  instance: number;
  /** All that the schedule could choose, in its order; packets name them by index. */
  interfaces: readonly string[];
  /** In the order of time, all paths; seconds since 1970. */
  packets: TracePacket[];
  schedule: Schedule;
}

/** What gives a visit's schedule again. */
export interface Schedule extends Pick<TraceRecord, 'strategy' | 'seed' | 'period'> {
  /** Those of `fixed`, which no seed gives. */
  weights?: readonly number[] | undefined;
  /** Entry 0 was due then, seconds since 1970; null where there was no switch. */
  start: number | null;
  /** Number of the last entry that was carried out: its path stays while connections close. */
  last: number;
  /** Of each change of the path: when it was due, and when it was carried out. */
  changes: { due: number; done: number }[];
}

function scheduleOf({ strategy, seed, period, weights, switches }: TraceRecord): Schedule {
  const [first] = switches;
  const start = first === undefined ? null : first.due - first.n * (period ?? 0);
  const changes = switches.filter(({ from, path }) => from !== null && from !== path);
  return {
    ...{ strategy, seed, period, start, last: switches.at(-1)?.n ?? 0 },
    ...(strategy === 'fixed' && { weights: weights ?? undefined }),
    changes: changes.map(({ due, done }) => ({ due, done })),
  };
}

/** A trace of an export: all paths of a visit, or one. */
export interface Trace {
  visit: Visit;
  /** Index of its path, from 0; null: all of them. */
  path: number | null;
  packets: TracePacket[];
}

interface Pending {
  visit: Visit;
  records: Set<string>;
}

/**
 * The chosen visits, in the order in which they are whole. A visit's records mostly follow each other, so that one
 * visit is held at a time; in a file in disorder more are.
 */
export async function* visitsOf(
  items: AsyncIterable<Item>,
  plan: Plan,
  { cut }: Pick<Wish, 'cut'>,
): AsyncGenerator<Visit, void> {
  const pending = new Map<string, Pending>();
  const finished = new Set<string>();
  const instances: number[] = [];
  for await (const item of items) {
    if ('problem' in item) continue;
    const { record } = item;
    const id = attemptId(record);
    const chosen = plan.chosen.get(id);
    if (chosen === undefined || finished.has(id)) continue;
    const { records, ...names } = chosen;
    const { interfaces } = record;
    const held = pending.get(id) ?? {
      visit: { ...names, instance: 0, interfaces, packets: [], schedule: scheduleOf(record) },
      records: new Set<string>(),
    };
    if (held.records.has(record.interface)) continue;
    held.records.add(record.interface);
    const decoded = decodeRecord(record);
    // The first look left broken ones out.
    if ('problem' in decoded) continue;
    const kept = decoded.packets.filter(within(cut, record));
    const path = interfaces.indexOf(record.interface);
    held.visit.packets = held.visit.packets.concat(onPath(kept, path));
    pending.set(id, held);
    if (held.records.size < records) continue;
    pending.delete(id);
    finished.add(id);
    const instance = instances[names.label] ?? 0;
    instances[names.label] = instance + 1;
    yield { ...held.visit, instance, packets: inOrder(held.visit.packets) };
  }
}

/** The traces that a visit gives, by the same rule as {@link rowsOf}: the paths in their order, then all. Pure. */
export function tracesOf(visit: Visit, { path, least }: Wish): Trace[] {
  const own = visit.interfaces.flatMap((name, index): Trace[] =>
    path === 'each' || path === 'both' || path === name
      ? [{ visit, path: index, packets: visit.packets.filter((packet) => packet.path === index) }]
      : [],
  );
  const all: Trace[] =
    path === 'joined' || path === 'both' ? [{ visit, path: null, packets: visit.packets }] : [];
  return [...own, ...all].filter(({ packets }) => packets.length >= least);
}

/** `own`: a trace's times count from its own first packet, as who sees only that path sees them; `visit`: from the visit's. */
export type Origin = 'own' | 'visit';

/** The moment that a trace's times count from. Pure. */
export const originOf = ({ visit, packets }: Trace, origin: Origin): number =>
  ((origin === 'own' ? packets : visit.packets)[0] as TracePacket).time;
