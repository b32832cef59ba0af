import { Fault } from './fault.ts';
import { below, dirichlet, type Random, stream, weighted } from './random.ts';
import { sharesOf } from './weights.ts';

/** Names as in the literature; the simulator of the original calls `wr` `dwr` and `ur` `wr`. */
export const STRATEGIES = ['none', 'rr', 'ur', 'wr', 'fixed', 'bwr', 'hywf', 'packet'] as const;
export type StrategyName = (typeof STRATEGIES)[number];

/** Those that choose a path each period. */
export const TIMED = ['none', 'rr', 'ur', 'wr', 'fixed'] as const satisfies readonly StrategyName[];
export type TimedName = (typeof TIMED)[number];

/** Those that count packets; see packet-strategy.ts. */
export type PacketName = Exclude<StrategyName, TimedName>;

/** Those of them that the kernel can carry out. */
export const KERNEL = ['bwr', 'packet'] as const satisfies readonly PacketName[];
export type KernelName = (typeof KERNEL)[number];

export const isTimed = (name: StrategyName): name is TimedName => TIMED.some((timed) => timed === name);
export const isKernel = (name: StrategyName): name is KernelName => KERNEL.some((one) => one === name);

/** How `packet` takes its paths: drawn, or in turn. */
export const ORDERS = ['random', 'rr'] as const;
export type Order = (typeof ORDERS)[number];

/** What may be given besides the seed; each belongs to some strategies only. */
export interface Extras {
  weights?: readonly number[] | undefined;
  order?: Order | undefined;
  /** Fewest and most packets of a batch. */
  batch?: readonly [number, number] | undefined;
}

const OF: Record<keyof Extras, readonly StrategyName[]> = {
  weights: ['fixed', 'bwr', 'packet'],
  order: ['packet'],
  batch: ['bwr'],
};

/** Throws a Fault where something is given that the strategy has no use for, or is lacking. */
export function requireExtras(name: StrategyName, extras: Extras): void {
  for (const key of Object.keys(OF) as (keyof Extras)[])
    if (extras[key] !== undefined && !OF[key].includes(name))
      throw new Fault({
        at: `--${key}`,
        what: `${name} takes none`,
        next: `--strategy ${OF[key].join(' or ')}, or no --${key}`,
      });
  if (name === 'fixed' && extras.weights === undefined)
    throw new Fault({
      at: '--strategy fixed',
      what: 'needs the weights of the paths',
      next: '--strategy fixed --weights 0.5,0.3,0.2: one a path',
    });
}

/** All that a choice of paths depends on. */
export interface StrategyInput {
  /** Non-negative integer up to 2^53 - 1. */
  seed: number;
  /** Number of paths, at least 1. */
  paths: number;
  /** Entry 0's path (from 0) where it is not to be drawn; the later draws stay what they are. */
  first?: number | undefined;
  /** For `fixed`: one a path, none negative, in any measure. */
  weights?: readonly number[] | undefined;
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
 * `wr` weights drawn once from Dirichlet(1, …, 1), then each path as likely as its weight; `fixed` the same with given
 * weights. Entry 0 is drawn as well: by the weights where there are some, else uniform.
 * Throws a Fault where weights are given that do not fit.
 */
export function choose(name: TimedName, { seed, paths, first, weights: given }: StrategyInput): Choice {
  requireExtras(name, { weights: given });
  const drawn = name === 'wr' ? dirichlet(stream(seed, STREAM.weights), paths) : null;
  const weights = given === undefined ? drawn : sharesOf(given, paths);
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
