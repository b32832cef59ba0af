/** Counts and sums of a run; pure, and exact: from visit.json, never from what is drawn. */
import type { Manifest } from '../../../client/scripts/lib/trace/layout.ts';
import { isFinished, type PathTotals, type VisitSummary } from '../../../client/scripts/lib/trace/record.ts';
import { median } from './format.ts';
import type { Attempt } from './read.ts';

export type Outcome = 'success' | 'timeout' | 'failure' | 'broken';

export const outcomeOf = ({ summary }: Attempt): Outcome => summary?.status ?? 'broken';

/** A visit with its attempts; its outcome is that of the last success, else of the last attempt. */
export interface Visit {
  label: number;
  instance: number;
  attempts: Attempt[];
  decisive: Attempt;
  outcome: Outcome;
}

export function visitsOf(attempts: readonly Attempt[]): Visit[] {
  const visits = new Map<string, Attempt[]>();
  for (const attempt of attempts) {
    const others = visits.get(attempt.visit);
    if (others === undefined) visits.set(attempt.visit, [attempt]);
    else others.push(attempt);
  }
  return [...visits.values()].map((all) => {
    const decisive = all.findLast((one) => outcomeOf(one) === 'success') ?? (all.at(-1) as Attempt);
    const { label, instance } = decisive;
    return { label, instance, attempts: all, decisive, outcome: outcomeOf(decisive) };
  });
}

/** Will the collector try it again? */
export const isOpen = ({ outcome, attempts }: Visit, retries: number): boolean =>
  outcome !== 'success' &&
  !isFinished(
    attempts.map(({ summary }) => summary?.failure?.kind),
    retries,
  );

export interface Sums {
  packetsUp: number;
  packetsDown: number;
  up: number;
  down: number;
  inForce: number;
}

export const nothing = (): Sums => ({ packetsUp: 0, packetsDown: 0, up: 0, down: 0, inForce: 0 });

function add(sums: Sums, path: PathTotals): Sums {
  sums.packetsUp += path.packets_out;
  sums.packetsDown += path.packets_in;
  sums.up += path.bytes_out;
  sums.down += path.bytes_in;
  sums.inForce += path.in_force;
  return sums;
}

/** By path, in the order of the manifest; a path that it does not name comes behind. */
export function sumsByPath(names: readonly string[], summaries: readonly VisitSummary[]): Map<string, Sums> {
  const all = new Map(names.map((name) => [name, nothing()]));
  for (const { paths } of summaries)
    for (const path of paths) all.set(path.interface, add(all.get(path.interface) ?? nothing(), path));
  return all;
}

export const sumOf = ({ paths }: VisitSummary): Sums => paths.reduce(add, nothing());

export const loadTime = ({ navigated, loaded }: VisitSummary): number | undefined =>
  navigated === null || loaded === null ? undefined : loaded - navigated;

export interface Site {
  label: number;
  url: string;
  visits: Visit[];
  successes: VisitSummary[];
  up: number | undefined;
  down: number | undefined;
  load: number | undefined;
}

export const successesOf = (visits: readonly Visit[]): VisitSummary[] =>
  visits.flatMap(({ decisive: { summary } }) => (summary?.status === 'success' ? [summary] : []));

export function sitesOf({ settings }: Manifest, visits: readonly Visit[]): Site[] {
  const labels = new Set([...settings.urls.keys(), ...visits.map(({ label }) => label)]);
  return [...labels].map((label) => {
    const own = visits.filter((visit) => visit.label === label);
    const successes = successesOf(own);
    const sums = successes.map(sumOf);
    return {
      ...{ label, visits: own, successes },
      url: settings.urls[label] ?? '(a URL that the manifest does not name)',
      up: median(sums.map(({ up }) => up)),
      down: median(sums.map(({ down }) => down)),
      load: median(successes.map(loadTime).filter((time) => time !== undefined)),
    };
  });
}

/** How often each value occurs, the most frequent first. */
export function tally(values: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a);
}

/** By the name of the check, over the attempts that decide a visit. */
export function checksOf(visits: readonly Visit[]): Map<string, { passed: number; failed: string[] }> {
  const all = new Map<string, { passed: number; failed: string[] }>();
  for (const { decisive } of visits)
    for (const { name, ok } of decisive.summary?.checks ?? []) {
      const counts = all.get(name) ?? { passed: 0, failed: [] };
      if (ok) counts.passed++;
      else counts.failed.push(decisive.folder);
      all.set(name, counts);
    }
  return all;
}

/** Packets past the tunnels over all attempts, and the attempts in which nobody could count. */
export function leaksOf(attempts: readonly Attempt[]): { packets: number; uncounted: number; in: Attempt[] } {
  const told = attempts.filter(({ summary }) => summary !== undefined && summary.leaked !== null);
  const leaking = told.filter(({ summary }) => (summary?.leaked ?? 0) > 0);
  return {
    packets: leaking.reduce((sum, { summary }) => sum + (summary?.leaked ?? 0), 0),
    uncounted: attempts.length - told.length,
    in: leaking,
  };
}
