/** The client's files in both modes; what is the same in either is wireguard.test.ts's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attempt, run } from '../../scripts/lib/transport/local.ts';
import { type ClientSettings, clientFiles } from '../../scripts/lib/wireguard/client-files.ts';
import { topologyOf } from '../../scripts/lib/wireguard/topology.ts';

const NETWORK = {
  proxies: [
    { name: 'p1', address: '198.51.100.11' },
    { name: 'p2', address: '2001:db8::12' },
  ],
  port: 51900,
  pathAddress: (k: number) => `10.45.0.${4 + k}`,
  compAddress: '10.45.0.100',
};
const COMP = { name: 'c', address: '198.51.100.201' };

const filesOf = (mode: 'wireguard' | 'quic', more: Partial<ClientSettings> = {}): Map<string, string> => {
  const topology = topologyOf({ ...NETWORK, ...(mode === 'quic' ? {} : { comp: COMP }) });
  const keys = () => ({ privateKey: 'x', serverPublicKey: 'y' });
  const files = clientFiles(topology, keys, { dns: '203.0.113.53', published: [], ...more });
  return new Map(files.map(({ name, text }) => [name, text]));
};
const setupOf = (...words: Parameters<typeof filesOf>): string => filesOf(...words).get('setup.sh') ?? '';

const QUIC = setupOf('quic');
const STICKY = setupOf('quic', { allowTcp: 'sticky' });
const WIREGUARD = setupOf('wireguard', { allowTcp: 'none' });

test('mode quic: a file a path with the same address in each, and no wg0', () => {
  const files = filesOf('quic');
  assert.deepEqual([...files.keys()], ['wgnet1.conf', 'wgnet2.conf', 'setup.sh']);
  for (const name of ['wgnet1.conf', 'wgnet2.conf'])
    assert.match(files.get(name) ?? '', /^Address = 10\.45\.0\.5\/32$/m);
  assert.match(files.get('wgnet2.conf') ?? '', /^Endpoint = \[2001:db8::12\]:51900$/m);
});

test('setup.sh says its mode, and what becomes of TCP, in lines that others read', () => {
  const words = (text: string) => text.match(/^(MODE|TCP)=.*$/gm);
  assert.deepEqual(words(QUIC), ['MODE=quic', 'TCP=none']);
  assert.deepEqual(words(STICKY), ['MODE=quic', 'TCP=sticky']);
  assert.deepEqual(words(WIREGUARD), ['MODE=wireguard', 'TCP=']);
});

test('the rules of each mode: two in mode quic, three in the other, and each takes those of the other away', () => {
  const of = (text: string) =>
    [...text.matchAll(/^ *(?:ensure_rule|drop_rules) .*$/gm)].map(([line]) => line.trim());
  const all = ['ensure_rule "$family" 100 fwmark 51821 lookup main'];
  const wireguard = '101 fwmark 51820 lookup $PATH_TABLE';
  const quic = '101 not fwmark 51821 lookup $PATH_TABLE';
  assert.deepEqual(of(QUIC), [
    ...all,
    `ensure_rule "$family" ${quic}`,
    `drop_rules "$family" ${wireguard}`,
    'drop_rules "$family" 102 not fwmark 51820 lookup $WG0_TABLE',
  ]);
  assert.deepEqual(of(STICKY), ['ensure_rule -4 98 fwmark "$table" lookup "$table"', ...of(QUIC)]);
  assert.deepEqual(of(WIREGUARD), [
    ...all,
    `ensure_rule "$family" ${wireguard}`,
    'ensure_rule "$family" 102 not fwmark 51820 lookup $WG0_TABLE',
    `drop_rules "$family" ${quic}`,
  ]);
});

/** What may leave by a wgnet, of a setup.sh's output chain. */
const intoPaths = (text: string): string[] =>
  [...text.matchAll(/^\t\toifname "wgnet\*" (.*)$/gm)].map(([, rule = '']) => rule);

test('into a path goes UDP and ICMP of IPv4; TCP is refused and counted, or goes by its own path’s mark', () => {
  const loops = [
    'ip daddr 198.51.100.11 udp dport 51900 drop',
    'ip6 daddr 2001:db8::12 udp dport 51900 drop',
  ];
  const carried = 'meta mark != 51821 meta nfproto ipv4 meta l4proto { icmp, udp } accept';
  const rest = [
    'meta mark != 51821 meta l4proto tcp counter name refused_tcp reject with tcp reset',
    'meta mark != 51821 reject',
  ];
  assert.deepEqual(intoPaths(QUIC), [...loops, carried, ...rest]);
  assert.deepEqual(intoPaths(STICKY), [
    ...loops,
    carried,
    'meta mark { 52001, 52002 } meta nfproto ipv4 meta l4proto tcp accept',
    'meta l4proto tcp ct state invalid drop',
    ...rest,
  ]);
  assert.deepEqual(intoPaths(WIREGUARD), ['meta mark != 51821 accept']);
});

test('sticky TCP alone has a chain that marks: the path that a connection began on', () => {
  // Until there is an answer the path is chosen anew.
  assert.match(
    STICKY,
    /ct state new tcp flags & \(fin \| syn \| rst \| ack\) == syn ct mark set oifname map \{ "wgnet1" : 52001, "wgnet2" : 52002 \}/,
  );
  for (const text of [QUIC, WIREGUARD]) assert.doesNotMatch(text, /ct mark|chain stick|pref 98 fwmark/);
});

test('mode quic names no wg0 but to take it away; it leaves no room for one in its MTU', () => {
  assert.doesNotMatch(QUIC.replace(/^ *#.*$/gm, ''), /oifname "wg0"|bring_up wg0|fit_wg0|WG0_HOP/);
  assert.match(QUIC, /case " \$\{PATHS\[\*\]\} " in/);
  assert.match(WIREGUARD, /case " \$\{PATHS\[\*\]\} wg0 " in/);
});

test('every kind of setup.sh is one that bash can read, and shellcheck finds nothing where it is there', async () => {
  const there = (await attempt(['sh', '-c', 'command -v shellcheck'])).code === 0;
  for (const settings of [{ published: [4444] }, { allowTcp: 'sticky' as const }]) {
    const input = setupOf('quic', settings);
    assert.doesNotMatch(input, /\{\{/);
    await run(['bash', '-n'], { input });
    if (there) await run(['shellcheck', '-s', 'bash', '-'], { input });
    const names = [...input.matchAll(/^(\w+)\(\)/gm)].map(([, name]) => name);
    assert.deepEqual(names, [...new Set(names)]);
  }
});
