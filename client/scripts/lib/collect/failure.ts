import type { Failure, FailureKind } from '../trace/record.ts';

/** Ends a visit, and becomes its record. */
export class VisitError extends Error implements Failure {
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
