/** The last page of `npm test`: what took the time, and what failed, so that nobody needs the pages before it. */
import { paint } from '../scripts/lib/cli.ts';
import { seconds } from '../scripts/lib/progress.ts';
import type { Result } from './lanes.ts';

/** The slowest files, a line each. */
export function slowest(results: readonly Result[], most = 10): string[] {
  const longest = [...results].sort((a, b) => b.ms - a.ms).slice(0, most);
  return longest.map(({ path, ms }) => `${seconds(ms).padStart(8)}  ${path}`);
}

/** Where Node's reporter begins to say again what failed. */
const AGAIN = /^✖ failing tests:/;
/** Lines kept of what a file that failed said. */
const MOST = 60;

/** The part that tells why a file failed: the tests that did, else the last of what it said. */
export function troubleIn(said: string, most = MOST): string[] {
  const lines = said.trimEnd().split('\n');
  const from = lines.findIndex((line) => AGAIN.test(line));
  if (from === -1) return lines.slice(-most);
  const rest = lines.length - from - most;
  const kept = lines.slice(from, from + most);
  return rest > 0 ? [...kept, `… and ${rest} lines more, above`] : kept;
}

/** What was not run of files that were, a line a file. */
export const skippedIn = (results: readonly Result[]): string[] =>
  results.flatMap(({ path, skipped }) => (skipped.length === 0 ? [] : `${path}: ${skipped.join(', ')}`));

/** All of it, for a person. */
export function lastPage(results: readonly Result[]): string {
  const failed = results.filter(({ good }) => !good);
  return [
    '',
    paint.bold('== the slowest test files'),
    ...slowest(results),
    ...failed.flatMap(({ path, said }) => ['', paint.red(`== ${path}`), ...troubleIn(said)]),
  ].join('\n');
}
