/** Files of schedules: what `--plan` and schedule.ts print, and switch logs. Pure: text in, entries out. */
import { Fault } from './fault.ts';
import type { Run } from './packet-strategy.ts';
import type { Entry } from './schedule.ts';

/** The first line: a `plan`, or the `start` of a run. Unknown keys are kept. */
export interface Heading {
  event: 'plan' | 'start';
  interfaces: string[];
  strategy?: unknown;
  period?: unknown;
  seed?: unknown;
  weights?: unknown;
  [key: string]: unknown;
}

export interface ScheduleFile {
  heading: Heading;
  /** Names of the paths; an entry's path is an index into them. */
  interfaces: string[];
  /** In the order of time, each later than the one before. */
  entries: Entry[];
}

/** A file of either kind: one of the two lists is empty. */
export interface AnySchedule extends ScheduleFile {
  /** By packet, from packet 0. */
  runs: Run[];
  /** What a run's kernel carried on each path, in the order of `interfaces`; undefined where no log says so. */
  counts: number[] | undefined;
  /** Seconds from entry 0 to the end of a log's run; undefined where none is told. */
  end: number | undefined;
}

/** Of an entry that went elsewhere, as its own path was left out: the path of the plan, or the one that was used. */
export type Which = 'planned' | 'used';

type Line = Record<string, unknown>;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isTime = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0;
const isName = (value: unknown): value is string =>
  typeof value === 'string' && /^(?!\.)[\w.-]{1,15}$/.test(value);

/** Lines of a switch log that say nothing of the schedule. */
const REMARKS = new Set(['ready', 'late', 'error', 'clock', 'health', 'split']);

const micro = (seconds: number): number => Math.round(seconds * 1e6) / 1e6;

class Reader {
  readonly entries: Entry[] = [];
  readonly runs: Run[] = [];
  counts: number[] | undefined;
  end: number | undefined;
  private start: number | undefined;
  private firstDue: number | undefined;
  private packets = 0;
  private readonly heading: Heading;
  private readonly which: Which;
  private readonly wrong: (what: string, next?: string) => Fault;

  constructor(heading: Heading, which: Which, wrong: (what: string, next?: string) => Fault) {
    this.heading = heading;
    this.which = which;
    this.wrong = wrong;
  }

  take(line: Line): void {
    const { event } = line;
    if (event === 'entry' || event === 'switch') this.entry(line);
    else if (event === 'run') this.run(line);
    else if (event === 'counts') this.counted(line);
    else if (event === 'end') this.ended(line);
    else if (event === 'plan' || event === 'start')
      throw this.wrong('another schedule begins here', 'a file with one of them');
    else if (!REMARKS.has(String(event)))
      throw this.wrong(`no line of a schedule: event ${JSON.stringify(event)}`);
  }

  private path(name: unknown): number {
    const path = this.heading.interfaces.indexOf(String(name));
    if (path === -1)
      throw this.wrong(`path ${JSON.stringify(name)} is none of ${this.heading.interfaces.join(', ')}`);
    return path;
  }

  private entry(line: Line): void {
    if (this.runs.length > 0) throw this.wrong('an entry of time among runs of packets');
    const path = this.path(this.which === 'planned' ? (line.planned ?? line.path) : line.path);
    const { n } = line;
    if (!isCount(n)) throw this.wrong('n is no whole number');
    const at = line.event === 'entry' ? line.at : this.sinceFirst(n, line.due);
    if (!isTime(at)) throw this.wrong(line.event === 'entry' ? 'at is no time in seconds' : 'due is no time');
    const last = this.entries.at(-1);
    if (last !== undefined && at <= last.at)
      throw this.wrong(`${at} s is not later than the entry before, at ${last.at} s`);
    if (last !== undefined && n <= last.n) throw this.wrong(`entry ${n} comes behind entry ${last.n}`);
    this.entries.push({ n, at, path });
    if (isTime(line.due)) this.start = line.due - at;
  }

  /** A log's times are on the clock since 1970, which may be set: the period is better, where there is one. */
  private sinceFirst(n: number, due: unknown): number | undefined {
    const { period } = this.heading;
    if (typeof period === 'number' && period > 0) return micro(n * period);
    if (!isTime(due)) return undefined;
    this.firstDue ??= due;
    return Math.max(0, micro(due - this.firstDue));
  }

  private run(line: Line): void {
    if (this.entries.length > 0) throw this.wrong('a run of packets among entries of time');
    const path = this.path(line.path);
    const { n, packet, packets } = line;
    if (n !== this.runs.length) throw this.wrong(`n is not ${this.runs.length}: a line is missing`);
    if (packet !== this.packets) throw this.wrong(`packet is not ${this.packets}, which comes next`);
    if (!isCount(packets) || packets === 0) throw this.wrong('packets is no whole number above 0');
    this.packets += packets;
    this.runs.push({ path, packets });
  }

  private ended({ time }: Line): void {
    if (isTime(time) && this.start !== undefined) this.end = Math.max(0, micro(time - this.start));
  }

  private counted({ packets }: Line): void {
    const counts = (typeof packets === 'object' && packets) || {};
    for (const name of Object.keys(counts)) this.path(name);
    this.counts = this.heading.interfaces.map((name) => {
      const count: unknown = (counts as Line)[name] ?? 0;
      if (!isCount(count)) throw this.wrong(`the count of ${name} is no whole number`);
      return count;
    });
  }
}

function readHeading(line: Line, wrong: (what: string) => Fault): Heading {
  const { event, interfaces } = line;
  if (event !== 'plan' && event !== 'start') throw wrong('a schedule begins with a plan or start line');
  if (!Array.isArray(interfaces) || interfaces.length === 0 || !interfaces.every(isName))
    throw wrong('interfaces is no list of names');
  if (new Set(interfaces).size < interfaces.length) throw wrong('interfaces has a name twice');
  return { ...line, event, interfaces };
}

/**
 * Reads the file `at`, of whichever kind. Throws a Fault with the line and what is wrong with it, also where the last one
 * is cut off, as a killed program's may be.
 */
export function readAnySchedule(text: string, at: string, which: Which = 'planned'): AnySchedule {
  let reader: Reader | undefined;
  let heading: Heading | undefined;
  let number = 0;
  const wrong = (what: string, next = 'migrate.ts --plan or schedule.ts -o make such a file'): Fault =>
    new Fault({ at: `${at}:${number}`, what, next });
  const lines = text.split('\n');
  for (const row of lines) {
    number++;
    if (row.trim() === '') continue;
    let line: unknown;
    try {
      line = JSON.parse(row);
    } catch {
      throw wrong(number === lines.length ? 'is cut off' : 'is no JSON');
    }
    if (typeof line !== 'object' || line === null || Array.isArray(line))
      throw wrong('is no line of a schedule');
    if (reader !== undefined) reader.take(line as Line);
    else if ((line as Line).event !== 'ready') {
      heading = readHeading(line as Line, wrong);
      reader = new Reader(heading, which, wrong);
    }
  }
  if (reader === undefined || heading === undefined) {
    number = 1;
    throw wrong('is empty');
  }
  const { entries, runs, counts, end } = reader;
  return { heading, interfaces: heading.interfaces, entries, runs, counts, end };
}

/** Reads a schedule in time, to carry it out. Throws a Fault, as above, also where it is by packet or has no entry. */
export function readSchedule(text: string, at: string): ScheduleFile {
  const { heading, interfaces, entries, runs } = readAnySchedule(text, at);
  if (runs.length > 0 || entries.length === 0) {
    const byPacket = runs.length > 0 || heading.strategy === 'packet' || heading.strategy === 'bwr';
    throw new Fault({
      at,
      what: byPacket ? 'is a schedule by packet, which has no times' : 'has no entry',
      next: byPacket
        ? `migrate.ts --strategy ${String(heading.strategy)} --seed ${String(heading.seed)} gives the same one again`
        : 'migrate.ts --plan or schedule.ts -o make such a file',
    });
  }
  return { heading, interfaces, entries };
}
