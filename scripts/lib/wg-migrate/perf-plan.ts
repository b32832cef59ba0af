/** What `perf` measures, in which order, and the table of what it found. All pure. */

/** One download: MiB, and seconds from switch to switch; null where the path stays. */
export interface Download {
  size: number;
  period: number | null;
}

export interface Measured extends Download {
  seconds: number;
  bytes: number;
}

/**
 * One round: every size, and for each all periods and none, one right after the other; the next round begins with
 * another of them. So what the machine does besides is shared by all.
 */
export function roundOf(round: number, sizes: readonly number[], periods: readonly number[]): Download[] {
  const modes = [null, ...periods];
  const first = round % modes.length;
  const order = [...modes.slice(first), ...modes.slice(0, first)];
  return sizes.flatMap((size) => order.map((period) => ({ size, period })));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = Number.NaN] = [
    sorted[sorted.length % 2 ? middle : middle - 1],
    sorted[middle],
  ];
  return (low + high) / 2;
}

export interface Row extends Download {
  /** Median, and the two ends. */
  seconds: number;
  least: number;
  most: number;
  /** MB (10^6 bytes) a second, of the median. */
  rate: number;
  /** Rate as a part of that without migration; null where that was not measured. */
  ratio: number | null;
}

/** A row a size and period, those without migration first. */
export function rowsOf(measured: readonly Measured[]): Row[] {
  const same = (a: Download) => (b: Download) => a.size === b.size && a.period === b.period;
  const kinds = measured.filter((one, i) => measured.findIndex(same(one)) === i);
  const rows = kinds.map((kind) => {
    const all = measured.filter(same(kind));
    const times = all.map(({ seconds }) => seconds);
    const seconds = median(times);
    return {
      size: kind.size,
      period: kind.period,
      seconds,
      least: Math.min(...times),
      most: Math.max(...times),
      rate: (all[0]?.bytes ?? 0) / seconds / 1e6,
      ratio: null,
    };
  });
  return rows
    .map((row) => ({
      ...row,
      ratio: row.rate / (rows.find(same({ ...row, period: null }))?.rate ?? Number.NaN),
    }))
    .map((row) => ({ ...row, ratio: Number.isNaN(row.ratio) ? null : row.ratio }))
    .sort((a, b) => a.size - b.size || (b.period ?? Infinity) - (a.period ?? Infinity));
}

const COLUMNS = [8, 16, 10, 17, 9, 9];
const line = (cells: string[]): string =>
  cells
    .map((cell, i) => (i < 2 ? cell.padEnd(COLUMNS[i] ?? 0) : cell.padStart(COLUMNS[i] ?? 0)))
    .join('')
    .trimEnd();

/** The table for a person. */
export function tableOf(measured: readonly Measured[]): string[] {
  const rows = rowsOf(measured);
  return [
    line(['size', 'switching', 'median', 'from … to', 'MB/s', 'of none']),
    ...rows.map(({ size, period, seconds, least, most, rate, ratio }, i) =>
      line([
        rows[i - 1]?.size === size ? '' : `${size} MiB`,
        period === null ? 'none' : `every ${period} s`,
        `${seconds.toFixed(2)} s`,
        `${least.toFixed(2)} … ${most.toFixed(2)}`,
        rate.toFixed(1),
        ratio === null ? '' : ratio.toFixed(2),
      ]),
    ),
  ];
}
