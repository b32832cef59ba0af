import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  clearCommands,
  countsIn,
  cycleLength,
  layCommands,
  markOf,
  pointTo,
  splitTable,
  standbyOver,
  wg0In,
} from '../../client/scripts/lib/split-rules.ts';

const NAMES = ['wgnet1', 'wgnet2', 'wgnet3'];
const PATHS = NAMES.map((name, i) => ({ name, address: `10.45.0.${5 + i}`, mtu: 1420 - i }));

const runsOf = (paths: number) =>
  fc.array(fc.record({ path: fc.nat(paths - 1), packets: fc.integer({ min: 1, max: 90 }) }), {
    minLength: 1,
  });

/** What the map in a table says for each number, read as nft reads it. */
function marksIn(text: string): number[] {
  const [, cycle, map] = /numgen inc mod (\d+) map \{ (.*) \}/.exec(text) ?? [];
  const marks: number[] = [];
  for (const part of map?.split(', ') ?? []) {
    const [, from, to = from, mark] = /^(\d+)(?:-(\d+))? : (\d+)$/.exec(part) ?? [];
    for (let n = Number(from); n <= Number(to); n++) {
      assert.equal(marks[n], undefined, `${n} comes twice`);
      marks[n] = Number(mark);
    }
  }
  assert.equal(marks.length, Number(cycle));
  assert.ok(!marks.includes(undefined as never));
  return marks;
}

test('the map gives each packet number the mark of its path, each number once, none beside', () => {
  fc.assert(
    fc.property(runsOf(3), fc.boolean(), (runs, joins) => {
      const marks = marksIn(splitTable({ paths: PATHS, runs, joins }));
      const expected = runs.flatMap(({ path, packets }) => new Array<number>(packets).fill(51_901 + path));
      assert.deepEqual(marks, expected);
      assert.equal(cycleLength(runs), expected.length);
    }),
  );
});

test('the table as a whole: in place of another one, a guard, an address and a counter a path', () => {
  const runs = [
    { path: 0, packets: 2 },
    { path: 2, packets: 1 },
  ];
  assert.equal(
    splitTable({ paths: PATHS, runs, joins: true }),
    `table inet comps_split
delete table inet comps_split
table inet comps_split {
	counter wgnet1 { }
	counter wgnet2 { }
	counter wgnet3 { }
	chain output {
		type route hook output priority mangle + 1; policy accept;
		meta nfproto ipv4 meta mark 51820 meta length <= 1420 meta mark set numgen inc mod 3 map { 0-1 : 51901, 2 : 51903 }
	}
	chain postrouting {
		type filter hook postrouting priority mangle; policy accept;
		meta mark 51900-51999 oifname != "wgnet*" drop
		meta mark 51900-51999 oifname "wgnet1" ip saddr set 10.45.0.5 counter name "wgnet1"
		meta mark 51900-51999 oifname "wgnet2" ip saddr set 10.45.0.6 counter name "wgnet2"
		meta mark 51900-51999 oifname "wgnet3" ip saddr set 10.45.0.7 counter name "wgnet3"
	}
}
`,
  );
  assert.doesNotMatch(splitTable({ paths: PATHS, runs, joins: false }), /meta length/);
});

test('a table is closed before it has a path, and has all of them before a rule leads to it', () => {
  const commands = layCommands(NAMES);
  const place = (wanted: string): number => {
    const found = commands.indexOf(wanted);
    assert.notEqual(found, -1, wanted);
    return found;
  };
  for (const [i, name] of NAMES.entries()) {
    const table = 51_901 + i;
    const refusal = place(`route replace unreachable default metric 4294967295 table ${table}`);
    const own = place(`route replace default dev ${name} table ${table}`);
    const rule = place(`rule add pref 99 fwmark ${table} lookup ${table}`);
    for (const [k, other] of NAMES.entries())
      if (other !== name) {
        const standby = place(`route replace default dev ${other} metric ${1001 + k} table ${table}`);
        assert.ok(refusal < standby && standby < rule);
      }
    assert.ok(refusal < own && own < rule);
  }
  assert.equal(commands.length, 3 + 6 + 3 + 3);
  assert.equal(pointTo('wgnet2', 'wgnet3'), 'route replace default dev wgnet3 table 51902');
  assert.deepEqual(standbyOver('wgnet2', 'wgnet3', NAMES), {
    ...{ metric: 1002, command: 'route replace default dev wgnet2 metric 1002 table 51903' },
  });
});

test('marks go by the number in the name, and end at 51999', () => {
  assert.equal(markOf('wgnet7'), 51_907);
  assert.equal(markOf('wgnet99'), 51_999);
  for (const name of ['wgnet0', 'wgnet100', 'wg0']) assert.throws(() => markOf(name), { name: 'Fault' });
});

test('what is left of a split is found, and nothing of others: rules go before tables', () => {
  const rules = [
    { priority: 99, src: 'all', fwmark: '0xcabd', table: '51901' },
    { priority: 99, src: 'all', fwmark: '0xcabe', table: '51902' },
    { priority: 99, src: 'all', table: 'main' },
    { priority: 99, src: 'all', action: 'blackhole' },
  ];
  const routes = [
    { dst: 'default', dev: 'wgnet1', table: '51821' },
    { dst: 'default', dev: 'wgnet1', table: '51901' },
    { dst: 'default', dev: 'wgnet2', table: '51901', metric: 1002 },
    { dst: 'default', dev: 'wgnet9', table: '51909' },
    { dst: 'default', dev: 'x', table: '51900' },
    { dst: 'default', dev: 'x', table: '52000' },
    { dst: '192.0.2.0/24', dev: 'eth0' },
  ];
  assert.deepEqual(clearCommands(JSON.stringify(rules), JSON.stringify(routes)), [
    'rule delete pref 99 lookup 51901',
    'rule delete pref 99 lookup 51902',
    'route flush table 51901',
    'route flush table 51909',
  ]);
  assert.deepEqual(clearCommands('[]', '[]'), []);
  assert.deepEqual(clearCommands('', '\n'), []);
});

test('counters and the device wg0 are read from what nft and ip print', () => {
  const counters = [
    { metainfo: { version: '1.1.3' } },
    { counter: { family: 'inet', name: 'wgnet1', table: 'comps_split', handle: 1, packets: 7, bytes: 700 } },
    { counter: { family: 'inet', name: 'wgnet2', table: 'comps_split', handle: 2, packets: 0, bytes: 0 } },
  ];
  assert.deepEqual(countsIn(JSON.stringify({ nftables: counters })), { wgnet1: 7, wgnet2: 0 });
  const device = { linkinfo: { info_kind: 'tun' }, gso_max_segs: 1, tso_max_segs: 65_535 };
  assert.deepEqual(wg0In(JSON.stringify([device])), { joins: true, now: 1, most: 65_535 });
  const kernel = { ...device, linkinfo: { info_kind: 'wireguard' } };
  assert.equal(wg0In(JSON.stringify([kernel]))?.joins, false);
  assert.equal(wg0In('[]'), undefined);
});
