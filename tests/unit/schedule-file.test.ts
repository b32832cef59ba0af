import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Fault } from '../../client/scripts/lib/fault.ts';
import { cycleOf, packetChoice } from '../../client/scripts/lib/packet-strategy.ts';
import { firstEntries } from '../../client/scripts/lib/schedule.ts';
import { type Heading, readAnySchedule, readSchedule } from '../../client/scripts/lib/schedule-file.ts';
import { SCHEDULE_VERSION, scheduleText } from '../../client/scripts/lib/schedule-text.ts';
import { choose } from '../../client/scripts/lib/strategy.ts';

const names = (paths: number): string[] => Array.from({ length: paths }, (_, i) => `wgnet${i + 1}`);
const heading = (paths: number, more: object = {}): Heading => ({
  ...{ event: 'plan', version: SCHEDULE_VERSION, strategy: 'ur', period: 0.1, seed: 7 },
  interfaces: names(paths),
  ...more,
});

test('what is written is read again, entry for entry and run for run', () =>
  fc.assert(
    fc.property(
      fc.nat(),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 60 }),
      fc.constantFrom(0.001, 0.1, 1 / 3),
      (seed, paths, count, period) => {
        const entries = firstEntries(choose('ur', { seed, paths }).paths, period, count);
        const first = heading(paths, { period });
        const read = readSchedule(scheduleText({ heading: first, entries, runs: [] }), 'f');
        assert.deepEqual(read, { heading: first, interfaces: names(paths), entries });
        const runs = cycleOf(packetChoice('packet', { seed, paths }), count);
        const other = heading(paths, { strategy: 'packet' });
        const any = readAnySchedule(scheduleText({ heading: other, entries: [], runs }), 'f');
        assert.deepEqual([any.runs, any.entries], [runs, []]);
      },
    ),
  ));

const text = (...lines: (object | string)[]): string =>
  lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');

const entry = (n: number, at: unknown, path: unknown = 'wgnet1'): object => ({ event: 'entry', n, at, path });
const run = (n: number, packet: number, packets: unknown, path = 'wgnet1'): object => ({
  ...{ event: 'run', n, packet, packets, path },
});

// What the file holds, and where and why it is refused.
const BAD: [string, string, RegExp][] = [
  ['nothing', '', /^f:1: is empty/],
  ['blank lines', '\n\n', /^f:1: is empty/],
  ['no JSON', 'wgnet1 0.1', /^f:1: is cut off/],
  ['no JSON in the midst', text(heading(2), 'x', entry(1, 0)), /^f:2: is no JSON/],
  ['the last line cut off', text(heading(2), entry(0, 0), '{"event":"ent'), /^f:3: is cut off/],
  ['a list', text('[]'), /^f:1: is no line of a schedule/],
  ['no heading', text(entry(0, 0)), /^f:1: a schedule begins with a plan or start line/],
  ['no interfaces', text({ event: 'plan' }), /^f:1: interfaces is no list of names/],
  [
    'a name with a slash',
    text({ event: 'plan', interfaces: ['../x'] }),
    /^f:1: interfaces is no list of names/,
  ],
  ['a name twice', text({ event: 'plan', interfaces: ['a', 'a'] }), /^f:1: interfaces has a name twice/],
  [
    'an unknown path',
    text(heading(2), entry(0, 0, 'wgnet3')),
    /^f:2: path "wgnet3" is none of wgnet1, wgnet2/,
  ],
  ['no path', text(heading(2), { event: 'entry', n: 0, at: 0 }), /^f:2: path undefined is none of/],
  ['a time that goes back', text(heading(2), entry(0, 1), '', entry(1, 0.5)), /^f:4: 0\.5 s is not later/],
  ['the same time twice', text(heading(2), entry(0, 1), entry(1, 1)), /^f:3: 1 s is not later/],
  ['numbers that go back', text(heading(2), entry(1, 0), entry(1, 1)), /^f:3: entry 1 comes behind entry 1/],
  ['a negative time', text(heading(2), entry(0, -1)), /^f:2: at is no time/],
  ['a time in words', text(heading(2), entry(0, '0')), /^f:2: at is no time/],
  ['no number', text(heading(2), entry(0.5, 0)), /^f:2: n is no whole number/],
  ['two schedules', text(heading(2), entry(0, 0), heading(2)), /^f:3: another schedule begins here/],
  ['a strange line', text(heading(2), { event: 'packet' }), /^f:2: no line of a schedule: event "packet"/],
  ['a run missing', text(heading(2), run(0, 0, 5), run(2, 5, 5)), /^f:3: n is not 1: a line is missing/],
  ['packets missing', text(heading(2), run(0, 0, 5), run(1, 6, 5)), /^f:3: packet is not 5/],
  ['an empty run', text(heading(2), run(0, 0, 0)), /^f:2: packets is no whole number above 0/],
  ['both kinds', text(heading(2), entry(0, 0), run(0, 0, 5)), /^f:3: a run of packets among entries/],
  [
    'both kinds, the other way',
    text(heading(2), run(0, 0, 5), entry(0, 0)),
    /^f:3: an entry of time among runs/,
  ],
  ['bad counts', text(heading(2), { event: 'counts', packets: { wgnet1: -1 } }), /^f:2: the count of wgnet1/],
  ['no entry at all', text(heading(2)), /^f: has no entry/],
];

for (const [what, content, message] of BAD)
  test(`refused: ${what}`, () => {
    assert.throws(
      () => readSchedule(content, 'f'),
      (error) => {
        assert.ok(error instanceof Fault, String(error));
        assert.match(error.message, message);
        assert.notEqual(error.next, undefined, 'a next step');
        return true;
      },
    );
  });
