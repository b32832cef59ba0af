/** The numbers on top of the page, to be seen from afar. */
import { bytes, count, median, NONE, percent, plural, seconds, span } from './format.ts';
import type { Attempt, Run } from './read.ts';
import { checksOf, leaksOf, loadTime, type Sums, successesOf, type Visit } from './totals.ts';

interface Tile {
  label: string;
  value: string;
  detail: string;
  tone: 'good' | 'bad' | 'even';
}

/** A share of successes below this one is no data set. */
const FEW = 0.9;

function successTile(visits: readonly Visit[]): Tile {
  const good = visits.filter(({ outcome }) => outcome === 'success').length;
  return {
    ...{ label: 'Success', value: percent(good, visits.length) },
    detail: `${count(good)} of ${plural(visits.length, 'visit')}`,
    tone: good === visits.length && good > 0 ? 'good' : good < FEW * visits.length ? 'bad' : 'even',
  };
}

function leakTile(attempts: readonly Attempt[]): Tile {
  const { packets, uncounted, in: leaking } = leaksOf(attempts);
  const label = 'Past the tunnels';
  if (packets > 0)
    return {
      label,
      value: plural(packets, 'packet'),
      detail: `in ${plural(leaking.length, 'attempt')}`,
      tone: 'bad',
    };
  if (attempts.length === 0) return { label, value: NONE, detail: 'no visit yet', tone: 'even' };
  if (uncounted > 0)
    return {
      ...{ label, value: '0 packets', tone: 'bad' },
      detail: `not counted in ${plural(uncounted, 'attempt')}`,
    };
  return { label, value: '0 packets', detail: 'counted in every attempt', tone: 'good' };
}

/** A failed visit has a failed check; a success that has one is no success. */
function checksTile(visits: readonly Visit[]): Tile {
  const sum = (key: (each: { passed: number; failed: string[] }) => number): number =>
    [...checksOf(visits).values()].reduce((all, each) => all + key(each), 0);
  const [passed, failed] = [sum((each) => each.passed), sum((each) => each.failed.length)];
  const wrong = successesOf(visits).filter(({ checks }) => checks.some(({ ok }) => !ok)).length;
  return {
    ...{ label: 'Checks passed', value: percent(passed, passed + failed) },
    detail:
      wrong > 0
        ? `${plural(wrong, 'success', 'successes')} with a failed one`
        : `${count(passed)} of ${count(passed + failed)}`,
    tone: wrong > 0 ? 'bad' : failed === 0 && passed > 0 ? 'good' : 'even',
  };
}

export const sumAll = (sums: Iterable<Sums>, key: keyof Sums): number =>
  [...sums].reduce((sum, each) => sum + each[key], 0);

function loadTile(visits: readonly Visit[]): Tile {
  const loads = successesOf(visits)
    .map(loadTime)
    .filter((time) => time !== undefined);
  const label = 'Median load';
  if (loads.length === 0) return { label, value: NONE, detail: 'no success yet', tone: 'even' };
  const slowest = loads.reduce((a, b) => Math.max(a, b));
  return {
    label,
    value: `${seconds(median(loads))} s`,
    detail: `the slowest ${seconds(slowest)} s`,
    tone: 'even',
  };
}

export function tilesOf(run: Run, visits: readonly Visit[], sums: Sums[]): Tile[] {
  const { attempts } = run;
  const retries = attempts.length - visits.length;
  const failed = attempts.filter(({ summary }) => summary?.status !== 'success').length;
  const [up, down] = [sumAll(sums, 'up'), sumAll(sums, 'down')];
  const packets = sumAll(sums, 'packetsUp') + sumAll(sums, 'packetsDown');
  return [
    successTile(visits),
    leakTile(attempts),
    checksTile(visits),
    {
      ...{ label: 'Failed attempts', value: count(failed) },
      ...{
        detail: `${plural(retries, 'retry', 'retries')} in ${plural(attempts.length, 'attempt')}`,
        tone: 'even',
      },
    },
    {
      ...{ label: 'Traffic', value: bytes(up + down), tone: 'even' },
      detail: `${count(packets)} packets, the successes`,
    },
    loadTile(visits),
  ];
}

/** From the first attempt to the end of the last, and how much of that were attempts. */
export function spanOf(attempts: readonly Attempt[]): string {
  const started = attempts.flatMap(({ summary }) => (summary ? [summary.started] : []));
  const ended = attempts.flatMap(({ summary }) => (summary ? [summary.ended] : []));
  const took = started.reduce((a, b) => Math.min(a, b), Infinity);
  const until = ended.reduce((a, b) => Math.max(a, b), -Infinity);
  const work = attempts.reduce(
    (sum, { summary }) => sum + (summary ? summary.ended - summary.started : 0),
    0,
  );
  return until > took ? `${span(until - took)}, ${span(work)} in visits` : NONE;
}
