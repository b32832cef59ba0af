/** What the user sees of a run: a line that stays in place on a terminal, plain lines elsewhere. Standard error. */
import type { Outcome } from './outcome.ts';

const plural = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;

/** `1.2 MB`. */
export function amount(bytes: number): string {
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

/** `45 s`, `12 min`, `3 h 20 min`, `2 d 4 h`. */
export function period(seconds: number): string {
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const WIDTH = 20;
const bar = (share: number): string => {
  const full = Math.round(share * WIDTH);
  return `${'█'.repeat(full)}${'░'.repeat(WIDTH - full)}`;
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: what a page says may not command the terminal
const plain = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');

/** Whether a line can be taken back: on a terminal that knows how. */
export const canErase = (out: { isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean =>
  out.isTTY === true && env.TERM !== 'dumb';

export class Progress {
  private done = 0;
  private failed = 0;
  private readonly total: number;
  private readonly before: number;
  private readonly failedBefore: number;
  private readonly began = performance.now();
  private readonly bytes = new Map<string, number>();
  private readonly terminal: boolean;
  private shown = false;

  /** `before`: visits that earlier sessions have finished, and how many of them failed for good. */
  constructor(
    total: number,
    before: { finished: number; failed: number },
    interfaces: readonly string[],
    terminal = canErase(process.stderr, process.env),
  ) {
    [this.total, this.terminal] = [total, terminal];
    [this.before, this.failedBefore] = [before.finished, before.failed];
    this.done = this.before;
    for (const name of interfaces) this.bytes.set(name, 0);
  }

  /** A line that stays. */
  say(text: string): void {
    this.clear();
    console.error(plain(text));
  }

  /** What is at work, on a terminal. */
  at(url: string): void {
    if (!this.terminal) return;
    this.clear();
    const room = (process.stderr.columns || 80) - 1;
    process.stderr.write(plain(`${this.line()}  ${url}`).slice(0, room));
    this.shown = true;
  }

  /** An attempt has come to its end; `last`: there is no other one of this visit. */
  finished({ facts, summary }: Outcome, last: boolean): void {
    for (const path of summary.paths)
      this.bytes.set(path.interface, (this.bytes.get(path.interface) ?? 0) + path.bytes_in + path.bytes_out);
    const { visit, attempt, url, status, failure, started, ended } = facts;
    if (last) this.done++;
    if (last && status !== 'success') this.failed++;
    const again = last ? '' : '; it is tried again';
    const why = failure === null ? '' : ` ${failure.kind}: ${failure.message}${again}`;
    const which = attempt > 1 ? ` (attempt ${attempt})` : '';
    // Successes are counted in the bar; where there is none, they have a line each.
    if (status !== 'success' || !this.terminal)
      this.say(
        `${this.done}/${this.total} ${visit}${which} ${status}${why} ${url} ${(ended - started).toFixed(1)} s`,
      );
  }

  /** The last words of a run. */
  end(): void {
    this.clear();
    const took = period((performance.now() - this.began) / 1000);
    const here = this.done - this.before;
    const earlier = this.before > 0 ? ` (and ${this.before} before)` : '';
    const failed = this.failedBefore > 0 ? ` (and ${this.failedBefore} before)` : '';
    console.error(
      `${plural(here, 'visit')}${earlier} in ${took}, ${this.failed} failed${failed}; ${this.paths()}`,
    );
  }

  private line(): string {
    const here = this.done - this.before;
    const each = (performance.now() - this.began) / 1000 / Math.max(1, here);
    const left = here === 0 ? '' : `  ETA ${period(each * (this.total - this.done))}`;
    const failures = this.failed === 0 ? '' : `  ${this.failed} failed`;
    return `${bar(this.done / this.total)} ${this.done}/${this.total}${failures}${left}  ${this.paths()}`;
  }

  private paths(): string {
    return [...this.bytes].map(([name, bytes]) => `${name} ${amount(bytes)}`).join(', ');
  }

  private clear(): void {
    if (this.shown) process.stderr.write('\r\u001b[K');
    this.shown = false;
  }
}
