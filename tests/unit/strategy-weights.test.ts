import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Fault } from '../../client/scripts/lib/fault.ts';
import { choose } from '../../client/scripts/lib/strategy.ts';
import { readWeights, sharesOf, wholeWeights } from '../../client/scripts/lib/weights.ts';

const refusal = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof Fault, String(error));
    return error.toString();
  }
  return 'no refusal';
};

test('weights that do not fit are refused, with what to type', () => {
  const fixed = (weights: number[] | undefined) => () => choose('fixed', { seed: 1, paths: 3, weights });
  assert.match(refusal(fixed(undefined)), /--strategy fixed: needs the weights[\s\S]*next: .*--weights/);
  assert.match(refusal(fixed([1, 2])), /--weights: 2 weights for 3 paths/);
  assert.match(refusal(fixed([1, -1, 3])), /--weights: -1 is no weight/);
  assert.match(refusal(fixed([1, Number.NaN, 3])), /--weights: NaN is no weight/);
  assert.match(refusal(fixed([0, 0, 0])), /not all weights can be 0/);
  for (const name of ['none', 'rr', 'ur', 'wr'] as const)
    assert.match(
      refusal(() => choose(name, { seed: 1, paths: 3, weights: [1, 1, 1] })),
      new RegExp(`--weights: ${name} takes none`),
    );
});

test('weights are read as the smallest whole numbers of their ratio', () => {
  for (const text of ['0.5,0.3,0.2', '5,3,2', '50,30,20', ' .5 , 0.30, 0.2', '500000,300000,200000'])
    assert.deepEqual(readWeights(text), [5, 3, 2], text);
  assert.deepEqual(readWeights('1'), [1]);
  assert.deepEqual(readWeights('0,7,0'), [0, 1, 0]);
  assert.deepEqual(readWeights('0.000001,1'), [1, 1_000_000]);
  const bad = ['', ',', '1,,2', '-1,2', '1e3,1', 'a,b', '0,0', '0.0000001,1', '1000001,1', '1/3,2/3', 'NaN'];
  for (const text of bad)
    assert.match(
      refusal(() => readWeights(text)),
      /--weights: .*\n {2}next: /,
      text,
    );
});

test('shares sum to 1, and are their own shares; whole weights come back from shares', () => {
  const whole = fc
    .array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 12 })
    .filter((list) => list.some((weight) => weight > 0));
  fc.assert(
    fc.property(whole, (weights) => {
      const shares = sharesOf(weights, weights.length);
      assert.ok(Math.abs(shares.reduce((a, b) => a + b, 0) - 1) < 1e-12);
      assert.deepEqual(sharesOf(shares, weights.length), shares);
      const smallest = readWeights(weights.join(','));
      assert.deepEqual(wholeWeights(shares, 1000), smallest);
      assert.deepEqual(wholeWeights(weights, 1000), smallest);
    }),
  );
  assert.equal(wholeWeights([0.123456, 0.876544], 1000), undefined);
});
