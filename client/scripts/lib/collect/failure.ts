import { EXIT, Fault } from '../fault.ts';
import type { Failure, FailureKind } from '../trace/record.ts';

/** Ends a visit, and becomes its record. */
export class VisitError extends Error implements Failure {
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Ends a run that was told to stop. */
export const stopped = (): Fault =>
  new Fault({ what: 'stopped; the same command again goes on from here', code: EXIT.interrupted });
