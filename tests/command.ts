/**
 * Commands as their users call them, in this process: with their words, their input, their output and their exit code, and
 * without the start of a program, which takes longer than most of what is asked of them.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { exitWith } from '../scripts/lib/cli.ts';

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Thrown in the place of an exit: nothing behind it is carried out. */
class Exit extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

const heard = new AsyncLocalStorage<{ stdout: string; stderr: string }>();

for (const name of ['stdout', 'stderr'] as const) {
  const stream = process[name];
  const usual = stream.write.bind(stream) as (...rest: unknown[]) => boolean;
  stream.write = (piece: string | Uint8Array, ...rest: unknown[]): boolean => {
    const said = heard.getStore();
    if (said === undefined) return usual(piece, ...rest);
    said[name] += typeof piece === 'string' ? piece : Buffer.from(piece).toString('utf8');
    for (const done of rest) if (typeof done === 'function') done();
    return true;
  };
}

const usualExit = process.exit.bind(process);
process.exit = ((code?: number): never => {
  if (heard.getStore() === undefined) return usualExit(code);
  throw new Exit(code ?? 0);
}) as typeof process.exit;

/** What a command hangs on this process, and would leave there. */
const HUNG = [
  ...(['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((event) => [process, event] as const),
  [process.stdout, 'error'] as const,
];

let last: Promise<unknown> = Promise.resolve();
let runs = 0;

/** Runs `scripts/x.ts` with these words to its end; one at a time, as each has this process for itself. */
export function runHere(script: string, words: readonly string[], input = ''): Promise<Ended> {
  const run = last.then(() => runNow(script, words, input));
  last = run.catch(() => undefined);
  return run;
}

async function runNow(script: string, words: readonly string[], input: string): Promise<Ended> {
  const file = resolve(script);
  const { argv } = process;
  const stdin = Object.getOwnPropertyDescriptor(process, 'stdin') as PropertyDescriptor;
  const hung = HUNG.map(([emitter, event]) => emitter.rawListeners(event));
  const typed = new PassThrough();
  typed.end(input);
  process.argv = [process.execPath, file, ...words];
  Object.defineProperty(process, 'stdin', { value: typed, configurable: true });
  exitWith(0);
  const said = { stdout: '', stderr: '' };
  try {
    // Under another name each time, so that it runs again; what it imports is there from the first time on.
    await heard.run(said, () => import(`${pathToFileURL(file).href}?run=${runs++}`));
    throw new Error(`${script} came to its end without an exit`);
  } catch (thrown) {
    if (!(thrown instanceof Exit)) throw thrown;
    return { code: thrown.code, ...said };
  } finally {
    process.argv = argv;
    Object.defineProperty(process, 'stdin', stdin);
    for (const [i, [emitter, event]] of HUNG.entries()) {
      const kept = new Set(hung[i]);
      for (const listener of emitter.rawListeners(event))
        if (!kept.has(listener)) emitter.removeListener(event, listener as () => void);
    }
  }
}
