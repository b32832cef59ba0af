/** Which attempts belong to one visit, where several runs have visits of the same name. Pure. */
import type { TraceRecord, VisitFacts } from '../../../client/scripts/lib/trace/record.ts';

export type AttemptOf = Pick<VisitFacts, 'run' | 'visit' | 'attempt'>;

/** Tells attempts apart, whichever file they come from. */
export const attemptId = ({ run, visit, attempt }: AttemptOf): string => `${run} ${visit}.${attempt}`;

/** Tells records apart. */
export const recordId = (record: TraceRecord): string => `${attemptId(record)} ${record.interface}`;

/** Attempts by visit. */
export class Visits<T extends AttemptOf> {
  private readonly visits = new Map<string, T[]>();

  add(attempt: T): void {
    const key = `${attempt.run} ${attempt.visit}`;
    const attempts = this.visits.get(key);
    if (attempts === undefined) this.visits.set(key, [attempt]);
    else attempts.push(attempt);
  }

  /** The attempts of each visit by their number, visits in the order of their first. */
  *all(): Generator<readonly T[], void> {
    for (const attempts of this.visits.values()) yield attempts.sort((a, b) => a.attempt - b.attempt);
  }
}
