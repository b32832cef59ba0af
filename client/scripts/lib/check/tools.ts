/** Programs that a check asks. */
import { Fault } from '../fault.ts';
import { ask, Tool } from '../process.ts';

/** The Debian package of each program that may be missing. */
const PACKAGES: Record<string, string> = {
  curl: 'curl',
  ip: 'iproute2',
  nft: 'nftables',
  perl: 'perl-base',
  ping: 'iputils-ping',
  setpriv: 'util-linux',
  tc: 'iproute2',
  tcpdump: 'tcpdump',
  wg: 'wireguard-tools',
};

export const installLine = (program: string): string => `apt-get install ${PACKAGES[program] ?? program}`;

/** A program is not on this machine. */
export class Missing extends Error {
  readonly program: string;

  constructor(program: string) {
    super(`${program} is missing`);
    this.program = program;
  }
}

export interface Told {
  code: number | null;
  text: string;
  said: string;
}

/** The program that Node found none of, in its words. */
export const spawnless = (said: string): string | undefined => /\bspawn (\S+) ENOENT/.exec(said)?.[1];

/** Runs a program to its end, for so many milliseconds at most; throws a {@link Missing} where it is not there. */
export async function tell(words: readonly string[], ms = 10_000): Promise<Told> {
  let text = '';
  const tool = new Tool(words, (piece) => {
    text += piece;
  });
  const late = setTimeout(() => tool.kill('SIGKILL'), ms);
  const { code } = await tool.ended.finally(() => clearTimeout(late));
  // setpriv, which starts every program here, may be what is missing.
  const starter = spawnless(tool.said);
  if (code === 127 && starter !== undefined) throw new Missing(starter);
  if (code === 127 && /failed to execute|not found/.test(tool.said)) throw new Missing(words[0] ?? '');
  return { code, text, said: tool.said };
}

/** What a program prints that is over at once; undefined where it fails. */
export function askIfAny(...words: string[]): string | undefined {
  try {
    return ask(words, installLine(words[0] ?? ''));
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

export interface Answer {
  good: boolean;
  text: string;
  /** Milliseconds of the first answer. */
  rtt: number | undefined;
}

/** Asks by ping. Throws a {@link Missing}. */
export async function ping(...words: string[]): Promise<Answer> {
  const { code, text, said } = await tell(['ping', '-n', ...words]);
  const rtt = /time[=<]([\d.]+) ms/.exec(text)?.[1];
  return { good: code === 0, text: text + said, rtt: rtt === undefined ? undefined : Number(rtt) };
}

/** Asks every 0.2 s until the first answer, for so many seconds at most. */
export const untilAnswer = (seconds: number): string[] => ['-c', '1', '-i', '0.2', '-w', String(seconds)];
