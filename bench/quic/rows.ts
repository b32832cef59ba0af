/** Figures of a case, from its downloads. All pure. */
import { median, type Ratios, ratiosOf } from '../figures.ts';
import { type Case, nameOf } from './cases.ts';
import type { Downlink } from './downlink.ts';

/** One download. */
export interface Sample extends Downlink {
  round: number;
  /** Of one that did not come to its end, the limit. */
  seconds: number;
  finished: boolean;
  identical: boolean;
  trouble: string | null;
  /** That the server had. */
  connections: number;
  /** Of the client, that the server proved to be its own. */
  addresses: number;
  /** Packets past the tunnels. */
  past: number;
}

export interface Row {
  name: string;
  case: Case;
  /** Medians. */
  seconds: number;
  /** To no switching in the same round; where `over`, it is more than that. */
  ratio: Ratios;
  /** Half of the downloads or more did not come to their end in time. */
  over: boolean;
  finished: number;
  downloads: number;
  identical: number;
  /** Downloads that failed for another reason than the time, or whose file was another. */
  wrong: number;
  /** Medians of shares of the bytes, as in {@link Downlink}. */
  followed: number | null;
  in_force: number | null;
  /** Share of each path of all bytes, by interface. */
  shares: Record<string, number>;
  /** The most that the server had in a download, and the fewest addresses that it proved. */
  connections: number;
  addresses: number;
  switches: number;
  past: number;
  /** Packets that the captures lost: with any, shares are of what was seen. */
  missed: number;
}

/** Bytes a path as shares; all 0 where nothing came. */
function sharesOf(samples: readonly Sample[]): Record<string, number> {
  const shares: Record<string, number> = {};
  for (const name of Object.keys(samples[0]?.bytes ?? {}))
    shares[name] = median(
      samples.map(({ bytes }) => {
        const total = Object.values(bytes).reduce((sum, one) => sum + one, 0);
        return total === 0 ? 0 : (bytes[name] ?? 0) / total;
      }),
    );
  return shares;
}

/** Seconds by round. */
function byRound(samples: readonly Sample[]): number[][] {
  const rounds: number[][] = [];
  for (const { round, seconds } of samples) rounds[round] = [...(rounds[round] ?? []), seconds];
  return rounds;
}

/** The median of those that are there. */
function middle(values: readonly (number | null)[]): number | null {
  const found = values.filter((value) => value !== null);
  return found.length === 0 ? null : median(found);
}

const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);

/** `base`: the downloads of the same group without switching. */
export function rowOf(one: Case, samples: readonly Sample[], base: readonly Sample[]): Row {
  const finished = samples.filter((sample) => sample.finished).length;
  return {
    ...{ name: nameOf(one), case: one },
    seconds: median(samples.map(({ seconds }) => seconds)),
    ratio: ratiosOf(byRound(samples), byRound(base)),
    ...{ over: finished <= samples.length / 2, finished, downloads: samples.length },
    identical: samples.filter((sample) => sample.identical).length,
    wrong: samples.filter(({ finished, identical, trouble }) => trouble !== null || (finished && !identical))
      .length,
    followed: middle(samples.map(({ followed }) => followed)),
    in_force: middle(samples.map(({ in_force }) => in_force)),
    shares: sharesOf(samples),
    connections: Math.max(...samples.map(({ connections }) => connections)),
    addresses: Math.min(...samples.map(({ addresses }) => addresses)),
    switches: sum(samples.map(({ switches }) => switches)),
    past: sum(samples.map(({ past }) => past)),
    missed: sum(samples.map(({ missed }) => missed)),
  };
}
