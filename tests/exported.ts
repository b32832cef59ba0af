/** Exports of one made-up run, and what others' tools read of them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { type ExportWish, exportTraces } from '../scripts/lib/dataset/export.ts';
import { openSource } from '../scripts/lib/dataset/source.ts';
import { decodeRecord } from '../scripts/lib/dataset/trace.ts';
import { type MadeAttempt, writeRun } from './synthetic-run.ts';

export const folder = mkdtempSync(join(tmpdir(), 'comps-export-'));
after(() => rmSync(folder, { recursive: true }));
export const RUN = join(folder, 'run');
export const attempts = writeRun(RUN);
export const successes = attempts
  .filter(({ summary }) => summary.status === 'success')
  .sort((a, b) => a.folder.localeCompare(b.folder));

/** Packets of an attempt's records in the order of time, as [µs, direction, size, path]. */
export function packetsOf({ records }: MadeAttempt): [number, number, number, string][] {
  return records
    .flatMap((record) => {
      const decoded = decodeRecord(record);
      assert.ok('packets' in decoded);
      return decoded.packets.map(({ time, direction, size }): [number, number, number, string] => [
        Math.round(time * 1e6),
        direction,
        size,
        record.interface,
      ]);
    })
    .sort((a, b) => a[0] - b[0]);
}

export interface Arrays {
  [name: string]: { dtype: string; shape: number[]; values: never[] };
}

/** Debian's own Python, which has its packages. */
export const python = (what: 'records' | 'arrays', path: string) =>
  JSON.parse(
    execFileSync('/usr/bin/python3', ['tests/read-traces.py', what, path], {
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    }),
  );

let number = 0;
const WISH = {
  path: 'joined',
  cut: 'none',
  least: 1,
  length: 100,
  sizes: true,
  origin: 'own',
  force: false,
} as const;

export async function exported(wish: Partial<ExportWish>, sources = [RUN]) {
  const out = join(folder, `out-${number++}`);
  const told: string[] = [];
  const tell = (at: string, what: string): void => void told.push(`${at}: ${what}`);
  const all = { ...WISH, format: 'npz', out, ...wish } as const;
  const result = await exportTraces(sources.map(openSource), all, tell);
  return { out: all.out, told, ...result };
}
