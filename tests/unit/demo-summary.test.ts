import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import type { Lab } from '../../scripts/lib/lab/lab.ts';
import { type Findings, holds, summary } from '../../scripts/lib/lab/summary.ts';

const good: Findings = {
  times: [['lab up', 1500]],
  bytes: new Map([
    ['wgnet1', 3e6],
    ['wgnet2', 1e6],
  ]),
  switches: 50,
  scheduled: ['wgnet1', 'wgnet2'],
  title: 'CoMPS lab',
  sawAddress: '198.51.100.201',
  comp: '198.51.100.201',
  made: 4,
  toMake: 4,
  left: 0,
  leaked: 0,
  secondRunChanged: 0,
};
const lab = { directory: '.lab', clientDirectory: 'client/generated' } as Lab;
const lines = (found: Findings, stays = true): string =>
  stripVTControlCharacters(summary(found, lab, { period: 0.1, strategy: 'rr', seed: '1', stays }).join('\n'));

test('a demo in which all holds says so', () => {
  assert.ok(holds(good));
  assert.match(lines(good), /wgnet1 +75 % +3\.0 MB/);
  assert.doesNotMatch(lines(good), /✗/);
});

test('droplets that are to stay are not claimed to be gone', () => {
  const kept = { ...good, left: undefined };
  assert.ok(holds(kept));
  assert.doesNotMatch(lines(kept), /droplets left/);
});

for (const [what, change] of [
  ['a leak', { leaked: 1 }],
  ['another address', { sawAddress: '192.0.2.2' }],
  ['a second set-up that changed', { secondRunChanged: 1 }],
  ['a schedule without a path', { scheduled: [] }],
  ['a path that carried nothing', { scheduled: ['wgnet1', 'wgnet2', 'wgnet3'] }],
  ['no page', { title: undefined }],
  ['a droplet too many', { made: 5 }],
  ['a droplet that is left', { left: 1 }],
] as const)
  test(`the demo fails on ${what}`, () => {
    const found = { ...good, ...change };
    assert.ok(!holds(found));
    assert.match(lines(found), /✗ .*must be/);
  });

test('files are named where they stay, and not where the lab goes', () => {
  assert.match(lines(good), /client\/generated[\s\S]*cloud\.ini/);
  assert.doesNotMatch(lines(good, false), /client\/generated|Files/);
});
