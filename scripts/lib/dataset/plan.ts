/** The first look at the records: which visits an export takes, how many traces that gives, and their labels. */
import type { TraceRecord } from '../../../client/scripts/lib/trace/record.ts';
import type { Item } from './source.ts';
import { soundPackets } from './trace.ts';
import { type AttemptOf, attemptId, Visits } from './visits.ts';

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
  /** Where its first record is. */
  at: string;
  /** A record that is not what it says. */
  broken: boolean;
  /** A record that is missing, or cannot be read. */
  incomplete: boolean;
  /** The interfaces of which its records say that they have one. */
  recorded: Set<string>;
  failure: string;
  /** Packets of each path that has a record. */
  counts: Map<string, number>;
}

interface Chosen {
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
  const decoded = soundPackets(record);
  if ('problem' in decoded) return decoded.problem;
  const keeps = within(cut, record);
  let count = 0;
  for (const packet of decoded.packets) if (packet.direction !== 0 && keeps(packet)) count++;
  return count;
}

function reasonOf(attempts: readonly Seen[]): string {
  if (attempts.some(({ broken }) => broken)) return 'broken';
  return attempts.some(({ incomplete }) => incomplete)
    ? 'incomplete'
    : (attempts.at(-1)?.failure ?? 'failure');
}

/** An attempt of which nothing has been read yet. */
const unseen = ({ run, visit, attempt }: AttemptOf, at: string): Seen => ({
  ...{ run, visit, attempt, at, url: '', success: false, broken: false, incomplete: false },
  ...{ failure: 'failure', recorded: new Set(), counts: new Map() },
});

function decide(visits: Visits<Seen>, wish: Wish): Plan {
  const plan: Plan = { chosen: new Map(), rows: 0, labels: [], left: new Map(), duplicates: 0, visits: 0 };
  const labels = new Map<string, number>();
  const leave = (why: string): void => void plan.left.set(why, (plan.left.get(why) ?? 0) + 1);
  for (const attempts of visits.all()) {
    plan.visits++;
    const seen = attempts.findLast(({ success, broken, incomplete }) => success && !broken && !incomplete);
    if (seen === undefined) {
      leave(reasonOf(attempts));
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
 * appearance. `tell` gets what is wrong with a record, as FILE:LINE and what; such a visit is not taken, nor one that
 * lacks a record.
 */
export async function planOf(
  items: AsyncIterable<Item>,
  wish: Wish,
  tell: (at: string, what: string) => void,
): Promise<Plan> {
  const attempts = new Map<string, Seen>();
  const visits = new Visits<Seen>();
  let duplicates = 0;
  const seenOf = (one: AttemptOf, at: string): Seen => {
    const id = attemptId(one);
    const known = attempts.get(id);
    if (known !== undefined) return known;
    const seen = unseen(one, at);
    attempts.set(id, seen);
    visits.add(seen);
    return seen;
  };
  for await (const item of items) {
    if ('problem' in item) {
      tell(item.at, item.problem);
      if (item.of !== undefined) seenOf(item.of, item.at).incomplete = true;
      continue;
    }
    const { record } = item;
    const seen = seenOf(record, item.at);
    seen.url = record.url;
    seen.success = record.status === 'success';
    seen.failure = record.failure?.kind ?? record.status;
    for (const name of record.recorded) seen.recorded.add(name);
    if (seen.counts.has(record.interface)) {
      duplicates++;
      continue;
    }
    const count = seen.success ? countPackets(record, wish) : 0;
    if (typeof count === 'string') tell(item.at, count);
    seen.broken ||= typeof count === 'string';
    seen.counts.set(record.interface, typeof count === 'string' ? 0 : count);
  }
  for (const seen of attempts.values()) {
    const missing = [...seen.recorded].filter((name) => !seen.counts.has(name));
    if (missing.length === 0) continue;
    seen.incomplete = true;
    tell(seen.at, `visit ${seen.visit}.${seen.attempt} is incomplete: no record of ${missing.join(', ')}`);
  }
  return { ...decide(visits, wish), duplicates };
}
