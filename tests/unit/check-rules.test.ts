/** Judges of rules, tables and the nftables table, on texts as Debian 13's tools print them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { doorIn, doorUnknown, judgeDoor, judgeEndpoints } from '../../client/scripts/lib/check/door.ts';
import {
  isUp,
  judgeRules,
  judgeTable,
  type Route,
  type Rule,
  splitTables,
  type TableWish,
} from '../../client/scripts/lib/check/rules.ts';
import { type Finding, SET_UP } from '../../client/scripts/lib/check/verdict.ts';

/** `ip -j rule` in a client that is up. */
const RULES: Rule[] = JSON.parse(
  '[{"priority":0,"src":"all","table":"local"},{"priority":100,"src":"all","fwmark":"0xca6d","table":"main"},{"priority":101,"src":"all","fwmark":"0xca6c","table":"51821"},{"priority":102,"not":null,"src":"all","fwmark":"0xca6c","table":"51820"},{"priority":32766,"src":"all","table":"main"},{"priority":32767,"src":"all","table":"default"}]',
);
const without = (priority: number): Rule[] => RULES.filter((rule) => rule.priority !== priority);
const rule = (words: Partial<Rule>): Rule => ({ priority: 50, src: 'all', table: 'main', ...words });
const SPLIT = rule({ priority: 99, fwmark: '0xcabd', table: '51901' });

/** Refused for this reason, with this remedy. */
function refused(finding: Finding, reason: RegExp, remedy: string): void {
  assert.equal(finding.ok, false, JSON.stringify(finding));
  assert.match(finding.reason ?? '', reason);
  assert.equal(finding.remedy, remedy);
}

test('the rules of a client that is up are good, also below a kernel split', () => {
  assert.equal(judgeRules(4, RULES).ok, true);
  assert.equal(judgeRules(4, [...RULES].reverse()).ok, true);
  assert.equal(judgeRules(4, [...RULES, SPLIT]).ok, true);
  assert.deepEqual(splitTables([...RULES, SPLIT]), [51901]);
  assert.deepEqual(splitTables(RULES), []);
});

test('a client counts as up by any rule of ours, and by no other', () => {
  assert.equal(isUp(RULES), true);
  assert.equal(isUp(without(100).filter(({ priority }) => priority !== 101)), true);
  assert.equal(isUp(RULES.filter(({ priority }) => priority < 100 || priority > 102)), false);
});

for (const [priority, text] of [
  [100, /fwmark 51821 lookup main/],
  [101, /fwmark 51820 lookup 51821/],
  [102, /not fwmark 51820 lookup 51820/],
] as const)
  test(`rule ${priority} is missed`, () => refused(judgeRules(4, without(priority)), text, SET_UP));

test('a rule before ours that looks elsewhere is named, with the command that takes it away', () => {
  refused(judgeRules(4, [rule({}), ...RULES]), /50: from all lookup main/, 'ip rule delete pref 50');
  refused(judgeRules(6, [rule({}), ...RULES]), /50: from all lookup main/, 'ip -6 rule delete pref 50');
  const narrow = rule({ fwmark: '0xca6d', iif: 'eth0' });
  refused(judgeRules(4, [narrow, ...RULES]), /iif eth0/, 'ip rule delete pref 50');
  const behind = rule({ priority: 101, fwmark: '0x1' });
  refused(judgeRules(4, [behind, ...RULES]), /fwmark 1 lookup main/, 'ip rule delete pref 101');
  // Of another mark than its table's, and not of a split's preference.
  refused(judgeRules(4, [{ ...SPLIT, table: '51902' }, ...RULES]), /lookup 51902/, 'ip rule delete pref 99');
  refused(judgeRules(4, [{ ...SPLIT, priority: 98 }, ...RULES]), /lookup 51901/, 'ip rule delete pref 98');
});

test('a rule behind ours decides nothing', () => {
  assert.equal(judgeRules(4, [...RULES, rule({ priority: 200 })]).ok, true);
});

test('rules in another order are refused', () => {
  const turned = RULES.map((each) => (each.priority === 102 ? { ...each, priority: 90 } : each));
  refused(judgeRules(4, turned), /not in its place/, `ip rule delete pref 90; ${SET_UP}`);
});

const PATHS = ['wgnet1', 'wgnet2'];
const WISH: TableWish = {
  ...{ id: 'table-51821', family: 4, table: 51821, through: PATHS },
  ...{ leads: true, standbys: PATHS },
};
const UNREACHABLE: Route = { type: 'unreachable', dst: 'default', table: '51821', metric: 4294967295 };
const way = (dev: string, metric?: number): Route => ({
  ...{ dst: 'default', dev, table: '51821' },
  ...(metric === undefined ? {} : { metric }),
});
const TABLE = [way('wgnet2'), way('wgnet1', 1001), way('wgnet2', 1002), UNREACHABLE];

test('the three layers of table 51821', () => {
  const other: Route = { dst: 'default', dev: 'eth0', gateway: '192.0.2.1', table: 'main' };
  const finding = judgeTable(WISH, [...TABLE, other]);
  assert.equal(finding.ok, true);
  assert.equal(finding.found, 'wgnet2, then standbys wgnet1 wgnet2, then unreachable');
});

for (const [what, routes, reason, remedy] of [
  ['no unreachable', TABLE.slice(0, 3), /no "unreachable default"/, SET_UP],
  ['empty', [], /no "unreachable default"/, SET_UP],
  [
    'a blackhole in its place',
    [...TABLE.slice(0, 3), { ...UNREACHABLE, type: 'blackhole' }],
    /no "unreach/,
    SET_UP,
  ],
  ['no current path', TABLE.slice(1), /no current path/, SET_UP],
  ['a standby less', [...TABLE.slice(0, 2), UNREACHABLE], /no standby route over wgnet2/, SET_UP],
  [
    'a way past the tunnels',
    [...TABLE, { ...way('eth0', 5), gateway: '192.0.2.1' }],
    /leads elsewhere/,
    `ip route delete default via 192.0.2.1 dev eth0 metric 5 table 51821; ${SET_UP}`,
  ],
  [
    'one host past the tunnels',
    [...TABLE, { dst: '203.0.113.9', dev: 'eth0', table: '51821' }],
    /leads elsewhere/,
    `ip route delete 203.0.113.9 dev eth0 table 51821; ${SET_UP}`,
  ],
  [
    'unreachable before the standbys',
    [way('wgnet2'), { ...UNREACHABLE, metric: 500 }, ...TABLE.slice(1, 3)],
    /not the last/,
    `ip route delete unreachable default metric 500 table 51821; ${SET_UP}`,
  ],
] as const)
  test(`table 51821: ${what}`, () => refused(judgeTable(WISH, routes), reason, remedy));

test('table 51820 for IPv6: closed, or into wg0 and then closed', () => {
  const closed: Route = {
    type: 'unreachable',
    dst: 'default',
    dev: 'lo',
    table: '51820',
    metric: 4294967295,
  };
  const wish: TableWish = { id: 'x', family: 6, table: 51820, through: ['wg0'], leads: false, standbys: [] };
  assert.equal(judgeTable(wish, [closed]).ok, true);
  const open: Route = { dst: 'default', dev: 'wg0', table: '51820', metric: 1024 };
  assert.equal(judgeTable(wish, [open, closed]).ok, true);
  refused(judgeTable(wish, [open]), /no "unreachable default"/, SET_UP);
});

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
    chain: { name, hook: name, policy, family: 'inet' },
  });
  const chains = Object.entries(policies).map(([name, policy]) => chain(name, policy));
  const all = rules.map((expr, i) => ({ rule: { chain: 'output', handle: 10 + i, expr } }));
  return JSON.stringify({ nftables: [{ metainfo: {} }, ...chains, chain('prerouting', 'accept'), ...all] });
}

const OURS = [
  [match(field('ip', 'daddr'), '127.0.0.11'), { reject: {} }],
  [match(meta('oifname'), 'lo'), accept],
  [match(meta('oifname'), 'wg0'), match(meta('mark'), { set: [51820, 51821] }, '!='), accept],
  [match(meta('oifname'), 'wgnet*'), match(meta('mark'), 51821, '!='), accept],
  [match(meta('mark'), 51821), match({ ct: { key: 'direction' } }, 'reply'), accept],
  [match(field('icmpv6', 'type'), { set: ['nd-neighbor-solicit', 'nd-neighbor-advert'] }), accept],
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
