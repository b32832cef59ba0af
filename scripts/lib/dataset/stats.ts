/** Numbers of a data set, per site and over all. Pure. */
import type { PathTotals } from '../../../client/scripts/lib/trace/record.ts';

/** An attempt, as far as its numbers go. */
export interface AttemptNumbers {
  run: string;
  visit: string;
  attempt: number;
  url: string;
  success: boolean;
  /** The client was in mode quic. */
  quic?: boolean;
  failure: string;
  /** Seconds from the start of navigation to the load event. */
  load: number | null;
  switches: number;
  paths: Pick<PathTotals, 'interface' | 'packets_out' | 'packets_in' | 'bytes_out' | 'bytes_in'>[];
}

export interface Spread {
  p5: number;
  median: number;
  p95: number;
}

export interface SiteStats {
  url: string;
  visits: number;
  success: number;
  /** Of a visit's last attempt, by kind. */
  failures: Record<string, number>;
  attempts: number;
  /** Of the visits, those in mode quic; not there where none is. */
  quic?: number;
  /** Of the successes; null where there is none. */
  packets_out: Spread | null;
  packets_in: Spread | null;
  bytes_out: Spread | null;
  bytes_in: Spread | null;
  load: Spread | null;
  switches: Spread | null;
  /** Share of all bytes of the successes, by path. */
  shares: Record<string, number>;
}

/** Hyndman and Fan's definition 7, as numpy's default: linear between the two nearest of the sorted values. */
export function quantile(sorted: readonly number[], q: number): number {
  const at = (sorted.length - 1) * q;
  const [low, high] = [sorted[Math.floor(at)] as number, sorted[Math.ceil(at)] as number];
  return low + (high - low) * (at - Math.floor(at));
}

function spread(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return { p5: quantile(sorted, 0.05), median: quantile(sorted, 0.5), p95: quantile(sorted, 0.95) };
}

type Column = 'packets_out' | 'packets_in' | 'bytes_out' | 'bytes_in';

const sum = (attempt: AttemptNumbers, column: Column): number =>
  attempt.paths.reduce((all, path) => all + path[column], 0);

function sharesOf(successes: readonly AttemptNumbers[]): Record<string, number> {
  const bytes = new Map<string, number>();
  for (const { paths } of successes)
    for (const { interface: name, bytes_out, bytes_in } of paths)
      bytes.set(name, (bytes.get(name) ?? 0) + bytes_out + bytes_in);
  const all = [...bytes.values()].reduce((a, b) => a + b, 0);
  return Object.fromEntries([...bytes].sort().map(([name, part]) => [name, all === 0 ? 0 : part / all]));
}

/** Numbers of visits, each given with all its attempts. */
export function statsOf(url: string, visits: readonly (readonly AttemptNumbers[])[]): SiteStats {
  const successes = visits.flatMap((attempts) => attempts.findLast(({ success }) => success) ?? []);
  const failures: Record<string, number> = {};
  for (const attempts of visits)
    if (!attempts.some(({ success }) => success)) {
      const kind = attempts.at(-1)?.failure ?? 'failure';
      failures[kind] = (failures[kind] ?? 0) + 1;
    }
  const of = (column: Column): Spread | null => spread(successes.map((attempt) => sum(attempt, column)));
  const quic = visits.filter((attempts) => attempts.some((attempt) => attempt.quic)).length;
  return {
    ...{ url, visits: visits.length, success: successes.length, failures },
    attempts: visits.reduce((all, attempts) => all + attempts.length, 0),
    ...(quic > 0 && { quic }),
    ...{ packets_out: of('packets_out'), packets_in: of('packets_in') },
    ...{ bytes_out: of('bytes_out'), bytes_in: of('bytes_in') },
    load: spread(successes.flatMap(({ load }) => load ?? [])),
    switches: spread(successes.map(({ switches }) => switches)),
    shares: sharesOf(successes),
  };
}
