/** The lines behind a schedule's heading, one after the other. Pure. */
import type { Fault } from './fault.ts';
import type { Run } from './packet-strategy.ts';
import type { Entry, Heading } from './schedule.ts';
import type { Late } from './schedule-redraw.ts';

/**
 * Which path of an entry that went elsewhere or failed: the plan's own, or the one that was used. With `used`, an entry
 * that failed is none, and a move between two entries is one, under the number of the first.
 */
export type Which = 'planned' | 'used';

export type Line = Record<string, unknown>;

/** Makes the Fault of the line that is being read. */
export type Wrong = (what: string, next?: string) => Fault;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isTime = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0;

/** Lines of a switch log that say nothing of the schedule. */
const REMARKS = new Set(['ready', 'health', 'split']);

const micro = (seconds: number): number => Math.round(seconds * 1e6) / 1e6;

export class LineReader {
  readonly entries: Entry[] = [];
  readonly runs: Run[] = [];
  readonly late: Late[] = [];
  counts: number[] | undefined;
  end: number | undefined;
  private start: number | undefined;
  private firstDue: number | undefined;
  private packets = 0;
  /** The last entry is a move. */
  private moved = false;
  private readonly heading: Heading;
  private readonly which: Which;
  private readonly wrong: Wrong;
  private readonly takers: Record<string, (line: Line) => void> = {
    entry: (line) => this.entry(line),
    switch: (line) => this.entry(line),
    error: (line) => this.failed(line),
    detour: (line) => this.detour(line),
    late: (line) => this.leftOut(line),
    clock: (line) => this.stepped(line),
    run: (line) => this.run(line),
    counts: (line) => this.counted(line),
    end: (line) => this.ended(line),
  };

  constructor(heading: Heading, which: Which, wrong: Wrong) {
    this.heading = heading;
    this.which = which;
    this.wrong = wrong;
  }

  take(line: Line): void {
    const event = String(line.event);
    if (REMARKS.has(event)) return;
    const taker = Object.hasOwn(this.takers, event) ? this.takers[event] : undefined;
    if (taker === undefined) throw this.wrong(`no line of a schedule: event ${JSON.stringify(line.event)}`);
    taker(line);
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
    // A move that was carried out after the entry's time, yet before the entry itself.
    while (this.moved && at <= (this.entries.at(-1)?.at ?? -1)) this.unmove();
    const last = this.entries.at(-1);
    if (last !== undefined && at <= last.at)
      throw this.wrong(`${at} s is not later than the entry before, at ${last.at} s`);
    if (last !== undefined && n <= last.n) throw this.wrong(`entry ${n} comes behind entry ${last.n}`);
    this.entries.push({ n, at, path });
    this.moved = false;
    if (isTime(line.due)) this.start = line.due - at;
  }

  /** It is an entry of the plan as any other; its time counts in any case. A split's errors have no number. */
  private failed(line: Line): void {
    if (line.n === undefined) return;
    if (this.which === 'planned') this.entry(line);
    else if (isCount(line.n)) this.sinceFirst(line.n, line.due);
  }

  /** The path in force was left between two entries. */
  private detour({ done, path: name }: Line): void {
    const path = this.path(name);
    const last = this.entries.at(-1);
    if (this.which === 'planned' || this.start === undefined || last === undefined || !isTime(done)) return;
    const at = Math.max(last.at, micro(done - this.start));
    if (at > last.at) {
      this.entries.push({ n: last.n, at, path });
      this.moved = true;
    } else last.path = path;
  }

  private unmove(): void {
    const move = this.entries.pop();
    this.moved = this.entries.at(-1)?.n === move?.n && this.entries.at(-2)?.n === move?.n;
  }

  private leftOut({ n, skipped }: Line): void {
    if (this.which === 'planned' && isCount(n) && isCount(skipped)) this.late.push({ n, skipped });
  }

  private stepped({ step }: Line): void {
    if (typeof step !== 'number' || !Number.isFinite(step)) return;
    if (this.start !== undefined) this.start += step;
    if (this.firstDue !== undefined) this.firstDue += step;
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
