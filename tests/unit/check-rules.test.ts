/** Judges of rules and tables, on texts as Debian 13's tools print them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isUp,
  judgeRules as judge,
  modeOfRules,
  type Rule,
  type RulesWish,
  splitTables,
} from '../../client/scripts/lib/check/rules.ts';
import { judgeSplit, pathsIn, splitMarks } from '../../client/scripts/lib/check/split.ts';
import { judgeTable, type Route, type TableWish } from '../../client/scripts/lib/check/tables.ts';
import { END_SPLIT, type Finding, SET_UP } from '../../client/scripts/lib/check/verdict.ts';

/** `ip -j rule` in a client that is up. */
const RULES: Rule[] = JSON.parse(
  '[{"priority":0,"src":"all","table":"local"},{"priority":100,"src":"all","fwmark":"0xca6d","table":"main"},{"priority":101,"src":"all","fwmark":"0xca6c","table":"51821"},{"priority":102,"not":null,"src":"all","fwmark":"0xca6c","table":"51820"},{"priority":32766,"src":"all","table":"main"},{"priority":32767,"src":"all","table":"default"}]',
);
const without = (priority: number): Rule[] => RULES.filter((rule) => rule.priority !== priority);
const judgeRules = (family: 4 | 6, rules: readonly Rule[]): Finding =>
  judge(family, rules, { mode: 'wireguard', tcp: 'none', paths: ['wgnet1', 'wgnet2'] });
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
  refused(
    judgeRules(4, [behind, ...RULES]),
    /fwmark 1 lookup main/,
    'ip rule delete pref 101 from all fwmark 1 lookup main',
  );
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

test('a table of a kernel split is mended by the end of the split', () => {
  const of = (route: Route): Route => ({ ...route, table: '51902' });
  const wish: TableWish = { ...WISH, id: 'x', table: 51902, standbys: [] };
  const good = [way('wgnet2'), way('wgnet1', 1001), UNREACHABLE].map(of);
  assert.equal(judgeTable(wish, good).ok, true);
  refused(judgeTable(wish, good.slice(1)), /no current path/, END_SPLIT);
  refused(judgeTable(wish, []), /no "unreachable default"/, END_SPLIT);
  assert.match(END_SPLIT, /^npx zx \/.*\/client\/scripts\/migrate\.ts --stop$/);
});

/** Of `nft -j list chains inet` while a split is in force. */
const CHAINS =
  '{"nftables":[{"metainfo":{"version":"1.1.3"}},{"chain":{"family":"inet","table":"comps","name":"output","handle":2,"type":"filter","hook":"output","prio":0,"policy":"drop"}},{"chain":{"family":"inet","table":"comps_split","name":"output","handle":1,"type":"route","hook":"output","prio":-149,"policy":"accept"}},{"chain":{"family":"inet","table":"comps_split","name":"postrouting","handle":2,"type":"filter","hook":"postrouting","prio":-150,"policy":"accept"}}]}';
/** Of `nft -j list counters table inet comps_split`. */
const COUNTERS =
  '{"nftables":[{"metainfo":{"version":"1.1.3"}},{"counter":{"family":"inet","name":"wgnet1","table":"comps_split","handle":3,"packets":14,"bytes":1768}},{"counter":{"family":"inet","name":"wgnet2","table":"comps_split","handle":4,"packets":12,"bytes":2832}}]}';

test('a split that marks packets needs a rule for each path, and a wg0 that joins none', () => {
  assert.equal(splitMarks(CHAINS), true);
  assert.equal(splitMarks(CHAINS.replace('"comps_split","name":"output"', '"other","name":"output"')), false);
  assert.deepEqual(pathsIn(COUNTERS), PATHS);
  const rules = [SPLIT, rule({ priority: 99, fwmark: '0xcabe', table: '51902' }), ...RULES];
  const kernel = { joins: false, now: 65_535, most: 65_535 };
  const [fine, ...more] = judgeSplit(PATHS, rules, kernel);
  assert.deepEqual([fine?.ok, more], [true, []]);
  const [lost = assert.fail()] = judgeSplit(PATHS, [SPLIT, ...RULES], kernel);
  refused(lost, /the 1 rule "fwmark 51902 lookup 51902" is missing: .* for wgnet2 goes nowhere$/, END_SPLIT);
  const [none = assert.fail()] = judgeSplit(PATHS, RULES, kernel);
  refused(none, /51901 .*, .*51902" are missing: .* wgnet1, wgnet2 goes nowhere$/, END_SPLIT);
  const [, single] = judgeSplit(PATHS, rules, { ...kernel, joins: true, now: 1 });
  assert.equal(single?.ok, true);
  const [, joined = assert.fail()] = judgeSplit(PATHS, rules, { ...kernel, joins: true });
  refused(joined, /longer than a path takes/, 'ip link set wg0 gso_max_segs 1');
  assert.deepEqual(judgeSplit([], RULES, { ...kernel, joins: true }), []);
});

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

/** `ip -j rule` in a client in mode quic that is up, TCP sticky over two paths. */
const STICKY: Rule[] = [
  rule({ priority: 0, table: 'local' }),
  rule({ priority: 98, fwmark: '0xcb21', table: '52001' }),
  rule({ priority: 98, fwmark: '0xcb22', table: '52002' }),
  rule({ priority: 100, fwmark: '0xca6d' }),
  rule({ priority: 101, not: null, fwmark: '0xca6d', table: '51821' }),
  rule({ priority: 32766 }),
];
const QUIC = STICKY.filter(({ priority }) => priority !== 98);
const quic = (rules: readonly Rule[], tcp: RulesWish['tcp'] = 'none', family: 4 | 6 = 4): Finding =>
  judge(family, rules, { mode: 'quic', tcp, paths: PATHS });

test('mode quic: its rules, and those of sticky TCP, which are IPv4’s', () => {
  assert.equal(quic(QUIC).found, 'fwmark 51821 lookup main; not fwmark 51821 lookup 51821');
  assert.match(quic(STICKY, 'sticky').found, /; TCP on 2 paths before them$/);
  assert.equal(quic(QUIC, 'sticky', 6).ok, true);
  assert.deepEqual([isUp(QUIC), isUp(QUIC.slice(0, 1))], [true, false]);
  assert.deepEqual([RULES, QUIC, [], QUIC.slice(0, 2)].map(modeOfRules), [
    'wireguard',
    'quic',
    undefined,
    undefined,
  ]);
  refused(quic(QUIC.filter(({ priority }) => priority !== 101)), /missing: not fwmark 51821/, SET_UP);
  refused(quic(STICKY.slice(0, 2).concat(QUIC), 'sticky'), /missing: fwmark 52002 lookup 52002$/, SET_UP);
  refused(quic(RULES), /missing: not fwmark 51821 lookup 51821/, SET_UP);
});

for (const [what, rules, mode, left, remedy] of [
  ['the last of mode wireguard', [...QUIC, RULES[3]], 'quic', 'mode wireguard', 'ip rule delete pref 102'],
  [
    'one of mode wireguard beside ours',
    [...QUIC, RULES[2]],
    'quic',
    'mode wireguard',
    'ip rule delete pref 101 from all fwmark 51820 lookup 51821',
  ],
  [
    'sticky TCP',
    STICKY,
    'quic',
    'sticky TCP',
    'ip rule delete pref 98 from all fwmark 52001 lookup 52001; ip rule delete pref 98 from all fwmark 52002 lookup 52002',
  ],
  ['a kernel split', [...QUIC, SPLIT], 'quic', 'a kernel split', 'ip rule delete pref 99'],
  [
    'mode quic, by which programs pass by the comp server',
    [...RULES, STICKY[4]],
    'wireguard',
    'mode quic',
    'ip rule delete pref 101 not from all fwmark 51821 lookup 51821',
  ],
] as const)
  test(`left over: ${what}`, () => {
    const finding = judge(4, rules as Rule[], { mode, tcp: 'none', paths: PATHS });
    refused(finding, new RegExp(`^left over from ${left}: "`), remedy);
  });

test('the table of a path that TCP keeps to: it, and nothing else', () => {
  const wish: TableWish = {
    ...{ id: 'table-52001', family: 4, table: 52001 },
    ...{ through: ['wgnet1'], leads: true, standbys: [] },
  };
  const own = { ...way('wgnet1'), table: '52001' };
  const end = { ...UNREACHABLE, table: '52001' };
  assert.equal(judgeTable(wish, [own, end]).found, 'wgnet1, then unreachable');
  refused(judgeTable(wish, [own]), /its connections would go by another, and break/, SET_UP);
  refused(judgeTable(wish, [end]), /it leads to no wgnet1/, SET_UP);
  refused(
    judgeTable(wish, [own, { ...own, dev: 'wgnet2', metric: 1 }, end]),
    /leads elsewhere/,
    `ip route delete default dev wgnet2 metric 1 table 52001; ${SET_UP}`,
  );
});
