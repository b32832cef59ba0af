import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../../scripts/lib/transport/local.ts';
import { clientFiles } from '../../scripts/lib/wireguard/client-files.ts';
import { isKey, newPrivateKey, publicKeyOf } from '../../scripts/lib/wireguard/key.ts';
import { serverConf, serverNat } from '../../scripts/lib/wireguard/server-files.ts';
import { endpointText, topologyOf } from '../../scripts/lib/wireguard/topology.ts';

const topology = (comp = '198.51.100.201') =>
  topologyOf({
    proxies: [
      { name: 'p1', address: '198.51.100.11' },
      { name: 'p2', address: '2001:db8::12' },
    ],
    comp: { name: 'c', address: comp },
    port: 51820,
    pathAddress: (k) => `10.45.0.${4 + k}`,
    compAddress: '10.45.0.100',
  });

const settings = { dns: '203.0.113.53', published: [] };
const privateKey = newPrivateKey();
const serverPublicKey = publicKeyOf(newPrivateKey());
const files = new Map(
  clientFiles(topology(), () => ({ privateKey, serverPublicKey }), settings).map((file) => [file.name, file]),
);

test('key pairs are what wg makes of them', async () => {
  assert.equal((await run(['wg', 'pubkey'], { input: privateKey })).trim(), publicKeyOf(privateKey));
  const theirs = (await run(['wg', 'genkey'])).trim();
  assert.equal((await run(['wg', 'pubkey'], { input: theirs })).trim(), publicKeyOf(theirs));
  assert.ok(isKey(privateKey) && isKey(theirs) && privateKey !== newPrivateKey());
});

test("wg0's MTU is wgnet's less the hop's 60 bytes", () => {
  assert.equal(topology().paths[0]?.mtu, 1420);
  assert.equal(topology().comp.mtu, 1360);
});

test('servers that cannot be told apart, or lie inside the tunnels, are refused', () => {
  const clash = (address: string) =>
    topologyOf({
      proxies: [
        { name: 'a', address: '198.51.100.11' },
        { name: 'b', address },
      ],
      comp: { name: 'c', address: '198.51.100.201' },
      port: 51820,
      pathAddress: (k) => `10.45.0.${4 + k}`,
      compAddress: '10.45.0.100',
    });
  assert.throws(() => clash('198.51.100.11'), /b: has the same address as a/);
  assert.throws(() => clash('10.45.0.77'), /b: its address 10\.45\.0\.77 lies inside/);
});

test('an IPv6 comp server is refused: the tunnels to it carry IPv4', () => {
  assert.throws(() => topology('2001:db8::1'), /c: the comp server is reached .* over IPv4/);
});

test('endpoints: IPv6 in brackets', () => {
  assert.equal(endpointText('198.51.100.11', 1), '198.51.100.11:1');
  assert.equal(endpointText('2001:db8::12', 51820), '[2001:db8::12]:51820');
});

test("the client's files: one a tunnel, in file order, secrets for the owner only", () => {
  assert.deepEqual([...files.keys()], ['wg0.conf', 'wgnet1.conf', 'wgnet2.conf', 'setup.sh']);
  for (const { name, mode } of files.values()) assert.equal(mode & 0o077, 0, name);
  assert.match(files.get('wg0.conf')?.text ?? '', /FwMark = 51820\n/);
  const second = files.get('wgnet2.conf')?.text ?? '';
  for (const line of [
    `PrivateKey = ${privateKey}`,
    'Address = 10.45.0.6/32',
    'FwMark = 51821',
    'Table = off',
    'PersistentKeepalive = 25',
    'Endpoint = [2001:db8::12]:51820',
    `PublicKey = ${serverPublicKey}`,
  ])
    assert.ok(second.split('\n').includes(line), line);
});

test('setup.sh lets nothing through but the tunnels to these proxies', () => {
  const setup = files.get('setup.sh')?.text ?? '';
  assert.match(setup, /^PATHS=\( wgnet1 wgnet2 \)$/m);
  assert.match(setup, /meta mark 51821 ip daddr 198\.51\.100\.11 udp dport 51820 accept/);
  assert.match(setup, /meta mark 51821 ip6 daddr 2001:db8::12 udp dport 51820 accept/);
  assert.doesNotMatch(setup, /198\.51\.100\.201/);
});

test('setup.sh says each thing once: a function defined twice would silently be the second', () => {
  const names = [...(files.get('setup.sh')?.text ?? '').matchAll(/^(\w+)\(\)/gm)].map(([, name]) => name);
  assert.ok(names.length > 10);
  assert.deepEqual(names, [...new Set(names)]);
});

test('setup.sh lets published ports answer, and only where there are any', () => {
  const open = clientFiles(topology(), () => ({ privateKey, serverPublicKey }), {
    ...settings,
    published: [4444, 80],
  });
  assert.match(
    open.find(({ name }) => name === 'setup.sh')?.text ?? '',
    /tcp sport \{ 4444, 80 \} ip daddr @neighbours/,
  );
  assert.doesNotMatch(files.get('setup.sh')?.text ?? '', /neighbours|tcp sport/);
});

test("the server's files hold no private key, and name the egress interface that was found", () => {
  const tunnel = topology().paths[0];
  assert.ok(tunnel);
  const server = { gateway: '10.45.0.2/32', network: '10.45.0.0/24' };
  const conf = serverConf(tunnel, server, serverPublicKey);
  assert.doesNotMatch(conf, /PrivateKey/);
  assert.match(conf, /^AllowedIPs = 10\.45\.0\.5\/32$/m);
  assert.match(serverNat(server, 'ens3'), /ip saddr 10\.45\.0\.0\/24 oifname "ens3" masquerade/);
});
