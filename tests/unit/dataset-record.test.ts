import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { FailureKind, Switch, TraceRecord } from '../../client/scripts/lib/trace/record.ts';
import { readLog } from '../../scripts/lib/dataset/check-log.ts';
import { checkRecord } from '../../scripts/lib/dataset/check-record.ts';
import { checkSwitches, gapsIn } from '../../scripts/lib/dataset/check-schedule.ts';
import { pcapBytes, udpPacket } from '../pcap-writer.ts';
import { writeRun } from '../synthetic-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-record-'));
after(() => rmSync(folder, { recursive: true }));

const large = writeRun(folder).find((made) => made.folder === '0002-0000.1')?.records ?? [];
const record = large[0] as TraceRecord;
const START = Math.round(record.started * 1e6) + 400_000;
const out = (us: number) => ({ us: START + us, bytes: udpPacket(record.client_address, '192.0.2.20', 100) });
const back = (us: number) => ({ us: START + us, bytes: udpPacket('192.0.2.20', record.client_address, 200) });
const found = (change: Partial<TraceRecord>): string =>
  checkRecord({ ...record, ...change }).found.join('; ');
const withPackets = (packets: Parameters<typeof pcapBytes>[0], link = 101): string => {
  const totals = { packets_out: 1, packets_in: 1, bytes_out: 100, bytes_in: 200 };
  return found({ ...totals, packets: pcapBytes(packets, { link }).toString('base64') });
};

test('a record by itself: its packets against its totals, its times and its status', () => {
  assert.equal(found({}), '');
  assert.equal(withPackets([out(0), back(9)]), '');
  assert.match(withPackets([]), /none in the capture/);
  assert.match(withPackets([out(0), out(9)]), /packets_out is 1, its packets say 2/);
  assert.match(
    withPackets([out(0), back(9), back(10)]),
    /packets_in is 1, its packets say 2; bytes_in is 200/,
  );
  assert.equal(withPackets([out(900), back(0)]), '', 'microseconds of disorder');
  assert.match(withPackets([out(90_000), back(0)]), /go back in time by up to 0\.090000 s/);
  assert.match(withPackets([out(0), back(9e7)]), /1 packets are outside of started to ended/);
  const strange = { us: START, bytes: udpPacket('10.45.0.99', '192.0.2.20', 100) };
  assert.match(withPackets([out(0), back(9), strange]), /1 packets are neither from nor to 10\.45\.0\.5/);
  assert.match(withPackets([out(0), back(9)], 105), /link type 105/);
  assert.match(found({ packets: record.packets.slice(0, -4) }), /cut off in a packet/);
  assert.match(found({ packets: record.packets.replaceAll('/', '_') }), /no padded standard base64/);
  assert.match(found({ packets: '' }), /shorter than the header/);
  assert.match(found({ status: 'timeout' }), /status timeout and failure null.*with packets/);
  const failure = { kind: 'new' as FailureKind, message: '' };
  assert.match(found({ failure }), /failure is new, a kind that this version does not know/);
  assert.match(found({ loaded: null }), /without a load event/);
  assert.match(found({ loaded: record.started - 1 }), /not in this order/);
  assert.equal(found({ label: 7 }), '', 'merged runs have other labels');
  assert.match(found({ instance: 7 }), /visit 0002-0000 has instance 7/);
  for (const change of [{ url: 'https://other.example/' }, { run_seed: 43 }, { instance: 1 }])
    assert.match(found(change), /seed \d+ does not follow from run_seed, url and instance/);
});

const changed = (n: number, change: Partial<Switch>): string =>
  checkSwitches(
    record,
    record.switches.map((one) => (one.n === n ? { ...one, ...change } : one)),
  ).join('; ');

test('switches against the schedule that the seed gives', () => {
  const { switches } = record;
  assert.ok(switches.length > 10);
  assert.deepEqual(checkSwitches(record, switches), []);
  assert.deepEqual(checkSwitches(record, []), []);
  const third = switches[3] as Switch;
  const other = record.interfaces.find((name) => name !== third.path) as string;
  assert.match(
    changed(switches.length - 1, { path: other === switches.at(-1)?.path ? third.path : other }),
    /goes to .*, the schedule of seed/,
  );
  assert.match(changed(3, { due: third.due - 0.02 }), /switch 3 is due 0\.020 s off/);
  assert.match(changed(3, { time: third.due - 0.001 }), /begins before it is due/);
  assert.match(changed(3, { done: third.time - 0.001 }), /done before it begins/);
  assert.match(changed(3, { from: 'wgnet9' }), /comes from wgnet9/);
  assert.match(changed(0, { from: 'wgnet1' }), /the first switch comes from/);
  assert.match(changed(3, { n: 2 }), /switch 2 comes after switch 2/);
  assert.match(changed(switches.length - 1, { n: 1e15 }), /beyond what the visit's time holds/);
  assert.match(checkSwitches({ ...record, weights: [1, 0, 0] }, switches).join(), /weights/);
  assert.match(checkSwitches({ ...record, seed: record.seed + 1 }, switches).join(), /weights.*schedule/);
});

test('entries that are missing need a reason in the log', () => {
  const some = record.switches.filter(({ n }) => n !== 2 && n !== 3);
  assert.equal(gapsIn(record.switches, new Set()), 0);
  assert.equal(gapsIn(some, new Set([2])), 1);
  const late = { event: 'late', n: 2, time: 1, skipped: 2, late: 1 };
  const log = readLog([...some, late].map((line) => JSON.stringify(line)).join('\n'));
  assert.deepEqual([log.problems, gapsIn(log.switches, log.explained)], [[], 0]);
  assert.deepEqual(readLog('null\n[]\n{}').problems.length, 3);
});
