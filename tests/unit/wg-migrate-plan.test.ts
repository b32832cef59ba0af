import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { demoTopology, MOST_PATHS, type Plan, planOf } from '../../scripts/lib/wg-migrate/plan.ts';

const wishes = { paths: 2, subnet: '10.210.0.0/16', port: 4444, internet: false };

const addresses = ({ client, gate, proxies, comp, site }: Plan): string[] => [
  ...[client, gate, site, comp.transit, comp.internet],
  ...proxies.flatMap(({ access, transit }) => [access, transit]),
];

test('the tunnels are those of a real network: wgnetN to the proxies, wg0 to the comp server', () => {
  const { paths, comp } = demoTopology(planOf(wishes));
  assert.deepEqual(
    paths.map((path) => [path.interface, path.server.address, path.clientAddress, path.mtu]),
    [
      ['wgnet1', '10.210.1.11', '10.45.0.5', 1420],
      ['wgnet2', '10.210.1.12', '10.45.0.6', 1420],
    ],
  );
  assert.deepEqual(
    [comp.server.address, comp.clientAddress, comp.mtu],
    ['10.210.2.200', '10.45.0.100', 1360],
  );
});

test('whatever the number of paths, each machine has an address of its own in the network it is in', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: MOST_PATHS }),
      fc.integer({ min: 46, max: 255 }),
      (paths, second) => {
        const plan = planOf({ ...wishes, paths, subnet: `10.${second}.0.0/16` });
        const all = addresses(plan);
        assert.equal(new Set(all).size, all.length);
        // .1 is the engine’s own.
        for (const address of all) assert.match(address, new RegExp(`^10\\.${second}\\.[1-5]\\.(?!1$)\\d+$`));
        assert.equal(demoTopology(plan).paths.length, paths);
      },
    ),
  );
});

for (const [subnet, said] of [
  ['10.45.0.0/16', /the tunnels’ own network, 10\.45\.0\.0\/24, lies in it/],
  ['10.210.0.0/24', /a network like 10\.210\.0\.0\/16 is expected/],
  ['10.210.1.0/16', /is expected/],
  ['10.256.0.0/16', /is expected/],
  ['10.210', /is expected/],
  ['', /is expected/],
  ['8.8.0.0/16', /private/],
  ['172.32.0.0/16', /private/],
  ['127.0.0.0/16', /private/],
] as const)
  test(`refused as a subnet, with the next command: "${subnet}"`, () => {
    assert.throws(() => planOf({ ...wishes, subnet }), { message: said, next: /--subnet/ });
  });

for (const subnet of ['172.16.0.0/16', '192.168.0.0/16', '100.64.0.0/16', '198.18.0.0/16'])
  test(`taken as a subnet: ${subnet}`, () => {
    assert.ok(planOf({ ...wishes, subnet }).site.startsWith(subnet.slice(0, 6)));
  });
