/** What bench/migrate.ts makes of its rows: verdicts, table, plot. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BASE, type Case, casesWith, isCounted } from '../../bench/migrate/cases.ts';
import type { Streams, Traffic } from '../../bench/migrate/measure.ts';
import { plot } from '../../bench/migrate/plot.ts';
import { type Row, rowOf } from '../../bench/migrate/rows.ts';
import { HEAD, linesOf } from '../../bench/migrate/text.ts';
import { verdictsOf } from '../../bench/migrate/verdict.ts';

const stream = (bits: number) => ({
  bits_per_second: bits,
  segments: { sent: 1, again: 0, twice: 0, ahead: 0 },
});
const streams = (bits: number, past = 0): Streams => {
  const way = { up: stream(bits), down: stream(bits) };
  return { line: way, free: way, past };
};

/** A case that has all that is claimed, unless told otherwise. */
function rowWith(one: Case, bits = 100, past = one.tables === 'original' ? 5 : 0, lost = 0): Row {
  const packets = (sent: number) => ({
    ...{ sent, seconds: 1, refused: 0 },
    there: { came: sent - lost, late: 0 },
    back: { came: sent - lost, late: 0 },
  });
  const stamps = [0, 1, 2].map((n) => ({ time: n * (one.period ?? 0), done: n * (one.period ?? 0) }));
  const traffic: Traffic = {
    ...{ packets: packets(1000), counted: isCounted(one) ? packets(100_000) : null, past },
    ...{ paths: isCounted(one) ? { wgnet1: 334, wgnet2: 333, wgnet3: 333 } : null, cost: 0.1 },
    ...{ log: { stamps, skipped: 0, errors: 0, packets: null }, idle: one.period === null ? [] : stamps },
  };
  return rowOf(one, [[streams(bits)]], [[streams(100)]], traffic);
}

test('where all holds all is met, and each claim is missed by what breaks it', () => {
  const cases = casesWith({ split: true });
  const good = cases.map((one) => rowWith(one));
  assert.deepEqual(
    verdictsOf(good).filter(({ verdict }) => verdict !== 'met'),
    [],
  );
  const missedWith = (which: (one: Case) => boolean, row: (one: Case) => Row): string[] => {
    const rows = cases.map((one) => (which(one) ? row(one) : rowWith(one)));
    return verdictsOf(rows).flatMap(({ what, verdict }) => (verdict === 'missed' ? [what] : []));
  };
  const engine =
    (period: number) =>
    (one: Case): boolean =>
      one.mover === 'engine' && one.period === period;
  const split = (one: Case): boolean => one.mover === 'split';
  assert.equal(missedWith(engine(0.1), (one) => rowWith(one, 96.9)).length, 4);
  assert.equal(missedWith(engine(0.01), (one) => rowWith(one, 92.9)).length, 4);
  assert.deepEqual(
    missedWith(engine(1), (one) => rowWith(one, 10)),
    [],
  );
  for (const which of [engine(0.1), engine(0.01), split])
    assert.match(missedWith(which, (one) => rowWith(one, 100, 0, 1)).join(), /^packets lost, /);
  for (const which of [engine(0.001), split, (one: Case) => one === BASE])
    assert.deepEqual(
      missedWith(which, (one) => rowWith(one, 100, 1)),
      ['packets past the tunnels, our tables: 0'],
    );
  const late = missedWith(engine(0.01), (one) => {
    const row = rowWith(one);
    return { ...row, interval: row.interval && { ...row.interval, done_p99: 0.001 } };
  });
  assert.match(late.join(), /^switch interval error/);
  const uneven = missedWith(split, (one) => ({ ...rowWith(one), unevenness: 0.0101 }));
  assert.match(uneven.join(), /^kernel split: each path’s share/);
  const blind = missedWith(
    ({ tables }) => tables === 'original',
    (one) => rowWith(one, 100, 0),
  );
  assert.match(blind.join(), /^the capture sees/);
  const without = verdictsOf(casesWith({ split: false }).map((one) => rowWith(one)));
  assert.equal(without.filter(({ verdict }) => verdict === 'not measured').length, 2);
});

test('the table has a cell a column, and the plot a name and a bar a case, on any ground', () => {
  const rows = casesWith({ split: true }).map((one) => rowWith(one));
  for (const row of rows) assert.equal(linesOf(row).length, HEAD.length);
  const svg = plot(rows, ['a < b & c']);
  assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 \d+ \d+"/);
  assert.match(svg, /prefers-color-scheme: dark/);
  assert.ok(svg.includes('a &lt; b &amp; c'));
  assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
  for (const { name } of rows) assert.equal(svg.split(`>${name}</text>`).length - 1, 2);
  assert.equal(svg.split('class="original"').length - 1, 4 * 6);
  assert.equal(svg.split('<rect').length - 1, 2 * 12 + 2 * 6 + 2 * 12 + 10 + 12);
});
