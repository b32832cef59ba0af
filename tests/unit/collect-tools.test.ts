import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { beyond } from '../../client/scripts/lib/collect/beyond.ts';
import { complaintIn, countsIn } from '../../client/scripts/lib/collect/capture.ts';
import { leakFilter, publishedIn, realInterfaces } from '../../client/scripts/lib/collect/leak.ts';
import { linesOf } from '../../client/scripts/lib/collect/migrator.ts';
import { documentOf, otherSite, protocolOf } from '../../client/scripts/lib/collect/network.ts';
import { browserUser, isCollector, userIn } from '../../client/scripts/lib/collect/profile.ts';
import { endpointIn, networkGone } from '../../client/scripts/lib/collect/tunnels.ts';
import { inside, insideWords } from '../../client/scripts/lib/inside.ts';
import { refuseWhileHeld, takeLock } from '../../client/scripts/lib/lock.ts';
import { QUIET, quietEnv } from '../../client/scripts/lib/quiet.ts';
import { pcapBytes, udpPacket } from '../pcap-writer.ts';

// What tcpdump 4.99.3 said; the counts with `, ` come at SIGUSR1, those a line at its end.
const LISTENING =
  'tcpdump: listening on wgnet1, link-type RAW (Raw IP), snapshot length 1420 bytes\ndropped privs to root\n';
const ASKED = 'tcpdump: 0 packets captured, 2 packets received by filter, 0 packets dropped by kernel\n';
const ONE = 'tcpdump: 1 packet captured, 1 packet received by filter, 1 packet dropped by kernel\n';
const END =
  '120 packets captured\n123 packets received by filter\n3 packets dropped by kernel\n4 packets dropped by interface\n';

test('tcpdump’s counts are read: none, the first, one packet, the last', () => {
  assert.equal(countsIn(''), undefined);
  assert.equal(countsIn(LISTENING), undefined);
  assert.deepEqual(countsIn(LISTENING + ASKED), { captured: 0, received: 2, dropped: 0 });
  assert.deepEqual(countsIn(LISTENING + ASKED + ONE), { captured: 1, received: 1, dropped: 1 });
  assert.deepEqual(countsIn(LISTENING + ASKED + ONE + END), {
    ...{ captured: 120, received: 123, dropped: 3 },
  });
  // Half of it is there.
  assert.equal(countsIn('120 packets captured\n123 packets received by filter\n3 pack'), undefined);
  assert.deepEqual(countsIn(`${ASKED}7 packets captured\n`), countsIn(ASKED));
});

test('tcpdump’s complaints are told from what it always says', () => {
  assert.equal(complaintIn(LISTENING + ASKED + ONE + END), '');
  assert.equal(
    complaintIn('tcpdump: wgnet9: No such device exists\n(No such device exists)\n'),
    'tcpdump: wgnet9: No such device exists; (No such device exists)',
  );
  assert.equal(
    complaintIn(`${LISTENING}tcpdump: Unable to write output: No space left on device\n`),
    'tcpdump: Unable to write output: No space left on device',
  );
});

test('lines that are complete, and the rest', () => {
  assert.deepEqual(linesOf('a\nb\n'), { lines: ['a', 'b'], rest: '' });
  assert.deepEqual(linesOf('a\n\nhal'), { lines: ['a'], rest: 'hal' });
  assert.deepEqual(linesOf('hal'), { lines: [], rest: 'hal' });
  assert.deepEqual(linesOf(''), { lines: [], rest: '' });
});

test('the endpoint of a tunnel', () => {
  const key = 'ZmFrZS1rZXktZm9yLXRoZS10ZXN0cy0wMTIzNDU2Nzg=';
  const row = (name: string, endpoint: string) => `${name}\t${key}\t${endpoint}\n`;
  const all = `${row('wgnet10', '192.0.2.20:51820')}${row('wgnet1', '192.0.2.11:51820')}${row('wg0', '10.45.0.1:1')}`;
  assert.equal(endpointIn(all, 'wgnet1'), '192.0.2.11:51820');
  assert.equal(endpointIn(row('wgnet1', '[2001:db8::1]:51820'), 'wgnet1'), '[2001:db8::1]:51820');
  assert.equal(endpointIn(row('wgnet1', '(none)'), 'wgnet1'), undefined);
  assert.deepEqual([endpointIn(all, 'wgnet2'), endpointIn('', 'wgnet1')], [undefined, undefined]);
});

test('interfaces past the tunnels: those that are up, and neither loopback nor a tunnel', () => {
  const link = (ifname: string, flags = ['BROADCAST', 'UP', 'LOWER_UP'], link_type = 'ether') => ({
    ...{ ifname, flags, link_type },
  });
  const links = [
    ...[link('lo', ['LOOPBACK', 'UP'], 'loopback'), link('eth0'), link('eth1', ['BROADCAST'])],
    ...['wg0', 'wgnet1', 'wgnet12'].map((name) => link(name, ['POINTOPOINT', 'NOARP', 'UP'], 'none')),
    ...['wg1', 'wgnet0', 'wgnetx', 'mywg0', 'tun0', 'wlan0'].map((name) => link(name)),
  ];
  assert.deepEqual(realInterfaces(JSON.stringify(links)), [
    ...['eth0', 'wg1', 'wgnet0', 'wgnetx', 'mywg0', 'tun0', 'wlan0'],
  ]);
});

const ethernet = (type: number, payload: Buffer): Buffer => {
  const head = Buffer.alloc(14);
  head.writeUInt16BE(type, 12);
  return Buffer.concat([head, payload]);
};
function udp4(to: string, port: number): Buffer {
  const bytes = udpPacket('192.0.2.5', to, 60);
  bytes.writeUInt16BE(port, 22);
  return ethernet(0x0800, bytes);
}
const other4 = (to: string, protocol: number): Buffer => {
  const bytes = udp4(to, 51820);
  bytes[14 + 9] = protocol;
  return bytes;
};
/** TCP of a port that is published; flags: 2 SYN, 16 ACK. */
const tcp4 = (to: string, from: number, flags: number): Buffer => {
  const bytes = other4(to, 6);
  bytes.writeUInt16BE(from, 14 + 20);
  bytes[14 + 20 + 13] = flags;
  return bytes;
};
/** UDP from the port of a DHCP client. */
const dhcp4 = (to: string, port: number): Buffer => {
  const bytes = udp4(to, port);
  bytes.writeUInt16BE(68, 14 + 20);
  return bytes;
};
function ip6(to: string, next: number, payload: number[]): Buffer {
  const bytes = Buffer.alloc(40 + 24);
  bytes[0] = 0x60;
  bytes.writeUInt16BE(24, 4);
  bytes.set([next, 255], 6);
  bytes.set(Buffer.from('20010db8000000000000000000000005', 'hex'), 8);
  bytes.set(Buffer.from(to, 'hex'), 24);
  bytes.set(payload, 40);
  return ethernet(0x86dd, bytes);
}
const PROXY6 = '20010db8000000000000000000000001';
const ROUTERS = 'ff020000000000000000000000000002';
const DHCP6 = 'ff020000000000000000000000010002';
const udp6 = (to: string, port: number, from = 12_345): Buffer =>
  ip6(to, 17, [from >> 8, from & 255, port >> 8, port & 255, 0, 24]);
const icmp6 = (type: number): Buffer => ip6(ROUTERS, 58, [type, 0]);

const frames: [string, boolean, Buffer][] = [
  ['ARP', false, ethernet(0x0806, Buffer.alloc(28))],
  ['a neighbour’s solicitation', false, icmp6(135)],
  ['a neighbour’s advertisement', false, icmp6(136)],
  ['the tunnel to a proxy', false, udp4('192.0.2.11', 51820)],
  ['the tunnel to another proxy, on a port of its own', false, udp4('192.0.2.12', 51999)],
  ['the tunnel to a proxy over IPv6', false, udp6(PROXY6, 51821)],
  ['a router’s solicitation, as there is an IPv6 proxy', false, icmp6(133)],
  ['an echo over IPv6', true, icmp6(128)],
  ['a listener’s report', true, icmp6(143)],
  ['a proxy’s other port', true, udp4('192.0.2.11', 51999)],
  ['a proxy’s other port over IPv6', true, udp6(PROXY6, 51820)],
  ['TCP to the port of a tunnel', true, other4('192.0.2.11', 6)],
  ['ICMP to a proxy', true, other4('192.0.2.11', 1)],
  ['the port of a tunnel, elsewhere', true, udp4('198.51.100.1', 51820)],
  ['the port of a tunnel, elsewhere over IPv6', true, udp6(ROUTERS, 51821)],
  ['DHCP’s question to everybody', false, dhcp4('255.255.255.255', 67)],
  ['the same to one', true, dhcp4('198.51.100.1', 67)],
  ['from its port to another', true, dhcp4('255.255.255.255', 53)],
  ['to its port from another', true, udp4('255.255.255.255', 67)],
  ['DHCP’s question over IPv6, as there is an IPv6 proxy', false, udp6(DHCP6, 547, 546)],
  ['the same to others', true, udp6(ROUTERS, 547, 546)],
  ['the same from another port', true, udp6(DHCP6, 547)],
  ['DNS', true, udp4('198.51.100.53', 53)],
  ['DNS over IPv6', true, udp6(ROUTERS, 53)],
  ['what a published port accepts', false, tcp4('10.210.1.3', 4444, 18)],
  ['what a published port answers', false, tcp4('10.210.1.3', 4444, 16)],
  ['a published port that opens a connection', true, tcp4('10.210.1.3', 4444, 2)],
  ['a published port that answers another network', true, tcp4('10.211.1.3', 4444, 16)],
  ['another port that answers', true, tcp4('10.210.1.3', 4445, 16)],
];
const ENDPOINTS = ['192.0.2.11:51820', '192.0.2.12:51999', '[2001:db8::1]:51821', '192.0.2.11:51820'];
const PUBLISHED = { ports: [4444, 80], networks: ['10.210.1.0/24', '10.9.0.0/16'] };
// Each at its own time, by which it is known again.
const capture = pcapBytes(
  frames.map(([, , bytes], i) => ({ us: i + 1, bytes })),
  { link: 1 },
);
const listed = execFileSync('tcpdump', ['-n', '-tt', '-r', '-', leakFilter(ENDPOINTS, PUBLISHED)], {
  input: capture,
  stdio: ['pipe', 'pipe', 'ignore'],
  encoding: 'utf8',
});
/** How many packets are past the tunnels where these are all proxies. */
const BY_IPV6 = '((icmp6 and ip6[40] = 133) or (src port 546 and dst host ff02::1:2))';
const pastOnly = (endpoints: readonly string[]): number =>
  execFileSync('tcpdump', ['-n', '-r', '-', leakFilter(endpoints, PUBLISHED), 'and', BY_IPV6], {
    input: capture,
    stdio: ['pipe', 'pipe', 'ignore'],
    encoding: 'utf8',
  })
    .split('\n')
    .filter((line) => line !== '').length;

test('a router’s solicitation, and DHCP’s over IPv6, is past the tunnels where no proxy has an IPv6 address', () => {
  assert.equal(pastOnly(ENDPOINTS.slice(0, 2)), 2);
  assert.equal(pastOnly(ENDPOINTS), 0);
});

const leaked = new Set([...listed.matchAll(/^0\.(\d{6}) /gm)].map(([, us]) => Number(us) - 1));
for (const [i, [what, leak]] of frames.entries())
  test(`past the tunnels: ${what} is ${leak ? 'a leak' : 'none'}`, () => assert.equal(leaked.has(i), leak));

test('answers of published ports are read from setup.sh’s own table, of one port and of several', () => {
  const table = (ports: string) => `table inet comps {
\tset neighbours {
\t\ttype ipv4_addr
\t\tflags interval
\t\telements = { 10.210.1.0/24,
\t\t\t     172.18.0.0/16 }
\t}
\tchain output {
\t\tmeta mark 0x0000ca6d ct direction reply tcp sport ${ports} ip daddr @neighbours accept
\t}
}`;
  const networks = ['10.210.1.0/24', '172.18.0.0/16'];
  assert.deepEqual(publishedIn(table('4444')), { ports: [4444], networks });
  assert.deepEqual(publishedIn(table('{ 80, 4444 }')), { ports: [80, 4444], networks });
  const nothing = { ports: [], networks: [] };
  assert.deepEqual(publishedIn(table('4444').replace(/elements[^}]*}/, '')), nothing);
  assert.deepEqual(publishedIn('table inet comps {\n}\n'), nothing);
});

test('a network that is gone: what does not answer, and what to do', () => {
  const one = networkGone(['wgnet2'], 'all is kept');
  assert.equal(one.message, 'wgnet2 does not answer; all is kept');
  assert.equal(one.code, 4);
  assert.match(one.next ?? '', /wg show wgnet2/);
  assert.match(networkGone(['wgnet1', 'wgnet2'], '').message, /^wgnet1, wgnet2 do not answer/);
  assert.match(
    networkGone(['the way of all programs'], '').next ?? '',
    /^mend the tunnel \(ip -4 rule; ip route show/,
  );
  const far = networkGone([beyond('wgnet2')], 'all is kept');
  assert.equal(far.message, 'the resolver by wgnet2 does not answer; all is kept');
  assert.match(
    far.next ?? '',
    /^its proxy answers, .*wgnet-setup\.ts mends .*, then the same command again$/,
  );
});

test('protocols: TCP’s in one name, HTTP/3’s in one, others by theirs', () => {
  assert.deepEqual(['', 'http/1.0', 'http/1.1', 'h2', 'h2c', 'h3', 'h3-29', 'quic'].map(protocolOf), [
    ...['tcp', 'tcp', 'tcp', 'tcp', 'tcp', 'quic', 'quic', 'quic'],
  ]);
});

test('facts of the page itself are those of its frame’s document', () => {
  const entry = (method: string, params: unknown) => ({
    ...{ level: 'INFO' as const, timestamp: 1, message: { message: { method, params }, webview: 'F' } },
  });
  const trace = ['F', 'G'].flatMap((frameId) => [
    entry('Network.requestWillBeSent', { requestId: frameId, frameId, type: 'Document' }),
    entry('Network.responseReceived', {
      requestId: frameId,
      response: { url: 'x', status: frameId === 'F' ? 201 : 404, protocol: 'h3', remoteIPAddress: '' },
    }),
  ]);
  assert.deepEqual(documentOf(trace, 'F'), { http_status: 201, protocol: 'quic' });
  assert.deepEqual(documentOf(trace, 'G'), { http_status: 404, protocol: 'quic' });
  assert.deepEqual(documentOf([], 'F'), { http_status: null, protocol: 'tcp' });
  assert.deepEqual(documentOf([], 'F', 'quic'), { http_status: null, protocol: 'quic' });
});

for (const [asked, final, other] of [
  ['https://a.example/x', 'https://a.example/y', false],
  ['http://a.example/', 'https://a.example:8443/', false],
  ['https://a.example/', 'https://www.a.example/', false],
  ['https://www.a.example/', 'https://a.example/', false],
  ['https://a.example/', 'https://login.a.example/', false],
  ['https://m.a.example/', 'https://a.example/', false],
  ['https://www.a.example/', 'https://login.a.example/', false],
  ['https://a.example/', 'https://b.example/', true],
  ['https://xa.example/', 'https://a.example/', true],
  ['https://a.example/', 'https://xa.example/', true],
  ['https://a.example/', 'https://a.example.evil/', true],
  ['https://m.a.example/', 'https://n.a.example/', true],
  ['https://a.example/', 'about:blank', false],
  ['https://a.example/', '', false],
  ['https://a.example/', 'https://', false],
] as const)
  test(`from ${asked} to ${final}: ${other ? 'another site' : 'the same'}`, () =>
    assert.equal(otherSite(asked, final), other));

test('users are found by their whole name', () => {
  const passwd =
    'root:x:0:0:root:/root:/bin/bash\nmybrowser:x:7:8::/:/x\nbrowser:x:1001:1002::/home/b:/bin/sh\n';
  assert.deepEqual(userIn(passwd, 'browser'), { uid: 1001, gid: 1002 });
  assert.equal(userIn(passwd, 'nobody'), undefined);
  assert.equal(userIn('', 'browser'), undefined);
  assert.equal(browserUser(1000), undefined);
  assert.notEqual(browserUser(0)?.uid, 0);
});

test('a collector is known by a whole word of its command', () => {
  const words = (...all: string[]): string => `${all.join('\0')}\0`;
  assert.ok(isCollector(words('node', '--import=tsx', '/comps/fetch_websites.ts', '--run', '/runs/a')));
  assert.ok(isCollector(words('node', 'zx', 'fetch_websites.ts')));
  assert.ok(!isCollector(words('tail', '-f', '/runs/fetch_websites.ts.log')));
  assert.ok(!isCollector(words('tail', '-f', 'fetch_websites.log')));
  assert.ok(!isCollector(''));
});

test('a command about what is in a container is for outside of it', () => {
  assert.equal(insideWords('kill 7', undefined), 'kill 7');
  assert.equal(insideWords("rm -r '/runs/a'", '3f2a'), "docker exec 3f2a rm -r '/runs/a'");
});

test('Chromium hears of no proxy, of nobody’s keys and of nobody’s flags', () => {
  assert.ok(QUIET.includes('--no-proxy-server'));
  const proxies = ['http_proxy', 'HTTPS_PROXY', 'all_proxy', 'No_Proxy', 'SOCKS_SERVER'];
  const theirs = Object.fromEntries(
    [...proxies, 'SSLKEYLOGFILE', 'CHROMIUM_FLAGS'].map((name) => [name, 'x']),
  );
  const ours = { PATH: '/bin', COMPS_CHROMIUM: '/x', MY_PROXY_LIST: '1' };
  assert.deepEqual(quietEnv({ ...theirs, ...ours }), ours);
});

test('a lock that somebody has is refused, whether he answers or not', async () => {
  const name = `comps-test-${process.pid}`;
  await refuseWhileHeld(name, 'nobody');
  await takeLock(name, 'somebody');
  const expected = { name: 'Fault', message: new RegExp(`^somebody runs .*\\(process ${process.pid}\\)`) };
  await assert.rejects(refuseWhileHeld(name, 'somebody'), {
    ...expected,
    next: inside(`kill ${process.pid}`),
  });
  await assert.rejects(takeLock(name, 'somebody'), expected);

  const dumb = createServer(() => undefined);
  await new Promise<void>((resolve) => dumb.listen(`\0${name}-dumb`, resolve));
  dumb.unref();
  const silent = { name: 'Fault', message: /^somebody runs in this network namespace already$/ };
  await assert.rejects(refuseWhileHeld(`${name}-dumb`, 'somebody'), { ...silent, next: /ss -xlp/ });
  await assert.rejects(takeLock(`${name}-dumb`, 'somebody'), silent);
});
