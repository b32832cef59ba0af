/** The first line of a schedule's file: a `plan`, or the `start` of a run. Unknown keys are kept. */
export interface Heading {
  event: 'plan' | 'start';
  interfaces: string[];
  strategy?: unknown;
  period?: unknown;
  seed?: unknown;
  weights?: unknown;
  [key: string]: unknown;
}

/** One line of a schedule. */
export interface Entry {
  /** From 0, which is the first path. */
  n: number;
  /** Seconds after the start, to the microsecond. */
  at: number;
  /** Index of the path, from 0. */
  path: number;
}

/** Gives each path of a strategy its time: entry n at n periods (seconds) after the start, so no drift adds up. */
export function* entries(paths: Iterable<number>, period: number): Generator<Entry, void> {
  let n = 0;
  for (const path of paths) {
    yield { n, at: Math.round(n * period * 1e6) / 1e6, path };
    n++;
  }
}

/** The first `count` entries. */
export function firstEntries(paths: Iterable<number>, period: number, count: number): Entry[] {
  const list: Entry[] = [];
  if (count === 0) return list;
  for (const entry of entries(paths, period)) {
    list.push(entry);
    if (list.length === count) break;
  }
  return list;
}
