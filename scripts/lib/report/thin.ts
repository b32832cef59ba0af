/** Packets made few enough to draw. What is counted or summed is never taken from here. */

/** A cloud of points in columns: seconds, bytes, and path with direction (see {@link tagOf}). */
export interface Points {
  times: number[];
  sizes: number[];
  tags: number[];
}

/** A path's number, with 128 added for a packet from the client. */
export const tagOf = (path: number, out: boolean): number => path + (out ? 128 : 0);

/** Steps of time, and of size, that a plot can tell apart on a large screen. */
const COLUMNS = 2000;
const ROWS = 200;
/** Time is what a plot is read for: sizes give way first, down to these many steps. */
const FEW_ROWS = 50;

/** The first point of each cell of a grid, for each path and direction; undefined where those are over the limit. */
function firstOfCells({ times, sizes, tags }: Points, columns: number, rows: number, limit: number) {
  const from = times.reduce((a, b) => Math.min(a, b), Infinity);
  const to = times.reduce((a, b) => Math.max(a, b), -Infinity);
  const most = sizes.reduce((a, b) => Math.max(a, b), 1);
  const across = to > from ? (columns - 1e-6) / (to - from) : 0;
  const seen = new Set<number>();
  const kept: number[] = [];
  for (let i = 0; i < times.length; i++) {
    const column = Math.floor(((times[i] as number) - from) * across);
    const row = Math.min(rows - 1, Math.floor(((sizes[i] as number) / most) * rows));
    const cell = (column * rows + row) * 256 + (tags[i] as number);
    if (seen.has(cell)) continue;
    if (kept.length === limit) return undefined;
    seen.add(cell);
    kept.push(i);
  }
  return kept;
}

/**
 * At most `limit` points, every path and direction among them: of those that fall on the same spot of a plot one is
 * kept, and the spots grow until the rest is few enough. Points under the limit all stay.
 */
export function thin(points: Points, limit: number): Points {
  if (points.times.length <= limit) return points;
  let columns = COLUMNS;
  let rows = ROWS;
  let kept = firstOfCells(points, columns, rows, limit);
  while (kept === undefined) {
    if (columns === 1 && rows === 1) throw new RangeError(`a limit of ${limit} is below one point a path`);
    if (rows > FEW_ROWS || columns === 1) rows = Math.max(1, Math.floor(rows / 1.4));
    else columns = Math.max(1, Math.floor(columns / 1.4));
    kept = firstOfCells(points, columns, rows, limit);
  }
  const pick = (column: number[]): number[] => (kept as number[]).map((i) => column[i] as number);
  return { times: pick(points.times), sizes: pick(points.sizes), tags: pick(points.tags) };
}

/** Bytes that each path has carried by the end of each of `steps` equal parts of a span, both directions. */
export class Growth {
  readonly #from: number;
  readonly #width: number;
  readonly #steps: number;
  readonly #paths: Float64Array[] = [];

  constructor(from: number, to: number, steps: number) {
    this.#from = from;
    this.#width = Math.max(to - from, 1e-9) / steps;
    this.#steps = steps;
  }

  add(path: number, time: number, size: number): void {
    while (this.#paths.length <= path) this.#paths.push(new Float64Array(this.#steps));
    const step = Math.floor((time - this.#from) / this.#width);
    const row = this.#paths[path] as Float64Array;
    const at = Math.min(this.#steps - 1, Math.max(0, step));
    row[at] = (row[at] as number) + size;
  }

  /** A row a path, one after the other. */
  rows(paths: number): Float32Array {
    const all = new Float32Array(paths * this.#steps);
    for (let path = 0; path < paths; path++) {
      let sum = 0;
      for (let step = 0; step < this.#steps; step++) {
        sum += this.#paths[path]?.[step] ?? 0;
        all[path * this.#steps + step] = sum;
      }
    }
    return all;
  }
}
