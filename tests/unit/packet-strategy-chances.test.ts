import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packetChoice, roundOf } from '../../client/scripts/lib/packet-strategy.ts';
import { pathsOf, runsOf } from '../packet-runs.ts';

/** Sum of (seen - expected)^2 / expected over what `list` holds of 0, 1, 2, …. */
function chiSquare(list: readonly number[], chances: readonly number[]): number {
  const seen = chances.map(() => 0);
  for (const one of list) seen[one] = (seen[one] ?? 0) + 1;
  return chances.reduce((sum, chance, i) => {
    const expected = chance * list.length;
    return sum + ((seen[i] ?? 0) - expected) ** 2 / expected;
  }, 0);
}

test('packet draws each by the weights, by itself', () => {
  for (const seed of [1, 2, 3]) {
    const weights = [5, 3, 2];
    const paths = pathsOf('packet', { seed, paths: 3, weights }, 30_001);
    // 99.99 % of chi-square with 2 degrees of freedom lie below 18.4, with 8 below 31.9.
    assert.ok(chiSquare(paths, [0.5, 0.3, 0.2]) < 18.4);
    const pairs = paths.slice(1).map((path, i) => 3 * (paths[i] as number) + path);
    const chances = [0.5, 0.3, 0.2].flatMap((a) => [0.5, 0.3, 0.2].map((b) => a * b));
    assert.ok(chiSquare(pairs, chances) < 31.9);
    assert.ok(chiSquare(pathsOf('packet', { seed, paths: 3 }, 30_000), Array(3).fill(1 / 3)) < 18.4);
  }
});

test('round robin of equal paths takes them in turn, from a drawn one', () => {
  const firsts = Array.from({ length: 3000 }, (_, seed) => {
    const paths = pathsOf('packet', { seed, paths: 3, order: 'rr' }, 7);
    for (const [i, path] of paths.entries()) assert.equal(path, ((paths[0] as number) + i) % 3);
    return paths[0] as number;
  });
  assert.ok(chiSquare(firsts, Array(3).fill(1 / 3)) < 18.4);
  assert.deepEqual(roundOf([5, 1, 1]), [0, 0, 1, 0, 2, 0, 0], 'the example of nginx');
  assert.deepEqual(pathsOf('packet', { seed: 1, paths: 3, order: 'rr', first: 2 }, 4), [2, 0, 1, 2]);
});

test('the first path is as likely as its weight, with every strategy', () => {
  for (const name of ['packet', 'bwr'] as const) {
    const firsts = Array.from(
      { length: 3000 },
      (_, seed) => runsOf(name, { seed, paths: 3, weights: [5, 3, 2] }, 1)[0]?.path ?? -1,
    );
    assert.ok(chiSquare(firsts, [0.5, 0.3, 0.2]) < 18.4, name);
  }
  for (const name of ['packet', 'bwr', 'hywf'] as const) {
    const firsts = Array.from(
      { length: 3000 },
      (_, seed) => runsOf(name, { seed, paths: 3 }, 1)[0]?.path ?? -1,
    );
    assert.ok(chiSquare(firsts, Array(3).fill(1 / 3)) < 18.4, name);
  }
});

test('bwr: batches of 50 to 70 packets, each number as likely, whatever the path; paths by the weights', () => {
  for (const seed of [1, 2, 3]) {
    const runs = runsOf('bwr', { seed, paths: 3, weights: [5, 3, 2] }, 20_000);
    const lengths = runs.map(({ packets }) => packets - 50);
    assert.ok(lengths.every((length) => length >= 0 && length <= 20));
    // 20 degrees of freedom, 99.99 %.
    assert.ok(chiSquare(lengths, Array(21).fill(1 / 21)) < 52.4);
    const paths = runs.map(({ path }) => path);
    assert.ok(chiSquare(paths, [0.5, 0.3, 0.2]) < 18.4);
    const longer = runs.filter(({ packets }) => packets > 60).map(({ path }) => path);
    assert.ok(chiSquare(longer, [0.5, 0.3, 0.2]) < 18.4);
  }
  const all = runsOf('bwr', { seed: 4, paths: 2, batch: [1, 4] }, 8000).map(({ packets }) => packets - 1);
  // 3 degrees of freedom, 99.99 %.
  assert.ok(chiSquare(all, Array(4).fill(1 / 4)) < 21.1);
  assert.ok(runsOf('bwr', { seed: 4, paths: 2, batch: [7, 7] }, 50).every(({ packets }) => packets === 7));
});

test('hywf: runs have 20 packets in the mean and an exponential tail', () => {
  for (const end of ['client', 'server'] as const) {
    const lengths = runsOf('hywf', { seed: 5, paths: 2, end }, 30_000).map(({ packets }) => packets);
    const mean = lengths.reduce((a, b) => a + b, 0) / lengths.length;
    // Standard deviation of the mean: 19.5 / sqrt(30,000) = 0.11.
    assert.ok(Math.abs(mean - 20) < 0.7, `mean ${mean}`);
    // P(length = k) = (1/20) (19/20)^(k - 1); what is longer than 60 is one class. 60 degrees of freedom, 99.99 %.
    const classes = Array.from({ length: 60 }, (_, k) => 0.05 * 0.95 ** k);
    const chances = [...classes, 0.95 ** 60];
    assert.ok(
      chiSquare(
        lengths.map((length) => Math.min(length, 61) - 1),
        chances,
      ) < 109,
    );
  }
});

test('hywf: the chance of a path is drawn for each load, uniform for two paths, and the same at both ends', () => {
  const chances = Array.from(
    { length: 4000 },
    (_, seed) => packetChoice('hywf', { seed, paths: 2 }).weights[0] ?? -1,
  );
  const tenths = chances.map((chance) => Math.floor(chance * 10));
  // 9 degrees of freedom, 99.99 %.
  assert.ok(chiSquare(tenths, Array(10).fill(0.1)) < 33.8);
  for (const seed of [1, 2, 3]) {
    const [client, server] = (['client', 'server'] as const).map((end) =>
      packetChoice('hywf', { seed, paths: 2, end }),
    );
    assert.deepEqual(client?.weights, server?.weights);
    const share = (end: 'client' | 'server'): number =>
      runsOf('hywf', { seed, paths: 2, end }, 5000).filter(({ path }) => path === 0).length / 5000;
    for (const end of ['client', 'server'] as const)
      assert.ok(Math.abs(share(end) - (client?.weights[0] ?? 0)) < 0.05);
  }
});
