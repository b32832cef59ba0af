import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readOrder } from '../../client/scripts/lib/orders.ts';

test('orders to migrate.ts: run, run with a seed, stop, and nothing else', () => {
  assert.deepEqual(readOrder('run'), { word: 'run', seed: undefined });
  assert.deepEqual(readOrder('run 42'), { word: 'run', seed: 42 });
  assert.deepEqual(readOrder('run 9007199254740991'), { word: 'run', seed: Number.MAX_SAFE_INTEGER });
  assert.deepEqual(readOrder('stop'), { word: 'stop' });
  for (const line of [
    '',
    'go',
    'run -1',
    'run 1.5',
    'run 9007199254740992',
    'run 1 2',
    'RUN',
    'stop now',
    ' run',
  ])
    assert.equal(readOrder(line), undefined, line);
});
