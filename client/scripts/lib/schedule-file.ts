/** Files of schedules: what `--plan` and schedule.ts print, and switch logs. Pure: text in, entries out. */
import { Fault } from './fault.ts';
import type { Run } from './packet-strategy.ts';
import type { Entry, Heading } from './schedule.ts';
import { type Line, LineReader, type Which, type Wrong } from './schedule-lines.ts';
import { withLate } from './schedule-redraw.ts';

export type { Heading, Which };

export interface ScheduleFile {
  heading: Heading;
  /** Names of the paths; an entry's path is an index into them. */
  interfaces: string[];
  /** In the order of time, each later than the one before; a log's with those that failed or came up late. */
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

const isName = (value: unknown): value is string =>
  typeof value === 'string' && /^(?!\.)[\w.-]{1,15}$/.test(value);

/** A file's name as a shell takes it. */
const quoted = (file: string): string =>
  /^[\w./+,:@-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`;

function readHeading(line: Line, wrong: (what: string) => Fault): Heading {
  const { event, interfaces } = line;
  if (event !== 'plan' && event !== 'start') throw wrong('a schedule begins with a plan or start line');
  if (!Array.isArray(interfaces) || interfaces.length === 0 || !interfaces.every(isName))
    throw wrong('interfaces is no list of names');
  if (new Set(interfaces).size < interfaces.length) throw wrong('interfaces has a name twice');
  return { ...line, event, interfaces };
}

export interface Reading {
  which?: Which;
  /** Hears of a log whose last line is cut off, as a killed program's may be: what is before it is read. */
  warn?: (text: string) => void;
}

/** Reads the file `at`, of whichever kind. Throws a Fault with the line and what is wrong with it. */
export function readAnySchedule(text: string, at: string, reading: Reading = {}): AnySchedule {
  const { which = 'planned', warn = () => undefined } = reading;
  let reader: LineReader | undefined;
  let heading: Heading | undefined;
  let number = 0;
  const wrong: Wrong = (what, next = 'migrate.ts --plan or schedule.ts -o make such a file') =>
    new Fault({ at: `${at}:${number}`, what, next });
  const part = (tool: string): string => `${tool} ${quoted(at)} > one.jsonl`;
  const lines = text.split('\n');
  for (const row of lines) {
    number++;
    if (row.trim() === '') continue;
    let line: unknown;
    try {
      line = JSON.parse(row);
    } catch {
      const last = number === lines.length;
      if (last && heading?.event === 'start') {
        warn(`${at}:${number}: is cut off, and left out`);
        break;
      }
      const before = heading && `${part(`head -n ${number - 1}`)} takes what is before it`;
      throw wrong(last ? 'is cut off' : 'is no JSON', before);
    }
    if (typeof line !== 'object' || line === null || Array.isArray(line))
      throw wrong('is no line of a schedule');
    const { event } = line as Line;
    if (reader !== undefined && (event === 'plan' || event === 'start'))
      throw wrong(
        'another schedule begins here',
        `${part(`tail -n +${number}`)} takes this one, ${part(`head -n ${number - 1}`)} the one before`,
      );
    if (reader !== undefined) reader.take(line as Line);
    else if (event !== 'ready') {
      heading = readHeading(line as Line, wrong);
      reader = new LineReader(heading, which, wrong);
    }
  }
  if (reader === undefined || heading === undefined) {
    number = 1;
    throw wrong('is empty');
  }
  const { runs, counts, end, late } = reader;
  const entries = withLate(heading, reader.entries, late, at);
  return { heading, interfaces: heading.interfaces, entries, runs, counts, end };
}

/** Reads a schedule in time, to carry it out. Throws a Fault, as above, also where it is by packet or has no entry. */
export function readSchedule(text: string, at: string, reading: Pick<Reading, 'warn'> = {}): ScheduleFile {
  const { heading, interfaces, entries, runs } = readAnySchedule(text, at, reading);
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
