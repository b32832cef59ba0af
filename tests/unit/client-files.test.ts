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
    // Of a split by packet that is in force.
    'ensure_rule -4 99 fwmark "$table" lookup "$table"',
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

/** What a program of the classic packet filter returns for an IP packet, where it is loaded by tc. */
function filtered(program: string, packet: Buffer): number {
  const [, ...steps] = program.split(',').map((step) => step.split(' ').map(Number));
  let a = 0;
  for (let at = 0; ; at++) {
    const [code, yes = 0, no = 0, k = 0] = steps[at] ?? [];
    const from = k - 0xfff00000;
    if (code === 6) return k;
    if (code === 21) at += a === k ? yes : no;
    // The protocol of the frame, a byte and a word from where the IP header begins.
    else if (code === 40) a = packet[0] === 0x60 ? 0x86dd : 0x0800;
    else if (code === 48) a = packet.readUInt8(from);
    else if (code === 32) a = packet.readUInt32BE(from);
    else assert.fail(`no such step: ${steps[at]}`);
  }
}

test('tc lets DHCP’s question out over IPv6 where a proxy has such an address, and how a router is found; nothing else', () => {
  const program = /bar "\$1" 51822 '([\d ,]+)'/.exec(QUIC)?.[1] ?? '';
  assert.equal(Number(program.split(',')[0]), program.split(',').length - 1);
  const packet = (next: number, payload: string, to = 'ff020000000000000000000000010002'): Buffer =>
    Buffer.from(
      `600000000000${next.toString(16).padStart(2, '0')}ff${'00'.repeat(16)}${to}${payload}00000000`,
      'hex',
    );
  const passes = (what: Buffer): boolean => filtered(program, what) === 0;
  assert.ok(passes(packet(17, '02220223')));
  for (const type of ['85', '87', '88']) assert.ok(passes(packet(58, type)), type);
  const refused: [string, Buffer][] = [
    ['an echo', packet(58, '80')],
    ['a redirect', packet(58, '89')],
    ['TCP', packet(6, '02220223')],
    ['from another port', packet(17, '02230223')],
    ['to another port', packet(17, '02220222')],
    ...[0, 7, 11, 15].map((byte): [string, Buffer] => {
      const to = Buffer.from('ff020000000000000000000000010002', 'hex');
      to[byte] = (to[byte] ?? 0) ^ 1;
      return [`to another, by byte ${byte}`, packet(17, '02220223', to.toString('hex'))];
    }),
    ['IPv4', Buffer.alloc(48, 0x45)],
  ];
  for (const [what, one] of refused) assert.equal(filtered(program, one), 0xffffffff, what);
});

test('nftables lets DHCP’s question out by real interfaces alone, over IPv6 only where a proxy has such an address', () => {
  const v4 = 'oifname != "wgnet*" ip daddr 255.255.255.255 udp sport 68 udp dport 67 accept';
  const v6 = 'oifname != "wgnet*" ip6 daddr ff02::1:2 udp sport 546 udp dport 547 accept';
  const asked = (text: string) =>
    [...text.matchAll(/^\t\t(.*udp sport \d+ udp dport.*)$/gm)].map(([, rule]) => rule);
  assert.deepEqual(asked(QUIC), [v4, v6]);
  const topology = topologyOf({ ...NETWORK, proxies: NETWORK.proxies.slice(0, 1), comp: COMP });
  const files = clientFiles(topology, () => ({ privateKey: 'x', serverPublicKey: 'y' }), {
    dns: '1.1.1.1',
    published: [],
  });
  assert.deepEqual(asked(files.at(-1)?.text ?? ''), [`oifname != "wg0" ${v4}`]);
});
