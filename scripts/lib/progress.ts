/** Progress of long work: a spinner on a terminal, plain lines in a pipe. */
import { spinner } from 'zx';
import { paint } from './cli.ts';

/** Seconds for a person: `0.4 s`, `61 s`. */
export const seconds = (ms: number): string =>
  ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;

/** Runs one step; prints its title with the time it took. The result comes with that time, in ms. */
export async function step<T>(title: string, work: () => Promise<T>): Promise<{ result: T; ms: number }> {
  const began = performance.now();
  const result = process.stderr.isTTY ? await spinner(title, work) : await work();
  const ms = performance.now() - began;
  console.log(`${paint.green('✓')} ${title} ${paint.dim(seconds(ms))}`);
  return { result, ms };
}
