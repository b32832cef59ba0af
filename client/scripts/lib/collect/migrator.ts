/** migrate.ts as a program beside a visit. */
import { fileURLToPath } from 'node:url';
import type { LogLine } from '../migration.ts';
import { endText, Tool } from '../process.ts';
import type { StrategyName } from '../strategy.ts';
import { VisitError } from './failure.ts';

const SCRIPT = fileURLToPath(new URL('../../migrate.ts', import.meta.url));

/** Milliseconds that it may take to be ready, to set the first path, and to end. */
const PATIENCE = 20_000;

export interface MigratorWish {
  strategy: StrategyName;
  /** Seconds. */
  period: number;
  seed: number;
  interfaces: readonly string[];
}

/** What a visit uses of the log's first line. */
interface Start {
  event: 'start';
  weights: readonly number[] | null;
}

/** A line of migrate.ts's log. */
export type MigratorLine = LogLine | Start | { event: 'end' } | { event: 'ready' };

/** The lines of a text that are complete, and the rest. */
export function linesOf(text: string): { lines: string[]; rest: string } {
  const lines = text.split('\n');
  const rest = lines.pop() ?? '';
  return { lines: lines.filter((line) => line !== ''), rest };
}

export class Migrator {
  /** Its log as it stands. */
  readonly log: MigratorLine[] = [];
  text = '';
  private rest = '';
  private readonly tool: Tool;

  /** Starts it; the schedule begins with {@link go}. */
  constructor({ strategy, period, seed, interfaces }: MigratorWish) {
    const flags = ['--strategy', strategy, '--period', String(period), '--seed', String(seed)];
    const words = [...flags, '--interfaces', interfaces.join(','), '--hold'];
    this.tool = new Tool([process.execPath, ...process.execArgv, SCRIPT, ...words], (text) =>
      this.read(text),
    );
  }

  /** Resolves once it waits for {@link go}. */
  ready(): Promise<void> {
    return this.until('ready', 'does not start');
  }

  /** Begins the schedule; resolves once the first path is set. */
  async go(): Promise<void> {
    this.tool.input('go\n');
    await this.until('switch', 'could not set the first path');
  }

  /** Why it is of no use any more; undefined while it runs. */
  get broken(): VisitError | undefined {
    return this.tool.over === undefined ? undefined : this.trouble('ended early');
  }

  /** Its normal end: the last path stays. */
  async stop(): Promise<void> {
    const early = this.broken;
    if (early !== undefined) throw early;
    await this.tool.end('SIGTERM', PATIENCE);
    if (this.tool.over?.code !== 0 || this.log.at(-1)?.event !== 'end')
      throw this.trouble('came to no good end');
  }

  async abandon(): Promise<void> {
    await this.tool.end('SIGKILL', 0);
  }

  private async until(event: MigratorLine['event'], trouble: string): Promise<void> {
    const there = () => this.log.some((line) => line.event === event);
    if (!(await this.tool.until(PATIENCE, there))) throw this.trouble(trouble);
  }

  private read(text: string): void {
    this.text += text;
    const { lines, rest } = linesOf(this.rest + text);
    this.rest = rest;
    for (const line of lines) this.log.push(JSON.parse(line) as MigratorLine);
    this.tool.tell();
  }

  private trouble(what: string): VisitError {
    const { over, said } = this.tool;
    const errors = this.log.flatMap((line) =>
      line.event === 'error' ? [`${line.path}: ${line.message}`] : [],
    );
    const details = [
      over === undefined ? '' : endText(over),
      said.trim().split('\n')[0] ?? '',
      errors.at(-1) ?? '',
    ];
    return new VisitError(
      'migration',
      ['migrate.ts', what, ...details].filter((text) => text !== '').join(': '),
    );
  }
}
