/** migrate.ts as a program beside the visits: one for a whole run, which carries out a schedule for each visit. */
import { fileURLToPath } from 'node:url';
import type { LogLine } from '../migration.ts';
import { endText, Tool } from '../process.ts';
import type { SplitLine } from '../split-run.ts';
import { isTimed } from '../strategy.ts';
import type { Settings } from '../trace/layout.ts';
import { VisitError } from './failure.ts';

const SCRIPT = fileURLToPath(new URL('../../migrate.ts', import.meta.url));

/** Milliseconds that it may take to be ready; to set the first path, and to end a schedule. */
const PATIENCE = 20_000;
const ANSWER = 10_000;

export type MigratorWish = Pick<
  Settings,
  'mode' | 'strategy' | 'period' | 'interfaces' | 'weights' | 'order' | 'batch'
>;

/** What a visit uses of the log's first line. */
interface Start {
  event: 'start';
  weights: readonly number[] | null;
}

/** A line of migrate.ts's log. */
export type MigratorLine = LogLine | SplitLine | Start | { event: 'end' } | { event: 'ready' };

/** The command line behind migrate.ts. A proxy that is dead is this program's own business: its checks fail the visit. */
export function migratorFlags({
  mode,
  strategy,
  period,
  interfaces,
  weights,
  order,
  batch,
}: MigratorWish): string[] {
  const given: [string, string | undefined][] = [
    // Somebody may have set the client up anew.
    ['--mode', mode],
    ['--strategy', strategy],
    ['--period', period === null ? undefined : String(period)],
    ['--weights', weights?.join(',')],
    ['--order', order],
    ['--batch', batch?.join('-')],
    ['--interfaces', interfaces.join(',')],
  ];
  const flags = given.flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
  return [...flags, '--no-health', '--hold'];
}

/** The lines of a text that are complete, and the rest. */
export function linesOf(text: string): { lines: string[]; rest: string } {
  const lines = text.split('\n');
  const rest = lines.pop() ?? '';
  return { lines: lines.filter((line) => line !== ''), rest };
}

/** The log of one schedule. */
export interface Schedule {
  lines: MigratorLine[];
  /** As it was written. */
  text: string;
}

const empty = (): Schedule => ({ lines: [], text: '' });

export class Migrator {
  private readonly wish: MigratorWish;
  private tool: Tool | undefined;
  private waits = false;
  private rest = '';
  private current = empty();

  constructor(wish: MigratorWish) {
    this.wish = wish;
  }

  /** Sees to it that one runs and waits; throws a VisitError where none does. */
  async ready(): Promise<void> {
    if (this.tool === undefined || this.tool.over !== undefined) this.tool = this.start();
    if (!(await this.tool.until(PATIENCE, () => this.waits))) throw this.trouble('does not start');
  }

  /** Begins the schedule of a seed; resolves once the first path is set, or the kernel splits. */
  async run(seed: number): Promise<Schedule> {
    this.current = empty();
    this.waits = false;
    this.tool?.input(`run ${seed}\n`);
    if (isTimed(this.wish.strategy)) await this.until('switch', 'could not set the first path');
    else await this.until('split', 'could not have the kernel split');
    return this.current;
  }

  /** Why the schedule is of no use any more; undefined while it runs. */
  get broken(): VisitError | undefined {
    return this.tool?.over === undefined ? undefined : this.trouble('ended early');
  }

  /** Ends the schedule; the last path stays. */
  async stop(): Promise<void> {
    const early = this.broken;
    if (early !== undefined) throw early;
    this.tool?.input('stop\n');
    await this.until('end', 'does not stop');
  }

  /** Ends it, whatever it does: the next {@link ready} starts another. */
  async abandon(): Promise<void> {
    await this.tool?.end('SIGKILL', 0);
  }

  private start(): Tool {
    const words = migratorFlags(this.wish);
    this.rest = '';
    this.waits = false;
    this.current = empty();
    return new Tool([process.execPath, ...process.execArgv, SCRIPT, ...words], (text) => this.read(text));
  }

  private async until(event: MigratorLine['event'], trouble: string): Promise<void> {
    const { tool, current } = this;
    const there = () => current.lines.some((line) => line.event === event);
    if (tool === undefined || !(await tool.until(ANSWER, there))) throw this.trouble(trouble);
  }

  private read(text: string): void {
    const { lines, rest } = linesOf(this.rest + text);
    this.rest = rest;
    for (const text of lines) {
      const line = JSON.parse(text) as MigratorLine;
      if (line.event === 'ready') this.waits = true;
      else {
        this.current.lines.push(line);
        this.current.text += `${text}\n`;
      }
    }
    this.tool?.tell();
  }

  private trouble(what: string): VisitError {
    const { over, said } = this.tool ?? { over: undefined, said: '' };
    const errors = this.current.lines.flatMap((line) =>
      line.event === 'error' ? [`${line.path}: ${line.message}`] : [],
    );
    const how = over === undefined ? '' : endText(over);
    const details = [how, said.trim().split('\n')[0] ?? '', errors.at(-1) ?? ''];
    return new VisitError(
      'migration',
      ['migrate.ts', what, ...details].filter((text) => text !== '').join(': '),
    );
  }
}
