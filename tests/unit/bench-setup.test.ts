/** The pure parts of bench/setup.ts: what is measured how often, figures, verdicts, the plot. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesOf } from '../../bench/setup/far.ts';
import { memoryIn } from '../../bench/setup/group.ts';
import { axisOf, plot } from '../../bench/setup/plot.ts';
import { cellsOf, HEAD, type Row, rowsOf, type Sample } from '../../bench/setup/rows.ts';
import { type Held, isText, type Verdict, verdictsOf } from '../../bench/setup/verdict.ts';
import { type Case, casesOf, orderOf, roundsOf, type Way, type What } from '../../bench/setup/ways.ts';
import { limitFor } from '../../scripts/lib/lab/inotify.ts';

const sample = (
  way: Way,
  what: What,
  hosts: number,
  wall: number,
  more: Partial<Sample> & { delay?: number } = {},
): Sample => {
  const { delay = 0, ...rest } = more;
  return {
    ...{ case: { way, hosts, delay }, what, round: 0, wall, cpu: wall / 2 },
    ...{ connections: 1, sessions: what === 'cold' ? 2 : 1, sent: 1024, received: 2048, memory: null },
    ...rest,
  };
};

/** Figures with which all holds. */
const GOOD: Sample[] = [
  ...[4, 16, 64].flatMap((hosts) => [
    sample('ours', 'cold', hosts, 2 + hosts / 100, { memory: 2 ** 27 }),
    sample('ours', 'no-op', hosts, 1 + hosts / 100, { memory: 2 ** 27 }),
    sample('floor', 'once', hosts, 0.8 + hosts / 50),
  ]),
  sample('tuned', 'cold', 16, 60),
  sample('tuned', 'no-op', 16, 55),
  sample('mitogen', 'cold', 16, 40),
  sample('mitogen', 'no-op', 16, 30),
  sample('fast', 'cold', 16, 20),
  sample('fast', 'no-op', 16, 20),
  sample('script', 'cold', 16, 10),
  sample('script', 'no-op', 16, 8),
  sample('start', 'once', 4, 0.5, { sessions: null }),
  sample('ours', 'no-op', 4, 2.5, { delay: 80, sessions: null }),
  sample('floor', 'once', 4, 2.2, { delay: 80, sessions: null }),
];
const HELD: Held = { descriptors: [20, 21, 20], listeners: [5, 5, 5] };

const judged = (samples: readonly Sample[], verdict: Verdict['verdict'], held = HELD): string[] =>
  verdictsOf(rowsOf(samples), held)
    .filter((one) => one.verdict === verdict)
    .map(({ what }) => what);

/** With the time of one row times a factor. */
const slower = (way: Way, what: What, hosts: number, factor: number, delay = 0): Sample[] =>
  GOOD.map((one) =>
    one.case.way === way && one.what === what && one.case.hosts === hosts && one.case.delay === delay
      ? { ...one, wall: one.wall * factor }
      : one,
  );

test('all holds with good figures, and each claim is missed alone by the figure that breaks it', () => {
  assert.deepEqual([...judged(GOOD, 'missed'), ...judged(GOOD, 'not measured')], []);
  const only = (samples: Sample[], claim: RegExp, held = HELD): void => {
    const missed = judged(samples, 'missed', held);
    assert.equal(missed.length, 1, missed.join('; '));
    assert.match(missed[0] ?? '', claim);
  };
  only(slower('tuned', 'no-op', 16, 0.5), /no-op: 25 times .* tuned/);
  only(slower('fast', 'no-op', 16, 0.5), /no-op: 10 times .* Mitogen/);
  only(slower('tuned', 'cold', 16, 0.5), /cold: 20 times/);
  // The quicker of the two with Mitogen counts, whichever it is.
  only(slower('mitogen', 'cold', 16, 0.2), /cold: 8 times/);
  // 1.8 s: more than 2 × (1.12 - 0.5) + 0.5, and less than 2 × 1.12; 2.75 s far away likewise.
  only(slower('ours', 'no-op', 16, 1.8 / 1.16), /N=16, no-op: twice the floor/);
  only(slower('ours', 'no-op', 4, 1.1, 80), /far away/);
  // 0.99 s more than with 16, and the floor 0.96 s; by the ratio it would be less.
  only(slower('ours', 'no-op', 64, 1.31), /no more seconds/);
  const talkative = GOOD.map((one) =>
    one.case.hosts === 64 && one.what === 'cold' ? { ...one, sessions: 3 } : one,
  );
  only(talkative, /N=64, cold: round trips/);
  for (const what of ['cold', 'no-op'])
    only(
      GOOD.map((one) => (one.what === what && one.memory !== null ? { ...one, memory: 301e6 } : one)),
      /memory/,
    );
  only(GOOD, /descriptors/, { ...HELD, descriptors: [20, 21, 22] });
  only(GOOD, /listeners/, { ...HELD, listeners: [5, 5, 6] });
});

test('what was not measured is said to be so, and is not met', () => {
  const verdicts = verdictsOf([]);
  assert.ok(verdicts.length > 10);
  assert.deepEqual(new Set(verdicts.map(({ verdict }) => verdict)), new Set(['not measured']));
  const lacking = (way: Way): string[] =>
    judged(
      GOOD.filter((one) => one.case.way !== way),
      'not measured',
    );
  // The best of two is not known of one.
  for (const way of ['mitogen', 'fast'] as const) {
    assert.equal(lacking(way).length, 2);
    assert.ok(lacking(way).every((what) => what.includes('the best with Mitogen')));
  }
  assert.deepEqual(
    lacking('start').map((what) => /twice the floor|far away/.test(what)),
    [true, true],
  );
});

test('what has no limit is shown beside; a figure of fewer rounds than three says so', () => {
  assert.deepEqual(
    judged(GOOD, 'no limit').map((what) => /how many times as fast as one shell script/.test(what)),
    [true, true],
  );
  const texts = (samples: readonly Sample[]): string[] => verdictsOf(rowsOf(samples), HELD).map(isText);
  const [first = ''] = texts(GOOD);
  assert.equal(first, '47.4 (55.0 s : 1.16 s); of 1 round only, a claim needs 3');
  const often = [0, 1, 2].flatMap((round) => GOOD.map((one) => ({ ...one, round })));
  assert.equal(texts(often)[0], '47.4 (55.0 s : 1.16 s)');
  assert.doesNotMatch(texts(often).join('\n'), /only/);
  // As few as the part with the fewest.
  const less = often.filter((one) => one.case.way !== 'mitogen' || one.round < 2);
  assert.equal(texts(less).filter((text) => text.endsWith('of 2 rounds only, a claim needs 3')).length, 2);
});

test('a row holds the median of its rounds, and their least and most', () => {
  const rows = rowsOf(
    [1, 9, 2].map((wall, round) =>
      sample('ours', 'cold', 4, wall, { round, sessions: round === 0 ? null : 2, memory: wall }),
    ),
  );
  assert.equal(rows.length, 1);
  const { wall, least, most, rounds, sessions, memory } = rows[0] as Row;
  assert.deepEqual(
    { wall, least, most, rounds, sessions, memory },
    { wall: 2, least: 1, most: 9, rounds: 3, sessions: 2, memory: 9 },
  );
  assert.equal(cellsOf(rows[0] as Row).length, HEAD.length);
});

test('slow ways are measured once, and not with many servers; no case always comes first', () => {
  const cases = casesOf({ hosts: [64, 4, 16], without: ['mitogen'], ansibleUpTo: 64, far: 80 });
  const at = (hosts: number, delay = 0): Way[] =>
    cases.filter((one) => one.hosts === hosts && one.delay === delay).map(({ way }) => way);
  assert.deepEqual(at(4), ['ours', 'defaults', 'tuned', 'fast', 'script', 'floor', 'start']);
  assert.deepEqual(at(16), ['ours', 'defaults', 'tuned', 'fast', 'script', 'floor']);
  assert.deepEqual(at(64), ['ours', 'tuned', 'fast', 'script', 'floor']);
  assert.deepEqual(at(4, 80), ['ours', 'tuned', 'fast', 'script', 'floor']);
  const few = casesOf({ hosts: [16, 64], without: [], ansibleUpTo: 16, far: 0 });
  assert.deepEqual(
    few.filter(({ hosts }) => hosts === 64).map(({ way }) => way),
    ['ours', 'floor'],
  );
  const of = (way: Way, hosts: number): number => roundsOf({ way, hosts, delay: 0 }, 3);
  assert.deepEqual([of('ours', 64), of('tuned', 16), of('tuned', 64), of('defaults', 4)], [3, 3, 1, 1]);
  // A part of a claim is measured as often as the others.
  assert.deepEqual([of('mitogen', 16), of('mitogen', 4)], [3, 1]);
  const orders = [0, 1, 2].map((round) => orderOf(cases, round, 3));
  assert.equal(new Set(orders.map(([first]) => JSON.stringify(first))).size, 3);
  const due = (one: Case): boolean => roundsOf(one, 3) === 3;
  const key = (some: readonly Case[]): string[] =>
    some
      .filter(due)
      .map((one) => JSON.stringify(one))
      .sort();
  for (const order of orders) assert.deepEqual(key(order), key(cases));
});

test('the plot has each case once a panel, on an axis that holds all', () => {
  assert.deepEqual(axisOf([0.9, 55]), { least: 0.1, most: 100 });
  const svg = plot(rowsOf(GOOD), ['a < b']);
  // Floor and start stand in both panels.
  assert.equal(svg.match(/<rect class="base"/g)?.length, 10);
  assert.equal(svg.match(/<rect class="ours"/g)?.length, 7);
  assert.match(svg, /a &lt; b/);
  assert.doesNotMatch(svg, /NaN|undefined/);
});

test('counters, memory and the limit of inotify are read right', () => {
  const listing =
    'counter sent {\n\t\tpackets 3 bytes 180\n\t}\n\tcounter received {\n\t\tpackets 1 bytes 60\n\t}';
  assert.deepEqual([bytesOf(listing, 'sent'), bytesOf(listing, 'received')], [180, 60]);
  const status = (anonymous: number, file: number): string =>
    `VmHWM:\t 9999 kB\nRssAnon:\t  ${anonymous} kB\nRssFile:\t  ${file} kB\nRssShmem:\t  4 kB\n`;
  // Two of one program have its pages once; one that ended meanwhile has none.
  assert.equal(memoryIn([status(1000, 40), status(2000, 50), '']), (1004 + 2004 + 50) * 1024);
  assert.equal(limitFor(20, 40, 128), undefined);
  assert.equal(limitFor(64, 40, 128), 384);
});
