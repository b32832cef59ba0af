/** The route engine in a world whose time passes only by waiting: for unit tests. */
import type { Clock } from '../client/scripts/lib/clock.ts';
import {
  type Health,
  type LogLine,
  migrate,
  type Plan,
  type Routes,
  type Totals,
} from '../client/scripts/lib/migration.ts';
import { entries } from '../client/scripts/lib/schedule.ts';
import { type Choice, choose } from '../client/scripts/lib/strategy.ts';

export const INTERFACES = ['wgnet1', 'wgnet2', 'wgnet3'];

export interface World {
  /** Milliseconds that pass beside the waiting, by number of the wait. */
  delay?: (wait: number) => number;
  /** What `ip` says against a path; undefined where it is set. */
  refuses?: (path: string, nth: number) => string | undefined;
  /** Fires the stop signal at this wait. */
  stopAt?: number;
  /** Seconds that somebody sets the clock by, by number of the wait. */
  step?: (wait: number) => number;
  /** Which paths are left out, by number of the wait: wait n is the one before entry n. */
  out?: (wait: number) => number[];
}

export interface Result {
  totals: Totals;
  lines: LogLine[];
  commands: string[];
  warnings: string[];
}

/** Runs a plan in a world whose time passes only by waiting, from monotonic 5000 ms and epoch 1000 s. */
export async function play(plan: Plan, world: World = {}): Promise<Result> {
  let now = 5000;
  let waits = 0;
  let stepped = 0;
  const stop = new AbortController();
  const lines: LogLine[] = [];
  const commands: string[] = [];
  const warnings: string[] = [];
  let told: () => void = () => undefined;
  let out: readonly number[] = [];
  const health: Health = {
    get out() {
      return new Set(out);
    },
    follow: (listener) => {
      told = listener;
    },
  };
  const clock: Clock = {
    now: () => now,
    epoch: (at) => Math.round((at - 5000 + 1_000_000 + stepped * 1000) * 1000) / 1e6,
    follow: () => {
      const step = world.step?.(waits) ?? 0;
      stepped += step;
      return step;
    },
    async until(due) {
      const before = out;
      out = world.out?.(waits) ?? [];
      if (String(out) !== String(before)) told();
      now = Math.max(now, due) + (world.delay?.(waits) ?? 0);
      waits++;
      if (waits === world.stopAt) stop.abort('SIGTERM');
    },
  };
  const routes: Routes = {
    busy: false,
    send(command, done) {
      commands.push(command);
      const path = /dev (\S+)/.exec(command)?.[1] ?? '';
      const message = world.refuses?.(path, commands.length - 1);
      const at = now + 0.1;
      done(message === undefined ? { ok: true, at } : { ok: false, at, message });
    },
    close: async () => undefined,
  };
  const doors = {
    clock,
    routes,
    log: (line: LogLine) => void lines.push(line),
    warn: (text: string) => void warnings.push(text),
    health: world.out && health,
  };
  const totals = await migrate(plan, doors, stop.signal);
  return { totals, lines, commands, warnings };
}

export const planOf = ({ paths, holds }: Choice): Plan => ({
  interfaces: INTERFACES,
  entries: entries(paths, 0.1),
  holds,
});

export const roundRobin = (): Plan => planOf(choose('rr', { seed: 1, paths: 3, first: 0 }));
