/** The rate limits, counted as documented: a window that slides, of an hour and of a minute. Pure but for its memory. */
import type { Limits } from './types.ts';

export interface Verdict {
  /** Undefined: let it through. Else the headers that the 429 has beside the usual ones. */
  refusal: Record<string, string> | undefined;
  /** Of every answer. */
  headers: Record<string, string>;
}

const HOUR = 3600;

export const USUAL_LIMITS: Limits = { hour: 5000, minute: 250, keysMinute: 10, minuteSeconds: 60 };

/** What a request counts as; those of an unknown token count as nothing. */
export type Counted = 'nothing' | 'request' | 'list of keys';

export type Limiter = (now: number, counted: Counted) => Verdict;

/** Times in milliseconds; refused requests are not counted. */
export function createLimiter(limits: Limits): Limiter {
  const all: number[] = [];
  const keys: number[] = [];
  const minute = limits.minuteSeconds * 1000;
  const within = (times: readonly number[], now: number, span: number): number[] =>
    times.filter((at) => at > now - span);

  return (now, counted) => {
    const listsKeys = counted === 'list of keys';
    while (all[0] !== undefined && all[0] <= now - HOUR * 1000) all.shift();
    const bursts = [
      { times: within(all, now, minute), most: limits.minute },
      ...(listsKeys ? [{ times: within(keys, now, minute), most: limits.keysMinute }] : []),
    ].filter(({ times, most }) => times.length >= most);
    const spent = all.length >= limits.hour;
    if (!spent && bursts.length === 0 && counted !== 'nothing') {
      all.push(now);
      if (listsKeys) keys.splice(0, keys.length, ...within(keys, now, minute), now);
    }
    const headers = {
      'ratelimit-limit': String(limits.hour),
      'ratelimit-remaining': String(Math.max(0, limits.hour - all.length)),
      'ratelimit-reset': String(Math.ceil((all[0] ?? now) / 1000) + HOUR),
    };
    // Room is where the oldest request of the window has left it.
    const waits = bursts.map(({ times }) => ((times[0] ?? now) + minute - now) / 1000);
    const wait = Math.max(1, Math.ceil(Math.max(0, ...waits)));
    const refusal = bursts.length > 0 ? { 'retry-after': String(wait) } : spent ? {} : undefined;
    return { refusal, headers };
  };
}
