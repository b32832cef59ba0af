import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { Fault } from '../../scripts/lib/cli.ts';
import { composeWords, newEnough } from '../../scripts/lib/transport/docker.ts';
import { isHealthy, machinesIn } from '../../scripts/lib/wg-migrate/machines.ts';
import { type Measured, median, roundOf, rowsOf, tableOf } from '../../scripts/lib/wg-migrate/perf-plan.ts';
import { carriedIn, pathLines } from '../../scripts/lib/wg-migrate/status.ts';

test('each round has every size with every period and none, begun with another one each time', () => {
  const rounds = [0, 1, 2].map((round) => roundOf(round, [1, 10], [1, 0.1]));
  for (const round of rounds) {
    assert.equal(round.length, 6);
    assert.equal(new Set(round.map(({ size, period }) => `${size} ${period}`)).size, 6);
  }
  assert.deepEqual(
    rounds.map(([first]) => first?.period),
    [null, 1, 0.1],
  );
});

test('the median of an odd and of an even number', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.ok(Number.isNaN(median([])));
});

const of = (size: number, period: number | null, ...times: number[]): Measured[] =>
  times.map((seconds) => ({ size, period, seconds, bytes: size * 2 ** 20 }));

test('rows: sizes upwards, none before the periods, those downwards; rates against none of the same size', () => {
  const rows = rowsOf([...of(10, 0.1, 4, 4), ...of(10, null, 1, 3), ...of(1, 1, 1), ...of(10, 1, 2)]);
  assert.deepEqual(
    rows.map(({ size, period, seconds, ratio }) => [size, period, seconds, ratio]),
    [
      [1, 1, 1, null],
      [10, null, 2, 1],
      [10, 1, 2, 1],
      [10, 0.1, 4, 0.5],
    ],
  );
});

test('the table tells the size once, and seconds, MB/s and the ratio of each row', () => {
  const lines = tableOf([...of(100, null, 2, 4, 3), ...of(100, 0.01, 6, 6, 6)]);
  assert.match(lines[1] ?? '', /^100 MiB +none +3\.00 s +2\.00 … 4\.00 +35\.0 +1\.00$/);
  assert.match(lines[2] ?? '', /^ +every 0\.01 s +6\.00 s +6\.00 … 6\.00 +17\.5 +0\.50$/);
});

test('bytes a path, with the current one marked; wg0 is what they carry', () => {
  const carried = carriedIn('wg0\tK=\t9\t9\nwgnet10\tK=\t1000000\t0\nwgnet2\tK=\t2000000\t1000000\n');
  const lines = pathLines(carried, 'wgnet2').map(stripVTControlCharacters);
  assert.match(lines[0] ?? '', /^ {2}wgnet2 +75 % +down +2\.0 MB +up +1\.0 MB +the current path$/);
  assert.match(lines[1] ?? '', /^ {2}wgnet10 +25 % /);
  assert.equal(lines.length, 2);
});

test('machines by name, as Docker lists them', () => {
  const [first, second] = machinesIn('wgnet10\tExited (1) 2 seconds ago\nwgnet2\tUp 3 minutes (healthy)\n');
  assert.deepEqual([first?.name, second?.name], ['wgnet2', 'wgnet10']);
  assert.ok(first && isHealthy(first));
  assert.ok(second && !isHealthy(second));
  assert.ok(!isHealthy({ name: 'x', state: 'Up 2 seconds (health: starting)' }));
  assert.ok(!isHealthy({ name: 'x', state: 'Up 2 seconds (unhealthy)' }));
});

for (const [version, good] of [
  ['1.29.2', true],
  ['1.27.0', true],
  ['1.26.2', false],
  ['v2.26.1-4', true],
  ['2.26.1', true],
  ['', false],
] as const)
  test(`docker-compose "${version}" is ${good ? 'new enough' : 'refused'}`, () => {
    assert.equal(newEnough(version), good);
  });

test('which compose to type: the program of that name, else the plugin, else what is wrong', () => {
  const words = (standalone?: string, plugin?: string) => composeWords({ standalone, plugin });
  assert.equal(words('1.29.2', '2.1.0'), 'docker-compose');
  assert.equal(words('1.25.0', '2.1.0'), 'docker compose');
  assert.equal(words(undefined, '2.1.0'), 'docker compose');
  for (const bad of [words(), words('1.25.0')]) {
    assert.ok(bad instanceof Fault);
    assert.match(bad.next ?? '', /apt-get install docker-compose/);
  }
  assert.match(String(words('1.25.0')), /docker-compose 1\.25\.0 is too old: 1\.27 or newer/);
});
