/** A schedule as rows over time or packets, for a terminal and for SVG. Pure. */
import type { Run } from './packet-strategy.ts';
import type { Entry } from './schedule.ts';

/** A path in force from one place of the axis to another. */
interface Piece {
  path: number;
  from: number;
  to: number;
}

export interface Plot {
  title: string;
  /** Of the paths. */
  names: readonly string[];
  /** One after the other. */
  pieces: readonly Piece[];
  /** Where the axis ends; it begins at 0. */
  end: number;
  unit: 's' | 'packets';
}

/** Entries last to the next one; the last to `end`. */
export const timePieces = (entries: readonly Entry[], end: number): Piece[] =>
  entries.map(({ at, path }, i) => ({ path, from: at, to: Math.max(at, entries[i + 1]?.at ?? end) }));

export function packetPieces(runs: readonly Run[]): Piece[] {
  let from = 0;
  return runs.map(({ path, packets }) => {
    const piece = { path, from, to: from + packets };
    from = piece.to;
    return piece;
  });
}

/** How much of each of `count` equal parts of the axis each path has: a list a path, of numbers from 0 to 1. */
export function binsOf({ names, pieces, end }: Plot, count: number): number[][] {
  const rows = names.map(() => new Array<number>(count).fill(0));
  const width = end / count;
  if (!(width > 0)) return rows;
  for (const { path, from, to } of pieces) {
    const row = rows[path] ?? [];
    for (let bin = Math.floor(from / width); bin < count && bin * width < to; bin++) {
      const part = Math.min(to, (bin + 1) * width) - Math.max(from, bin * width);
      if (part > 0) row[bin] = Math.min(1, (row[bin] ?? 0) + part / width);
    }
  }
  return rows;
}

/** Each path's part of the whole; zeros where the axis has no length. */
export function partsOf({ names, pieces, end }: Plot): number[] {
  const sums = names.map(() => 0);
  for (const { path, from, to } of pieces) sums[path] = (sums[path] ?? 0) + to - from;
  return sums.map((sum) => (end > 0 ? sum / end : 0));
}

/** `33.3 %`. */
export const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;

/** Places of the axis that are named, with their names: its ends and its middle. */
export function ticksOf({ end, unit }: Pick<Plot, 'end' | 'unit'>): [number, string][] {
  const named = (place: number): string => `${Number(place.toPrecision(4))}${unit === 's' ? ' s' : ''}`;
  return [
    [0, named(0)],
    [0.5, named(unit === 's' ? end / 2 : Math.round(end / 2))],
    [1, `${named(end)}${unit === 's' ? '' : ' packets'}`],
  ];
}
