/**
 * The project's own random numbers: a seed gives the same schedule on every machine and with every Node,
 * for ever, so nothing here comes from a library and nothing uses functions whose last digit may differ
 * between machines (`Math.log`, `Math.exp`, …).
 *
 * Generator: SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014;
 * also java.util.SplittableRandom). All arithmetic modulo 2^64:
 *
 *     next(state):  state += 0x9E3779B97F4A7C15
 *                   z = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9
 *                   z = (z ^ (z >> 27)) * 0x94D049BB133111EB
 *                   return z ^ (z >> 31)
 *     uniform:      (next >> 11) / 2^53                          in [0, 1)
 *     stream i:     a generator whose first state is output number i (from 0) of the generator seeded with the seed
 */

const MASK = (1n << 64n) - 1n;
const TWO_53 = 2 ** 53;

/** SplitMix64 from a 64-bit state: each call gives the next 64-bit output. */
export function splitMix64(state: bigint): () => bigint {
  let s = state & MASK;
  return () => {
    s = (s + 0x9e3779b97f4a7c15n) & MASK;
    let z = s;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
    return z ^ (z >> 31n);
  };
}

/** Gives the next number in [0, 1), a multiple of 2^-53. */
export type Random = () => number;

/** Stream number `index` (from 0) of a seed, a non-negative integer up to 2^53 - 1. */
export function stream(seed: number, index: number): Random {
  const parent = splitMix64(BigInt(seed));
  for (let i = 0; i < index; i++) parent();
  const next = splitMix64(parent());
  return () => Number(next() >> 11n) / TWO_53;
}

/** An integer from 0 to n - 1, each as likely as the others (to within n / 2^53). */
export function below(random: Random, n: number): number {
  return Math.floor(random() * n);
}

/** A whole number from `least` to `most`, each as likely as the others. */
export const between = (random: Random, least: number, most: number): number =>
  least + below(random, most - least + 1);

/**
 * A whole number, at least 1, with the given mean: how many trials of a chance of 1/mean it takes to the first success
 * (Devroye: Non-Uniform Random Variate Generation, 1986, X.2). This geometric distribution is the exponential one
 * rounded up to whole numbers, and needs comparisons only, where that takes a logarithm.
 */
export function geometric(random: Random, mean: number): number {
  let trials = 1;
  while (random() >= 1 / mean) trials++;
  return trials;
}

/**
 * n weights from Dirichlet(1, …, 1), the uniform distribution over all weights that sum to 1: the gaps that
 * n - 1 uniform numbers, sorted, leave in [0, 1] (Devroye: Non-Uniform Random Variate Generation, 1986, V.2).
 */
export function dirichlet(random: Random, n: number): number[] {
  const cuts = Array.from({ length: n - 1 }, random).sort((a, b) => a - b);
  return [...cuts, 1].map((cut, i) => cut - (cuts[i - 1] ?? 0));
}

/** An index drawn with the given weights (sum 1): the first at which their running sum passes a uniform number. */
export function weighted(random: Random, weights: readonly number[]): number {
  const u = random();
  let sum = 0;
  for (const [i, weight] of weights.entries()) {
    sum += weight;
    if (u < sum) return i;
  }
  // The running sum may end a rounding below 1.
  return weights.findLastIndex((weight) => weight > 0);
}
