import type { Clock } from './clock.ts';
import type { Outcome } from './ip-batch.ts';
import { type Entry, entries, missed } from './schedule.ts';
import type { Choice } from './strategy.ts';

/** The routing table of wg0's own packets. */
export const TABLE = 51821;

/** The command that makes an interface the current path: metric 0, above the standby routes. */
const switchTo = (name: string): string => `route replace default dev ${name} table ${TABLE}`;

/** Where commands for `ip` go. */
export interface Routes {
  readonly busy: boolean;
  send(command: string, done: (outcome: Outcome) => void): void;
  /** Resolves once every command is answered. */
  close(): Promise<void>;
}

export interface Plan {
  interfaces: readonly string[];
  choice: Choice;
  /** Seconds from one entry to the next. */
  period: number;
  /** Ends after this many seconds. */
  duration?: number | undefined;
  /** Ends after entry number this; entry 0 is the first path. */
  switches?: number | undefined;
}

/** A line of the switch log; all times are seconds since 1970 on the pcap's clock. */
export type LogLine =
  /** An entry that was carried out: the path was in force from some moment between `time` and `done`. */
  | { event: 'switch'; n: number; due: number; time: number; done: number; path: string; from: string | null }
  /**
   * An entry that failed: `stays` is the last path that was set, null before the first. Where `ip` itself ended
   * without an answer, the path may have been set all the same.
   */
  | {
      event: 'error';
      n: number;
      due: number;
      time: number;
      path: string;
      stays: string | null;
      message: string;
    }
  /** Entries `n` to `n + skipped - 1` are left out, since the process was stopped or too slow. */
  | { event: 'late'; n: number; time: number; skipped: number; late: number }
  /** Somebody set CLOCK_REALTIME: later times are on the new one. */
  | { event: 'clock'; time: number; step: number };

export interface Totals {
  /** What made it end. */
  reason: string;
  /** The last path that was set, null where none could be. */
  path: string | null;
  /** Entries carried out, whether the path changed or not. */
  entries: number;
  /** Of those, the ones that changed the path. */
  switches: number;
  errors: number;
  skipped: number;
}

export interface Doors {
  clock: Clock;
  routes: Routes;
  log: (line: LogLine) => void;
  /** For a person: an interface fails, or works again. */
  warn: (text: string) => void;
}

/**
 * Carries a plan out until its end or until `stop` fires with a reason. Every entry is given to the kernel, also one
 * that keeps the path: that changes nothing there, and puts the route back where something took it away.
 */
export async function migrate(
  plan: Plan,
  { clock, routes, log, warn }: Doors,
  stop: AbortSignal,
): Promise<Totals> {
  const { choice, interfaces, period, duration = Infinity, switches = Infinity } = plan;
  const totals: Totals = { reason: '', path: null, entries: 0, switches: 0, errors: 0, skipped: 0 };
  const failing = new Set<string>();
  const start = clock.now();
  const busy = (): boolean => routes.busy;

  const carriedOut = (n: number, due: number, time: number, path: string, at: number): void => {
    const from = totals.path;
    totals.entries++;
    if (path !== from) totals.switches++;
    totals.path = path;
    if (failing.delete(path)) warn(`${path}: works again`);
    else if (choice.holds && n > 0) return;
    log({ event: 'switch', n, due, time, done: clock.epoch(at), path, from });
  };
  const failed = (n: number, due: number, time: number, path: string, message: string): void => {
    totals.errors++;
    log({ event: 'error', n, due, time, path, stays: totals.path, message });
    if (failing.has(path)) return;
    failing.add(path);
    warn(`${path}: ${message}; it is tried again at each of its turns`);
  };
  const carryOut = ({ n, at, path: index }: Entry): void => {
    const path = interfaces[index] as string;
    const due = clock.epoch(start + at * 1000);
    const time = clock.epoch(clock.now());
    routes.send(switchTo(path), (outcome) => {
      if (outcome.ok) carriedOut(n, due, time, path, outcome.at);
      else failed(n, due, time, path, outcome.message);
    });
  };

  let resumeAt = 0;
  const run = async (): Promise<string> => {
    for (const entry of entries(choice.paths, period)) {
      if (entry.n < resumeAt) continue;
      if (entry.n > switches) return 'switches';
      const last = entry.at >= duration;
      await clock.until(start + Math.min(entry.at, duration) * 1000, stop, busy);
      if (stop.aborted) return String(stop.reason);
      if (last) return 'duration';
      const step = clock.follow();
      const now = clock.now();
      if (step !== 0) log({ event: 'clock', time: clock.epoch(now), step });
      // No more are left out than the plan has.
      const left = Math.min(switches + 1, Math.ceil(duration / period)) - entry.n;
      const skipped = Math.min(missed(entry.n, (now - start) / 1000, period), left);
      if (skipped === 0) {
        carryOut(entry);
        continue;
      }
      const late = Math.round(now - start - entry.at * 1000) / 1000;
      log({ event: 'late', n: entry.n, time: clock.epoch(now), skipped, late });
      totals.skipped += skipped;
      resumeAt = entry.n + skipped;
    }
    throw new Error('a strategy without an end ended');
  };
  const reason = await run();
  await routes.close();
  return { ...totals, reason };
}
