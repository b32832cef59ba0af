import assert from 'node:assert/strict';
import { test } from 'node:test';
import { astray, SLACK, secondsInForce, spells } from '../../client/scripts/lib/collect/in-force.ts';
import { BEGIN, back, evidence, out, switches } from '../collect-evidence.ts';

test('spells last from the beginning of a switch to the end of the next; a switch that keeps the path is none', () => {
  const log = switches(
    [
      [0, 'a'],
      [1, 'a'],
      [2, 'b'],
      [3, 'a'],
    ],
    0.25,
  );
  assert.deepEqual(spells(log, BEGIN + 9), [
    { path: 'a', from: BEGIN, to: BEGIN + 2.25 },
    { path: 'b', from: BEGIN + 2, to: BEGIN + 3.25 },
    { path: 'a', from: BEGIN + 3, to: BEGIN + 9 },
  ]);
  assert.deepEqual(spells([], BEGIN), []);
  // The last switch is carried out after the end.
  assert.deepEqual(spells(log.slice(0, 1), BEGIN + 0.1), [{ path: 'a', from: BEGIN, to: BEGIN + 0.25 }]);
});

test('seconds in force are those between two times', () => {
  const all = spells(
    switches(
      [
        [0, 'a'],
        [2, 'b'],
        [3, 'a'],
      ],
      0,
    ),
    BEGIN + 10,
  );
  assert.deepEqual(
    secondsInForce(all, BEGIN + 1, BEGIN + 5),
    new Map([
      ['a', 3],
      ['b', 1],
    ]),
  );
  assert.deepEqual(secondsInForce(all, BEGIN + 2.5, BEGIN + 2.75), new Map([['b', 0.25]]));
  assert.deepEqual(secondsInForce(all, BEGIN - 5, BEGIN), new Map());
});

test('a packet may be late by the slack, and no more', () => {
  const all = spells(evidence().switches, BEGIN + 4);
  const found = (name: string, ...times: number[]) =>
    astray(name, { packets: times.map((at) => out(at)), cut: false }, all);
  const e = 0.001;
  assert.equal(found('wgnet1', 1.901 + SLACK - e), 0);
  assert.equal(found('wgnet1', 1.901 + SLACK + e), 1);
  assert.equal(found('wgnet2', 1.9 - SLACK + e), 0);
  assert.equal(found('wgnet2', 1.9 - SLACK - e), 1);
  assert.equal(found('wgnet1', 2.9 - SLACK + e, 3.9, 3.99), 0);
  // Before the first switch nobody knows the path.
  assert.equal(found('wgnet2', 0.1, 0.9 + SLACK - e), 0);
  assert.equal(found('wgnet2', 0.9 + SLACK + e), 1);
  assert.equal(found('wgnet3', 1.5, 2.5, 3.5), 3);
  assert.equal(astray('wgnet1', { packets: [out(1)], cut: false }, []), 0);
  // What comes in may take any path.
  assert.equal(astray('wgnet2', { packets: [back(1.5)], cut: false }, all), 0);
});

test('packets that are out of order in a capture are judged by their times', () => {
  const all = spells(evidence().switches, BEGIN + 4);
  const packets = [out(3), out(1.2), out(2.4), out(1.1), out(2.95)];
  assert.equal(astray('wgnet1', { packets, cut: false }, all), 1);
});
