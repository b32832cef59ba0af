/** A split by packet from its beginning to its end. While it is in force the kernel needs no process: this one watches. */
import type { Clock } from './clock.ts';
import { atEnd } from './command.ts';
import { detour } from './health.ts';
import type { HealthLine } from './health-log.ts';
import type { Change, HealthWatch } from './health-watch.ts';
import { type Commands, clearSplit, KernelSplit } from './kernel-split.ts';
import type { Run } from './packet-strategy.ts';
import { cycleLength } from './split-rules.ts';
import { watchPaths } from './watch-paths.ts';

/** A line of a split's log; times are seconds since 1970. */
export type SplitLine =
  /** In force from some moment between `time` and `done`; the next packet of wg0 after that moment was packet 0. */
  | { event: 'split'; time: number; done: number; cycle: number; paths: readonly string[] }
  /** Packets that left by each path while it was in force. */
  | { event: 'counts'; packets: Record<string, number> }
  | { event: 'error'; time: number; path: 'wg0'; message: string }
  | HealthLine;

export interface SplitPlan {
  interfaces: readonly string[];
  /** One round, which repeats. */
  runs: readonly Run[];
  /** Seconds. */
  duration?: number | undefined;
  /** Whether to look after the paths. */
  health: boolean;
}

export interface SplitDoors {
  clock: Clock;
  routes: Commands;
  log: (line: SplitLine) => void;
  warn: (text: string) => void;
}

/** What made it end, where nothing else did. */
export const GONE = 'split gone';

/** Looks from one question to nftables to the next. */
const LOOKS = 5;

/** Puts a split in force; nothing of an earlier one is there any more. Returns it, to be looked after. */
export async function beginSplit(plan: SplitPlan, { clock, routes, log }: SplitDoors): Promise<KernelSplit> {
  const { interfaces, runs } = plan;
  const split = await KernelSplit.lay(interfaces, routes);
  const time = clock.epoch(clock.now());
  split.load(runs);
  log({
    event: 'split',
    time,
    done: clock.epoch(clock.now()),
    cycle: cycleLength(runs),
    paths: interfaces,
  });
  return split;
}

/** Splits until `stop` fires with a reason, or the time is over; returns what made it end. */
export async function splitUntil(plan: SplitPlan, doors: SplitDoors, stop: AbortSignal): Promise<string> {
  const { interfaces, duration = Infinity } = plan;
  const { clock, routes, log } = doors;
  const end = new AbortController();
  const aborted = (): void => end.abort(stop.reason);
  if (stop.aborted) aborted();
  else stop.addEventListener('abort', aborted, { once: true });
  const takeAway = atEnd(async () => {
    const { counts } = await clearSplit(routes);
    if (counts !== undefined) log({ event: 'counts', packets: counts });
    else end.abort(GONE);
  });
  let watch: HealthWatch | undefined;
  try {
    const split = await beginSplit(plan, doors);
    const start = clock.now();
    const lost = (): void => {
      const message = 'its rules are gone: nothing is split any more, all goes by the current path';
      log({ event: 'error', time: clock.epoch(clock.now()), path: 'wg0', message });
      end.abort(GONE);
    };
    let out: ReadonlySet<number> = new Set();
    let back: number[] = [];
    let looks = 0;
    const changed = (change: Change): void => {
      out = change.out;
      back.push(...change.back);
    };
    const looked = (): void => {
      looks++;
      if (looks % LOOKS === 0 && !split.there) lost();
      split.point(
        interfaces.map((_, path) => detour(path, undefined, interfaces.length, out)),
        back,
      );
      back = [];
    };
    if (plan.health) watch = await watchPaths(interfaces, doors, { changed, looked });
    await clock.until(start + duration * 1000, end.signal, () => false);
    clock.follow();
  } finally {
    stop.removeEventListener('abort', aborted);
    await watch?.close();
    await takeAway();
  }
  return end.signal.aborted ? String(end.signal.reason) : 'duration';
}
