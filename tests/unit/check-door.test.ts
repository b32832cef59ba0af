/** Judges of the nftables table, on texts as Debian 13's nft prints them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { doorUnknown, judgeDoor, judgeEndpoints } from '../../client/scripts/lib/check/door.ts';
import { judgeDoorTcp, REFUSED_TCP } from '../../client/scripts/lib/check/door-tcp.ts';
import { doorIn } from '../../client/scripts/lib/check/nft-table.ts';
import { type Finding, SET_UP } from '../../client/scripts/lib/check/verdict.ts';

/** Refused for this reason, with this remedy. */
function refused(finding: Finding | undefined, reason: RegExp, remedy: string): void {
  assert.equal(finding?.ok, false, JSON.stringify(finding));
  assert.match(`${finding.found}: ${finding.reason}`, reason);
  assert.equal(finding.remedy, remedy);
}

const match = (left: object, right: unknown, op = '=='): object => ({ match: { op, left, right } });
const meta = (key: string): object => ({ meta: { key } });
const field = (protocol: string, name: string): object => ({ payload: { protocol, field: name } });
const accept = { accept: null };
const proxy = (address: string, family = 'ip'): object[] => [
  match(meta('mark'), 51821),
  match(field(family, 'daddr'), address),
  match(field('udp', 'dport'), 51820),
  accept,
];

/** `nft -j list table inet comps` with these rules in its chain `output`. */
function table(rules: readonly object[][], policies = { output: 'drop', forward: 'drop' }): string {
  const chain = (name: string, policy: string): object => ({
    chain: { name, type: 'filter', hook: name, policy, family: 'inet' },
  });
  const chains = Object.entries(policies).map(([name, policy]) => chain(name, policy));
  const all = rules.map((expr, i) => ({ rule: { chain: 'output', handle: 10 + i, expr } }));
  return JSON.stringify({ nftables: [{ metainfo: {} }, ...chains, chain('prerouting', 'accept'), ...all] });
}

const dhcp = (family: string, to: string, from: number, port: number): object[] => [
  match(field(family, 'daddr'), to),
  match(field('udp', 'sport'), from),
  match(field('udp', 'dport'), port),
  accept,
];

const OURS = [
  [match(field('ip', 'daddr'), '127.0.0.11'), { reject: {} }],
  [match(meta('oifname'), 'lo'), accept],
  [match(meta('oifname'), 'wg0'), match(meta('mark'), { set: [51820, 51821] }, '!='), accept],
  [match(meta('oifname'), 'wgnet*'), match(meta('mark'), 51821, '!='), accept],
  [match(meta('mark'), 51821), match({ ct: { key: 'direction' } }, 'reply'), accept],
  [match(field('icmpv6', 'type'), { set: ['nd-neighbor-solicit', 'nd-neighbor-advert'] }), accept],
  [match(meta('oifname'), 'wg0', '!='), ...dhcp('ip', '255.255.255.255', 68, 67)],
  dhcp('ip6', 'ff02::1:2', 546, 547),
  proxy('198.51.100.11'),
  proxy('2001:db8::12', 'ip6'),
];
const ENDPOINTS = new Map([
  ['wgnet1', '198.51.100.11:51820'],
  ['wgnet2', '[2001:db8::12]:51820'],
]);

test('the nftables table as setup.sh makes it', () => {
  const door = doorIn(table(OURS));
  assert.equal(judgeDoor(door).ok, true);
  assert.equal(judgeEndpoints(door, ENDPOINTS).ok, true);
});

test('an nftables table that is switched off, and no nft to ask', () => {
  for (const flags of ['dormant', ['dormant'], ['owner', 'dormant'], 'comps']) {
    const { nftables } = JSON.parse(table(OURS));
    const off = JSON.stringify({
      nftables: [{ table: { family: 'inet', name: 'comps', flags } }, ...nftables],
    });
    refused(judgeDoor(doorIn(off)), /switched off/, SET_UP);
  }
  const own = { table: { family: 'inet', name: 'comps', flags: ['owner'] } };
  const on = JSON.stringify({ nftables: [own, ...JSON.parse(table(OURS)).nftables] });
  assert.equal(judgeDoor(doorIn(on)).ok, true);
  refused(doorUnknown('apt-get install nftables'), /nft is missing/, 'apt-get install nftables');
});

test('no nftables table, or one that is open', () => {
  refused(judgeDoor(undefined), /only routes/, SET_UP);
  refused(judgeDoor(doorIn(table(OURS, { output: 'accept', forward: 'drop' }))), /its output chain/, SET_UP);
  refused(judgeDoor(doorIn(table(OURS, { output: 'drop', forward: 'accept' }))), /its forward chain/, SET_UP);
  const noForward = JSON.parse(table(OURS));
  noForward.nftables.splice(2, 1);
  refused(judgeDoor(doorIn(JSON.stringify(noForward))), /its forward chain/, SET_UP);
});

for (const [what, hole] of [
  ['everything', [accept]],
  ['an interface', [match(meta('oifname'), 'eth0'), accept]],
  ['all interfaces but one', [match(meta('oifname'), 'wg0', '!='), accept]],
  ['a set of interfaces', [match(meta('oifname'), { set: ['wg0', 'eth0'] }), accept]],
  ['all of the tunnels’ mark', [match(meta('mark'), 51821), accept]],
  ['a proxy without the mark', proxy('198.51.100.11').slice(1)],
  ['any port of a proxy', [match(meta('mark'), 51821), match(field('ip', 'daddr'), '198.51.100.11'), accept]],
  ['another chain', [{ jump: { target: 'more' } }]],
  ['DHCP’s question to one host', dhcp('ip', '203.0.113.1', 68, 67)],
  ['anything to everybody', dhcp('ip', '255.255.255.255', 68, 67).slice(0, 1).concat(accept)],
  ['DHCP’s ports to everybody', dhcp('ip', '255.255.255.255', 68, 67).slice(1)],
  ['all ICMPv6', [match(field('icmpv6', 'type'), 'echo-request'), accept]],
] as const)
  test(`a hole in the nftables table: ${what}`, () =>
    refused(
      judgeDoor(doorIn(table([hole as object[], ...OURS]))),
      /handle 10/,
      'nft delete rule inet comps output handle 10',
    ));

test('the proxies that are let out are the tunnels’ own', () => {
  const door = doorIn(table(OURS));
  refused(judgeEndpoints(door, new Map([...ENDPOINTS, ['wgnet3', '198.51.100.13:51820']])), /wgnet3/, SET_UP);
  refused(
    judgeEndpoints(door, new Map([...ENDPOINTS].slice(0, 1))),
    /\[2001:db8::12\]:51820 is no peer/,
    SET_UP,
  );
  refused(judgeEndpoints(undefined, ENDPOINTS), /no table/, SET_UP);
});

/** Numbers, as nft prints them where there is no /etc/protocols. */
const about = (...transports: (string | number)[]): object =>
  match(meta('l4proto'), transports.length === 1 ? transports[0] : { set: transports });
const into = match(meta('oifname'), 'wgnet*');
const unmarked = match(meta('mark'), 51821, '!=');
const MAY = [into, unmarked, match(meta('nfproto'), 'ipv4'), about(1, 17), accept];
const NO_TCP = [into, unmarked, about(6), { counter: REFUSED_TCP }, { reject: { type: 'tcp reset' } }];
const PROXIES = [proxy('198.51.100.11'), proxy('2001:db8::12', 'ip6')];
const PATHS = ['wgnet1', 'wgnet2'];

test('mode quic: TCP is refused, and so quickly that a program knows', () => {
  const of = (...rules: object[][]) => judgeDoorTcp(doorIn(table([...rules, ...PROXIES])), false, PATHS);
  assert.equal(of(MAY, NO_TCP)?.ok, true);
  assert.equal(
    of([into, unmarked, about('udp', 'icmp'), accept], [into, about('tcp'), { reject: null }])?.ok,
    true,
  );
  assert.equal(judgeDoorTcp(undefined, false, PATHS), undefined);
  refused(of(MAY), /no rule that refuses it/, SET_UP);
  refused(of(MAY, [into, { reject: null }]), /no rule that refuses it/, SET_UP);
  for (const hole of [
    [into, unmarked, accept],
    [into, about(6), accept],
  ])
    refused(of(hole, MAY, NO_TCP), /handle 10\) lets it out/, 'nft delete rule inet comps output handle 10');
  const counted = { counter: { family: 'inet', name: REFUSED_TCP, table: 'comps', packets: 7, bytes: 420 } };
  const door = doorIn(JSON.stringify({ nftables: [counted, ...JSON.parse(table([NO_TCP])).nftables] }));
  assert.equal(door.counters.get(REFUSED_TCP), 7);
});

/** TCP of a connection that is kept on its path, and what is of none. */
const KEPT = [
  into,
  match(meta('mark'), { set: [52001, 52002] }),
  match(meta('nfproto'), 'ipv4'),
  about(6),
  accept,
];

test('mode quic: nothing is let into a path but IPv4’s ICMP and UDP, and TCP that is kept on its path', () => {
  const of = (tcp: 'none' | 'sticky', ...rules: object[][]) =>
    judgeDoor(doorIn(table([...rules, NO_TCP, ...PROXIES])), tcp);
  assert.equal(of('none', MAY).ok, true);
  assert.equal(of('sticky', MAY, KEPT).ok, true);
  for (const hole of [
    [into, accept],
    [into, unmarked, accept],
    [match(meta('oifname'), { set: ['lo', 'wgnet2'] }), accept],
    [into, match(meta('nfproto'), 'ipv6'), accept],
    [into, match(field('ip', 'protocol'), 132), accept],
    [into, unmarked, match(meta('nfproto'), 'ipv4'), about(1, 17, 132), accept],
    // The tunnels’ own, round and round; TCP of no path; a chain of somebody’s.
    [into, match(meta('nfproto'), 'ipv4'), about(17), accept],
    [into, unmarked, match(meta('nfproto'), 'ipv4'), about(6), accept],
    [into, match(meta('mark'), 7), match(meta('nfproto'), 'ipv4'), about(6), accept],
    [into, unmarked, match(meta('nfproto'), 'ipv4'), about(17), { jump: { target: 'more' } }],
  ])
    for (const tcp of ['none', 'sticky'] as const)
      refused(of(tcp, hole, MAY, KEPT), /handle 10/, 'nft delete rule inet comps output handle 10');
  refused(of('none', KEPT, MAY), /handle 10/, 'nft delete rule inet comps output handle 10');
});

test('mode quic: what programs need is let in, else no server is to blame', () => {
  const of = (tcp: 'none' | 'sticky', ...rules: object[][]) =>
    judgeDoor(doorIn(table([...rules, NO_TCP, ...PROXIES])), tcp);
  const one = (...which: number[]) => [
    into,
    unmarked,
    match(meta('nfproto'), 'ipv4'),
    about(...which),
    accept,
  ];
  refused(of('none'), /lets icmp and udp into the tunnels/, SET_UP);
  refused(of('none', one(1)), /lets udp into/, SET_UP);
  refused(of('none', [match(field('ip', 'daddr'), '192.0.2.1'), ...MAY]), /lets icmp and udp into/, SET_UP);
  refused(of('sticky', MAY), /lets tcp into/, SET_UP);
  assert.equal(of('none', one(1), one(17)).ok, true);
});

test('mode quic, sticky: connections are marked by their path, packets by their connection, and looked at again', () => {
  const mangle = (key: object, value: unknown): object => ({ mangle: { key, value } });
  const [ctMark, metaMark] = [{ ct: { key: 'mark' } }, meta('mark')];
  const byMap = [
    mangle(ctMark, {
      map: {
        key: meta('oifname'),
        data: {
          set: [
            ['wgnet1', 52001],
            ['wgnet2', 52002],
          ],
        },
      },
    }),
  ];
  const byRule = (n: number): object[] => [match(meta('oifname'), `wgnet${n}`), mangle(ctMark, 52000 + n)];
  const carried = [match(ctMark, { set: [52001, 52002] }), mangle(metaMark, ctMark)];
  const last = [
    match(metaMark, { set: [52001, 52002] }),
    match(meta('oifname'), 'wgnet*', '!='),
    { drop: null },
  ];
  /** Rules of the marking chain, and whether the last look is there. */
  const of = (marking: object[][], looks = true) => {
    const { nftables } = JSON.parse(table([MAY, NO_TCP, ...PROXIES]));
    const chain = (name: string, type: string, hook: string): object => ({
      chain: { name, type, hook, policy: 'accept', family: 'inet' },
    });
    const rule = (name: string, expr: object[]): object => ({ rule: { chain: name, handle: 99, expr } });
    nftables.push(chain('stick', 'route', 'output'), chain('postrouting', 'filter', 'postrouting'));
    nftables.push(
      ...marking.map((expr) => rule('stick', expr)),
      ...(looks ? [rule('postrouting', last)] : []),
    );
    return doorIn(JSON.stringify({ nftables }));
  };
  const judged = (marking: object[][], looks = true) => judgeDoorTcp(of(marking, looks), true, PATHS);
  assert.equal(judgeDoor(of([byMap, carried])).ok, true);
  assert.equal(judged([byMap, carried])?.found, 'marked by its path: 52001, 52002');
  assert.equal(judged([byRule(1), byRule(2), carried])?.ok, true);
  refused(judged([byRule(1), carried]), /no mark for connections by wgnet2/, SET_UP);
  refused(judged([]), /no mark for connections by wgnet1, wgnet2/, SET_UP);
  refused(judged([byMap]), /do not get their connection’s mark/, SET_UP);
  refused(judged([byMap, carried], false), /its last look is missing/, SET_UP);
});
