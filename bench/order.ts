/** In which order a round measures its cases. Pure. */

/**
 * Each round begins with another case, so that none always comes behind the same one or at the same time. The base (the
 * first) comes first and once more in the middle, as every figure is divided by it.
 */
export function orderOf<T>(cases: readonly [T, ...T[]], round: number): T[] {
  const [base, ...others] = cases;
  const turn = (round * Math.ceil(others.length / 3)) % Math.max(1, others.length);
  const turned = [...others.slice(turn), ...others.slice(0, turn)];
  const half = Math.ceil(turned.length / 2);
  return [base, ...turned.slice(0, half), base, ...turned.slice(half)];
}
