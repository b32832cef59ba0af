import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../scripts/lib/cli.ts';
import { leftOut, requiredIn } from '../leave-out.ts';

const ALL = { lab: true, docker: true };

test('nothing is left out that was not asked for, but Docker where there is none', () => {
  assert.equal(leftOut(ALL, new Set(), true).size, 0);
  assert.match(
    leftOut(ALL, new Set(), false).get('docker') ?? '',
    /apt-get install docker\.io docker-compose/,
  );
  assert.deepEqual([...leftOut({ ...ALL, docker: false }, new Set(), true).keys()], ['docker']);
  assert.deepEqual([...leftOut({ ...ALL, lab: false }, new Set(), true).keys()], ['lab', 'docker']);
});

test('what is required is installed, or refused, never left out', () => {
  assert.equal(leftOut(ALL, requiredIn('docker,lab'), false).size, 0);
  for (const [wish, required] of [
    [{ ...ALL, lab: false }, 'lab'],
    [{ ...ALL, lab: false }, 'docker'],
    [{ ...ALL, docker: false }, 'lab, docker'],
  ] as const)
    assert.throws(() => leftOut(wish, requiredIn(required), true), Fault);
  assert.equal(leftOut({ ...ALL, docker: false }, requiredIn('lab'), true).size, 1);
});

test('COMPS_REQUIRE is read strictly', () => {
  assert.deepEqual([...requiredIn('')], []);
  assert.deepEqual([...requiredIn(' docker, lab,')], ['docker', 'lab']);
  assert.throws(() => requiredIn('dokcer'), Fault);
});
