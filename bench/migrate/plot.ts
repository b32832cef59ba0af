/** The figures as a plot: an SVG text that is read on light and on dark ground. Pure. */
import { barPlot, type Kind, type Panel } from '../bars.ts';
import type { Row } from './rows.ts';
import { milliseconds } from './text.ts';

const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

const throughput = (what: 'line' | 'free', way: 'up' | 'down'): Panel<Row> => ({
  title: `Throughput ${way}${what === 'line' ? '' : ', free'}`,
  unit: 'of no migration; all rounds',
  mark: 1,
  of: (row) => {
    const ratio = row[what]?.[way];
    if (ratio === undefined) return undefined;
    const { median, least, most } = ratio;
    return { value: median, text: median.toFixed(2), range: [least, most] };
  },
});

const PANELS: readonly Panel<Row>[] = [
  throughput('line', 'up'),
  throughput('line', 'down'),
  throughput('free', 'up'),
  throughput('free', 'down'),
  {
    title: 'Past the tunnels',
    unit: 'packets',
    of: ({ past }) => ({ value: past, text: past.toLocaleString('en-US') }),
  },
  {
    title: 'Lost',
    unit: 'of the packets, there and back',
    of: ({ packets: { sent, lost_up, lost_down } }) => {
      const lost = share(lost_up + lost_down, sent);
      return { value: lost, text: lost === 0 ? '0' : `${(100 * lost).toFixed(2)} %` };
    },
  },
  {
    title: 'Interval error',
    unit: 'p99, milliseconds',
    of: ({ interval }) =>
      interval === null ? undefined : { value: interval.p99 * 1000, text: milliseconds(interval.p99) },
  },
  {
    title: 'Processors',
    unit: 'per cent of one',
    of: ({ cost }) => (cost === null ? undefined : { value: cost, text: (100 * cost).toFixed(1) }),
  },
];

/** Grey for no migration, one colour for what runs on our tables, another for the original's. */
const kindOf = ({ case: { mover, tables } }: Row): Kind =>
  mover === 'none' ? 'base' : tables === 'ours' ? 'ours' : 'original';

/** `foot`: lines below it all. */
export const plot = (rows: readonly Row[], foot: readonly string[]): string =>
  barPlot({
    title: 'Ways to switch a client’s path, side by side',
    panels: PANELS,
    rows: rows.map((row) => ({ row, name: row.name, kind: kindOf(row) })),
    foot,
  });
