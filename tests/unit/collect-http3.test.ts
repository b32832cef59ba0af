/** Pages in mode quic: what Chromium is told, what is refused, and what is said where no HTTP/3 came. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolversIn } from '../../client/scripts/lib/collect/beyond.ts';
import {
  byTcp,
  forcedOrigins,
  lastAsked,
  missedNotes,
  type NoAnswer,
  otherOrigin,
  unreachable,
  withoutHttp3,
} from '../../client/scripts/lib/collect/http3.ts';
import { judge } from '../../client/scripts/lib/collect/judge.ts';
import { migratorFlags } from '../../client/scripts/lib/collect/migrator.ts';
import { differences } from '../../client/scripts/lib/collect/run.ts';
import { isIn } from '../../client/scripts/lib/collect/tunnels.ts';
import { readUrls } from '../../client/scripts/lib/collect/urls.ts';
import { modePeriodFlag, periodIn, requireMovable } from '../../client/scripts/lib/schedule-flags.ts';
import type { Settings } from '../../client/scripts/lib/trace/layout.ts';
import { type Packet, readPcap, TCP, UDP } from '../../client/scripts/lib/trace/pcap.ts';
import { evidence, out, path } from '../collect-evidence.ts';
import { pcapBytes, udpPacket } from '../pcap-writer.ts';

test('without TCP all is asked by QUIC; with it the page’s own origin, by its https port', () => {
  assert.equal(forcedOrigins('none', 'https://a.example/'), '*');
  assert.equal(forcedOrigins('sticky', 'https://a.example/x?y'), 'a.example:443');
  assert.equal(forcedOrigins('sticky', 'https://a.example:8443/'), 'a.example:8443');
});

test('http:// is refused with its line in mode quic, and nowhere else', () => {
  const list = '# mine\nhttps://a.example\nhttp://b.example\n';
  const read = (mode: 'wireguard' | 'quic') => readUrls(list, 'urls.txt', (url) => unreachable(mode, url));
  assert.throws(() => read('quic'), {
    message:
      'urls.txt:3: "http://b.example" http:// is TCP, and mode quic takes pages by HTTP/3 alone; write https://',
  });
  assert.equal(read('wireguard').urls.length, 2);
});

const packet = (direction: 1 | -1, protocol = UDP, port = 443, own = 40_000): Packet => ({
  ...{ time: 1, size: 100, direction, protocol, port, own },
});
const page = (changes: Partial<NoAnswer>, ...packets: Packet[]) =>
  withoutHttp3({
    failure: { kind: 'network', message: 'ERR_QUIC_PROTOCOL_ERROR' },
    document: { http_status: null, protocol: 'quic' },
    ...{ first: 'https://a.example/', asked: 'https://a.example/', tcp: 'none' },
    paths: [{ pcap: { packets, cut: false } }],
    ...changes,
  });

test('no answer to a handshake is said so, with Chromium’s own word', () => {
  const dns = packet(-1, UDP, 53);
  assert.deepEqual(page({}, packet(1), dns), {
    kind: 'no-http3',
    message:
      'a.example: no answer from UDP port 443: no HTTP/3 there, nobody there, or UDP 443 does not pass (ERR_QUIC_PROTOCOL_ERROR)',
  });
  assert.equal(page({}, packet(-1, UDP, 443, 50_000), packet(1))?.kind, 'no-http3', 'of a browser of before');
  const refused = { kind: 'network', message: 'ERR_QUIC_HANDSHAKE_FAILED' } as const;
  const elsewhere = page({ failure: refused, asked: 'https://b.example:8443/x' }, packet(1, UDP, 8443));
  assert.match(
    elsewhere?.message ?? '',
    /^b\.example: no answer from UDP port 8443: .* UDP 8443 does not pass \(ERR_QUIC_HANDSHAKE_FAILED\)$/,
  );
});

test('a time-out before Chromium’s own says it too, where a handshake was sent', () => {
  const failure = { kind: 'timeout', message: 'not loaded within 2 s' } as const;
  const said = page({ failure }, packet(1));
  assert.equal(said?.kind, 'no-http3');
  assert.match(said?.message ?? '', /pass, or it is slow \(not loaded within 2 s; Chromium waits 4 s/);
  // A name that did not come; an answer that did.
  assert.equal(page({ failure }, packet(1, UDP, 53)), failure);
  assert.equal(page({ failure }, packet(1), packet(-1)), failure);
});

test('what is something else stays that', () => {
  const quic = { kind: 'network', message: 'ERR_QUIC_PROTOCOL_ERROR' } as const;
  assert.deepEqual(page({}, packet(1), packet(-1)), {
    kind: 'network',
    message:
      'ERR_QUIC_PROTOCOL_ERROR: a.example answered by QUIC, and no connection came of it; is its certificate good?',
  });
  assert.deepEqual(page({ document: { http_status: 200, protocol: 'quic' } }, packet(1)), quic);
  assert.equal(page({ failure: undefined }), undefined);
  const name = { kind: 'network', message: 'ERR_NAME_NOT_RESOLVED' } as const;
  assert.equal(page({ failure: name }, packet(1)), name);
  const http = page({
    failure: { kind: 'network', message: 'ERR_CONNECTION_REFUSED' },
    asked: 'http://a.example/x',
  });
  assert.deepEqual(http, {
    kind: 'no-http3',
    message: 'it leads on to http://a.example/x: TCP, which this client refuses',
  });
});

test('a page that came by TCP is no success in mode quic', () => {
  const tcp = { http_status: 200, protocol: 'tcp' };
  const at = (url: string) => ({ first: 'https://a.example:8443/', last: url });
  const none = { mode: 'quic', tcp: 'none' } as const;
  const sticky = { mode: 'quic', tcp: 'sticky' } as const;
  const here = at('https://a.example:8443/x');
  assert.equal(byTcp({ mode: 'wireguard', tcp: 'none' }, tcp, here), undefined);
  assert.equal(byTcp(none, { ...tcp, protocol: 'quic' }, here), undefined);
  const plain = { kind: 'no-http3', message: 'a.example:8443 answered by TCP, and not by HTTP/3' };
  assert.deepEqual(byTcp(none, tcp, here), plain);
  assert.deepEqual(byTcp(sticky, tcp, here), plain);
  assert.equal(
    byTcp(sticky, tcp, at('https://www.a.example/x'))?.message,
    'redirected to https://www.a.example, which was not told to use QUIC: give that URL',
  );
});

test('with sticky TCP a page that redirects to another origin is said so, also where that does not come', () => {
  const other = otherOrigin('sticky', 'https://a.example/', 'https://www.a.example/x');
  assert.equal(other?.kind, 'no-http3');
  assert.match(other?.message ?? '', /^redirected to https:\/\/www\.a\.example, .*: give that URL$/);
  assert.match(
    otherOrigin('sticky', 'https://a.example/', 'http://a.example/')?.message ?? '',
    /which is TCP$/,
  );
  assert.equal(otherOrigin('sticky', 'https://a.example/', 'https://a.example/x'), undefined);
  assert.equal(otherOrigin('none', 'https://a.example/', 'https://b.example/'), undefined);
  const there = { asked: 'https://www.a.example/x', tcp: 'sticky' } as const;
  const refused = { kind: 'network', message: 'ERR_CONNECTION_REFUSED' } as const;
  assert.deepEqual(page({ ...there, failure: refused }), other);
  const name = { kind: 'network', message: 'ERR_NAME_NOT_RESOLVED' } as const;
  assert.equal(page({ ...there, failure: name }), name);
});

test('what a page got nothing of for want of HTTP/3 is a note with its hosts', () => {
  const event = (method: string, params: object) => ({
    ...{ level: 'INFO' as const, timestamp: 1 },
    message: { message: { method: `Network.${method}`, params }, webview: 'F' },
  });
  const sent = (requestId: string, url: string) =>
    event('requestWillBeSent', { requestId, request: { url } });
  const failed = (requestId: string, errorText: string) => event('loadingFailed', { requestId, errorText });
  const trace = [
    sent('1', 'https://a.example/'),
    sent('2', 'https://a.example/to-cdn'),
    sent('2', 'https://cdn.example/x.js'),
    failed('2', 'net::ERR_QUIC_PROTOCOL_ERROR'),
    sent('3', 'https://cdn.example/y.js'),
    failed('3', 'net::ERR_QUIC_HANDSHAKE_FAILED'),
    sent('4', 'http://old.example/z.png'),
    failed('4', 'net::ERR_CONNECTION_REFUSED'),
    sent('5', 'https://a.example/gone'),
    failed('5', 'net::ERR_ABORTED'),
    sent('6', 'data:,x'),
  ];
  assert.deepEqual(missedNotes('none', trace), [
    '3 of 5 requests came to nothing, as no HTTP/3 came from cdn.example, old.example',
  ]);
  assert.deepEqual(missedNotes('sticky', trace), [
    '2 of 5 requests came to nothing, as no HTTP/3 came from cdn.example',
  ]);
  assert.deepEqual(missedNotes('none', trace.slice(0, 3)), []);
  const many = Array.from({ length: 7 }, (_, i) => [
    sent(`${i}`, `https://c${i}.example/`),
    failed(`${i}`, 'net::ERR_QUIC_PROTOCOL_ERROR'),
  ]).flat();
  assert.match(missedNotes('none', many)[0] ?? '', /^7 of 7 .* c0\.example, .*, c4\.example and 2 more$/);
});

test('resolvers that a tunnel can lead to: by IPv4, and not on this machine', () => {
  const text =
    '# mine\nnameserver 127.0.0.53\nsearch x\n nameserver\t192.0.2.53 \nnameserver 2001:db8::53\nnameserver 192.0.2.54\n;nameserver 192.0.2.55\n';
  assert.deepEqual(resolversIn(text), ['192.0.2.53', '192.0.2.54']);
  assert.deepEqual(resolversIn(''), []);
});

test('the address asked for last is the page’s own, behind its redirects', () => {
  const entry = (url: string, type = 'Document', frameId = 'F') => ({
    ...{ level: 'INFO' as const, timestamp: 1 },
    message: {
      message: { method: 'Network.requestWillBeSent', params: { type, frameId, request: { url } } },
      webview: 'F',
    },
  });
  const trace = [
    entry('https://a.example/'),
    entry('https://b.example/'),
    entry('https://c.example/x.js', 'Script'),
    entry('https://d.example/', 'Document', 'G'),
    entry('chrome-error://chromewebdata/'),
  ];
  assert.equal(lastAsked(trace, 'F', 'https://z.example/'), 'https://b.example/');
  assert.equal(lastAsked([], 'F', 'https://z.example/'), 'https://z.example/');
});

test('a capture tells what its packets carry, where it is asked to', () => {
  const bytes = udpPacket('10.45.0.5', '203.0.113.81', 60);
  bytes.writeUInt16BE(40_000, 20);
  bytes.writeUInt16BE(443, 22);
  const tcp = Buffer.from(bytes);
  tcp[9] = TCP;
  const back = udpPacket('203.0.113.81', '10.45.0.5', 60);
  back.writeUInt16BE(443, 20);
  back.writeUInt16BE(40_000, 22);
  const fragment = Buffer.from(bytes);
  fragment.writeUInt16BE(100, 6);
  const icmp = Buffer.from(bytes);
  icmp[9] = 1;
  const all = [bytes, tcp, back, fragment, icmp, bytes.subarray(0, 21)];
  const file = pcapBytes(all.map((one) => ({ us: 1_760_000_000_000_000, bytes: one, wire: 60 })));
  assert.deepEqual(
    readPcap(file, '10.45.0.5', true).packets.map(({ protocol, port, own }) => [protocol, port, own]),
    [
      [UDP, 443, 40_000],
      [TCP, 443, 40_000],
      [UDP, 443, 40_000],
      [UDP, undefined, undefined],
      [1, undefined, undefined],
      [UDP, undefined, undefined],
    ],
  );
  assert.ok(readPcap(file, '10.45.0.5').packets.every((one) => !('protocol' in one)));
});

test('TCP that keeps to its path is no packet astray where it is sticky; all else is', () => {
  const [one, two] = evidence().paths;
  assert.ok(one && two);
  const with1 = (protocol: number) => [
    path(1, [...one.pcap.packets, { ...out(2.4), protocol }]),
    path(2, two.pcap.packets),
  ];
  const kind = (protocol: number, sticky: boolean) =>
    judge(evidence({ paths: with1(protocol), sticky })).failure?.kind;
  assert.equal(kind(TCP, true), undefined);
  assert.equal(kind(TCP, false), 'clock');
  assert.equal(kind(UDP, true), 'clock');
});

test('TCP on another path does not ask for packets on the one in force', () => {
  const paths = [
    path(1, [...(evidence().paths[0]?.pcap.packets ?? []), { ...out(2.4), protocol: TCP }]),
    path(2, []),
  ];
  assert.equal(judge(evidence({ paths, sticky: true })).failure, null);
});

test('the period is the mode’s own where none is given, and the help says both', () => {
  assert.deepEqual([periodIn('wireguard', undefined), periodIn('quic', undefined)], [0.1, 0.5]);
  assert.equal(periodIn('quic', 0.2), 0.2);
  assert.match(modePeriodFlag().description, /default: 0\.1; in mode quic 0\.5/);
});

test('a split by packet is refused in mode quic, with the reason', () => {
  for (const strategy of ['packet', 'bwr'] as const) {
    assert.throws(() => requireMovable('quic', strategy), {
      message: `--strategy ${strategy}: mode quic has no split by packet: a server would take each packet for a migration of its connection`,
      next: '--strategy rr, ur, wr or fixed',
    });
    requireMovable('wireguard', strategy);
  }
  for (const strategy of ['none', 'rr', 'wr'] as const) requireMovable('quic', strategy);
});

const settings: Settings = {
  ...{ urls: ['https://a.example/'], visits: 1, strategy: 'rr', period: 0.1, seed: 1 },
  ...{ interfaces: ['wgnet1'], timeout: 30, linger: 0, retries: 2 },
  ...{ headers_only: false, screenshots: false, keylog: false, har: false },
};

test('a run of another mode differs in that first; migrate.ts is told the mode', () => {
  const quic: Settings = { ...settings, mode: 'quic', allow_tcp: 'none', period: 0.5 };
  assert.equal(differences(settings, quic)[0], 'mode');
  assert.equal(differences(quic, settings)[0], 'mode');
  assert.deepEqual(differences(quic, { ...quic, allow_tcp: 'sticky' }), ['allow_tcp']);
  assert.deepEqual(differences(quic, { ...quic }), []);
  assert.deepEqual(migratorFlags(quic).slice(0, 2), ['--mode', 'quic']);
  assert.ok(!migratorFlags(settings).includes('--mode'));
});

test('what all programs send goes into wg0, or in mode quic into any tunnel', () => {
  assert.deepEqual(
    [isIn('wireguard', 'wg0'), isIn('wireguard', 'wgnet1'), isIn('wireguard')],
    [...[true, false, false]],
  );
  assert.deepEqual([isIn('quic', 'wgnet2'), isIn('quic', 'wg0'), isIn('quic', 'eth0')], [true, false, false]);
});
