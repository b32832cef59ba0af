/** When a switch was made: from the log of migrate.ts, or from what the original's loop printed. All pure. */

/** Seconds since 1970: the path changed at some moment between the two. */
export interface Stamp {
  time: number;
  done: number;
}

export interface Log {
  stamps: Stamp[];
  /** Entries that migrate.ts left out since it came too late, and those that failed. */
  skipped: number;
  errors: number;
  /** Packets that a split gave each path, by its own count. */
  packets: Record<string, number> | null;
}

interface Line extends Partial<Stamp> {
  event: string;
  skipped?: number;
  packets?: Record<string, number>;
}

/** Whole lines only: the last one may still be in the making. */
const linesIn = (text: string): string[] =>
  text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '');

/** Reads the switch log of migrate.ts. */
export function readLog(text: string): Log {
  const log: Log = { stamps: [], skipped: 0, errors: 0, packets: null };
  for (const line of linesIn(text).map((each) => JSON.parse(each) as Line)) {
    const { event, time, done, skipped, packets } = line;
    if (event === 'switch' && time !== undefined && done !== undefined) log.stamps.push({ time, done });
    else if (event === 'late') log.skipped += skipped ?? 0;
    else if (event === 'error') log.errors++;
    else if (event === 'counts') log.packets = packets ?? null;
  }
  return log;
}

/** Reads the loop's lines, `BEFORE AFTER`; what else is there are complaints of its `ip`. */
export function readLoop(text: string): Log {
  const all = linesIn(text);
  const stamps = all.flatMap((line) => {
    const [, time, done] = /^(\d+\.\d+) (\d+\.\d+)$/.exec(line) ?? [];
    return time === undefined || done === undefined ? [] : [{ time: Number(time), done: Number(done) }];
  });
  return { stamps, skipped: 0, errors: all.length - stamps.length, packets: null };
}

/** Stamps whose switch began between two moments. */
export const between = (stamps: readonly Stamp[], from: number, to: number): Stamp[] =>
  stamps.filter(({ time }) => time >= from && time < to);

/** How far each interval of successive moments is from the period, seconds. */
export const intervalErrors = (moments: readonly number[], period: number): number[] =>
  moments.slice(1).map((moment, i) => Math.abs(moment - (moments[i] as number) - period));
