/** Progress of long work: a spinner on a terminal, plain lines in a pipe. */
import { spinner } from 'zx';
import { paint } from './cli.ts';

/** Who hears every line that is printed, besides the person. */
const listeners = new Set<(line: string) => void>();
let aside = false;

/** A line for the person at work: on standard output, or beside it where that is kept for a document. */
export function print(line: string): void {
  for (const listener of listeners) listener(line);
  if (aside) console.error(line);
  else console.log(line);
}

/** Keeps standard output for a document, or gives it back: lines go to standard error meanwhile. */
export function printAside(on: boolean): void {
  aside = on;
}

/** Hears every line from now on; returns the end of that. */
export function hearLines(listener: (line: string) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Seconds for a person: `0.4 s`, `61 s`. */
export const seconds = (ms: number): string =>
  ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;

/** Whether a line can be taken back: on a terminal that knows how. */
export const hasTerminal = (): boolean => process.stderr.isTTY === true && process.env.TERM !== 'dumb';

/** Runs one step; prints its title with the time it took. The result comes with that time, in ms. */
export async function step<T>(title: string, work: () => Promise<T>): Promise<{ result: T; ms: number }> {
  const began = performance.now();
  const result = hasTerminal() ? await spinner(title, work) : await work();
  const ms = performance.now() - began;
  print(`${paint.green('✓')} ${title} ${paint.dim(seconds(ms))}`);
  return { result, ms };
}

/** One line at the foot of a terminal that says what is at work; in a pipe there is none. */
export interface StatusLine {
  /** What somebody does now; undefined when they have ended. */
  set(who: string, what: string | undefined): void;
  /** Prints lines above it. */
  print(lines: readonly string[]): void;
  /** Nobody does anything any more, whatever was set. */
  end(): void;
}

/** Text of a status line, cut to the terminal's width: `2 at work: vpn1: connecting; vpn3: install nftables`. */
export function statusText(working: ReadonlyMap<string, string>, width: number): string {
  const parts = [...working].map(([who, what]) => `${who}: ${what}`);
  const text = `${working.size} at work: ${parts.join('; ')}`;
  return text.length < width ? text : `${text.slice(0, width - 2)}…`;
}

export function statusLine(): StatusLine {
  const working = new Map<string, string>();
  const erase = (): void => void (hasTerminal() && process.stderr.write('\r\u001b[K'));
  const draw = (): void => {
    if (!hasTerminal() || working.size === 0) return;
    process.stderr.write(paint.dim(statusText(working, process.stderr.columns || 80)));
  };
  return {
    set: (who, what) => {
      if (what === undefined) working.delete(who);
      else working.set(who, what);
      erase();
      draw();
    },
    print: (lines) => {
      erase();
      for (const line of lines) print(line);
      draw();
    },
    end: () => {
      working.clear();
      erase();
    },
  };
}
