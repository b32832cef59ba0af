/** The watch over the tunnels as migrate.ts has it: what changes is logged, and told to a person. */
import type { Clock } from './clock.ts';
import { type HealthLine, healthLine, healthWords } from './health-log.ts';
import { HealthWatch, type Listener } from './health-watch.ts';
import type { Health } from './migration.ts';

export interface WatchDoors {
  clock: Clock;
  log: (line: HealthLine) => void;
  warn: (text: string) => void;
}

/** Resolves after the first look at the tunnels; `more` hears of changes and looks as well. */
export const watchPaths = (
  names: readonly string[],
  { clock, log, warn }: WatchDoors,
  more: Partial<Listener>,
): Promise<HealthWatch> =>
  HealthWatch.open(names, {
    warn,
    changed: (change) => {
      log(healthLine(change, names, clock.epoch(change.at)));
      for (const words of healthWords(change, names)) warn(words);
      more.changed?.(change);
    },
    looked: () => more.looked?.(),
  });

/** For a schedule in time. */
export async function pathHealth(
  names: readonly string[],
  doors: WatchDoors,
): Promise<Health & { close: () => Promise<void> }> {
  let follower: () => void = () => undefined;
  const watch = await watchPaths(names, doors, { changed: () => follower() });
  return {
    get out() {
      return watch.out;
    },
    follow: (listener) => {
      follower = listener;
    },
    close: () => watch.close(),
  };
}
