/** What must hold of the figures, and whether it does. All pure. */
import { periodText } from '../migrate/cases.ts';
import { judge, type Verdict } from '../verdict.ts';
import { groupName } from './cases.ts';
import type { Precision } from './far.ts';
import type { Row } from './rows.ts';

/** The most that a download may take, of its time without switching, on equal paths. */
const RATIO = 1.05;
const SHARE = { least: 0.28, most: 0.38 } as const;
/** Megabytes from which on a download sees so many switches that its shares can be equal. */
const LONG = 60;
/** Milliseconds that a round trip may be from what it is to be. */
const NEAR = 1;

/** Of a group of far proxies: what was to be, and what it was by ping and by delay.pl. */
export interface Distance {
  wanted: readonly [number, number, number];
  /** Milliseconds a path: without the delay, and with it. */
  alone: readonly number[];
  round_trips: readonly number[];
  precision: Precision;
}

const all = (what: string, rows: readonly Row[], is: (row: Row) => number, holds: (n: number) => boolean) => {
  const values = rows.map(is);
  return judge(what, values.length === 0 ? undefined : values.join(', '), values.every(holds));
};

/** `bases`: the rows without switching. One that was given up, or is not there, is none to compare with. */
function ratios(rows: readonly Row[], bases: readonly Row[]): Verdict[] {
  return rows.map((row) => {
    const base = bases.find(({ case: { group } }) => group === row.case.group);
    const told = base !== undefined && !base.over && Number.isFinite(row.ratio.median);
    return judge(
      `${groupName(row.case.group)}, every ${periodText(row.case.period ?? 0)}: time ${RATIO} or less of no switching`,
      told ? row.ratio.median.toFixed(3) : undefined,
      !row.over && row.ratio.median <= RATIO,
    );
  });
}

function shares(rows: readonly Row[]): Verdict {
  const long = rows.filter((row) => row.case.group.megabytes >= LONG);
  const values = long.flatMap((row) => Object.values(row.shares));
  const [from, to] = [Math.min(...values), Math.max(...values)];
  return judge(
    `each path’s share of the downlink, equal paths, ${LONG} MB: ${(100 * SHARE.least).toFixed(0)} to ${(100 * SHARE.most).toFixed(0)} %`,
    values.length === 0 ? undefined : `${(100 * from).toFixed(1)} to ${(100 * to).toFixed(1)} %`,
    from >= SHARE.least && to <= SHARE.most,
  );
}

function distances(found: readonly Distance[]): Verdict {
  const apart = found.flatMap(({ wanted, alone, round_trips }) =>
    wanted.map((ms, i) => Math.abs((round_trips[i] ?? Number.NaN) - (alone[i] ?? Number.NaN) - ms)),
  );
  const lost = found.reduce((sum, { precision }) => sum + precision.lost, 0);
  return judge(
    `a far proxy is as far as it is to be, to ${NEAR} ms, and loses nothing on the way`,
    apart.length === 0 ? undefined : `${Math.max(...apart).toFixed(2)} ms, ${lost} lost`,
    apart.every((ms) => ms <= NEAR) && lost === 0,
  );
}

/** All that is claimed, held against the figures. */
export function verdictsOf(rows: readonly Row[], far: readonly Distance[]): Verdict[] {
  const equal = rows.filter(({ case: { group } }) => group.delays.every((ms) => ms === 0));
  const switching = equal.filter(({ case: { period } }) => period !== null);
  const judged = switching.filter(({ case: { group } }) => group.judged);
  return [
    ...ratios(
      judged,
      equal.filter(({ case: { period } }) => period === null),
    ),
    shares(judged),
    all(
      'connections at the server: 1',
      rows,
      ({ connections }) => connections,
      (n) => n === 1,
    ),
    all(
      'addresses proved there, equal paths: 3',
      switching,
      ({ addresses }) => addresses,
      (n) => n === 3,
    ),
    all(
      'downloads that failed, or whose file is another: 0',
      rows,
      ({ wrong }) => wrong,
      (n) => n === 0,
    ),
    all(
      'packets past the tunnels: 0',
      rows,
      ({ past }) => past,
      (n) => n === 0,
    ),
    all(
      'packets that the captures lost: 0',
      rows,
      ({ missed }) => missed,
      (n) => n === 0,
    ),
    distances(far),
  ];
}
