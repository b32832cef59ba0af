import { setTimeout as timer, setImmediate as turn } from 'node:timers/promises';

/** What a schedule needs of time; its milliseconds are monotonic and have no fixed origin. */
export interface Clock {
  now(): number;
  /** Seconds since 1970 to the microsecond, on the clock that stamps a pcap (CLOCK_REALTIME). */
  epoch(at: number): number;
  /** Looks for a step of CLOCK_REALTIME and follows it; returns it in seconds, 0 where there was none. */
  follow(): number;
  /** Waits until `due`, or less where `signal` fires; `busy` says that an answer is awaited meanwhile. */
  until(due: number, signal: AbortSignal, busy: () => boolean): Promise<void>;
}

/** Timers are whole milliseconds and come up to 4 ms late (measured): they are set for this much before the time. */
const TIMER_MARGIN_MS = 5;
/** The kernel ends a thread's sleep up to 50 µs late (timer slack), then wakes it: the rest is spun. */
const SLEEP_MARGIN_MS = 0.12;
/** A longer wait is cut into pieces of this length. */
const LONGEST_TIMER_MS = 60_000;
/** Date.now() is whole milliseconds: what is further off than that is a step. */
const STEP_MS = 2;

const now = (): number => performance.now();

/** Two looks that agree to this, milliseconds, are right; on a busy machine that may take so many, of a millisecond each. */
const EXACT_MS = 0.01;
const LOOKS = 30;

/** One look for the offset, at where Date.now() changes; undefined where this process had to wait in the midst of it. */
function look(): number | undefined {
  const start = Date.now();
  let before = now();
  let tick = start;
  for (tick = Date.now(); tick === start; tick = Date.now()) before = now();
  const after = now();
  return after - before < EXACT_MS && tick === start + 1 ? tick - (before + after) / 2 : undefined;
}

/**
 * Milliseconds from the monotonic clock to CLOCK_REALTIME, exact to a few µs. A process that had to wait right before it
 * saw the change finds too small an offset, never too large a one: the largest is right, once two looks have found it.
 */
function offset(): number {
  let [most, second] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < LOOKS && !(most - second <= EXACT_MS); i++) {
    const next = look() ?? Number.NEGATIVE_INFINITY;
    second = Math.max(second, Math.min(most, next));
    most = Math.max(most, next);
  }
  // Not one good look: what the two clocks say at once, a millisecond at most from the truth.
  return Number.isFinite(most) ? most : Date.now() + 0.5 - now();
}

/** Sleeps without the event loop, which is exact to some 60 µs where a timer is to a millisecond. */
const cell = new Int32Array(new SharedArrayBuffer(4));
const sleep = (ms: number): void => void Atomics.wait(cell, 0, 0, ms);

async function until(due: number, signal: AbortSignal, busy: () => boolean): Promise<void> {
  // At least one turn, so that answers and signals come through even where everything is late.
  await turn();
  for (let left = due - now(); left > 0 && !signal.aborted; left = due - now()) {
    if (left > TIMER_MARGIN_MS + 1) {
      const ms = Math.min(left - TIMER_MARGIN_MS, LONGEST_TIMER_MS);
      await timer(ms, undefined, { signal }).catch(() => undefined);
    } else if (busy()) await turn();
    else if (left > SLEEP_MARGIN_MS) sleep(left - SLEEP_MARGIN_MS);
  }
}

/** This machine's clocks. Both are slewed alike by NTP, so they differ by a constant until somebody sets the time. */
export function systemClock(): Clock {
  let base = offset();
  return {
    now,
    until,
    epoch: (at) => Math.round((base + at) * 1000) / 1e6,
    follow() {
      if (Math.abs(Date.now() - (base + now())) < STEP_MS) return 0;
      const old = base;
      base = offset();
      return Math.abs(base - old) < STEP_MS ? 0 : (base - old) / 1000;
    },
  };
}
