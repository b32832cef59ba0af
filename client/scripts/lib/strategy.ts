import { below, dirichlet, type Random, stream, weighted } from './random.ts';

/** Names as in the literature; the simulator of the original calls `wr` `dwr` and `ur` `wr`. */
export const STRATEGIES = ['none', 'rr', 'ur', 'wr'] as const;
export type StrategyName = (typeof STRATEGIES)[number];

/** All that a choice of paths depends on. */
export interface StrategyInput {
  /** Non-negative integer up to 2^53 - 1. */
  seed: number;
  /** Number of paths, at least 1. */
  paths: number;
  /** Entry 0's path (from 0) where it is not to be drawn; the later draws stay what they are. */
  first?: number | undefined;
}

/** A strategy with its draws made: which path (from 0) each entry of a schedule uses. */
export interface Choice {
  /** A path's long-run share; null where the strategy has no weights. */
  weights: readonly number[] | null;
  /** True where every entry is the same by definition. */
  holds: boolean;
  /** The path of entry 0, 1, 2, … without end; each iteration starts anew. */
  paths: Iterable<number>;
}

/** Random streams of a seed (see random.ts); apart, so that a draw more in one never moves another. */
const STREAM = { first: 0, weights: 1, draws: 2 } as const;

/** An endless list: entry 0, then what `next` makes of the entry before. */
function endless(first: () => number, later: () => (previous: number) => number): Iterable<number> {
  return {
    *[Symbol.iterator]() {
      const next = later();
      for (let path = first(); ; path = next(path)) yield path;
    },
  };
}

/**
 * The paths that a strategy chooses, a pure function of its input:
 * `none` entry 0 for ever, `rr` the next path each time, `ur` each path as likely as the others,
 * `wr` weights drawn once from Dirichlet(1, …, 1), then each path as likely as its weight.
 * Entry 0 is drawn as well: weighted for `wr`, else uniform.
 */
export function choose(name: StrategyName, { seed, paths, first }: StrategyInput): Choice {
  const weights = name === 'wr' ? dirichlet(stream(seed, STREAM.weights), paths) : null;
  const draw = (random: Random) => (weights === null ? below(random, paths) : weighted(random, weights));
  const later = (): ((previous: number) => number) => {
    if (name === 'none') return (previous) => previous;
    if (name === 'rr') return (previous) => (previous + 1) % paths;
    const random = stream(seed, STREAM.draws);
    return () => draw(random);
  };
  return {
    weights,
    holds: name === 'none',
    paths: endless(() => first ?? draw(stream(seed, STREAM.first)), later),
  };
}
