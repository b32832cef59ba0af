/** The figures as a table's cells, and as a plot. All pure. */
import { barPlot, type Panel } from '../bars.ts';
import type { Row } from './rows.ts';

export const PATHS = ['wgnet1', 'wgnet2', 'wgnet3'];

/** `followed`: share of the server's bytes sent by the path in force; `in force`: of those at the client that came by it. */
export const HEAD = [
  'medians',
  'seconds',
  'ratio',
  'followed',
  'in force',
  ...PATHS,
  'connections',
  'addresses',
  'identical',
  'past tunnels',
  'switches',
];

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

/** More than that, where the limit came first. */
const least = (row: Row, text: string): string => (row.over ? `over ${text}` : text);

/** A row's cells, as {@link HEAD} has them. */
export const cellsOf = (row: Row): string[] => [
  row.name,
  least(row, row.seconds.toFixed(1)),
  least(row, row.ratio.median.toFixed(2)),
  row.followed === null ? '' : percent(row.followed),
  row.in_force === null ? '' : percent(row.in_force),
  ...PATHS.map((path) => percent(row.shares[path] ?? 0)),
  String(row.connections),
  String(row.addresses),
  `${row.identical} of ${row.downloads}`,
  String(row.past),
  row.case.period === null ? '' : String(row.switches),
];

const PANELS: readonly Panel<Row>[] = [
  {
    title: 'Time',
    unit: 'of no switching; all rounds',
    mark: 1,
    of: (row) => {
      const { median, least: from, most } = row.ratio;
      return { value: median, text: least(row, median.toFixed(2)), range: [from, most] };
    },
  },
  {
    title: 'Seconds',
    unit: 'median',
    of: (row) => ({ value: row.seconds, text: least(row, row.seconds.toFixed(1)) }),
  },
  {
    title: 'Downlink that followed',
    unit: 'of what the server sent',
    mark: 1,
    of: ({ followed }) => (followed === null ? undefined : { value: followed, text: percent(followed) }),
  },
  {
    title: 'The busiest path',
    unit: 'of all bytes, median',
    mark: 1 / PATHS.length,
    of: ({ shares }) => {
      const most = Math.max(...Object.values(shares), 0);
      return { value: most, text: percent(most) };
    },
  },
];

/** `foot`: lines below it all. */
export const plot = (rows: readonly Row[], foot: readonly string[]): string =>
  barPlot({
    title: 'Downloads over one QUIC connection while the path changes',
    panels: PANELS,
    rows: rows.map((row) => ({ row, name: row.name, kind: row.case.period === null ? 'base' : 'ours' })),
    foot,
  });
