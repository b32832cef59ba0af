import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dirichlet, splitMix64, stream, weighted } from '../../client/scripts/lib/random.ts';
import { choose, type StrategyInput, type TimedName } from '../../client/scripts/lib/strategy.ts';

function take(name: TimedName, input: StrategyInput, count: number): number[] {
  const iterator = choose(name, input).paths[Symbol.iterator]();
  return Array.from({ length: count }, () => iterator.next().value as number);
}

const seeds = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
/** Those that need nothing but a seed. */
const NAMES = ['none', 'rr', 'ur', 'wr'] as const;
const names = fc.constantFrom(...NAMES);

test('SplitMix64 gives the published outputs', () => {
  // Rosetta Code, "Pseudo-random numbers/Splitmix64"; for state 0, java.util.SplittableRandom and splitmix64.c.
  const next = splitMix64(1234567n);
  assert.deepEqual(Array.from({ length: 5 }, next), [
    6457827717110365317n,
    3203168211198807973n,
    9817491932198370423n,
    4593380528125082431n,
    16408922859458223821n,
  ]);
  assert.equal(splitMix64(0n)(), 0xe220a8397b1dcdafn);
});

// Computed by a second implementation, in Python, from the pseudo-code in random.ts. These lines never change.
const KNOWN: [TimedName, number, number, string][] = [
  ['none', 42, 3, '111111111111111111111111'],
  ['none', 0, 5, '333333333333333333333333'],
  ['none', Number.MAX_SAFE_INTEGER, 2, '111111111111111111111111'],
  ['rr', 42, 3, '120120120120120120120120'],
  ['rr', 0, 5, '340123401234012340123401'],
  ['rr', Number.MAX_SAFE_INTEGER, 2, '101010101010101010101010'],
  ['ur', 42, 3, '102001001022202000012200'],
  ['ur', 0, 5, '344220423023320410022121'],
  ['ur', Number.MAX_SAFE_INTEGER, 2, '110011011101010000001110'],
  ['wr', 42, 3, '101001001012101001011100'],
  ['wr', 0, 5, '343330333133330320033233'],
  ['wr', Number.MAX_SAFE_INTEGER, 2, '111111111111010010011111'],
];

for (const [name, seed, paths, expected] of KNOWN)
  test(`${name} with seed ${seed} over ${paths} paths is the schedule that it always was`, () => {
    assert.equal(take(name, { seed, paths }, 24).join(''), expected);
  });

const KNOWN_FIXED: [number, number[], string][] = [
  [42, [5, 3, 2], '001001000012102000011200'],
  [0, [1, 0, 4, 1], '232220222222220220022222'],
  [Number.MAX_SAFE_INTEGER, [1, 1], '110011011101010000001110'],
];

for (const [seed, weights, expected] of KNOWN_FIXED)
  test(`fixed with seed ${seed} and weights ${weights} is the schedule that it always was`, () => {
    assert.equal(take('fixed', { seed, paths: weights.length, weights }, 24).join(''), expected);
  });

test('the weights of a seed are what they always were', () => {
  assert.deepEqual(
    choose('wr', { seed: 42, paths: 3 }).weights,
    [0.30866257268220887, 0.678048678425294, 0.013288748892497093],
  );
  assert.equal(choose('ur', { seed: 42, paths: 3 }).weights, null);
});

test('every strategy: the same input gives the same paths, all within range, however often it is read', () => {
  fc.assert(
    fc.property(names, seeds, fc.integer({ min: 1, max: 40 }), (name, seed, paths) => {
      const choice = choose(name, { seed, paths });
      const read = (): number[] => {
        const list: number[] = [];
        for (const path of choice.paths) if (list.push(path) === 30) break;
        return list;
      };
      const once = read();
      assert.deepEqual(read(), once);
      assert.deepEqual(take(name, { seed, paths }, 30), once);
      assert.ok(once.every((path) => Number.isInteger(path) && path >= 0 && path < paths));
    }),
  );
});

test('every strategy stays on a single path', () => {
  fc.assert(
    fc.property(names, seeds, (name, seed) => {
      assert.ok(take(name, { seed, paths: 1 }, 20).every((path) => path === 0));
    }),
  );
});

test('a given first path is entry 0 and leaves the later draws alone', () => {
  fc.assert(
    fc.property(fc.constantFrom('ur' as const, 'wr' as const), seeds, fc.nat(4), (name, seed, first) => {
      const drawn = take(name, { seed, paths: 5 }, 20);
      assert.deepEqual(take(name, { seed, paths: 5, first }, 20), [first, ...drawn.slice(1)]);
    }),
  );
  assert.deepEqual(take('rr', { seed: 7, paths: 3, first: 2 }, 5), [2, 0, 1, 2, 0]);
  assert.deepEqual(take('none', { seed: 7, paths: 3, first: 2 }, 3), [2, 2, 2]);
});

test('the first path is random: each comes up about as often over many seeds', () => {
  for (const name of NAMES) {
    const counts = [0, 0, 0];
    for (let seed = 0; seed < 3000; seed++) {
      const first = take(name, { seed, paths: 3 }, 1)[0] as number;
      counts[first] = (counts[first] ?? 0) + 1;
    }
    // Six standard deviations of a binomial with p = 1/3 are 155.
    for (const count of counts) assert.ok(Math.abs(count - 1000) < 160, `${name}: ${counts}`);
  }
});

/** Sum of (seen - expected)^2 / expected. */
function chiSquare(paths: readonly number[], weights: readonly number[]): number {
  return weights.reduce((sum, weight, i) => {
    const expected = weight * paths.length;
    return sum + (paths.filter((path) => path === i).length - expected) ** 2 / expected;
  }, 0);
}

test('ur draws all paths alike, wr by its weights', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const even = [0.25, 0.25, 0.25, 0.25];
    // 99.99 % of the chi-square distribution with 3 degrees of freedom lie below 21.1.
    assert.ok(chiSquare(take('ur', { seed, paths: 4 }, 20_000), even) < 21.1, `ur, seed ${seed}`);
    const weights = choose('wr', { seed, paths: 4 }).weights ?? [];
    assert.ok(chiSquare(take('wr', { seed, paths: 4 }, 20_000), weights) < 21.1, `wr, seed ${seed}`);
  }
});

test('fixed draws paths by its weights, in whatever measure they are given, and never one of weight 0', () => {
  const weights = [0.5, 0, 0.3, 0.2];
  for (const seed of [1, 2, 3]) {
    const paths = take('fixed', { seed, paths: 4, weights }, 20_000);
    assert.ok(!paths.includes(1));
    const others = paths.map((path) => Math.max(0, path - 1));
    // 2 degrees of freedom, 99.99 %.
    assert.ok(chiSquare(others, [0.5, 0.3, 0.2]) < 18.4, `seed ${seed}`);
    assert.deepEqual(take('fixed', { seed, paths: 4, weights: [50, 0, 30, 20] }, 500), paths.slice(0, 500));
  }
  const firsts = Array.from(
    { length: 3000 },
    (_, seed) => take('fixed', { seed, paths: 2, weights: [3, 1] }, 1)[0] as number,
  );
  // 1 degree of freedom, 99.99 %.
  assert.ok(chiSquare(firsts, [0.75, 0.25]) < 15.1);
});

test('a first path leaves the later draws of fixed alone too; another seed gives another list', () => {
  fc.assert(
    fc.property(seeds, fc.nat(2), (seed, first) => {
      const input = { seed, paths: 3, weights: [2, 3, 4] };
      const drawn = take('fixed', input, 40);
      assert.deepEqual(take('fixed', { ...input, first }, 40), [first, ...drawn.slice(1)]);
      assert.notDeepEqual(take('fixed', { ...input, seed: seed === 0 ? 1 : seed - 1 }, 40), drawn);
    }),
    // 40 draws are alike by chance once in 10^18.
    { seed: 6, numRuns: 100 },
  );
});

test('ur: which path comes next does not depend on the last', () => {
  const paths = take('ur', { seed: 9, paths: 3 }, 30_001);
  const pairs = paths.slice(1).map((path, i) => 3 * (paths[i] as number) + path);
  // 8 degrees of freedom, 99.99 %.
  assert.ok(chiSquare(pairs, Array(9).fill(1 / 9)) < 31.9);
});

test('weights are Dirichlet(1, …, 1): not negative, sum 1, mean 1/n, variance (n - 1) / n^2 (n + 1)', () => {
  fc.assert(
    fc.property(seeds, fc.integer({ min: 1, max: 50 }), (seed, n) => {
      const weights = dirichlet(stream(seed, 1), n);
      assert.equal(weights.length, n);
      assert.ok(weights.every((weight) => weight >= 0));
      assert.ok(Math.abs(weights.reduce((a, b) => a + b, 0) - 1) < 1e-12);
    }),
  );
  const n = 4;
  const drawn = Array.from({ length: 20_000 }, (_, seed) => dirichlet(stream(seed, 1), n));
  for (let i = 0; i < n; i++) {
    const column = drawn.map((weights) => weights[i] as number);
    const mean = column.reduce((a, b) => a + b, 0) / column.length;
    const variance = column.reduce((a, b) => a + (b - mean) ** 2, 0) / column.length;
    assert.ok(Math.abs(mean - 1 / n) < 0.01, `mean of weight ${i}: ${mean}`);
    assert.ok(
      Math.abs(variance - (n - 1) / (n * n * (n + 1))) < 0.003,
      `variance of weight ${i}: ${variance}`,
    );
  }
});

test('a weighted draw never leaves the list, whatever the rounding of the sum', () => {
  assert.equal(
    weighted(() => 1 - 2 ** -53, [0.5, 0.4999]),
    1,
  );
  assert.equal(
    weighted(() => 0, [0, 0, 1]),
    2,
  );
});
