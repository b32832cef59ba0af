/** A split by packet from its beginning to its end. While it is in force the kernel needs no process: this one watches. */
import type { Clock } from './clock.ts';
import { atEnd } from './command.ts';
import { Fault } from './fault.ts';
import { detour } from './health.ts';
import type { HealthLine } from './health-log.ts';
import type { Change, HealthWatch } from './health-watch.ts';
import { type Cleared, type Commands, clearSplit, KernelSplit } from './kernel-split.ts';
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

/** Milliseconds from one look at table, rules and routes to the next. */
const LOOK_MS = 1000;

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

/** What {@link splitUntil} does to the kernel. */
export interface SplitKernel {
  begin: (plan: SplitPlan, doors: SplitDoors) => Promise<Pick<KernelSplit, 'there' | 'mend'>>;
  clear: (routes: Commands) => Promise<Pick<Cleared, 'counts'>>;
}

const KERNEL: SplitKernel = { begin: beginSplit, clear: clearSplit };

/**
 * Splits until `stop` fires with a reason, or the time is over; returns what made it end: GONE wherever it was not in
 * force to its end, so that nobody takes for split what was not.
 */
export async function splitUntil(
  plan: SplitPlan,
  doors: SplitDoors,
  stop: AbortSignal,
  { begin, clear }: SplitKernel = KERNEL,
): Promise<string> {
  const { interfaces, duration = Infinity } = plan;
  const { clock, routes, log, warn } = doors;
  const end = new AbortController();
  const aborted = (): void => end.abort(stop.reason);
  if (stop.aborted) aborted();
  else stop.addEventListener('abort', aborted, { once: true });
  const say = (message: string): void => warn(`wg0: ${message}`);
  const wrong = (message: string): void => {
    log({ event: 'error', time: clock.epoch(clock.now()), path: 'wg0', message });
    say(message);
  };
  let begun = false;
  let gone = false;
  const lost = (message: string): void => {
    if (!gone) wrong(`${GONE}: ${message}`);
    gone = true;
    end.abort(GONE);
  };
  const takeAway = atEnd(async () => {
    const { counts } = await clear(routes);
    if (counts !== undefined) log({ event: 'counts', packets: counts });
    else if (begun) lost('at its end there was none any more, and nobody knows since when');
  });
  let watch: HealthWatch | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    const split = await begin(plan, doors);
    begun = true;
    const start = clock.now();
    let out: ReadonlySet<number> = new Set();
    let before = '';
    /** What there is to say now, and how. */
    const seen = (): [tell: (words: string) => void, words: string] => {
      try {
        if (!split.there) return [lost, 'its table was taken away, and all goes by the current path'];
        const taken = split.mend(
          interfaces.map((_, path) => detour(path, undefined, interfaces.length, out)),
        );
        return [wrong, taken.length === 0 ? '' : `the split had lost ${taken.join(', ')}; laid again`];
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        return [say, `nobody can see whether it is split: ${error.message}`];
      }
    };
    const look = (): void => {
      const [tell, words] = seen();
      if (words !== '' && words !== before) tell(words);
      before = words;
    };
    timer = setInterval(() => !end.signal.aborted && look(), LOOK_MS);
    const changed = (change: Change): void => {
      out = change.out;
      look();
    };
    if (plan.health) watch = await watchPaths(interfaces, doors, { changed });
    await clock.until(start + duration * 1000, end.signal, () => false);
    clock.follow();
  } finally {
    clearInterval(timer);
    stop.removeEventListener('abort', aborted);
    await watch?.close();
    await takeAway();
  }
  if (gone) return GONE;
  return end.signal.aborted ? String(end.signal.reason) : 'duration';
}
