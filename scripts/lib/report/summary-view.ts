/** What the top of the page says: the run, its settings, sums a path, checks, failures. */

import { basename } from 'node:path';
import { type Manifest, tunnelsOverTime } from '../../../client/scripts/lib/trace/layout.ts';
import { bytes, count, moment, NONE, percent, plural } from './format.ts';
import type { Attempt, Run } from './read.ts';
import { spanOf, sumAll, tilesOf } from './tiles.ts';
import { checksOf, isOpen, type Sums, successesOf, sumsByPath, tally, type Visit } from './totals.ts';

/** The colour of a path, `c0` to `c7`, and from the ninth path on another shape, `s0` to `s3`. */
export const pathClass = (number: number): string => `c${number % 8} s${Math.floor(number / 8) % 4}`;

/** The path that each number stands for; a path that no manifest names gets the next number. */
export function numbering(names: readonly string[]): (name: string) => number {
  const numbers = new Map(names.map((name, i) => [name, i]));
  return (name) => {
    const known = numbers.get(name) ?? numbers.size;
    numbers.set(name, known);
    return known;
  };
}

/** Rectangles of a bar whose whole is 100 wide. */
export function barOf(parts: readonly { name: string; number: number; size: number }[]) {
  const whole = parts.reduce((sum, { size }) => sum + size, 0);
  let x = 0;
  return parts
    .filter(({ size }) => size > 0)
    .map(({ name, number, size }) => {
      const width = (100 * size) / whole;
      const rectangle = { x: x.toFixed(2), width: width.toFixed(2), color: pathClass(number), name };
      x += width;
      return { ...rectangle, share: percent(size, whole) };
    });
}

function pathsOf(sums: Map<string, Sums>, numberOf: (name: string) => number) {
  const whole = sumAll(sums.values(), 'up') + sumAll(sums.values(), 'down');
  const time = sumAll(sums.values(), 'inForce');
  return [...sums].map(([name, sum]) => ({
    ...{
      name,
      color: pathClass(numberOf(name)),
      packetsUp: count(sum.packetsUp),
      packetsDown: count(sum.packetsDown),
    },
    ...{ up: count(sum.up), down: count(sum.down), share: percent(sum.up + sum.down, whole) },
    bar: barOf([{ name, number: numberOf(name), size: sum.up + sum.down }]).map((part) => ({
      ...{ ...part, width: whole === 0 ? '0' : ((100 * (sum.up + sum.down)) / whole).toFixed(2) },
    })),
    inForce: percent(sum.inForce, time),
  }));
}

function stateOf({ settings }: Manifest, visits: readonly Visit[]) {
  const asked = settings.urls.length * settings.visits;
  const open = visits.filter((visit) => isOpen(visit, settings.retries)).length;
  const missing = Math.max(0, asked - visits.length);
  const complete = missing + open === 0;
  const parts = [
    ...(missing > 0 ? [`${plural(missing, 'visit')} of ${count(asked)} still to come`] : []),
    ...(open > 0 ? [`${plural(open, 'visit')} with attempts left`] : []),
  ];
  const detail = complete
    ? `all ${plural(asked, 'visit')} are there`
    : `${parts.join(', ')}: under way, or cut off; the command that started it goes on with it`;
  return { complete, title: complete ? 'Complete' : 'Not complete', detail };
}

/** `packet, in turn, weights 5 : 3 : 2`. */
const strategyOf = ({ strategy, weights, order, batch }: Manifest['settings']): string =>
  [
    strategy,
    ...(order === 'rr' ? ['in turn'] : []),
    ...(batch ? [`batches of ${batch.join(' to ')}`] : []),
    ...(weights ? [`weights ${weights.join(' : ')}`] : []),
  ].join(', ');

/** `quic, TCP refused`. */
const modeOf = ({ mode, allow_tcp }: Manifest['settings']): string =>
  `${mode}, TCP ${allow_tcp === 'sticky' ? 'each connection on one path' : 'refused'}`;

const settingsOf = ({ settings, created }: Manifest, attempts: readonly Attempt[]) => [
  { name: 'Created', value: `${created.slice(0, 19).replace('T', ' ')} UTC` },
  { name: 'First to last', value: spanOf(attempts) },
  ...(settings.mode === 'quic' ? [{ name: 'Mode', value: modeOf(settings) }] : []),
  { name: 'Strategy', value: strategyOf(settings) },
  {
    name: 'Period',
    value: settings.strategy === 'none' || settings.period === null ? NONE : `${settings.period * 1000} ms`,
  },
  { name: 'Seed', value: String(settings.seed) },
  { name: 'Sites × visits', value: `${count(settings.urls.length)} × ${count(settings.visits)}` },
  { name: 'Paths', value: count(settings.interfaces.length) },
  { name: 'Time-out, linger', value: `${settings.timeout} s, ${settings.linger} s` },
  { name: 'Retries', value: `${settings.retries} at most` },
  { name: 'Captures', value: settings.headers_only ? 'headers only' : 'whole packets' },
];

const sessionsOf = ({ sessions }: Manifest) =>
  sessions.map(({ started, versions, host }) => ({
    started: started.slice(0, 19).replace('T', ' '),
    host: `Linux ${host.kernel} ${host.architecture}, ${host.cpus} × ${host.cpu}, ${bytes(host.memory)}`,
    versions: Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  }));

const FAILED_LINKS = 12;

const checksView = (visits: readonly Visit[]) =>
  [...checksOf(visits)].map(([name, { passed, failed }]) => ({
    ...{ name, passed: count(passed), failed: count(failed.length), bad: failed.length > 0 },
    links: failed.slice(0, FAILED_LINKS).map((folder) => ({ folder })),
    more: failed.length > FAILED_LINKS ? `and ${count(failed.length - FAILED_LINKS)} more` : '',
  }));

export function failuresView(attempts: readonly Attempt[]) {
  const failed = attempts.filter(({ summary }) => summary?.status !== 'success');
  const kindOf = ({ summary }: Attempt): string =>
    summary === undefined ? 'unreadable' : (summary.failure?.kind ?? summary.status);
  const kinds = tally(failed.map(kindOf)).map(([kind, n]) => ({
    ...{ kind, count: count(n), width: ((100 * n) / failed.length).toFixed(2) },
  }));
  const rows = failed.map((attempt) => ({
    ...{ folder: attempt.folder, attempt: String(attempt.attempt), kind: kindOf(attempt) },
    url: attempt.summary?.url ?? NONE,
    message: attempt.summary?.failure?.message ?? attempt.troubles[0] ?? '',
    time: attempt.summary === undefined ? NONE : moment(attempt.summary.started),
  }));
  return { failed: rows.length > 0, failedCount: count(rows.length), kinds, failures: rows };
}

export function summaryView(run: Run, visits: readonly Visit[], numberOf: (name: string) => number) {
  const { manifest, attempts, strangers } = run;
  const successes = successesOf(visits);
  const sums = sumsByPath(manifest.settings.interfaces, successes);
  const troubled = attempts.filter(({ troubles }) => troubles.length > 0);
  return {
    ...{
      run: basename(run.folder),
      state: stateOf(manifest, visits),
      tiles: tilesOf(run, visits, [...sums.values()]),
    },
    ...{
      settings: settingsOf(manifest, attempts),
      sessions: sessionsOf(manifest),
      tunnels: tunnelsOverTime(manifest).flatMap(({ since, tunnels }) =>
        tunnels.map((tunnel) => ({ ...tunnel, since: since.slice(0, 19).replace('T', ' ') })),
      ),
    },
    ...{
      pathSums: pathsOf(sums, numberOf),
      checks: checksView(visits),
      successCount: count(successes.length),
    },
    troubled: troubled.length > 0,
    troubledCount: count(troubled.length),
    troubles: troubled.map(({ folder, troubles }) => ({ folder, text: troubles.join('; ') })),
    strange: strangers.length > 0,
    strangers: strangers.slice(0, 10).join(', '),
  };
}
