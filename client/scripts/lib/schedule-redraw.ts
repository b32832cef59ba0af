/** Entries that a switch log lacks, drawn again from its seed. Pure. */
import { Fault } from './fault.ts';
import type { Entry, Heading } from './schedule.ts';
import { SCHEDULE_VERSION } from './schedule-text.ts';
import { choose, TIMED } from './strategy.ts';

/** Entries that are drawn to find the missing ones, at most: some ten seconds' work. */
const MOST = 10_000_000;

/** Entries `n` to `n + skipped - 1` were left out, as they came up late. */
export interface Late {
  n: number;
  skipped: number;
}

const micro = (seconds: number): number => Math.round(seconds * 1e6) / 1e6;

/** The paths of a run's entries; undefined where its first line does not say how they were drawn. */
function pathsOf({
  strategy,
  seed,
  first,
  weights,
  interfaces,
  ...more
}: Heading): Iterable<number> | undefined {
  const name = TIMED.find((timed) => timed === strategy);
  // One that stays on a path needs none of them; one from a file is whatever the file says.
  if (name === undefined || name === 'none' || more.schedule !== undefined) return undefined;
  if (more.version !== SCHEDULE_VERSION || !Number.isSafeInteger(seed) || Number(seed) < 0) return undefined;
  const paths = interfaces.length;
  const told = Number.isSafeInteger(first) ? Number(first) - 1 : undefined;
  if (told !== undefined && (told < 0 || told >= paths)) return undefined;
  try {
    const given = name === 'fixed' && Array.isArray(weights) ? weights.map(Number) : undefined;
    return choose(name, { seed: Number(seed), paths, first: told, weights: given }).paths;
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

/**
 * The entries with those that were left out as late between them: a plan that is carried out again has them. They stay
 * missing where there is no strategy, seed and period, or where these do not give the entries that are there.
 * Throws a Fault where they are too many.
 */
export function withLate(heading: Heading, entries: Entry[], late: readonly Late[], at: string): Entry[] {
  const { period, strategy, seed } = heading;
  if (late.length === 0 || typeof period !== 'number' || !(period > 0)) return entries;
  const paths = pathsOf(heading);
  if (paths === undefined) return entries;
  const end = Math.max((entries.at(-1)?.n ?? -1) + 1, ...late.slice(-1).map(({ n, skipped }) => n + skipped));
  if (end > MOST)
    throw new Fault({
      at,
      what: `goes on to entry ${end - 1} and left some out, which are drawn again up to ${MOST} alone`,
      next: `migrate.ts --strategy ${strategy} --period ${period} --seed ${seed} gives the same schedule again`,
    });
  const there = new Map(entries.map((entry) => [entry.n, entry]));
  const spans = late.toSorted((a, b) => a.n - b.n);
  const all: Entry[] = [];
  let n = 0;
  let span = 0;
  for (const path of paths) {
    if (n === end) break;
    const entry = there.get(n);
    if (entry !== undefined && entry.path !== path) return entries;
    while (span < spans.length && n >= (spans[span]?.n ?? 0) + (spans[span]?.skipped ?? 0)) span++;
    if (entry !== undefined) all.push(entry);
    else if (n >= (spans[span]?.n ?? Infinity)) all.push({ n, at: micro(n * period), path });
    n++;
  }
  return all;
}
