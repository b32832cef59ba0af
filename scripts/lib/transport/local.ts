/** The door to processes of this machine, by way of zx. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { $, type ProcessOutput } from 'zx';
import { Fault } from '../cli.ts';

export interface LocalOptions {
  /** Text for standard input, which is never the terminal. */
  input?: string;
  /** Environment, in place of this process's own. */
  env?: NodeJS.ProcessEnv;
}

/**
 * By SHLVL zx's bash is no outermost shell. One that is takes a socket, which its input comes by, for a login from elsewhere,
 * and runs ~/.bashrc first, whatever that prints and however long it takes. (Under sudo and cron nobody has set it.)
 */
const innerShell = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...env,
  SHLVL: String(Math.max(1, Number(env.SHLVL) || 0)),
});

function start(words: readonly string[], { input, env = process.env }: LocalOptions): Promise<ProcessOutput> {
  const shell = $({
    quiet: true,
    nothrow: true,
    env: innerShell(env),
    // Without input an end of it at once: zx leaves an empty one open, and who reads it waits for ever.
    ...(input ? { input } : { stdio: ['ignore', 'pipe', 'pipe'] as const }),
  });
  const started = shell`${words}`;
  // Who ends before all of it is read says why by an exit code; an error that nobody hears would end this process.
  if (input) started.stdin?.on('error', () => undefined);
  return started;
}

/** Runs a command; answers with its exit code and output whatever they are. */
export async function attempt(
  words: readonly string[],
  options: LocalOptions = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { exitCode, signal, stdout, stderr } = await start(words, options);
  return { code: exitCode ?? (signal === null ? 1 : 128), stdout, stderr };
}

/** Runs a command that must succeed; its standard output, or a Fault with the last words of its errors. */
export async function run(words: readonly string[], options: LocalOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await attempt(words, options);
  if (code === 0) return stdout;
  const last = stderr.trim().split('\n').slice(-3).join(' / ');
  throw new Fault({ what: `\`${words.join(' ')}\` ended with ${code}${last === '' ? '' : `: ${last}`}` });
}

/**
 * Starts a command that outlives this process: a session of its own, no input, output added to the file
 * `log`. Answers with its process id; that it goes on running is for the caller to watch.
 */
export function spawnDetached(words: readonly string[], log: string, env = process.env): number {
  const script = 'log=$1; shift; exec "$@" >>"$log" 2>&1';
  const child = spawn('sh', ['-c', script, 'sh', log, ...words], { detached: true, stdio: 'ignore', env });
  child.unref();
  if (child.pid === undefined) throw new Fault({ what: `cannot start \`${words[0]}\`` });
  return child.pid;
}

/**
 * Gives terminal, input and output to a command and waits for it; its exit code (128 + the signal's number).
 * Ctrl-C reaches it from the terminal; a signal sent to this process stops it with SIGTERM.
 */
export function handOver(words: readonly string[], env = process.env): Promise<number> {
  const [program = '', ...rest] = words;
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { stdio: 'inherit', env });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.removeAllListeners(signal);
      process.on(signal, () => {
        if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill('SIGTERM');
      });
    }
    child.once('error', (error) =>
      reject(new Fault({ what: `cannot start \`${program}\`: ${error.message}` })),
    );
    child.once('close', (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  });
}

/** Ends processes at once, without asking them; those that are gone already count as ended. */
export function killNow(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
