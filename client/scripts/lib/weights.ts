/** Weights as somebody gives them, and as the strategies use them. Pure. */
import { Fault } from './fault.ts';

/** Digits behind the point that a weight may have, and the most that a whole one may be. */
const DIGITS = 6;
const MOST = 10 ** DIGITS;

/** Numbers this close to whole ones are meant to be; rounding alone leaves less than 10^-10. */
const WHOLE = 1e-7;

/** Sums this close to 1 are shares already, and stay as they are to the last digit. */
const ROUNDING = 1e-9;

const wrong = (what: string): Fault =>
  new Fault({ at: '--weights', what, next: '--weights 0.5,0.3,0.2 or 5,3,2: one a path' });

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** The smallest whole numbers in the ratio of these. */
function smallest(weights: readonly number[]): number[] {
  const common = weights.reduce(gcd);
  return weights.map((weight) => weight / common);
}

/**
 * Reads a list of weights; `0.5,0.3,0.2`, `50,30,20` and `5,3,2` all give 5, 3, 2: the smallest whole numbers of that
 * ratio. Throws a Fault where one is no number, is negative or too fine, or all are 0.
 */
export function readWeights(list: string): number[] {
  const weights = list.split(',').map((word) => {
    const text = word.trim();
    if (!/^(\d+\.?\d*|\.\d+)$/.test(text)) throw wrong(`${JSON.stringify(text)} is no weight`);
    if (Number(text) > MOST) throw wrong(`${text} is more than ${MOST}`);
    if ((text.split('.')[1]?.length ?? 0) > DIGITS)
      throw wrong(`${text} has more than ${DIGITS} digits behind the point`);
    return Math.round(Number(text) * MOST);
  });
  if (weights.every((weight) => weight === 0)) throw wrong('not all weights can be 0');
  const whole = smallest(weights);
  if (Math.max(...whole) > MOST) throw wrong(`${list} is finer than a millionth`);
  return whole;
}

/** Weights as shares, which sum to 1. Throws a Fault unless there is one a path, none negative, and not all are 0. */
export function sharesOf(weights: readonly number[], paths: number): number[] {
  if (weights.length !== paths) {
    const there = `${paths} path${paths === 1 ? '' : 's'}`;
    throw wrong(`${weights.length} weight${weights.length === 1 ? '' : 's'} for ${there}`);
  }
  const bad = weights.find((weight) => !(weight >= 0 && weight <= Number.MAX_SAFE_INTEGER));
  if (bad !== undefined) throw wrong(`${bad} is no weight`);
  const sum = weights.reduce((a, b) => a + b, 0);
  if (sum === 0) throw wrong('not all weights can be 0');
  return Math.abs(sum - 1) < ROUNDING ? [...weights] : weights.map((weight) => weight / sum);
}

/**
 * The smallest whole numbers of the ratio of these weights, whether they are whole or shares, with a sum of `most` at
 * most; undefined where there are none.
 */
export function wholeWeights(weights: readonly number[], most: number): number[] | undefined {
  const sumOf = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
  const sum = sumOf(weights);
  for (let total = 1; total <= most; total++) {
    const parts = weights.map((weight) => (weight / sum) * total);
    const whole = parts.map(Math.round);
    if (sumOf(whole) === total && parts.every((part, i) => Math.abs(part - (whole[i] ?? 0)) < WHOLE))
      return whole;
  }
  return undefined;
}
