import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cableLine,
  deviceLines,
  linkOf,
  macOf,
  portLines,
  routerLines,
  sysctlsOf,
} from '../../scripts/lib/lab/network-plan.ts';
import { placeOf } from '../../scripts/lib/lab/place.ts';
import { type Role, rolesOf } from '../../scripts/lib/lab/roles.ts';

const place = placeOf('t', '/p');
const others = rolesOf({ vpn: 64, comp: 9 }).filter((role) => role !== 'net') as Exclude<Role, 'net'>[];

test('the controller knows no way out of the network of droplets; everyone else has one', () => {
  const ways = (role: Exclude<Role, 'net'>): string[] =>
    deviceLines(role).filter((line) => line.startsWith('route add'));
  assert.deepEqual(ways('ctl'), []);
  assert.deepEqual(ways('client'), ['route add default via 192.0.2.1']);
  for (const role of others.filter((role) => role !== 'ctl')) assert.equal(ways(role).length, 1, role);
});

test('each gateway is an address of the bridge that the cable goes into', () => {
  const lines = routerLines();
  for (const role of others) {
    const { bridge, gateway, addresses } = linkOf(role);
    assert.ok(portLines(role).includes(`link set ${role} master ${bridge}`));
    const own = lines.find((line) => line.endsWith(`dev ${bridge}`)) ?? '';
    if (gateway !== undefined) assert.equal(own, `addr add ${gateway}/24 dev ${bridge}`);
    const network = (address: string): string => address.split('.').slice(0, 3).join('.');
    for (const address of addresses) assert.ok(own.startsWith(`addr add ${network(address)}.`), role);
  }
});

test('a lab with IPv6: the same numbers, a gateway that is the router’s, and nothing of it in others', () => {
  const router = routerLines(true);
  assert.ok(router.includes('addr add 2001:db8:100::1/64 dev cloud0 nodad'));
  assert.deepEqual(deviceLines('vpn1', true).slice(-4), [
    'addr add 2001:db8:100::11/64 dev ens3 nodad',
    'link set ens3 up',
    'route add default via 198.51.100.1',
    'route add default via 2001:db8:100::1',
  ]);
  assert.ok(!deviceLines('ctl', true).some((line) => line.startsWith('route add')));
  // Containers' host: all that leaves it is to be theirs.
  assert.deepEqual(deviceLines('engine', true), deviceLines('engine'));
  for (const role of others) assert.doesNotMatch(deviceLines(role).join(), /2001:/, role);
  assert.doesNotMatch(routerLines().join(), /2001:/);
  for (const role of rolesOf({ vpn: 1, comp: 1 }))
    assert.equal(sysctlsOf(role, true).includes('net.ipv6.conf.all.forwarding=1'), role === 'net', role);
});

test('droplets are connected by another interface than the client', () => {
  assert.equal(linkOf('vpn1').device, 'ens3');
  assert.equal(linkOf('comp1').device, 'ens3');
  assert.equal(linkOf('client').device, 'eth0');
});

test('a cable ends in two namespaces of the lab; no line makes anything outside them', () => {
  assert.equal(
    cableLine(place, 'vpn64'),
    `link add name ens3 address 02:00:c6:33:64:4a netns ${place.prefix}vpn64 type veth ` +
      `peer name vpn64 netns ${place.prefix}net`,
  );
  for (const role of others) assert.equal(cableLine(place, role).split(place.prefix).length, 3, role);
});

test('hardware addresses are individual, local and different', () => {
  const all = others.map(macOf);
  assert.equal(new Set(all).size, all.length);
  for (const mac of all) assert.match(mac, /^02(:[0-9a-f]{2}){5}$/);
});

test('only the router forwards before anyone sets it up', () => {
  for (const role of rolesOf({ vpn: 1, comp: 1 }))
    assert.equal(sysctlsOf(role).includes('net.ipv4.ip_forward=1'), role === 'net', role);
});
