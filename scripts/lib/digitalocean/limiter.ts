/**
 * Keeps all requests of a process within DigitalOcean's limits: 250 a minute and 5000 an hour for a token. Decisions are
 * pure functions of a clock in ms; {@link createLimiter} lets requests wait their turn by them.
 */

/** Some less than allowed: requests that start a minute apart may arrive nearer to each other. */
export const PER_MINUTE = 240;
export const AT_ONCE = 8;
const MINUTE = 60_000;

/** Requests left in the hour at which it is waited: as many as may be under way. */
const NEAR_END = AT_ONCE;

/** Longest wait in ms for a time that DigitalOcean names as a clock's: it is asked again then. */
export const LONGEST_RESET = 60_000;

/** What the headers of an answer say; undefined what they do not. */
export interface Limits {
  /** Requests left in the hour. */
  remaining?: number | undefined;
  /** Milliseconds until the oldest request of the hour no longer counts. */
  resetIn?: number | undefined;
  /** Milliseconds that it asks to wait. */
  retryAfter?: number | undefined;
}

export interface Pace {
  /** When the last {@link PER_MINUTE} requests began. */
  starts: readonly number[];
  running: number;
  /** Nothing begins before. */
  held: number;
}

export const IDLE: Pace = { starts: [], running: 0, held: Number.NEGATIVE_INFINITY };

/** Milliseconds until the next request may begin; infinite until one of those under way has ended. */
export function delay({ starts, running, held }: Pace, now: number): number {
  if (running >= AT_ONCE) return Number.POSITIVE_INFINITY;
  const oldest = starts.at(-PER_MINUTE);
  return Math.max(0, held - now, oldest === undefined ? 0 : oldest + MINUTE - now);
}

export const begun = ({ starts, running, held }: Pace, now: number): Pace => ({
  starts: [...starts.slice(1 - PER_MINUTE), now],
  running: running + 1,
  held,
});

/** After an answer that asks all requests to wait so many ms. */
export const ended = ({ starts, running, held }: Pace, now: number, hold: number): Pace => ({
  starts,
  running: running - 1,
  held: hold > 0 ? Math.max(held, now + hold) : held,
});

/** Milliseconds that all wait after an answer, `longest` at most; 0 where nothing is near its end. */
export function holdAfter(limited: boolean, limits: Limits, longest: number): number {
  const reset = Math.min(limits.resetIn ?? 0, LONGEST_RESET);
  if (limited) return Math.min(limits.retryAfter ?? reset, longest);
  return limits.remaining !== undefined && limits.remaining <= NEAR_END ? Math.min(reset, longest) : 0;
}

export interface Limiter {
  /** Resolves when a request may begin; what it resolves with is to be called when that has ended. */
  turn(): Promise<(hold: number) => void>;
}

export interface LimiterSettings {
  /** Milliseconds on a clock that never goes back. */
  now: () => number;
  sleep: (ms: number) => Promise<void>;
  onWait: (line: string) => void;
}

export function createLimiter({ now, sleep, onWait }: LimiterSettings): Limiter {
  const queue: (() => void)[] = [];
  let pace = IDLE;
  let asleep = false;
  const wake = (): void => {
    while (queue.length > 0 && !asleep) {
      const ms = delay(pace, now());
      if (ms === Number.POSITIVE_INFINITY) return;
      if (ms > 0) {
        asleep = true;
        if (ms >= 1000) onWait(`rate limit, ${Math.ceil(ms / 1000)} s`);
        void sleep(ms).then(() => {
          asleep = false;
          wake();
        });
        return;
      }
      pace = begun(pace, now());
      queue.shift()?.();
    }
  };
  const end = (hold: number): void => {
    pace = ended(pace, now(), hold);
    wake();
  };
  return {
    turn: () =>
      new Promise((resolve) => {
        queue.push(() => resolve(end));
        wake();
      }),
  };
}
