/** A run: visit after visit, attempt after attempt, until all are there or the machine gives out. */
import { setTimeout as timer, setImmediate as turn } from 'node:timers/promises';
import { EXIT, Fault } from '../fault.ts';
import { freeSpace } from '../folders.ts';
import { FAILURES, type FailureKind, NOT_THE_PAGES, type Versions } from '../trace/record.ts';
import { stopped } from './failure.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import { backOff, type PlannedVisit } from './plan.ts';
import type { Progress } from './progress.ts';
import { diskFull, isFull, placeFault, type Sink } from './sink.ts';
import { networkGone, type Probe } from './tunnels.ts';
import { carryOut, type Stage } from './visit.ts';

/** What of a visit is there from earlier sessions. */
export interface Before {
  /** Number of the last attempt, 0 for none. */
  attempts: number;
  /** Of those, the ones that count against the retries: the network was there. */
  counted: number;
}

export interface Collection {
  stage: Stage;
  sink: Sink;
  probe: Probe;
  progress: Progress;
  versions: Versions;
  /** Visits that are not finished, with what there is of them. */
  todo: readonly { planned: PlannedVisit; before: Before }[];
  /** Bytes that must be free on the disk before a visit. */
  minFree: number;
  /** Seconds that a tunnel may be silent before the run stops. */
  patience: number;
}

/** So many visits in a row that failed for the network end the run: something is wrong that no retry mends. */
const MOST_IN_A_ROW = 5;

/** Whether an attempt was the last of its visit. */
export const isLast = (kind: FailureKind | undefined, counted: number, retries: number): boolean =>
  kind === undefined || (!NOT_THE_PAGES.has(kind) && counted > retries);

/** From the failures that the attempts so far ended with; a kind that this version does not know counts. */
export function beforeFrom(kinds: readonly (FailureKind | null)[], attempts = kinds.length): Before {
  const counted = kinds.filter(
    (kind) => kind === null || !NOT_THE_PAGES.has(kind) || !FAILURES.includes(kind),
  );
  return { attempts, counted: counted.length };
}

/** Waits so many seconds, or less where `stop` fires. */
async function rest(seconds: number, stop: AbortSignal): Promise<void> {
  await timer(seconds * 1000, undefined, { signal: stop }).catch(() => undefined);
}

/** Milliseconds for which it holds that every tunnel answered. */
const FRESH = 2000;

/** Waits for every tunnel to answer; a Fault where one stays silent too long. */
async function untilThere({ probe, progress, patience }: Collection, stop: AbortSignal): Promise<void> {
  const end = performance.now() + patience * 1000;
  let told = false;
  for (;;) {
    // Behind the visit before they were asked already.
    const silent = probe.goodFor() < FRESH ? [] : await probe.silent();
    if (silent.length === 0) return;
    if (stop.aborted) throw stopped();
    if (performance.now() > end) throw networkGone(silent, 'every visit so far is kept');
    if (!told)
      progress.say(
        `${silent.join(', ')} ${silent.length === 1 ? 'does' : 'do'} not answer; waiting for it, for ${patience} s at most`,
      );
    told = true;
    await rest(1, stop);
  }
}

function requireSpace({ sink, stage, minFree }: Collection): void {
  for (const place of [sink.place, stage.scratch])
    if (freeSpace(place) < minFree)
      throw new Fault({
        at: place,
        what: `less than ${Math.round(minFree / 1e6)} MB are free; all visits that came to their end are kept`,
        next: 'make room (or --min-free), then the same command again',
        code: EXIT.failed,
      });
}

/** One attempt, kept; undefined where it was stopped. */
async function attemptOnce(
  run: Collection,
  planned: PlannedVisit,
  attempt: number,
  stop: AbortSignal,
): Promise<Outcome> {
  const { stage, sink, probe, versions } = run;
  const folder = sink.open(planned.visit, attempt);
  const raw = await carryOut(stage, planned, folder, stop);
  if (stop.aborted) throw stopped();
  // What the tools met: their captures are cut off, and so would be what is written of them.
  const trouble = [raw.captures, raw.migration, raw.page].find((failure) => isFull(failure?.message ?? ''));
  if (trouble !== undefined) throw diskFull(sink.place);
  const silent = await probe.silent();
  const outcome = outcomeOf(stage, planned, attempt, raw, { folder, silent, versions });
  await sink.keep(folder, outcome);
  return outcome;
}

/** Carries a run out; how many visits failed for good. `stop` ends it within a moment, without the visit under way. */
export async function collect(run: Collection, stop: AbortSignal): Promise<number> {
  const { stage, progress, todo } = run;
  let failed = 0;
  let inARow = 0;
  for (const { planned, before } of todo) {
    let { attempts, counted } = before;
    for (;;) {
      await rest(backOff(counted + inARow + 1), stop);
      if (stop.aborted) throw stopped();
      requireSpace(run);
      await untilThere(run, stop);
      progress.at(planned.url);
      attempts++;
      const outcome = await attemptOnce(run, planned, attempts, stop).catch(async (error: unknown) => {
        // Ctrl-C in a terminal ends a tool that was just asked something too; the signal itself comes a turn later.
        await turn();
        throw stop.aborted ? stopped() : placeFault(run.sink.place, error);
      });
      const kind = outcome.facts.failure?.kind;
      if (kind === undefined || !NOT_THE_PAGES.has(kind)) counted++;
      const last = isLast(kind, counted, stage.settings.retries);
      progress.finished(outcome, last);
      inARow = kind !== undefined && NOT_THE_PAGES.has(kind) ? inARow + 1 : 0;
      if (inARow >= MOST_IN_A_ROW)
        throw new Fault({
          what: `${inARow} attempts in a row failed for the network; the last: ${outcome.facts.failure?.message}`,
          next: 'mend it, then the same command again; this visit is not counted as made',
          code: EXIT.unreachable,
        });
      if (last && kind !== undefined) failed++;
      if (last) break;
    }
  }
  return failed;
}
