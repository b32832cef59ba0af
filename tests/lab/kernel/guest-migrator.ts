/** The real migrate.ts, as one file for Node, and what its log says. */
import { type ChildProcess, spawn } from 'node:child_process';
import { textOf, until } from './guest-tools.ts';
import type { Counts } from './results.ts';

type Line = Record<string, unknown> & { event: string };

export class Migrator {
  private static runs = 0;
  private readonly log = `/tmp/switches-${Migrator.runs++}`;
  private readonly process: ChildProcess;
  private readonly ended: Promise<number | null>;
  readonly words: string;
  errors = '';

  constructor(words: string) {
    this.words = words;
    const all = ['migrate.mjs', ...words.split(' '), '--log', this.log];
    this.process = spawn('node', all, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text;
    });
    this.ended = new Promise((resolve) => this.process.on('close', resolve));
  }

  private get lines(): Line[] {
    const whole = textOf(this.log).split('\n').slice(0, -1);
    return whole.map((line) => JSON.parse(line));
  }

  of(event: string): Line[] {
    return this.lines.filter((line) => line.event === event);
  }

  /** Waits for so many lines of an event. */
  async has(event: string, count = 1): Promise<void> {
    await until(`${count} ${event} of migrate.ts ${this.words}: ${this.errors}`, () => {
      if (this.process.exitCode !== null) throw new Error(`migrate.ts ${this.words} ended: ${this.errors}`);
      return this.of(event).length >= count;
    });
  }

  /** How many lines of each event there are. */
  get events(): Counts {
    const counts: Counts = {};
    for (const { event } of this.lines) counts[event] = (counts[event] ?? 0) + 1;
    return counts;
  }

  get last(): Line {
    return this.lines.at(-1) ?? { event: 'none' };
  }

  /** Signals it; its exit code, and -1 where a signal ended it. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<number> {
    this.process.kill(signal);
    return (await this.ended) ?? -1;
  }
}
