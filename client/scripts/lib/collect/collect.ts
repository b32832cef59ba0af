/** A run: visit after visit, attempt after attempt, until all are there or the machine gives out. */
import { setTimeout as timer, setImmediate as turn } from 'node:timers/promises';
import { EXIT, Fault } from '../fault.ts';
import { freeSpace } from '../folders.ts';
import { FAILURES, type Failure, type FailureKind, NOT_THE_PAGES, type Versions } from '../trace/record.ts';
import { stopped } from './failure.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import { backOff, type PlannedVisit } from './plan.ts';
import type { Present } from './present.ts';
import { keepScratch } from './profile.ts';
import type { Progress } from './progress.ts';
import { diskFull, isFull, placeFault, type Sink } from './sink.ts';
import { networkGone, type Probe, type Tunnel } from './tunnels.ts';
import { carryOut, type Stage } from './visit.ts';

/** What of a visit is there from earlier sessions. */
export interface Before {
  /** Number of the last attempt, 0 for none. */
  attempts: number;
  /** Of those, the ones that count against the retries: the network was there, and the page was asked for. */
  counted: number;
}

export interface Collection {
  stage: Omit<Stage, 'tunnels'>;
  present: Present;
  /** Told of other tunnels than before, in words too. */
  others: (tunnels: readonly Tunnel[], difference: string) => void;
  sink: Sink;
  probe: Probe;
  progress: Progress;
  versions: Versions;
  /** Visits that are not finished, with what there is of them. */
  todo: readonly { planned: PlannedVisit; before: Before }[];
  /** Bytes that must be free on the disk of what is kept before a visit. */
  minFree: number;
  /** Seconds that a tunnel may be silent before the run stops. */
  patience: number;
}

/** So many attempts in a row that failed for network or machine end the run: something is wrong that no retry mends. */
const MOST_IN_A_ROW = 5;

/** What ends a run after so many; `last`: why the last of them failed. */
export function tooMany(inARow: number, { kind, message }: Failure): Fault {
  const here = kind === 'not-begun';
  return new Fault({
    what: `${inARow} attempts in a row failed for ${here ? 'this machine' : 'the network'}; the last: ${message}`,
    next: 'mend it, then the same command again; this visit is not counted as made',
    code: here ? EXIT.failed : EXIT.unreachable,
  });
}

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

interface Waiting extends Pick<Collection, 'others' | 'patience'> {
  present: Pick<Present, 'look'>;
  probe: Pick<Probe, 'goodFor' | 'silent' | 'forget'>;
  progress: Pick<Progress, 'say'>;
}

/** Waits for every tunnel to answer, as it is now; a Fault where one stays silent too long, or the client is another. */
export async function untilThere(run: Waiting, stop: AbortSignal): Promise<readonly Tunnel[]> {
  const { present, others, probe, progress, patience } = run;
  const end = performance.now() + patience * 1000;
  let told = false;
  for (;;) {
    // Behind the visit before they were asked already.
    const answer = probe.goodFor() < FRESH ? [] : await probe.silent();
    if (stop.aborted) throw stopped();
    const { tunnels, missing, changed } = present.look();
    const silent = answer.length > 0 ? answer : missing;
    if (changed !== undefined) others(tunnels, changed);
    else if (silent.length === 0) return tunnels;
    // What answered is no more, or is something else by now.
    if (changed !== undefined || missing.length > 0) probe.forget();
    if (silent.length === 0) continue;
    if (performance.now() > end) throw networkGone(silent, 'every visit so far is kept');
    if (!told)
      progress.say(
        `${silent.join(', ')} ${silent.length === 1 ? 'does' : 'do'} not answer; waiting for it, for ${patience} s at most`,
      );
    told = true;
    await rest(1, stop);
  }
}

/** Bytes that must be free for scratch, where --min-free asks for no less: a profile of Chromium's has a tenth of that. */
const SCRATCH = 100e6;

/** Throws a Fault where a visit would have too little room; scratch that somebody has cleared away is made anew. */
export function requireSpace(place: string, scratch: string, minFree: number): void {
  const need = (where: string, least: number, next: string): void => {
    let free: number;
    try {
      if (where === scratch) keepScratch(scratch);
      free = freeSpace(where);
    } catch (error) {
      throw placeFault(where, error);
    }
    if (free >= least) return;
    throw new Fault({
      at: where,
      what: `less than ${Math.round(least / 1e6)} MB are free`,
      next: `make room (or ${next}), then the same command again`,
      code: EXIT.failed,
    });
  };
  if (place !== scratch) need(place, minFree, '--min-free');
  need(scratch, Math.min(minFree, SCRATCH), 'TMPDIR=ANOTHER_PLACE');
}

/** One attempt, kept; undefined where it was stopped. */
async function attemptOnce(
  run: Collection,
  planned: PlannedVisit,
  attempt: number,
  stop: AbortSignal,
): Promise<Outcome> {
  const { sink, probe, progress, versions } = run;
  const stage = { ...run.stage, tunnels: await untilThere(run, stop) };
  requireSpace(sink.place, stage.scratch, run.minFree);
  progress.at(planned.url);
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
      const failure = outcome.facts.failure;
      if (inARow >= MOST_IN_A_ROW && failure !== null) throw tooMany(inARow, failure);
      if (last && kind !== undefined) failed++;
      if (last) break;
    }
  }
  return failed;
}
