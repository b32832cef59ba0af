import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import type { Lab } from '../../scripts/lib/lab/lab.ts';
import { type Findings, holds, summary } from '../../scripts/lib/lab/summary.ts';

const good: Findings = {
  mode: 'wireguard',
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
const byQuic: Findings = {
  ...good,
  mode: 'quic',
  sha256: '0f343b0931126a20',
  wantedSha256: '0f343b0931126a20',
  connections: 1,
  addresses: ['198.51.100.102', '198.51.100.101'],
  proxies: ['198.51.100.101', '198.51.100.102'],
  tcp: 'refused',
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

test('in mode quic it claims what the server saw, and nothing of a page', () => {
  assert.ok(holds(byQuic));
  assert.match(lines(byQuic), /✓ client addresses that it proved +2$/m);
  assert.match(lines(byQuic), /site\/h3\.log/);
  assert.doesNotMatch(lines(byQuic), /title|comp server/);
  assert.match(lines(byQuic, false), /--mode quic --keep/);
});

for (const [what, change, said] of [
  ['other bytes', { sha256: 'e3b0c44298fc1c14' }, /e3b0c44298fc1c14, and it must be 0f343b0931126a20/],
  ['a second connection', { connections: 2 }, /connections at the server +2, and it must be 1/],
  ['a path that was not taken', { addresses: ['198.51.100.101'] }, /proved +1, and it must be 2/],
  [
    'an address past the tunnels',
    { addresses: ['198.51.100.101', '192.0.2.2'] },
    /proved +2, and no proxy has 192\.0\.2\.2, and it must be 2/,
  ],
  ['TCP that gets through', { tcp: 'accepted' }, /TCP connection was +accepted, and it must be refused/],
] as const)
  test(`the demo in mode quic fails on ${what}`, () => {
    const found = { ...byQuic, ...change };
    assert.ok(!holds(found));
    assert.match(lines(found), said);
  });

test('files are named where they stay, and not where the lab goes', () => {
  assert.match(lines(good), /client\/generated[\s\S]*cloud\.ini/);
  assert.doesNotMatch(lines(good, false), /client\/generated|Files/);
});
