import type { Clock } from './clock.ts';
import { detour } from './health.ts';
import type { Outcome } from './ip-batch.ts';
import type { Entry } from './schedule.ts';
import type { LogLine } from './switch-log.ts';

export type { LogLine };

/** The routing table of wg0's own packets. */
export const TABLE = 51821;

/** The command that makes an interface the current path: metric 0, above the standby routes. */
const switchTo = (name: string): string => `route replace default dev ${name} table ${TABLE}`;

/** Where commands for `ip` go. */
export interface Routes {
  readonly busy: boolean;
  send(command: string, done: (outcome: Outcome) => void): void;
  /** Resolves once every command is answered. */
  close(): Promise<void>;
}

/** Which paths (indices) are left out, and word of each change. */
export interface Health {
  readonly out: ReadonlySet<number>;
  follow(listener: () => void): void;
}

export interface Plan {
  interfaces: readonly string[];
  /** In the order of time. */
  entries: Iterable<Entry>;
  /** True where all entries are the same by definition: one line of the log is enough for them. */
  holds: boolean;
  /** Ends after this many seconds. */
  duration?: number | undefined;
  /** Ends after entry number this; entry 0 is the first path. */
  switches?: number | undefined;
}

export interface Totals {
  /** What made it end. */
  reason: string;
  /** The last path that was set, null where none could be. */
  path: string | null;
  /** Entries carried out, whether the path changed or not. */
  entries: number;
  /** Of those, the ones that changed the path. */
  switches: number;
  errors: number;
  skipped: number;
}

export interface Doors {
  clock: Clock;
  routes: Routes;
  log: (line: LogLine) => void;
  /** For a person: an interface fails, or works again. */
  warn: (text: string) => void;
  /** Without it, no path is left out. */
  health?: Health | undefined;
}

/** What is carried out so far, and how one route after the other is set. */
class Engine {
  readonly totals: Totals = { reason: '', path: null, entries: 0, switches: 0, errors: 0, skipped: 0 };
  private readonly failing = new Set<string>();
  private readonly plan: Plan;
  private readonly doors: Doors;
  private readonly start: number;
  /** Index of the last path that was set. */
  private current: number | undefined;
  private last: Entry | undefined;

  constructor(plan: Plan, doors: Doors, start: number) {
    this.plan = plan;
    this.doors = doors;
    this.start = start;
    doors.health?.follow(() => this.reconsider());
  }

  carryOut(entry: Entry): void {
    const { clock } = this.doors;
    this.last = entry;
    const used = this.pathFor(entry);
    const due = clock.epoch(this.start + entry.at * 1000);
    const time = clock.epoch(clock.now());
    this.set(used, (outcome) => {
      if (outcome.ok) this.carriedOut(entry, due, time, used, outcome.at);
      else this.failed(entry, due, time, used, outcome.message);
    });
  }

  private name(path: number): string {
    return this.plan.interfaces[path] as string;
  }

  /** What a line says of the entry's own path, where another was taken. */
  private plannedOf(own: number, used: number): { planned?: string } {
    return used === own ? {} : { planned: this.name(own) };
  }

  private pathFor({ path }: Entry): number {
    const out = this.doors.health?.out;
    return out === undefined ? path : detour(path, this.current, this.plan.interfaces.length, out);
  }

  private set(path: number, done: (outcome: Outcome) => void): void {
    this.doors.routes.send(switchTo(this.name(path)), (outcome) => {
      if (outcome.ok) this.current = path;
      done(outcome);
    });
  }

  private carriedOut({ n, path: own }: Entry, due: number, time: number, used: number, at: number): void {
    const { totals } = this;
    const path = this.name(used);
    const from = totals.path;
    totals.entries++;
    if (path !== from) totals.switches++;
    totals.path = path;
    if (this.failing.delete(path)) this.doors.warn(`${path}: works again`);
    else if (this.plan.holds && n > 0 && path === from) return;
    this.doors.log({
      event: 'switch',
      n,
      due,
      time,
      done: this.doors.clock.epoch(at),
      path,
      from,
      ...this.plannedOf(own, used),
    });
  }

  private failed({ n, path: own }: Entry, due: number, time: number, used: number, message: string): void {
    const { totals, failing } = this;
    const path = this.name(used);
    totals.errors++;
    this.doors.log({
      event: 'error',
      n,
      due,
      time,
      path,
      stays: totals.path,
      ...this.plannedOf(own, used),
      message,
    });
    if (failing.has(path)) return;
    failing.add(path);
    this.doors.warn(`${path}: ${message}; it is tried again at each of its turns`);
  }

  /** The next entry may be a minute away. */
  private reconsider(): void {
    const { last, current: was, totals } = this;
    if (last === undefined || was === undefined) return;
    const used = this.pathFor(last);
    if (used === was) return;
    const { clock, log } = this.doors;
    const time = clock.epoch(clock.now());
    this.set(used, (outcome) => {
      // Else its next turn tells.
      if (!outcome.ok) return;
      totals.path = this.name(used);
      totals.switches++;
      const [path, from, planned] = [this.name(used), this.name(was), this.name(last.path)];
      log({ event: 'detour', n: last.n, time, done: clock.epoch(outcome.at), path, from, planned });
    });
  }
}

/**
 * Carries a plan out until its end or until `stop` fires with a reason. Every entry is given to the kernel, also one
 * that keeps the path: that changes nothing there, and puts the route back where something took it away. An entry whose
 * successor is due already is left out: a process that was stopped goes on where the clock is, and makes up for nothing.
 */
export async function migrate(plan: Plan, doors: Doors, stop: AbortSignal): Promise<Totals> {
  const { entries, duration = Infinity, switches = Infinity } = plan;
  const { clock, routes, log } = doors;
  const start = clock.now();
  const engine = new Engine(plan, doors, start);
  const busy = (): boolean => routes.busy;
  const isPlanned = ({ n, at }: Entry): boolean => n <= switches && at < duration;

  const run = async (): Promise<string> => {
    const list = entries[Symbol.iterator]();
    const after = (): Entry | undefined => {
      const { done, value } = list.next();
      return done ? undefined : value;
    };
    for (let [entry, next] = [after(), after()]; entry !== undefined; ) {
      if (entry.n > switches) return 'switches';
      const last = entry.at >= duration;
      await clock.until(start + Math.min(entry.at, duration) * 1000, stop, busy);
      if (stop.aborted) return String(stop.reason);
      if (last) return 'duration';
      const step = clock.follow();
      const now = clock.now();
      if (step !== 0) log({ event: 'clock', time: clock.epoch(now), step });
      const { n, at } = entry;
      let skipped = 0;
      for (; next !== undefined && next.at * 1000 <= now - start && isPlanned(entry); next = after()) {
        entry = next;
        skipped++;
      }
      if (skipped === 0) {
        engine.carryOut(entry);
        [entry, next] = [next, after()];
        continue;
      }
      const late = Math.round(now - start - at * 1000) / 1000;
      log({ event: 'late', n, time: clock.epoch(now), skipped, late });
      engine.totals.skipped += skipped;
    }
    return 'schedule';
  };
  const reason = await run();
  await routes.close();
  return { ...engine.totals, reason };
}
