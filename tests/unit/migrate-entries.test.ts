/** Schedules that are no period's, and paths that are left out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { firstEntries } from '../../client/scripts/lib/schedule.ts';
import { readAnySchedule, readSchedule } from '../../client/scripts/lib/schedule-file.ts';
import { SCHEDULE_VERSION } from '../../client/scripts/lib/schedule-text.ts';
import { choose } from '../../client/scripts/lib/strategy.ts';
import { INTERFACES, planOf, play, roundRobin } from '../migrate-world.ts';

const roundRobinPaths = (): Iterable<number> => choose('rr', { seed: 1, paths: 3, first: 0 }).paths;
const pathOf = (line: object | undefined): string =>
  line !== undefined && 'path' in line ? String(line.path) : '';

test('entries of any times are carried out at theirs; a list that ends is the end', async () => {
  const list = [
    { n: 3, at: 0.05, path: 2 },
    { n: 4, at: 0.051, path: 0 },
    { n: 9, at: 7.25, path: 0 },
  ];
  const { lines, totals } = await play({ interfaces: INTERFACES, entries: list, holds: false });
  assert.deepEqual(
    lines.map((line) => (line.event === 'switch' ? [line.n, line.due, line.path] : line.event)),
    [
      [3, 1000.05, 'wgnet3'],
      [4, 1000.051, 'wgnet1'],
      [9, 1007.25, 'wgnet1'],
    ],
  );
  assert.equal(totals.reason, 'schedule');
});

test('of entries that come up late, those whose successor is due are left out, and never the last', async () => {
  const entriesAt = (...times: number[]) => times.map((at, n) => ({ n, at, path: n % 3 }));
  const times = fc.uniqueArray(fc.nat(1000), { minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(times, fc.array(fc.nat(400)), async (all, delays) => {
      const list = entriesAt(...all.sort((a, b) => a - b).map((ms) => ms / 100));
      const { lines, totals } = await play(
        { interfaces: INTERFACES, entries: list, holds: false },
        { delay: (wait) => delays[wait] ?? 0 },
      );
      let next = 0;
      for (const line of lines) {
        assert.ok(line.event === 'switch' || line.event === 'late');
        assert.equal(line.n, next);
        next += line.event === 'late' ? line.skipped : 1;
        const after = list[next];
        // The next one's time has not come, or it is the one that this line makes way for.
        if (line.event === 'switch' && after !== undefined) assert.ok(1000 + after.at > line.time - 1e-6);
      }
      assert.equal(next, list.length);
      assert.ok(lines.at(-1)?.event === 'switch');
      assert.equal(totals.entries + totals.skipped, list.length);
    }),
  );
});

test('an entry whose path is left out stays where it is, else goes to the next; the plan goes on beneath', async () => {
  // Round robin 0 1 2 0 1 2 …; path 1 is out from entry 1 on, and back for entry 9.
  const { lines, totals } = await play(
    { ...roundRobin(), switches: 10 },
    { out: (wait) => (wait >= 1 && wait < 9 ? [1] : []) },
  );
  const told = lines.map((line) =>
    line.event === 'switch' ? [line.n, line.path, line.planned] : line.event,
  );
  assert.deepEqual(told, [
    [0, 'wgnet1', undefined],
    [1, 'wgnet1', 'wgnet2'],
    [2, 'wgnet3', undefined],
    [3, 'wgnet1', undefined],
    [4, 'wgnet1', 'wgnet2'],
    [5, 'wgnet3', undefined],
    [6, 'wgnet1', undefined],
    [7, 'wgnet1', 'wgnet2'],
    [8, 'wgnet3', undefined],
    [9, 'wgnet1', undefined],
    [10, 'wgnet2', undefined],
  ]);
  assert.equal(totals.entries, 11);
});

test('the path in force is left at once where it is left out, and taken again where it is back', async () => {
  const held = planOf(choose('none', { seed: 1, paths: 3, first: 1 }));
  const { lines, commands } = await play(
    { ...held, switches: 8 },
    { out: (wait) => (wait >= 3 && wait < 6 ? [1, 2] : []) },
  );
  const moves = lines.map((line) => ('from' in line ? [line.event, line.n, line.from, line.path] : line));
  assert.deepEqual(moves, [
    ['switch', 0, null, 'wgnet2'],
    ['detour', 2, 'wgnet2', 'wgnet1'],
    ['detour', 5, 'wgnet1', 'wgnet2'],
  ]);
  assert.equal(commands.filter((command) => command.includes('wgnet1')).length, 4);
});

test('where all paths are left out the route stays, and the schedule goes on when one is back', async () => {
  const { lines } = await play(
    { ...roundRobin(), switches: 6 },
    { out: (wait) => (wait >= 2 && wait < 6 ? [0, 1, 2] : []) },
  );
  assert.deepEqual(
    lines.map((line) => ('path' in line ? `${line.event} ${line.n} ${line.path}` : line.event)),
    [
      ...['switch 0 wgnet1', 'switch 1 wgnet2', 'switch 2 wgnet2', 'switch 3 wgnet2', 'switch 4 wgnet2'],
      ...['switch 5 wgnet2', 'detour 5 wgnet3', 'switch 6 wgnet1'],
    ],
  );
});

test('an entry that fails elsewhere than planned says what was planned: its log gives the schedule again', async () => {
  const { lines } = await play(
    { ...roundRobin(), switches: 4 },
    { out: (wait) => (wait === 0 ? [0] : []), refuses: (path, nth) => (nth < 1 ? `no ${path}` : undefined) },
  );
  const [first] = lines;
  assert.ok(first?.event === 'error');
  assert.deepEqual([first.path, first.planned, first.stays], ['wgnet2', 'wgnet1', null]);
  const log = [{ event: 'start', interfaces: INTERFACES }, ...lines].map((line) => JSON.stringify(line));
  assert.deepEqual(readSchedule(log.join('\n'), 'log').entries, firstEntries(roundRobinPaths(), 0.1, 5));
});

test('the log of a run in which entries fail, come up late and make detours is its plan again, whatever happens', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('rr', 'ur', 'wr', 'fixed'),
      fc.nat(1e6),
      fc.array(fc.nat(350), { maxLength: 40 }),
      fc.array(fc.boolean(), { maxLength: 60 }),
      fc.array(fc.subarray([0, 1, 2]), { maxLength: 40 }),
      async (strategy, seed, delays, refused, out) => {
        const choice = choose(strategy, {
          ...{ seed, paths: 3 },
          weights: strategy === 'fixed' ? [5, 3, 2] : undefined,
        });
        const { lines } = await play(
          { ...planOf(choice), switches: 40 },
          {
            delay: (wait) => delays[wait] ?? 0,
            refuses: (_, nth) => (refused[nth] ? 'no' : undefined),
            out: (wait) => out[wait] ?? [],
          },
        );
        const drawn = { version: SCHEDULE_VERSION, strategy, period: 0.1, seed, first: 'random' };
        const start = { event: 'start', ...drawn, weights: choice.weights, interfaces: INTERFACES };
        const log = [start, ...lines].map((line) => JSON.stringify(line)).join('\n');
        assert.deepEqual(readSchedule(log, 'log').entries, firstEntries(choice.paths, 0.1, 41));
        // And what was used can be told as well.
        const used = readAnySchedule(log, 'log', { which: 'used' }).entries;
        const moves = lines.filter(({ event }) => event === 'switch' || event === 'detour');
        assert.equal(used.at(-1)?.path ?? -1, INTERFACES.indexOf(pathOf(moves.at(-1))));
      },
    ),
  );
});
