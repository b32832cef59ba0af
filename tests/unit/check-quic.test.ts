/** What a check judges in mode quic alone, and by which mode; no machine is looked at. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeAddresses, judgeNoWg0 } from '../../client/scripts/lib/check/addresses.ts';
import { judgeExit, PROGRAMS } from '../../client/scripts/lib/check/exits.ts';
import { entrances, type Link, tunnelsOf } from '../../client/scripts/lib/check/machine.ts';
import { judgeMode, modeOf } from '../../client/scripts/lib/check/mode-verdict.ts';
import { judgeSize } from '../../client/scripts/lib/check/mtu.ts';
import { pendingIn } from '../../client/scripts/lib/check/pending.ts';
import { judgeQuic, packetsInto } from '../../client/scripts/lib/check/quic.ts';
import type { Rule } from '../../client/scripts/lib/check/rules.ts';
import { judgeResolverWay } from '../../client/scripts/lib/check/system.ts';
import { judgePinning, judgeRefusal, markIn } from '../../client/scripts/lib/check/tcp.ts';
import { SET_UP } from '../../client/scripts/lib/check/verdict.ts';

const rule = (fwmark: string, table: string, not?: null): Rule => ({
  ...{ priority: 101, src: 'all', table, fwmark },
  ...(not === undefined ? {} : { not }),
});
const QUIC = [rule('0xca6d', '51821', null)];
const WIREGUARD = [rule('0xca6c', '51821')];
const PATHS = ['wgnet1', 'wgnet2'];

test('the mode is setup.sh’s word, else the live rules’; where the two differ, that is told', () => {
  const unread = { mode: undefined, tcp: undefined };
  assert.deepEqual(modeOf({ mode: 'quic', tcp: 'sticky' }, WIREGUARD, 'none'), {
    mode: 'quic',
    tcp: 'sticky',
  });
  assert.deepEqual(modeOf(unread, QUIC, 'sticky'), { mode: 'quic', tcp: 'sticky' });
  assert.deepEqual(modeOf(unread, WIREGUARD, 'none'), { mode: 'wireguard', tcp: 'none' });
  assert.deepEqual(modeOf(unread, [], 'none'), { mode: 'wireguard', tcp: 'none' });
  assert.deepEqual(modeOf({ mode: 'wireguard', tcp: undefined }, QUIC, 'sticky').tcp, 'none');
  const apart = judgeMode('quic', WIREGUARD);
  assert.deepEqual([apart.ok, apart.remedy], [false, SET_UP]);
  assert.equal(apart.found, 'setup.sh says quic, the rules are wireguard’s');
  assert.equal(judgeMode('wireguard', QUIC).ok, false);
  // Rules that are gone are told of by themselves.
  assert.deepEqual(
    [judgeMode('quic', QUIC).ok, judgeMode('quic', []).ok, judgeMode(undefined, QUIC).ok],
    [true, true, true],
  );
  assert.deepEqual(tunnelsOf({ mode: 'quic', paths: PATHS }), PATHS);
  assert.deepEqual(tunnelsOf({ mode: 'wireguard', paths: PATHS }), [...PATHS, 'wg0']);
  assert.deepEqual(entrances({ mode: 'wireguard', paths: PATHS }), ['wg0']);
  assert.equal(judgeResolverWay('203.0.113.53', 'wgnet2', true, PATHS).ok, true);
  for (const dev of ['wg0', 'eth0', undefined])
    assert.equal(judgeResolverWay('203.0.113.53', dev, true, PATHS).ok, false);
});

test('one address on every path, and no wg0', () => {
  const link = (ifname: string, ...addresses: string[]): Link => ({
    ...{ ifname, mtu: 1420, flags: ['UP'] },
    addr_info: addresses.map((local) => ({ family: 'inet', local, prefixlen: 32, scope: 'global' })),
  });
  const same = [link('wgnet1', '10.45.0.5'), link('wgnet2', '10.45.0.5')];
  assert.equal(judgeAddresses(PATHS, same).found, '10.45.0.5');
  assert.equal(judgeAddresses(['wgnet1', 'wgnet2', 'wgnet3'], same).ok, true);
  for (const links of [
    [same[0] as Link, link('wgnet2', '10.45.0.6')],
    [same[0] as Link, link('wgnet2')],
    [link('wgnet1'), link('wgnet2')],
    PATHS.map((name) => link(name, '10.45.0.5', '10.45.0.9')),
  ]) {
    const { ok, remedy } = judgeAddresses(PATHS, links);
    assert.deepEqual([ok, remedy], [false, SET_UP]);
  }
  assert.match(judgeAddresses(PATHS, [same[0] as Link, link('wgnet2')]).found, /wgnet2 none/);
  assert.deepEqual(judgeNoWg0(same), []);
  assert.deepEqual(
    judgeNoWg0([...same, link('wg0')]).map(({ ok, remedy }) => [ok, remedy]),
    [[false, SET_UP]],
  );
});

test('TCP: refused here, which the table has counted; by somebody else is not enough', () => {
  const of = (results: string[], before?: number, after?: number) => judgeRefusal({ results, before, after });
  assert.equal(
    of(['ECONNREFUSED'], 4, 5).found,
    'refused, 4 so far; allow_tcp: sticky in config.cfg keeps each connection on one path',
  );
  assert.equal(of(['ECONNREFUSED'], 4, 4).ok, false);
  assert.equal(of(['ECONNREFUSED'], undefined, undefined).ok, false);
  assert.equal(of(['ECONNREFUSED', 'sent'], 4, 5).ok, false);
  assert.equal(of(['answered'], 4, 5).remedy, SET_UP);
  assert.equal(of(['EHOSTUNREACH'], 4, 4).ok, null);
});

test('QUIC: a datagram goes into a path, or is stopped on this machine', () => {
  const of = (results: string[], went: number, live = true) => judgeQuic({ results, went, live });
  assert.equal(of(['sent'], 1).found, 'goes into the path (1 sent)');
  assert.equal(of(['sent'], 0).found, '1 sent, but into no path');
  // Others’ packets do not speak for it.
  assert.equal(of(['EPERM'], 9).found, 'stopped in this machine (1 EPERM)');
  for (const wrong of [
    of(['sent'], 0),
    of(['EPERM'], 0),
    of(['sent', 'EPERM'], 9),
    of(['EPERM'], 0, false),
  ]) {
    assert.equal(wrong.ok, false);
    assert.match(
      wrong.remedy ?? '',
      /^\/etc\/wireguard\/setup\.sh up; where that is not it: nft -a list ruleset/,
    );
  }
  for (const unknown of [of(['ENETUNREACH'], 0), of([], 0), of(['sent'], 0, false)])
    assert.equal(unknown.ok, null);
  const link = (ifname: string, packets: number) => ({ ifname, stats64: { tx: { bytes: 1, packets } } });
  const printed = JSON.stringify([
    link('eth0', 100),
    link('wgnet1', 2),
    { ifname: 'wgnet2' },
    link('wgnet3', 5),
  ]);
  assert.equal(packetsInto(printed, [...PATHS, 'wgnet3']), 7);
});

test('TCP, sticky: each mark leads to its path, and a connection that was tried has one', () => {
  const of = (second: string | undefined, mark?: number, refused = false) =>
    judgePinning({
      refused,
      mark,
      ways: new Map([
        ['wgnet1', 'wgnet1'],
        ['wgnet2', second],
      ]),
    });
  assert.equal(of('wgnet2').found, 'sticky, each connection on one path');
  assert.match(of('wgnet2', 52001).found, /tried got the mark 52001\)$/);
  for (const wrong of [of('wgnet1'), of(undefined), of('wgnet2', 0), of('wgnet2', 52001, true)])
    assert.deepEqual([wrong.ok, wrong.remedy], [false, SET_UP]);
  assert.match(of('wgnet1').reason ?? '', /began on wgnet2 does not stay/);
  const line = (to: string, port: number, mark: number) =>
    `ipv4     2 tcp      6 119 SYN_SENT src=10.45.0.5 dst=${to} sport=4 dport=${port} [UNREPLIED] src=${to} dst=10.45.0.5 sport=${port} dport=4 mark=${mark} zone=0 use=2\n`;
  const text = line('192.0.2.1', 80, 1) + line('192.0.2.1', 42009, 52002) + line('192.0.2.11', 42009, 3);
  assert.equal(markIn(text, '192.0.2.1', 42009), 52002);
  assert.equal(markIn('', '192.0.2.1', 42009), undefined);
});

test('a path that is too narrow for QUIC, and one whose own MTU was set too low', () => {
  const size = { name: 'wgnet1', mtu: 1280, whole: 1280, below: 1500, hop: 60, least: 1280 };
  assert.equal(judgeSize(size, 1420).ok, true);
  const low = judgeSize({ ...size, mtu: 1279, whole: 1279 }, 1420);
  assert.match(low.reason ?? '', /QUIC needs 1200 bytes in each datagram/);
  assert.equal(low.remedy, SET_UP);
  assert.match(
    judgeSize({ ...size, mtu: 1200, whole: 1200, below: 1260 }, 1200).remedy ?? '',
    /^another network/,
  );
  assert.match(judgeSize({ ...size, whole: 1200 }, 1200).remedy ?? '', /^another network/);
  assert.equal(judgeSize({ ...size, mtu: 1200, whole: 1200, least: undefined }, 1200).ok, true);
});

test('the exit of programs is a path’s server, whichever; a page that refuses is the page’s fault', () => {
  const hosts = new Map([
    ['wgnet1', '198.51.100.11'],
    ['wgnet2', '198.51.100.12'],
    [PROGRAMS, '198.51.100.11'],
  ]);
  const of = (seen?: string, refused = false) =>
    judgeExit({ ...{ name: PROGRAMS, seen, trouble: 'curl: (22)', refused, hosts }, own: ['192.0.2.2'] });
  assert.equal(of('198.51.100.11').found, '198.51.100.11, the server of wgnet1');
  assert.equal(of('198.51.100.12').ok, true);
  assert.equal(of('192.0.2.2').ok, false);
  assert.match(of(undefined).remedy ?? '', /wgnet-setup/);
  assert.match(of(undefined, true).remedy ?? '', /^--exit-url/);
});

test('questions for neighbours that the kernel has not ended yet: those on real interfaces', () => {
  const printed =
    '[{"dst":"203.0.113.9","dev":"eth0","state":["INCOMPLETE"]},{"dst":"10.45.0.9","dev":"wgnet1","state":["INCOMPLETE"]}]';
  assert.deepEqual(pendingIn(printed, ['eth0', 'eth1']), ['203.0.113.9 eth0']);
  assert.deepEqual(pendingIn('', ['eth0']), []);
});
