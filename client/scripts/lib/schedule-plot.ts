/** What a schedule, or the log of a run, looks like as a plot. Pure. */
import { type Plot, packetPieces, percent, timePieces } from './plot.ts';
import type { Heading } from './schedule.ts';
import type { AnySchedule } from './schedule-file.ts';
import type { Drawn } from './schedule-text.ts';

/** The strategy and the seed, as far as they are known. */
const origin = ({ strategy, seed, order }: Heading): string[] => [
  ...[[strategy, order].filter((word) => typeof word === 'string').join(' ')].filter(Boolean),
  ...(typeof seed === 'number' ? [`seed ${seed}`] : []),
];

function titleOf({ heading, entries, runs }: Drawn): string {
  const { strategy, period, weights } = heading;
  const count = runs.length > 0 ? runs.length : new Set(entries.map(({ n }) => n)).size;
  const unit = runs.length > 0 ? (count === 1 ? 'run' : 'runs') : count === 1 ? 'entry' : 'entries';
  const every =
    typeof period === 'number' && strategy !== 'none'
      ? [`every ${Number((period * 1000).toPrecision(6))} ms`]
      : [];
  const drawn = Array.isArray(weights)
    ? [`weights ${weights.map((one) => percent(Number(one))).join(', ')}`]
    : [];
  return [...origin(heading), ...every, `${count} ${unit}`, ...drawn].join(', ');
}

/** `told`: where the axis ends, if that is known: else after the last entry's own time, a second where there is none. */
export function plotOf(drawn: Drawn, told?: number): Plot {
  const { heading, entries, runs } = drawn;
  const title = titleOf(drawn);
  const names = heading.interfaces;
  if (runs.length > 0) {
    const pieces = packetPieces(runs);
    return { title, names, pieces, end: pieces.at(-1)?.to ?? 0, unit: 'packets' };
  }
  const last = entries.at(-1)?.at ?? 0;
  const period = typeof heading.period === 'number' ? heading.period : last - (entries.at(-2)?.at ?? 0);
  const length = period > 0 ? period : 1;
  // A run that ended at its only entry still has a path to show.
  const end = Math.max(last, told ?? last + length) || length;
  return { title, names, pieces: timePieces(entries, end), end, unit: 's' };
}

/** A log by packet has no entries: what each path carried, one after the other. */
export function countsPlot({ heading, interfaces, counts = [] }: AnySchedule): Plot {
  const pieces = packetPieces(counts.map((packets, path) => ({ path, packets })));
  const title = [...origin(heading), 'packets of each path, side by side'].join(', ');
  return { title, names: interfaces, pieces, end: pieces.at(-1)?.to ?? 0, unit: 'packets' };
}
