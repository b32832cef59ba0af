/** Where a bench's figures go, and with what they are printed. */
import { cpus, release, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { paint } from '../scripts/lib/cli.ts';
import { makeDirectory, writeText } from '../scripts/lib/files.ts';
import { table } from './figures.ts';
import type { Verdict } from './verdict.ts';

const RESULTS = join(dirname(fileURLToPath(import.meta.url)), 'results');

export const machineHere = () => ({
  ...{ cpus: cpus().length, cpu: cpus()[0]?.model, kernel: release(), node: process.version },
});

const COLOUR = { met: paint.green, missed: paint.red, 'not measured': paint.yellow };

/** The figures as a table, and below it what was to hold. */
export function printFigures(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  verdicts: readonly Verdict[],
): void {
  for (const line of table(head, rows)) console.log(line);
  console.log();
  for (const { what, is, verdict } of verdicts)
    console.log(`${COLOUR[verdict](verdict.padEnd(12))} ${what}: ${is}`);
}

/** Writes NAME.json and NAME.svg; of what judges nothing to the system's folder for such files. */
export function writeResults(
  name: string,
  { judged, seconds }: { judged: boolean; seconds: number },
  result: object,
  svg: string,
): void {
  const folder = judged ? RESULTS : join(tmpdir(), 'comps-bench');
  makeDirectory(folder);
  writeText(join(folder, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
  writeText(join(folder, `${name}.svg`), svg);
  console.log(`\n${join(folder, `${name}.json`)} and .svg, after ${seconds} s`);
}
