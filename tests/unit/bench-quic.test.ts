/** The pure parts of bench/quic.ts: what is read, which path was in force, figures, verdicts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Case,
  casesOf,
  type Extent,
  GROUPS,
  groupsFrom,
  nameOf,
  smaller,
} from '../../bench/quic/cases.ts';
import { arrivalsIn, courseOf, switchesIn, switchesWithin } from '../../bench/quic/downlink.ts';
import { roundTripsIn, wayLines } from '../../bench/quic/far.ts';
import { readBrowse, readFetch } from '../../bench/quic/measure.ts';
import { type Row, rowOf, type Sample } from '../../bench/quic/rows.ts';
import { cellsOf, HEAD, plot } from '../../bench/quic/text.ts';
import { type Distance, verdictsOf } from '../../bench/quic/verdict.ts';
import type { Switch } from '../../client/scripts/lib/trace/record.ts';

const EXTENT: Extent = {
  rounds: 3,
  other_rounds: 1,
  line_mbit: 40,
  queue_ms: 5,
  limit: 100,
  periods: [0.5, 0.2, 0.1],
};
const PATHS = new Map([
  ['198.51.100.11', 'wgnet1'],
  ['198.51.100.12', 'wgnet2'],
]);

const sample = (parts: Partial<Sample> = {}): Sample => ({
  ...{ round: 0, seconds: 12.7, finished: true, identical: true, trouble: null, missed: 0 },
  ...{ bytes: { wgnet1: 33, wgnet2: 33, wgnet3: 34 }, followed: 0.97, in_force: 0.9 },
  ...{ connections: 1, addresses: 3, switches: 60, past: 0 },
  ...parts,
});

const CASES: Case[] = GROUPS.flatMap((group) => casesOf(group, EXTENT));
const rowWith = (one: Case, parts: Partial<Sample> = {}): Row =>
  rowOf(one, [sample(parts)], [sample({ seconds: 12.5 })]);
const FAR: Distance = {
  ...{ wanted: [20, 40, 80], alone: [0.7, 0.7, 0.7], round_trips: [20.9, 40.9, 81] },
  precision: { packets: 9, lost: 0, late: { median: 0.0001, p99: 0.0002, most: 0.001 }, processor: 1 },
};
const missed = (rows: readonly Row[], far: readonly Distance[] = [FAR]): string[] =>
  verdictsOf(rows, far).flatMap(({ what, verdict }) => (verdict === 'missed' ? [what] : []));

test('groups have a key and their cases a name of their own; no switching comes first', () => {
  assert.equal(new Set(GROUPS.map(({ key }) => key)).size, GROUPS.length);
  assert.equal(new Set(CASES.map(nameOf)).size, CASES.length);
  assert.equal(casesOf(GROUPS[0] as never, EXTENT)[0].period, null);
  assert.deepEqual(
    groupsFrom('curl, chromium').map(({ key }) => key),
    ['chromium', 'curl'],
  );
  assert.equal(smaller(GROUPS, 10).length, GROUPS.length - 1);
  assert.ok(smaller(GROUPS, 10).every(({ megabytes }) => megabytes === 10));
  assert.throws(() => groupsFrom('curl,firefox'), /--only firefox: expected some of chromium, /);
});

test('each byte is counted on its path, and followed where that was in force when it came', () => {
  const arrivals = arrivalsIn(
    [
      '1700000000.000000 IP 198.51.100.11.51820 > 192.0.2.2.40001: UDP, length 1000',
      '1700000001.100000 IP 198.51.100.11.51820 > 192.0.2.2.40001: UDP, length 100',
      '1700000002.050000 IP 198.51.100.11.51820 > 192.0.2.2.40001: UDP, length 20',
      '1700000002.500000 IP 198.51.100.11.51820 > 192.0.2.2.40001: UDP, length 300',
      '1700000002.600000 IP 198.51.100.12.51820 > 192.0.2.2.40002: UDP, length 580',
      '1700000002.700000 IP 203.0.113.9.51820 > 192.0.2.2.40002: UDP, length 7000',
      'reading from file downlink.pcap, link-type EN10MB (Ethernet)',
    ].join('\n'),
  );
  assert.equal(arrivals.length, 6);
  const line = (n: number, time: number, path: string): string =>
    JSON.stringify({ event: 'switch', n, due: time, time, done: time + 0.1, path, from: null });
  const begun = 1_700_000_001;
  const log = `{"event":"start"}\n${line(0, begun, 'wgnet1')}\n${line(1, begun + 1, 'wgnet2')}\n{"event":"swi`;
  const switches = switchesIn(log);
  assert.deepEqual(
    switches.map(({ path }) => path),
    ['wgnet1', 'wgnet2'],
  );
  // Of 1000 bytes behind the first switch, 300 came by the path that was left already; 20 while it was being left.
  const found = courseOf(arrivals, switches, PATHS);
  assert.deepEqual(found, { bytes: { wgnet1: 1420, wgnet2: 580 }, share: 0.7 });
  assert.equal(switchesWithin(arrivals, switches), 2);
  assert.equal(switchesWithin(arrivals.slice(0, 2), switches), 0);
  assert.equal(switchesWithin([], switches), 0);
  // As the server sends them: the proxy is whom they go to.
  const sent = arrivals.map((arrival) => ({ ...arrival, from: '203.0.113.81', to: arrival.from }));
  assert.deepEqual(courseOf(sent, switches, PATHS), found);
  assert.equal(courseOf(arrivals, [] as Switch[], PATHS).share, null);
});

test('what the clients print is read; one that took too long is told from one that failed', () => {
  assert.deepEqual(readFetch('0 12745e-3 abc\n'), { seconds: 12.745, sha256: 'abc', trouble: undefined });
  assert.equal(readFetch('124 100001e-3 abc\n').seconds, undefined);
  assert.equal(readFetch('124 100001e-3 abc\n').trouble, undefined);
  assert.equal(readFetch('7 3e-3 none\ncurl: (7) no way\n').trouble, 'exit code 7: curl: (7) no way');
  assert.deepEqual(readBrowse('{"bytes":9,"sha256":"abc","seconds":2.5,"protocol":"h3"}'), {
    ...{ seconds: 2.5, sha256: 'abc', trouble: undefined },
  });
  assert.equal(readBrowse('{"sha256":"abc","seconds":1,"protocol":"h2"}').trouble, 'it came by h2');
  assert.equal(readBrowse('{"trouble":"late","kind":"timeout"}').trouble, undefined);
  assert.equal(readBrowse('{"trouble":"no such name","kind":"dns"}').trouble, 'no such name');
  assert.deepEqual(
    roundTripsIn('64 bytes from 10.45.0.2: icmp_seq=1 ttl=64 time=20.4 ms\nrtt min/avg'),
    [20.4],
  );
  assert.deepEqual(
    wayLines('add', 2, '198.51.100.12', '192.0.2.2')
      .slice(2)
      .map((line) => line.replace('add', 'delete')),
    wayLines('delete', 2, '198.51.100.12', '192.0.2.2'),
  );
});

test('a row has medians, and ratios of the same round; what did not come to its end is a lower bound', () => {
  const [base, quick] = CASES as [Case, Case];
  const bases = [1, 2, 4].map((seconds, round) => sample({ seconds, round, followed: null }));
  const row = rowOf(
    quick,
    [1.1, 2.4, 5].map((seconds, round) => sample({ seconds, round, past: round, addresses: 3 - round })),
    bases,
  );
  assert.equal(row.seconds, 2.4);
  assert.ok(Math.abs(row.ratio.median - 1.2) < 1e-9);
  assert.deepEqual([row.past, row.addresses, row.over, row.wrong], [3, 1, false, 0]);
  assert.equal(rowOf(base, bases, bases).followed, null);
  const over = rowOf(
    quick,
    [sample({ seconds: 100, finished: false, identical: false })],
    [sample({ seconds: 10 })],
  );
  assert.equal(over.wrong, 0);
  assert.deepEqual(cellsOf(over).slice(1, 3), ['over 100.0', 'over 10.00']);
  const failed = sample({ finished: false, identical: false, trouble: 'exit code 7' });
  assert.equal(rowOf(quick, [failed], bases).wrong, 1);
  assert.equal(rowOf(quick, [sample({ identical: false })], bases).wrong, 1);
});

test('where all holds all is met, and each claim is missed by what breaks it', () => {
  const good = CASES.map((one) => rowWith(one));
  assert.deepEqual(
    verdictsOf(good, [FAR]).filter(({ verdict }) => verdict !== 'met'),
    [],
  );
  const with1 = (index: number, parts: Partial<Sample>): Row[] =>
    CASES.map((one, i) => rowWith(one, i === index ? parts : {}));
  const far = CASES.findIndex(({ group, period }) => group.key === 'chromium-far' && period === 0.1);
  const curl = CASES.findIndex(({ group, period }) => group.key === 'curl' && period === 0.1);
  assert.match(
    missed(with1(3, { seconds: 13.2 })).join(),
    /^Chromium, 60 MB, every 100 ms: time 1\.05 or less/,
  );
  assert.equal(missed(with1(3, { seconds: 12.6, finished: false })).length, 1);
  // Of others nothing is claimed.
  for (const index of [far, curl]) assert.deepEqual(missed(with1(index, { seconds: 90 })), []);
  const uneven = { bytes: { wgnet1: 39, wgnet2: 31, wgnet3: 30 } };
  assert.match(
    missed(with1(2, uneven)).join(),
    /^each path’s share of the downlink, equal paths, 60 MB: 28 to 38 %$/,
  );
  assert.deepEqual(missed(with1(6, uneven)), []);
  assert.match(missed(with1(far, { connections: 2 })).join(), /^connections at the server/);
  assert.match(missed(with1(curl, { addresses: 2 })).join(), /^addresses proved there/);
  assert.deepEqual(missed(with1(0, { addresses: 1 })), []);
  assert.match(missed(with1(far, { identical: false })).join(), /whose file is another: 0$/);
  assert.match(
    missed(with1(far, { trouble: 'exit code 7', finished: false })).join(),
    /^downloads that failed/,
  );
  assert.match(missed(with1(0, { past: 1 })).join(), /^packets past the tunnels/);
  const late: Distance = { ...FAR, round_trips: [20.9, 42, 81] };
  assert.match(missed(good, [late]).join(), /^a far proxy is as far/);
  assert.match(missed(good, [{ ...FAR, precision: { ...FAR.precision, lost: 1 } }]).join(), /^a far proxy/);
  const silent: Distance = { ...FAR, round_trips: [20.9, Number.NaN, 81] };
  assert.match(missed(good, [silent]).join(), /^a far proxy/);
  assert.equal(verdictsOf([], []).filter(({ verdict }) => verdict !== 'not measured').length, 0);
});

test('the table has a cell a column, and the plot a name and a bar a case, on any ground', () => {
  const rows = CASES.map((one) =>
    rowWith(one, one.period === null ? { followed: null, in_force: null } : {}),
  );
  for (const row of rows) assert.equal(cellsOf(row).length, HEAD.length);
  const svg = plot(rows, ['a < b']);
  assert.match(svg, /prefers-color-scheme: dark/);
  assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
  for (const { name } of rows) assert.equal(svg.split(`>${name}</text>`).length - 1, 1);
  const base = CASES.filter(({ period }) => period === null).length;
  assert.equal(svg.split('<rect').length - 1, 4 * CASES.length - base);
  assert.equal(svg.split('class="base"').length - 1, 3 * base);
});
