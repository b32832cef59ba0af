/** The door to programs that run beside this one: none of them outlives it, however it ends. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { Fault } from './fault.ts';

/** How a program came to its end. */
export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** The end of a program in words: `ended with 1`, `was ended by SIGKILL`. */
export const endText = ({ code, signal }: Ended): string =>
  signal === null ? `ended with ${code}` : `was ended by ${signal}`;

/** Characters kept of what a program says. */
const MOST_SAID = 20_000;

/** A program that runs. Its standard error is kept; its standard output goes to `onOutput`, else nowhere. */
export class Tool {
  said = '';
  over: Ended | undefined;
  /** Resolves once it has ended and all that it wrote is read. */
  readonly ended: Promise<Ended>;
  private readonly child: ChildProcess;
  private readonly listeners = new Set<() => void>();

  /** `onOutput` gets its standard output piece by piece. */
  constructor(words: readonly string[], onOutput?: (text: string) => void, env = process.env) {
    // In a session of its own: Ctrl-C is for this program alone.
    this.child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...words], {
      stdio: ['pipe', onOutput === undefined ? 'ignore' : 'pipe', 'pipe'],
      detached: true,
      env,
    });
    if (onOutput !== undefined) this.child.stdout?.setEncoding('utf8').on('data', onOutput);
    this.child.stdin?.on('error', () => undefined);
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.said = (this.said + text).slice(-MOST_SAID);
      this.tell();
    });
    this.ended = new Promise((resolve) => {
      this.child.on('error', (error) => {
        this.said += error.message;
        this.finish({ code: 127, signal: null }, resolve);
      });
      this.child.on('close', (code, signal) => this.finish({ code, signal }, resolve));
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Writes to its standard input. */
  input(text: string): void {
    this.child.stdin?.write(text);
  }

  /** Waits until `test` holds, asked anew whenever it says something or ends; false where it took longer than `ms`. */
  async until(ms: number, test: () => boolean): Promise<boolean> {
    if (test() || this.over !== undefined) return test();
    return new Promise((resolve) => {
      const finish = (good: boolean): void => {
        clearTimeout(timer);
        this.listeners.delete(look);
        resolve(good);
      };
      const look = (): void => {
        if (test()) finish(true);
        else if (this.over !== undefined) finish(false);
      };
      const timer = setTimeout(() => finish(test()), ms);
      this.listeners.add(look);
    });
  }

  /** Ends it: asks with `signal`, and after `ms` does not ask any more. */
  async end(signal: NodeJS.Signals, ms: number): Promise<Ended> {
    this.kill(signal);
    const late = setTimeout(() => this.kill('SIGKILL'), ms);
    return this.ended.finally(() => clearTimeout(late));
  }

  /** To be called when what {@link until} asks for may have changed. */
  tell(): void {
    for (const listener of [...this.listeners]) listener();
  }

  private finish(ended: Ended, resolve: (ended: Ended) => void): void {
    this.over ??= ended;
    this.tell();
    resolve(ended);
  }
}

/** What a program that is over in no time prints, given `input`; throws a Fault where there is none or it fails. */
export function ask(words: readonly string[], next: string, input = ''): string {
  const [name = '', ...rest] = words;
  const { error, status, stdout, stderr } = spawnSync(name, rest, { encoding: 'utf8', input });
  if (error !== undefined) throw new Fault({ what: `cannot run ${name}: ${error.message}`, next });
  if (status === 0) return stdout;
  throw new Fault({ what: `${words.join(' ')}: ${stderr.trim()}`, next });
}
