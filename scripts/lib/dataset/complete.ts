/** Whether a run holds all visits that it was asked for. */
import type { Manifest } from '../../../client/scripts/lib/trace/layout.ts';
import { type FailureKind, isFinished } from '../../../client/scripts/lib/trace/record.ts';
import type { Tell } from './check-attempt.ts';

/** The number of each visit's last attempt, and how its attempts ended, as {@link isFinished} takes it. */
export type Ends = Map<string, { last: number; kinds: (FailureKind | null | undefined)[] }>;

/** Open visits that are named; more are counted. */
const NAMED = 10;

export const isAsked = (visit: string, { urls, visits }: Manifest['settings']): boolean => {
  const [label = 0, instance = 0] = visit.split('-').map(Number);
  return label < urls.length && instance < visits;
};

/** Tells which of the visits that a run was asked for are not finished. */
export function checkComplete(path: string, { settings }: Manifest, ends: Ends, tell: Tell): void {
  const { urls, visits, retries } = settings;
  const asked = urls.length * visits;
  const made = [...ends].filter(([visit]) => isAsked(visit, settings));
  const open = made.filter(([, { kinds }]) => !isFinished(kinds, retries)).map(([visit]) => visit);
  const finished = made.length - open.length;
  if (finished >= asked) return;
  const more = open.length > NAMED ? ` and ${open.length - NAMED} more` : '';
  const named = open.length > 0 ? `; with attempts left: ${open.slice(0, NAMED).join(', ')}${more}` : '';
  tell(path, `not finished: ${finished} of ${asked} visits${named}`);
}
