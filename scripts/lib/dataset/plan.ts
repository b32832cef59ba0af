/** The first look at the records: which visits an export takes, how many traces that gives, and their labels. */
import type { TraceRecord } from '../../../client/scripts/lib/trace/record.ts';
import type { Item } from './source.ts';
import { decodeRecord } from './trace.ts';
import { attemptId, Visits } from './visits.ts';

export interface Wish {
  /** `joined`: all paths of a visit are one trace; `each`: every path is one; `both`; else the name of the one path. */
  path: string;
  /** `load`: packets after the load event are left out. */
  cut: 'load' | 'none';
  /** Traces with fewer packets are left out; 1 at least. */
  least: number;
}

interface Seen {
  run: string;
  visit: string;
  attempt: number;
  url: string;
  success: boolean;
  /** A record that cannot be read. */
  broken: boolean;
  failure: string;
  /** Packets of each path that has a record. */
  counts: Map<string, number>;
}

export interface Chosen {
  run: string;
  visit: string;
  url: string;
  label: number;
  /** Records of it: it is whole once these have been read. */
  records: number;
}

export interface Plan {
  /** By {@link attemptId}. */
  chosen: Map<string, Chosen>;
  /** Traces. */
  rows: number;
  /** By label: the URL and its traces. */
  labels: { url: string; count: number }[];
  /** Visits that are not taken, by their reason. */
  left: Map<string, number>;
  /** Records twice or more among the sources. */
  duplicates: number;
  /** Visits of any end. */
  visits: number;
}

/** Which packets a wish keeps of a record. */
export const within = (cut: Wish['cut'], { loaded }: Pick<TraceRecord, 'loaded'>) =>
  cut === 'load' && loaded !== null
    ? ({ time }: { time: number }): boolean => time <= loaded
    : (): boolean => true;

/** How many traces a visit gives. */
export function rowsOf(counts: ReadonlyMap<string, number>, { path, least }: Wish): number {
  const all = [...counts.values()];
  const joined = all.reduce((sum, count) => sum + count, 0) >= least ? 1 : 0;
  const each = all.filter((count) => count >= least).length;
  if (path === 'both') return joined + each;
  if (path === 'joined') return joined;
  if (path === 'each') return each;
  return (counts.get(path) ?? 0) >= least ? 1 : 0;
}

function countPackets(record: TraceRecord, { cut }: Wish): number | string {
  const decoded = decodeRecord(record);
  if ('problem' in decoded) return decoded.problem;
  const keeps = within(cut, record);
  let count = 0;
  for (const packet of decoded.packets) if (packet.direction !== 0 && keeps(packet)) count++;
  return count;
}

function decide(visits: Visits<Seen>, wish: Wish): Plan {
  const plan: Plan = { chosen: new Map(), rows: 0, labels: [], left: new Map(), duplicates: 0, visits: 0 };
  const labels = new Map<string, number>();
  const leave = (why: string): void => void plan.left.set(why, (plan.left.get(why) ?? 0) + 1);
  for (const attempts of visits.all()) {
    plan.visits++;
    const seen = attempts.findLast(({ success, broken }) => success && !broken);
    if (seen === undefined) {
      leave(attempts.some(({ broken }) => broken) ? 'broken' : (attempts.at(-1)?.failure ?? 'failure'));
      continue;
    }
    const rows = rowsOf(seen.counts, wish);
    if (rows === 0) {
      leave('too few packets');
      continue;
    }
    const label = labels.get(seen.url) ?? labels.size;
    labels.set(seen.url, label);
    plan.labels[label] ??= { url: seen.url, count: 0 };
    (plan.labels[label] as { count: number }).count += rows;
    plan.rows += rows;
    const { run, visit, url } = seen;
    plan.chosen.set(attemptId(seen), { run, visit, url, label, records: seen.counts.size });
  }
  return plan;
}

/**
 * Reads all records once. Of each visit it takes the last attempt that is a success; labels go by the URL's first
 * appearance. `tell` gets what is wrong with a record, as FILE:LINE and what; such a visit is not taken.
 */
export async function planOf(
  items: AsyncIterable<Item>,
  wish: Wish,
  tell: (at: string, what: string) => void,
): Promise<Plan> {
  const attempts = new Map<string, Seen>();
  const visits = new Visits<Seen>();
  let duplicates = 0;
  for await (const item of items) {
    if ('problem' in item) {
      tell(item.at, item.problem);
      continue;
    }
    const { record } = item;
    const id = attemptId(record);
    let seen = attempts.get(id);
    if (seen === undefined) {
      const { run, visit, attempt, url, status, failure } = record;
      const why = failure?.kind ?? status;
      const success = status === 'success';
      seen = { run, visit, attempt, url, success, broken: false, failure: why, counts: new Map() };
      attempts.set(id, seen);
      visits.add(seen);
    }
    if (seen.counts.has(record.interface)) {
      duplicates++;
      continue;
    }
    const count = seen.success ? countPackets(record, wish) : 0;
    if (typeof count === 'string') tell(item.at, count);
    seen.broken ||= typeof count === 'string';
    seen.counts.set(record.interface, typeof count === 'string' ? 0 : count);
  }
  return { ...decide(visits, wish), duplicates };
}
