/** What must hold of a benchmark's figures, and whether it does. Pure. */

export interface Verdict {
  what: string;
  /** What was measured, as text. */
  is: string;
  verdict: 'met' | 'missed' | 'not measured';
}

/** `is`: undefined where nothing was measured. */
export const judge = (what: string, is: string | undefined, holds: boolean): Verdict =>
  is === undefined
    ? { what, is: '-', verdict: 'not measured' }
    : { what, is, verdict: holds ? 'met' : 'missed' };
