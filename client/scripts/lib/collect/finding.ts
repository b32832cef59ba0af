/** A check of a visit, as judge.ts makes them. */
import type { Check, Failure } from '../trace/record.ts';

export const plural = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;
export const listed = (names: readonly string[]): string => names.join(', ');

export interface Finding {
  check: Check;
  failure: Failure | undefined;
}

/** `good`: what is said where nothing failed. */
export const finding = (name: Check['name'], failure: Failure | undefined, good: string): Finding => ({
  check: { name, ok: failure === undefined, detail: failure?.message ?? good },
  failure,
});
