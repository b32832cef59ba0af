/** What a check makes of packets and sizes; no packet is sent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { judgeDrill } from '../../client/scripts/lib/check/drills.ts';
import {
  fitting,
  judgeFragments,
  judgeSize,
  largest,
  pathMtuIn,
} from '../../client/scripts/lib/check/mtu.ts';
import {
  captureFilter,
  type Leak,
  leakText,
  packetsIn,
  strangersAmong,
} from '../../client/scripts/lib/check/packets.ts';
import { judgeProbe } from '../../client/scripts/lib/check/probe-verdict.ts';
import { probesFor } from '../../client/scripts/lib/check/probes.ts';
import { judgeControl, judgeEnd, judgeOthers } from '../../client/scripts/lib/check/probes-group.ts';
import { question } from '../../client/scripts/lib/check/sockets.ts';
import { SET_UP } from '../../client/scripts/lib/check/verdict.ts';

/** `tcpdump -n -tt -q -r` of Debian 13. */
const PRINTED = `1795363392.380414 IP 192.0.2.2.45106 > 198.51.100.11.51820: UDP, length 400
1795363393.000001 IP 192.0.2.2.35784 > 192.0.2.1.42006: tcp 0
1795363393.100000 IP6 fe80::c0ff:fe00:202.41658 > ff02::1.42004: UDP, length 5
1795363393.200000 IP 192.0.2.2 > 192.0.2.1: ICMP echo request, id 7, seq 1, length 52
1795363393.300000 ARP, Request who-has 203.0.113.9 tell 192.0.2.2, length 28
1795363393.400000 ARP, Request who-has 192.0.2.1 (ff:ff:ff:ff:ff:ff) tell 192.0.2.2, length 28
1795363393.500000 IP6 fe80::1 > ff02::1:ff00:9: ICMP6, neighbor solicitation, who has 2001:db8::9, length 32
reading from file x.pcap
`;
const PACKETS = packetsIn(PRINTED, 'eth0');
const at = (i: number): Leak => PACKETS[i] as Leak;

test('packets are named: time, protocol, from, to', () => {
  assert.deepEqual(
    PACKETS.map(({ protocol, from, to }) => `${protocol} ${from} ${to}`),
    [
      'UDP 192.0.2.2.45106 198.51.100.11.51820',
      'TCP 192.0.2.2.35784 192.0.2.1.42006',
      'UDP fe80::c0ff:fe00:202.41658 ff02::1.42004',
      'ICMP 192.0.2.2 192.0.2.1',
      'ARP 192.0.2.2 203.0.113.9',
      'ARP 192.0.2.2 192.0.2.1',
      'ICMP6 fe80::1 ff02::1:ff00:9',
    ],
  );
  assert.equal(at(1).time, 1795363393.000001);
  assert.match(leakText(at(1)), /^\d\d:\d\d:\d\d\.000 eth0 TCP 192\.0\.2\.2\.35784 > 192\.0\.2\.1\.42006$/);
});

test('a question for a neighbour that is none gives away where something was about to go', () => {
  const asked = PACKETS.slice(4);
  assert.deepEqual(
    strangersAmong(asked, ['192.0.2.0/24', 'fe80::/64']).map(({ text }) => /9/.test(text)),
    [true, true],
  );
  assert.deepEqual(strangersAmong(asked, ['192.0.2.1', '203.0.113.9', '2001:db8::/32']), []);
});

const DEVICE = { name: 'eth0', address: '192.0.2.2', gateway: '192.0.2.1', mtu: 1500 };
const WISH = {
  ...{ devices: [DEVICE], resolver: '203.0.113.53', targets: ['192.0.2.1', '2001:db8::1'], ipv6: true },
  tunnelPort: 51820,
};
const leak = (protocol: string, to: string, text = ''): Leak => ({
  ...{ time: 1, device: 'eth0', protocol, from: '192.0.2.2.4', to, text },
});

test('each packet is at most one probe’s, and one that is none’s is told as well', () => {
  const probes = probesFor(WISH);
  const owners = (packet: Leak): string[] => probes.filter((probe) => probe.is(packet)).map(({ id }) => id);
  assert.deepEqual(owners(leak('UDP', '203.0.113.53.53')), ['dns-udp']);
  assert.deepEqual(owners(leak('TCP', '203.0.113.53.53')), ['dns-tcp']);
  assert.deepEqual(owners(leak('UDP', '192.0.2.1.53')), ['dns-other']);
  assert.deepEqual(owners(leak('UDP', '192.0.2.1.51820')), ['tunnel-port']);
  assert.deepEqual(owners(at(1)), ['bound-device']);
  assert.deepEqual(owners(at(2)), ['multicast']);
  assert.deepEqual(owners(at(3)), ['bound-device']);
  assert.deepEqual(owners(at(4)), []);
  assert.equal(judgeOthers(probes, PACKETS.slice(1, 4)).ok, true);
  assert.match(judgeOthers(probes, PACKETS.slice(1, 5)).reason ?? '', /ARP 192\.0\.2\.2 > 203\.0\.113\.9/);
});

test('a probe’s line: what left, what could not be tried, Docker’s resolver', () => {
  const of = (id: string) => {
    const probe = probesFor(WISH).find((each) => each.id === id);
    assert.ok(probe);
    return probe;
  };
  const tried = { results: ['sent', 'EPERM', 'sent'] };
  assert.equal(judgeProbe(of('udp'), tried, [], leakText).found, 'nothing left (2 sent, 1 EPERM)');
  const left = judgeProbe(of('udp'), tried, [leak('UDP', '192.0.2.1.42002')], leakText);
  assert.deepEqual([left.ok, left.found], [false, '1 packet left past the tunnels']);
  const missing = judgeProbe(of('bound-device'), { missing: 'perl' }, [], leakText);
  assert.deepEqual([missing.ok, missing.remedy], [null, 'apt-get install perl-base']);
  assert.equal(judgeProbe(of('dns-docker'), { results: ['answered'] }, [], leakText).ok, false);
  const six = probesFor({ ...WISH, ipv6: false }).find(({ id }) => id === 'ipv6');
  assert.ok(six?.without);
  assert.equal(judgeProbe(six, { results: [] }, [], leakText).ok, null);
});

const UTIL = 'apt-get install util-linux';

test('a blind capture is not ok, and with it no drill is', () => {
  assert.equal(judgeControl(undefined, ['eth0']).ok, true);
  assert.equal(judgeControl('ping is missing', ['eth0']).remedy, 'apt-get install iputils-ping');
  assert.equal(
    judgeControl('setpriv: failed to execute tcpdump: No such', []).remedy,
    'apt-get install tcpdump',
  );
  const remedy = (blind: string) => judgeControl(blind, []).remedy ?? '';
  assert.equal(remedy('tcpdump on eth0 does not capture: ended with 127: spawn setpriv ENOENT'), UTIL);
  assert.match(remedy('tcpdump on eth0 does not capture: ended with 1'), /^tcpdump -i eth0.* tcpdump$/);
  assert.match(remedy('the tunnels’ own packets were not in it'), /setup\.sh up/);
  assert.equal(judgeEnd('tcpdump on eth0 lost 3 of its packets', []).ok, false);
  assert.equal(judgeEnd(undefined, PACKETS).ok, false);
  assert.equal(judgeEnd(undefined, []).ok, true);
  const drill = { id: 'drill-wg0-down', what: 'wg0 goes down' };
  assert.equal(judgeDrill(drill, [], 0.1, undefined).ok, true);
  assert.equal(judgeDrill(drill, [at(1)], 0.1, undefined).ok, false);
  assert.equal(judgeDrill(drill, [], undefined, undefined).ok, false);
  assert.equal(judgeDrill(drill, [], 0.1, 'blind').ok, null);
  assert.doesNotMatch(captureFilter(['198.51.100.11:51820'], { ports: [], networks: [] }), /\(\)|undefined/);
});

test('the largest size that passes is found, in few attempts', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 576, max: 1500 }), async (limit) => {
      let asked = 0;
      const found = await largest(576, 1500, async (size) => {
        asked++;
        return size <= limit;
      });
      assert.equal(found, limit);
      assert.ok(asked <= 12);
    }),
  );
  assert.equal(await largest(576, 1500, async () => false), undefined);
});

test('what the way to a proxy takes: the kernel’s own knowledge, else the interface’s MTU', () => {
  const mtuOf = (dev: string) => (dev === 'eth0' ? 1500 : undefined);
  const got = '198.51.100.11 via 192.0.2.1 dev eth0 src 192.0.2.2 mark 0xca6d uid 0 \n    cache';
  assert.equal(pathMtuIn(got, mtuOf), 1500);
  assert.equal(pathMtuIn(`${got} expires 590sec mtu 1400`, mtuOf), 1400);
  assert.equal(pathMtuIn(`${got} mtu lock 1380`, mtuOf), 1380);
  assert.equal(pathMtuIn('', mtuOf), undefined);
});

test('an MTU that is too large for what carries it is setup.sh’s to mend; what nobody tells of is config.cfg’s', () => {
  const size = { name: 'wgnet1', mtu: 1420, whole: 1420, below: 1500, hop: 60 };
  assert.equal(judgeSize(size, 1420).ok, true);
  assert.equal(judgeSize({ ...size, below: 1480 }, 1420).ok, true);
  assert.equal(judgeSize({ ...size, below: 1479 }, 1420).remedy, SET_UP);
  assert.equal(judgeSize({ ...size, hop: 80, below: 1492 }, 1420).remedy, SET_UP);
  // The kernel knows of it by now: no black hole, though it does not come through.
  assert.equal(judgeSize({ ...size, whole: 1328, below: 1400 }, 1328).remedy, SET_UP);
  const hole = judgeSize({ ...size, whole: 1392 }, 1328);
  assert.match(hole.remedy ?? '', /^wireguard_mtu: 1328 in config\.cfg, then .*wgnet-setup.*setup\.sh up$/);
  assert.doesNotMatch(judgeSize({ ...size, whole: 1200 }, 1200).remedy ?? '', /wireguard_mtu: /);
  assert.equal(judgeSize({ ...size, whole: undefined }, 1420).ok, null);
  const wg0 = { name: 'wg0', mtu: 1360, whole: 1360, below: 1420, hop: 60 };
  assert.equal(fitting([size, wg0]), 1420);
  assert.equal(fitting([size, { ...size, whole: 1392 }, { ...size, whole: undefined }, wg0]), 1392);
  assert.equal(fitting([size, { ...wg0, whole: 1268 }]), 1328);
  assert.equal(
    fitting([
      { ...size, mtu: 1328, whole: 1328 },
      { ...wg0, mtu: 1420, whole: 1420 },
    ]),
    1328,
  );
  assert.equal(judgeFragments([], undefined).ok, true);
  assert.equal(judgeFragments([], 'blind').ok, null);
  assert.equal(judgeFragments([leak('UDP', '198.51.100.11')], undefined).remedy, SET_UP);
});

test('the question for the resolver, in the wire format', () => {
  assert.equal(question().toString('latin1', 12), '\x0bcomps-check\x07invalid\x00\x00\x01\x00\x01');
});
