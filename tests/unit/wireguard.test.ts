import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attempt, run } from '../../scripts/lib/transport/local.ts';
import { clientFiles } from '../../scripts/lib/wireguard/client-files.ts';
import { isKey, newPrivateKey, publicKeyOf } from '../../scripts/lib/wireguard/key.ts';
import { serverConf, serverNat } from '../../scripts/lib/wireguard/server-files.ts';
import { endpointText, type TopologyInput, topologyOf } from '../../scripts/lib/wireguard/topology.ts';

const topology = (comp = '198.51.100.201', more: Partial<Omit<TopologyInput, 'comp'>> = {}) =>
  topologyOf({
    proxies: [
      { name: 'p1', address: '198.51.100.11' },
      { name: 'p2', address: '2001:db8::12' },
    ],
    comp: { name: 'c', address: comp },
    port: 51820,
    pathAddress: (k) => `10.45.0.${4 + k}`,
    compAddress: '10.45.0.100',
    ...more,
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

test('with another MTU both layers change, and stay a hop apart', () => {
  const { paths, comp } = topology(undefined, { mtu: 1340 });
  assert.deepEqual([...paths.map(({ mtu }) => mtu), comp.mtu], [1340, 1340, 1280]);
  const text = new Map(
    clientFiles(topology(undefined, { mtu: 1340 }), () => ({ privateKey, serverPublicKey }), settings).map(
      (file) => [file.name, file.text],
    ),
  );
  assert.match(text.get('wg0.conf') ?? '', /^MTU = 1280$/m);
  assert.match(text.get('setup.sh') ?? '', /^CONFIGURED_MTU=1340$/m);
});

test('setup.sh knows each hop by its endpoint: 60 bytes over IPv4, 80 over IPv6', () => {
  assert.match(
    files.get('setup.sh')?.text ?? '',
    /^PROXIES=\( 198\.51\.100\.11 2001:db8::12 \)\nHOPS=\( 60 80 \)$/m,
  );
});

test('setup.sh is a script that bash can read, and shellcheck finds nothing where it is there', async () => {
  for (const compAddress6 of [undefined, 'fd00:10:45::100'])
    for (const published of [[], [4444]]) {
      const [setup] = clientFiles(
        topology(undefined, { compAddress6 }),
        () => ({ privateKey, serverPublicKey }),
        { ...settings, published },
      ).filter(({ name }) => name === 'setup.sh');
      const input = setup?.text ?? '';
      assert.doesNotMatch(input, /\{\{/);
      await run(['bash', '-n'], { input });
      if ((await attempt(['sh', '-c', 'command -v shellcheck'])).code === 0)
        await run(['shellcheck', '-s', 'bash', '-'], { input });
    }
});

test('IPv6 is in wg0 alone, and only where it is asked for: address, all of IPv6, allowed by the comp server', () => {
  const open = topology(undefined, { compAddress6: 'fd00:10:45::100' });
  const conf = (plan: typeof open) =>
    clientFiles(plan, () => ({ privateKey, serverPublicKey }), settings)
      .map(
        ({ name, text }) =>
          `${name}: ${/^Address = (.*)$/m.exec(text)?.[1]} ${/^AllowedIPs = (.*)$/m.exec(text)?.[1]}`,
      )
      .slice(0, 3);
  assert.deepEqual(conf(open), [
    'wg0.conf: 10.45.0.100/32, fd00:10:45::100/128 0.0.0.0/0, ::/0',
    'wgnet1.conf: 10.45.0.5/32 0.0.0.0/0',
    'wgnet2.conf: 10.45.0.6/32 0.0.0.0/0',
  ]);
  assert.equal(conf(topology())[0], 'wg0.conf: 10.45.0.100/32 0.0.0.0/0');
  const ipv6 = { gateway: 'fd00:10:45::2/128', network: 'fd00:10:45::/64' };
  const server = { gateway: '10.45.0.2/32', network: '10.45.0.0/24', ipv6 };
  const text = serverConf(open.comp, server, serverPublicKey);
  for (const line of [
    'Address = 10.45.0.2/32, fd00:10:45::2/128',
    'AllowedIPs = 10.45.0.100/32, fd00:10:45::100/128',
    'PostDown = nft delete table ip6 comps 2>/dev/null || true',
  ])
    assert.ok(text.split('\n').includes(line), line);
  assert.match(serverNat(server, 'ens3', 'ens4'), /ip6 saddr fd00:10:45::\/64 oifname "ens4" masquerade/);
  assert.doesNotMatch(serverConf(topology().comp, { ...server, ipv6: undefined }, serverPublicKey), /:|ip6/);
});

test('a server whose address lies in the tunnels’ IPv6 network is refused', () => {
  assert.throws(
    () =>
      topology(undefined, {
        compAddress6: 'fd00:10:45::100',
        proxies: [{ name: 'p', address: 'fd00:10:45::7' }],
      }),
    /p: its address fd00:10:45::7 lies inside the tunnels' own network fd00:10:45::\/64/,
  );
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
  assert.doesNotMatch(files.get('setup.sh')?.text ?? '', /@neighbours|tcp sport/);
});

test("the server's files hold no private key, and name the egress interface that was found", () => {
  const tunnel = topology().paths[0];
  assert.ok(tunnel);
  const server = { gateway: '10.45.0.2/32', network: '10.45.0.0/24' };
  const conf = serverConf(tunnel, server, serverPublicKey);
  assert.doesNotMatch(conf, /PrivateKey|ip_forward/);
  // Behind the NAT, and as wg0 comes up: a file of sysctl that sorts later has had its say by then.
  assert.match(
    serverConf(tunnel, server, serverPublicKey, [['net/ipv4/ip_forward', '1']]),
    /^PostUp = nft -f .*\nPostUp = echo 1 >\/proc\/sys\/net\/ipv4\/ip_forward \|\| true\nPostDown = /m,
  );
  assert.match(conf, /^AllowedIPs = 10\.45\.0\.0\/24$/m);
  assert.match(serverNat(server, 'ens3'), /ip saddr 10\.45\.0\.0\/24 oifname "ens3" masquerade/);
});
