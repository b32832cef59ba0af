/** What a check breaks on purpose, what puts it back, and whose turn it is; nothing is broken here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drillsFor } from '../../client/scripts/lib/check/drills.ts';
import type { Link } from '../../client/scripts/lib/check/machine.ts';
import { putBackLink, putBackPaths, silence } from '../../client/scripts/lib/check/put-back.ts';
import { currentPath } from '../../client/scripts/lib/check/tables.ts';
import { Turn } from '../../client/scripts/lib/check/turn.ts';
import { takeLock } from '../../client/scripts/lib/lock.ts';

const LINKS: Link[] = ['wg0', 'wgnet1', 'wgnet2'].map((ifname, i) => ({
  ...{ ifname, mtu: 1420, flags: i === 2 ? [] : ['UP'] },
  addr_info: [
    { family: 'inet', local: `10.45.0.${i + 4}`, prefixlen: 32, scope: 'global' },
    { family: 'inet6', local: 'fe80::1', prefixlen: 64, scope: 'link' },
  ],
}));
const ROUTES = [
  { dst: 'default', dev: 'wgnet1', table: '51821' },
  { dst: 'default', dev: 'wgnet1', table: '51821', metric: 1001 },
  { dst: 'default', dev: 'wgnet1', table: '51901', metric: 1001 },
  { dst: 'default', dev: 'wgnet1', table: '52001' },
  { dst: 'default', dev: 'eth0', gateway: '192.0.2.1' },
  { type: 'local', dst: '10.45.0.5', dev: 'wgnet1', table: 'local' },
];

test('what a link that goes down takes with it is put back: its addresses and the routes over it', () => {
  assert.equal(currentPath(ROUTES), 'wgnet1');
  assert.deepEqual(
    putBackLink(LINKS[1] as Link, ROUTES, []).map((words) => words.join(' ')),
    [
      'ip link set dev wgnet1 up',
      'ip address replace 10.45.0.5/32 dev wgnet1',
      'ip -4 route replace default dev wgnet1 table 51821',
      'ip -4 route replace default dev wgnet1 metric 1001 table 51821',
      'ip -4 route replace default dev wgnet1 metric 1001 table 51901',
      'ip -4 route replace default dev wgnet1 table 52001',
    ],
  );
});

test('the paths’ table is put back whole, and nothing of another', () => {
  assert.deepEqual(
    putBackPaths([
      ...ROUTES,
      { type: 'unreachable', dst: 'default', table: '51821', metric: 4294967295 },
    ]).map((words) => words.join(' ')),
    [
      'ip -4 route replace default dev wgnet1 table 51821',
      'ip -4 route replace default dev wgnet1 metric 1001 table 51821',
    ],
  );
  const { back } =
    drillsFor({
      ...{
        mode: 'wireguard',
        links: LINKS,
        paths: ['wgnet1'],
        routes: { 4: ROUTES, 6: [] },
        endpoints: new Map(),
      },
    }).find(({ id }) => id === 'drill-route-deleted') ?? assert.fail();
  assert.deepEqual(back, putBackPaths(ROUTES));
});

test('before a drill the lock of migrators is taken, unless the drill’s own migrator has it', async () => {
  const [migrators, fetchers] = [`check-migrate-${process.pid}`, `check-fetch-${process.pid}`];
  const locks = { migrators: [migrators, 'a migrate.ts'], fetchers: [fetchers, 'a fetcher'] } as const;
  let alive = true;
  const turn = new Turn({ holds: async () => alive }, locks);
  assert.equal(await turn.refused(), undefined);
  const other = new Turn(undefined, locks);
  assert.equal(await other.refused(), undefined);
  assert.equal(await other.refused(), undefined);
  await assert.rejects(takeLock(migrators, 'another migrate.ts'), /runs in this network namespace/);
  alive = false;
  assert.match((await turn.refused()) ?? '', /a migrate\.ts runs/);
  await takeLock(fetchers, 'another');
  assert.match((await other.refused()) ?? '', /a fetcher runs/);
});

test('drills: one for each tunnel, none for what is down already, each with its way back', () => {
  const machine = {
    mode: 'wireguard' as const,
    ...{ links: LINKS, paths: ['wgnet1', 'wgnet2'], routes: { 4: ROUTES, 6: [] } },
    endpoints: new Map([['wgnet1', '198.51.100.11:51820']]),
  };
  const drills = drillsFor(machine);
  assert.deepEqual(
    drills.map(({ id, without }) => `${id}${without === undefined ? '' : ' left out'}`),
    [
      'drill-wg0-down',
      'drill-wgnet1-down',
      'drill-wgnet2-down left out',
      'drill-route-deleted',
      'drill-proxy-dead',
      'drill-migrator-killed',
    ],
  );
  for (const { without, back } of drills) assert.ok(without !== undefined || (back?.length ?? 0) > 0);
  const quic = drillsFor({ ...machine, mode: 'quic' }).map(({ id }) => id);
  assert.deepEqual(
    quic,
    drills.map(({ id }) => id).filter((id) => id !== 'drill-wg0-down'),
  );
  const none = drillsFor({ ...machine, routes: { 4: [], 6: [] } });
  assert.equal(none.filter(({ without }) => without?.includes('current path')).length, 3);
  assert.match(
    silence('2001:db8::1').join(' '),
    /ipv6_addr[\s\S]*2001:db8::1 timeout 5s[\s\S]*ip6 saddr @dead drop/,
  );
});
