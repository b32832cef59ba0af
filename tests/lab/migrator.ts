/** A migrate.ts that runs in a test: its log so far, what it keeps, and how it ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Lab } from '../../scripts/lib/lab/lab.ts';

export const SCRIPT = new URL('../../client/scripts/migrate.ts', import.meta.url).pathname;
/** For whatever a test waits for; reached only where something is broken. */
const PATIENCE_MS = 180_000;

export interface Line {
  event: string;
  n?: number;
  path?: string;
  from?: string | null;
  time: number;
  [key: string]: unknown;
}

export async function until<T>(what: string, look: () => T | undefined | false): Promise<T> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; ) {
    const seen = look();
    if (seen !== undefined && seen !== false) return seen;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`waited in vain for ${what}`);
}

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

/** A migrate.ts that runs: its log so far, and how it ended. */
export class Migrator {
  static readonly all = new Set<Migrator>();
  readonly process: ChildProcess;
  readonly ended: Promise<number | null>;
  stderr = '';
  private text = '';

  /** `command` is what starts it. */
  constructor(command: readonly string[]) {
    const [program = '', ...words] = command;
    // A process group of its own, to send it what Ctrl-C sends.
    this.process = spawn(program, words, {
      stdio: [words.includes('--hold') ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.text += text;
    });
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve) => this.process.on('close', resolve));
    Migrator.all.add(this);
  }

  get pid(): number {
    return this.process.pid as number;
  }

  /** The programs that it keeps. */
  get children(): number[] {
    const children = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8').trim().split(' ');
    return children.map(Number).filter((pid) => pid > 0 && isAlive(pid));
  }

  /** The `ip` that it keeps, where it looks after no path's health. */
  get ip(): number | undefined {
    return this.children.at(-1);
  }

  get lines(): Line[] {
    const whole = this.text.slice(0, this.text.lastIndexOf('\n') + 1).trimEnd();
    return whole === '' ? [] : whole.split('\n').map((line) => JSON.parse(line));
  }

  of(event: string): Line[] {
    return this.lines.filter((line) => line.event === event);
  }

  /** The first line for which this holds, as soon as it is there. */
  line(what: string, holds: (line: Line) => boolean): Promise<Line> {
    return until(`${what}; stderr: ${this.stderr}`, () => this.lines.find(holds));
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.process.kill(signal);
    return this.ended;
  }
}

export async function killAll(): Promise<void> {
  for (const migrator of Migrator.all) {
    if (migrator.process.exitCode === null && migrator.process.signalCode === null)
      await migrator.stop('SIGKILL');
    Migrator.all.delete(migrator);
  }
}

/** Whether a line is entry n or a later one: a machine that is too slow leaves some out. */
export const reached =
  (n: number) =>
  (line: Line): boolean =>
    (line.n ?? -1) >= n;

/** What starts one in a network namespace of this machine. */
export const inNamespace = (namespace: string, words: readonly string[]): string[] => [
  ...['ip', 'netns', 'exec', namespace, process.execPath, '--import', 'tsx', SCRIPT],
  ...words,
];

/** What starts one in a lab's client. */
export const inClient = (lab: Lab, words: readonly string[]): string[] =>
  lab.words('client', ['sh', '-c', 'cd / && exec node --import tsx /comps/migrate.ts "$@"', 'sh', ...words]);

/** A migrate.ts that ends by itself. */
export async function outcome(command: readonly string[]): Promise<Migrator & { code: number | null }> {
  const migrator = new Migrator(command);
  return Object.assign(migrator, { code: await migrator.ended });
}
