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
  const erase = (): void => void (process.stderr.isTTY && process.stderr.write('\r\u001b[K'));
  const draw = (): void => {
    if (!process.stderr.isTTY || working.size === 0) return;
    process.stderr.write(paint.dim(statusText(working, process.stderr.columns)));
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
      for (const line of lines) console.log(line);
      draw();
    },
    end: () => {
      working.clear();
      erase();
    },
  };
}
