import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Plan } from '../../client/scripts/lib/migration.ts';
import { firstEntries } from '../../client/scripts/lib/schedule.ts';
import { choose } from '../../client/scripts/lib/strategy.ts';
import { INTERFACES, planOf, play, roundRobin } from '../migrate-world.ts';

const SEEDED = ['none', 'rr', 'ur', 'wr'] as const;

test('each entry is one command and one line, at its time', async () => {
  const { lines, commands, totals, warnings } = await play({ ...roundRobin(), switches: 2 });
  assert.deepEqual(commands, [
    'route replace default dev wgnet1 table 51821',
    'route replace default dev wgnet2 table 51821',
    'route replace default dev wgnet3 table 51821',
  ]);
  const event = 'switch';
  assert.deepEqual(lines, [
    { event, n: 0, due: 1000, time: 1000, done: 1000.0001, path: 'wgnet1', from: null },
    { event, n: 1, due: 1000.1, time: 1000.1, done: 1000.1001, path: 'wgnet2', from: 'wgnet1' },
    { event, n: 2, due: 1000.2, time: 1000.2, done: 1000.2001, path: 'wgnet3', from: 'wgnet2' },
  ]);
  assert.deepEqual(totals, {
    reason: 'switches',
    path: 'wgnet3',
    entries: 3,
    switches: 3,
    errors: 0,
    skipped: 0,
  });
  assert.deepEqual(warnings, []);
});

test('what the log tells is the schedule of the seed, for every strategy', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...SEEDED), fc.nat(), async (name, seed) => {
      const choice = choose(name, { seed, paths: 3 });
      const { lines } = await play({ ...planOf(choice), switches: 19 });
      const told = lines.map((line) => (line.event === 'switch' ? line.path : line.event));
      const planned = firstEntries(choice.paths, 0.1, name === 'none' ? 1 : 20);
      assert.deepEqual(
        told,
        planned.map(({ path }) => INTERFACES[path]),
      );
    }),
  );
});

test('it ends at a duration, at a number of switches, at a signal', async () => {
  const atDuration = await play({ ...roundRobin(), duration: 0.35 });
  assert.equal(atDuration.totals.reason, 'duration');
  assert.equal(atDuration.totals.entries, 4);
  assert.equal((await play({ ...roundRobin(), duration: 0 })).totals.entries, 0);
  assert.equal((await play({ ...roundRobin(), switches: 0 })).totals.entries, 1);
  const stopped = await play(roundRobin(), { stopAt: 3 });
  assert.equal(stopped.totals.reason, 'SIGTERM');
  assert.equal(stopped.totals.entries, 2);
});

test('a small delay is made up for: no drift', async () => {
  const { lines, totals } = await play({ ...roundRobin(), switches: 50 }, { delay: () => 30 });
  const last = lines.at(-1);
  assert.ok(last?.event === 'switch' && last.due === 1005 && last.time === 1005.03);
  assert.equal(totals.skipped, 0);
});

test('after a long halt it goes on where the clock is, and says what it left out', async () => {
  const { lines, totals } = await play(
    { ...roundRobin(), switches: 9 },
    { delay: (wait) => (wait === 2 ? 450 : 0) },
  );
  assert.deepEqual(
    lines.map((line) => ('n' in line ? `${line.event} ${line.n}` : line.event)),
    ['switch 0', 'switch 1', 'late 2', 'switch 6', 'switch 7', 'switch 8', 'switch 9'],
  );
  assert.deepEqual(lines[2], { event: 'late', n: 2, time: 1000.65, skipped: 4, late: 0.45 });
  const next = lines[3];
  // Entry 6 of round robin from path 0 is path 0: the strategy goes on counting meanwhile.
  assert.ok(next?.event === 'switch' && next.path === 'wgnet1' && next.due === 1000.6);
  assert.equal(totals.skipped, 4);
});

test('a path that fails is said once, tried at each of its turns, and said when it works again', async () => {
  const { lines, warnings, totals } = await play(
    { ...roundRobin(), switches: 8 },
    { refuses: (path, n) => (path === 'wgnet2' && n < 6 ? 'Cannot find device "wgnet2"' : undefined) },
  );
  assert.deepEqual(
    lines.map((line) => line.event),
    ['switch', 'error', 'switch', 'switch', 'error', 'switch', 'switch', 'switch', 'switch'],
  );
  assert.deepEqual(lines[1], {
    event: 'error',
    n: 1,
    due: 1000.1,
    time: 1000.1,
    path: 'wgnet2',
    stays: 'wgnet1',
    message: 'Cannot find device "wgnet2"',
  });
  const after = lines[2];
  assert.ok(after?.event === 'switch' && after.from === 'wgnet1' && after.path === 'wgnet3');
  assert.deepEqual(warnings, [
    'wgnet2: Cannot find device "wgnet2"; it is tried again at each of its turns',
    'wgnet2: works again',
  ]);
  assert.equal(totals.errors, 2);
  assert.equal(totals.entries, 7);
});

test('none is one line however long it holds, asks for its path every period, and tells of trouble', async () => {
  const plan = (): Plan => ({ ...planOf(choose('none', { seed: 1, paths: 3, first: 1 })), switches: 6 });
  const calm = await play(plan());
  assert.equal(calm.lines.length, 1);
  assert.equal(calm.commands.length, 7);
  const troubled = await play(plan(), { refuses: (_, n) => (n === 2 ? 'Network is down' : undefined) });
  assert.deepEqual(
    troubled.lines.map((line) => ('n' in line ? `${line.event} ${line.n}` : line.event)),
    ['switch 0', 'error 2', 'switch 3'],
  );
});

test('where no path can be set, it goes on trying and reports none', async () => {
  const { totals, warnings } = await play({ ...roundRobin(), switches: 20 }, { refuses: () => 'no' });
  assert.deepEqual([totals.path, totals.entries, totals.errors], [null, 0, 21]);
  assert.equal(warnings.length, 3);
});

test('a clock that somebody sets is followed, and told', async () => {
  const { lines } = await play({ ...roundRobin(), switches: 3 }, { step: (wait) => (wait === 2 ? 3600 : 0) });
  assert.deepEqual(lines[1], { event: 'clock', time: 4600.1, step: 3600 });
  const next = lines[2];
  assert.ok(next?.event === 'switch' && next.n === 1 && next.time === 4600.1 && next.due === 4600.1);
});
