/** Which visits a run has, and what of each follows from the run's seed. All pure. */
import { createHash } from 'node:crypto';
import { Fault } from '../fault.ts';
import { visitId } from '../trace/layout.ts';

export interface PlannedVisit {
  visit: string;
  label: number;
  instance: number;
  url: string;
  /** Of its schedule. */
  seed: number;
}

/**
 * The seed of one visit: the first 53 bits of SHA-256 over `SEED URL INSTANCE`. So it depends on neither the
 * order of visits nor the other URLs of a run, and every attempt of a visit has the same schedule.
 */
export function visitSeed(seed: number, url: string, instance: number): number {
  const digest = createHash('sha256').update(`${seed} ${url} ${instance}`).digest();
  return Number(digest.readBigUInt64BE(0) >> 11n);
}

/** All visits of a run in their order: each URL once, then each a second time, …, so that time of day biases none. */
export function plan(urls: readonly string[], visits: number, seed: number): PlannedVisit[] {
  const instances = Array.from({ length: visits }, (_, instance) => instance);
  return instances.flatMap((instance) =>
    urls.map((url, label) => ({
      visit: visitId(label, instance),
      label,
      instance,
      url,
      seed: visitSeed(seed, url, instance),
    })),
  );
}

/** Visits of one run, at most: all of them are in memory, with their seeds. */
const MOST_VISITS = 1e6;

/** Throws a Fault for more than that. */
export function checkCount(urls: number, visits: number): void {
  if (urls * visits <= MOST_VISITS) return;
  const what = `${urls} URLs, ${visits} times each, are more than ${MOST_VISITS} visits`;
  throw new Fault({ at: '--visits', what, next: 'several runs, each with a part of the list' });
}

/** Seconds to wait before an attempt: none before the first, then 1, 2, 4, …, 60 at most. */
export const backOff = (attempt: number): number => (attempt <= 1 ? 0 : Math.min(60, 2 ** (attempt - 2)));
