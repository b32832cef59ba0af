/** The door to processes of this machine, by way of zx. */
import { $, type ProcessOutput } from 'zx';
import { Fault } from '../cli.ts';

export interface LocalOptions {
  /** Text for standard input; nothing is read from the terminal unless `interactive`. */
  input?: string;
  /** Environment, in place of this process's own. */
  env?: NodeJS.ProcessEnv;
  /** The command takes over terminal, input and output. */
  interactive?: boolean;
}

function start(words: readonly string[], { input, env, interactive }: LocalOptions): Promise<ProcessOutput> {
  const shell = $({
    quiet: true,
    nothrow: true,
    ...(env === undefined ? {} : { env }),
    ...(interactive ? { stdio: 'inherit' as const } : { input: input ?? '' }),
  });
  return shell`${words}`;
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
