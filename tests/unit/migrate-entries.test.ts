/** Schedules that are no period's, and paths that are left out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { choose } from '../../client/scripts/lib/strategy.ts';
import { INTERFACES, planOf, play, roundRobin } from '../migrate-world.ts';

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
    ['health', 2, 'wgnet2', 'wgnet1'],
    ['health', 5, 'wgnet1', 'wgnet2'],
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
      ...['switch 5 wgnet2', 'health 5 wgnet3', 'switch 6 wgnet1'],
    ],
  );
});
