/** A command of the project as one file, for tests that start it often: tsx takes longer to start than most take to their end. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const bundles = new Map<string, string[]>();

/**
 * What Node is to run in the place of `scripts/NAME.ts`; made once, and gone with this process. It lies as deep in a folder
 * as what is in it, so that templates are found.
 */
export function bundleOf(name: string): string[] {
  const source = `scripts/${name}.ts`;
  const made = bundles.get(name);
  if (made !== undefined) return made;
  const folder = mkdtempSync(join(tmpdir(), 'comps-bundle-'));
  process.once('exit', () => rmSync(folder, { recursive: true }));
  const bundle = join(folder, source.replace('/', '/lib/').replace(/ts$/, 'mjs'));
  const how = ['--bundle', '--platform=node', '--format=esm', '--packages=external', '--log-level=error'];
  execFileSync('node_modules/.bin/esbuild', [source, ...how, `--outfile=${bundle}`]);
  for (const other of ['node_modules', 'templates']) symlinkSync(resolve(other), join(folder, other));
  bundles.set(name, [bundle]);
  return [bundle];
}
