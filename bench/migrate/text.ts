/** The figures as a table's cells. All pure. */
import type { Loss, Row } from './rows.ts';

/** Throughput as a ratio to no migration, on the line and without one; what became of packets; how even the switching is. */
export const HEAD = [
  'medians',
  'up',
  'down',
  'free up',
  'free down',
  'sent again',
  'lost',
  'of the long run',
  'past tunnels',
  'reordered',
  'interval p50',
  'p99',
  'CPU',
  'switches',
];

const lost = (loss: Loss | null): string =>
  loss === null ? '' : `${loss.lost_up + loss.lost_down} of ${loss.sent}`;

/** Seconds as milliseconds, to two digits. */
export const milliseconds = (seconds: number): string => String(Number((seconds * 1000).toPrecision(2)));

const ms = (seconds: number | undefined): string =>
  seconds === undefined ? '' : `${milliseconds(seconds)} ms`;

const percent = (share: number, digits = 2): string => `${(100 * share).toFixed(digits)} %`;

/** A row's cells, as {@link HEAD} has them. */
export const linesOf = (row: Row): string[] => [
  row.name,
  row.line.up.median.toFixed(3),
  row.line.down.median.toFixed(3),
  row.free?.up.median.toFixed(3) ?? '',
  row.free?.down.median.toFixed(3) ?? '',
  percent((row.free ?? row.line).again),
  lost(row.packets),
  lost(row.counted),
  String(row.past),
  percent(row.packets.reordered),
  ms(row.interval?.median),
  ms(row.interval?.p99),
  row.cost === null ? '' : percent(row.cost, 1),
  row.switches === null ? '' : String(row.switches.made),
];
