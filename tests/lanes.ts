/** Test files side by side, a process each: what each said comes as a whole, as soon as it is over. */
import { type ChildProcess, spawn } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { EXIT, Fault, paint } from '../scripts/lib/cli.ts';
import { seconds } from '../scripts/lib/progress.ts';

export interface TestFile {
  path: string;
  /** Of files with the same word here, one runs at a time. */
  alone?: string;
  /** What it said is shown only where it failed. */
  brief?: boolean;
}

/** What became of a test file. */
export interface Result {
  path: string;
  good: boolean;
  /** Milliseconds that it took. */
  ms: number;
  said: string;
  /** Tests in it that were skipped, or that may fail unseen, each with its reason. */
  skipped: string[];
}

/** What Node's reporter says of a file: without a test it says nothing at all. */
export function reportIn(said: string): { tests: number; skipped: string[] } {
  const lines = stripVTControlCharacters(said).split('\n');
  const count = (what: string): number => {
    const line = lines.findLast((one) => new RegExp(`^ℹ ${what} \\d+$`).test(one));
    return Number(line?.split(' ').at(-1) ?? 0);
  };
  const named = lines.flatMap((line) => {
    const [, skipped, todo] = /^\s*(?:﹣ (.+)|\S (.+ # TODO.*))$/.exec(line) ?? [];
    return skipped ?? todo ?? [];
  });
  // `a test (0.6ms) # its reason`; one that failed too is said twice.
  const names = [...new Set(named.map((name) => name.replace(/ \([\d.]+ms\)/, '')))];
  const left = count('skipped') + count('todo');
  const unnamed = names.length === 0 ? [`${left} tests`] : names;
  return { tests: count('tests'), skipped: left === 0 ? [] : unnamed };
}

/** The next file that may run beside those that do; undefined where none may yet, or none is left. */
export function nextOf(waiting: readonly TestFile[], running: Iterable<TestFile>): TestFile | undefined {
  const taken = new Set([...running].map(({ alone }) => alone));
  return waiting.find(({ alone }) => alone === undefined || !taken.has(alone));
}

/** Those whose names are in `first`, in its order, then all others. */
export function inOrder(paths: readonly string[], first: readonly string[]): string[] {
  const place = (path: string): number => {
    const at = first.findIndex((name) => path.endsWith(`/${name}.test.ts`));
    return at === -1 ? first.length : at;
  };
  return [...paths].sort((a, b) => place(a) - place(b));
}

/**
 * Milliseconds that one file may take; the longest takes half of it, on a machine that is busy with other things besides. A
 * file that hangs must not cost the time of all others.
 */
export const LIMIT = 700_000;
/** Milliseconds that it then has to take down what it made. */
const GRACE = 20_000;

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
}

const STOPS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const isStop = (signal: NodeJS.Signals | null): boolean => STOPS.some((each) => each === signal);

/**
 * Runs each file, so many at a time, the first ones first; what became of them, in the order of their ends. Ctrl-C reaches
 * them from the terminal, and another signal through this; then a Fault is thrown, once all have ended.
 */
export async function runFiles(
  files: readonly TestFile[],
  lanes: number,
  limit = LIMIT,
  grace = GRACE,
): Promise<Result[]> {
  const running = new Map<TestFile, ChildProcess>();
  const waiting = [...files];
  const results: Result[] = [];
  let stopped = false;
  const endAll = (): void => {
    stopped = true;
    for (const child of running.values()) child.kill('SIGTERM');
  };
  for (const signal of STOPS) {
    process.removeAllListeners(signal);
    process.on(signal, endAll);
  }

  function start(file: TestFile): Promise<Ended & { said: string }> {
    const words = ['--import=tsx', '--test-reporter=spec', file.path];
    // Under Node's own runner they would speak its language, which is not text.
    const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
    const child = spawn('node', words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    running.set(file, child);
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    return new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null): void => {
        clearTimeout(timer);
        resolve({ code: late && code === 0 ? 1 : code, signal: late ? null : signal, said });
      };
      let late = false;
      const tooLate = (): void => {
        late = true;
        said += `\nended: it was not over after ${seconds(limit)}\n`;
        child.kill('SIGTERM');
        timer = setTimeout(() => {
          child.kill('SIGKILL');
          // Not awaited any further: what it started may hold its output open.
          end(null, 'SIGKILL');
        }, grace);
      };
      let timer = setTimeout(tooLate, limit);
      child.once('error', (error) => {
        said += `${error.message}\n`;
        end(127, null);
      });
      child.once('close', end);
    });
  }

  async function run(file: TestFile): Promise<void> {
    waiting.splice(waiting.indexOf(file), 1);
    const began = performance.now();
    const { code, signal, said } = await start(file);
    running.delete(file);
    if (isStop(signal)) stopped = true;
    const { tests, skipped } = reportIn(said);
    const [good, ms] = [code === 0 && tests > 0, performance.now() - began];
    const all = code === 0 && !good ? `${said}\nfailed: it has no test\n` : said;
    results.push({ path: file.path, good, ms, said: all, skipped });
    const how = good ? paint.green('good') : paint.red(signal === null ? 'failed' : signal);
    const line = `${file.path}: ${how}, ${seconds(ms)}`;
    console.log(good && file.brief ? line : `\n${paint.bold(file.path)}\n${all}${line}`);
  }

  await new Promise<void>((resolve, reject) => {
    const fill = (): void => {
      while (!stopped && running.size < lanes) {
        const file = nextOf(waiting, running.keys());
        if (file === undefined) break;
        run(file).then(fill, reject);
      }
      if (running.size === 0) resolve();
    };
    fill();
  });
  if (stopped) throw new Fault({ what: 'the tests were stopped', code: EXIT.interrupted });
  return results;
}
