/** Figures of a benchmark, from its samples. All pure. */
import { stripVTControlCharacters } from 'node:util';

/** The middle one of some numbers; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

/** The smallest of some numbers that a share of them (0 to 1) does not exceed; NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** Of a case, as ratios to no migration in the same round. */
export interface Ratios {
  median: number;
  least: number;
  most: number;
}

/**
 * Both by round: what a case had, and what no migration had, of possibly several measurements the mean. A round without that
 * is left out; all are NaN where none is left.
 */
export function ratiosOf(own: readonly (readonly number[])[], base: readonly (readonly number[])[]): Ratios {
  const ratios = own.flatMap((all, round) => {
    const of = base[round] ?? [];
    if (of.length === 0) return [];
    const mean = of.reduce((sum, value) => sum + value, 0) / of.length;
    return all.map((value) => value / mean);
  });
  if (ratios.length === 0) return { median: Number.NaN, least: Number.NaN, most: Number.NaN };
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}

/** Lines of a table whose first column is text and the others numbers, right-aligned. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((row) => (row[i] ?? '').length)));
  return all.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

interface Attempt {
  started: number;
  status: string;
}

export type Timed<T> = T & { took: number };

/**
 * The successes that another success follows at once, each with the seconds from its start to that one's: judging and
 * writing are in it, failed attempts and the pauses behind them are not.
 */
export function timed<T extends Attempt>(attempts: readonly T[]): Timed<T>[] {
  const all = [...attempts].sort((a, b) => a.started - b.started);
  return all.flatMap((one, i) => {
    const next = all[i + 1];
    const good = one.status === 'success' && next?.status === 'success';
    return good ? [{ ...one, took: next.started - one.started }] : [];
  });
}

/** Why a set-up failed: wgnet-setup says it on standard output, with a recap; what else there is where it says nothing. */
export function setupTrouble({ stdout, stderr }: { stdout: string; stderr: string }): string {
  const telling = /^(failed:|unreachable:| {6}|\S+\s+: ok=\d)/;
  const lines = stripVTControlCharacters(stdout)
    .split('\n')
    .filter((line) => telling.test(line));
  // npm's own warnings say nothing about the set-up.
  const errors = stderr.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('npm warn'));
  return [...errors, ...lines].join('\n') || 'it failed without a word';
}
