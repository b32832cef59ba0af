/** What must hold of the figures, and whether it does. All pure. */
import { judge, type Verdict } from '../verdict.ts';
import type { Case } from './cases.ts';
import type { Row } from './rows.ts';

const find = (rows: readonly Row[], mover: Case['mover'], period: number | null): Row | undefined =>
  rows.find((row) => row.case.mover === mover && row.case.period === period && row.case.tables === 'ours');

/** Of all four: up and down, on the line and without one. */
function throughputs(row: Row | undefined, at: string, least: number): Verdict[] {
  return (['line', 'free'] as const).flatMap((what) =>
    (['up', 'down'] as const).map((way) => {
      const ratio = row?.[what]?.[way].median;
      const where = what === 'line' ? 'on the line' : 'without a line';
      return judge(
        `throughput ${way}, ${at}, ${where}: ${least} or more`,
        ratio?.toFixed(3),
        (ratio ?? 0) >= least,
      );
    }),
  );
}

function loss(what: string, counted: Row['counted'] | undefined): Verdict {
  const title = `packets lost, ${what}, there and back`;
  if (counted === null || counted === undefined) return judge(title, undefined, false);
  const lost = counted.lost_up + counted.lost_down;
  return judge(`${title}: 0`, `${lost} of ${counted.sent}`, lost === 0);
}

const past = (what: string, rows: readonly Row[], holds: (past: number) => boolean): Verdict => {
  const all = rows.map((row) => row.past);
  return judge(what, all.length === 0 ? undefined : all.join(', '), all.every(holds));
};

/** All that is claimed, held against the figures; shares and the long runs are over `counted` packets. */
export function verdictsOf(rows: readonly Row[]): Verdict[] {
  const [tenth, hundredth] = [find(rows, 'engine', 0.1), find(rows, 'engine', 0.01)];
  const split = find(rows, 'split', null);
  const interval = hundredth?.interval ?? undefined;
  const p99 = interval && Math.max(interval.p99, interval.done_p99);
  const apart = split?.unevenness ?? undefined;
  const ours = rows.filter((row) => row.case.tables === 'ours');
  const loops = ours.filter((row) => row.case.mover === 'shell');
  return [
    ...throughputs(tenth, '100 ms', 0.97),
    ...throughputs(hundredth, '10 ms', 0.93),
    loss('migrate.ts, 100 ms', tenth?.counted),
    loss('migrate.ts, 10 ms', hundredth?.counted),
    loss('kernel split', split?.counted),
    ...loops.map((row) => loss(row.name, row.packets)),
    past('packets past the tunnels, our tables: 0', ours, (count) => count === 0),
    judge(
      'switch interval error at 10 ms, idle, p99: under 1 ms',
      p99 === undefined ? undefined : `${(p99 * 1000).toFixed(3)} ms`,
      (p99 ?? 1) < 0.001,
    ),
    judge(
      'kernel split: each path’s share within 1 % (of all packets) of its weight',
      apart === undefined ? undefined : `${(apart * 100).toFixed(2)} %`,
      (apart ?? 1) <= 0.01,
    ),
    past(
      'the capture sees what goes past: the original’s loop, its tables, leaks',
      rows.filter((row) => row.case.tables === 'original'),
      (count) => count > 0,
    ),
  ];
}
