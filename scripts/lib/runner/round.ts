/** One script to one host and its answer: a round trip, with whatever is told of it meanwhile. */
import { randomBytes } from 'node:crypto';
import { EXIT, Fault } from '../cli.ts';
import type { Answer, Transport } from '../transport/transport.ts';
import type { Choice } from './choice.ts';
import { holderText, LOCKED, ownName } from './lock.ts';
import { type Frame, framesOf, type Signs, signs } from './script.ts';
import { hideKeys } from './secrets.ts';
import type { Change } from './task.ts';

/** One round trip, for a log and for those who want to see more. */
export interface Round {
  what: 'probe' | 'apply';
  ms: number;
  /** Exit code of the whole script; null where a signal ended it, undefined where the connection was lost. */
  code: number | null | undefined;
  /** What each piece was, and what it answered. */
  pieces: { name: string; frame: Frame | undefined }[];
}

export interface ConvergeOptions {
  check: boolean;
  /** Which tasks are wanted; of the others only values are read. All unless given. */
  choice?: Choice | undefined;
  /** Called as each change begins, with its line. */
  onChange?: ((line: string) => void) | undefined;
  /** Called as each change has been made: what is known of a script whose connection is lost in the middle. */
  onChanged?: ((task: string, change: Change) => void) | undefined;
  /** Called with what is waited for. */
  onWait?: ((what: string) => void) | undefined;
  onRound?: ((round: Round) => void) | undefined;
}

/** Seconds for reading a host's state, waiting for another run included; and for changing it, packages and all. */
export const PROBE_LIMIT = 120;
export const APPLY_LIMIT = 1800;

const newMarker = (): string => `comps-${randomBytes(8).toString('hex')}`;

/** The last words of a piece that failed. */
export function reasonOf({ code, stdout, stderr }: Frame): string {
  const said = (stderr.trim() || stdout.trim()).split('\n').slice(-5).join('\n');
  return said === '' ? `exit code ${code}` : hideKeys(said);
}

interface Sending {
  script: (marker: string) => string;
  what: Round['what'];
  /** Seconds. */
  limit: number;
  names: readonly string[];
}

/** One round trip, told to whoever listens; a Fault where another run did not let go of the host. */
export async function send(
  transport: Transport,
  { script, what, limit, names }: Sending,
  options: ConvergeOptions,
  more: Signs = {},
): Promise<Answer & { frames: Map<number, Frame> }> {
  const marker = newMarker();
  const began = performance.now();
  let holder = 'another run';
  const onOutput = signs(marker, {
    ...more,
    busy: (said) => {
      holder = holderText(said, ownName());
      options.onWait?.(`${holder} is at work there`);
    },
  });
  const tell = (code: Round['code'], frames: ReadonlyMap<number, Frame>): void =>
    options.onRound?.({
      what,
      ms: performance.now() - began,
      code,
      pieces: names.map((name, i) => ({ name, frame: frames.get(i) })),
    });
  let answer: Answer;
  try {
    answer = await transport.run(script(marker), { onOutput, limit });
  } catch (error) {
    tell(undefined, new Map());
    throw error;
  }
  const frames = framesOf(marker, answer.stdout, answer.stderr);
  tell(answer.code, frames);
  if (answer.code === LOCKED)
    throw new Fault({
      what: `${holder} is at work on this host and did not end within a minute`,
      next: 'wait for it, then run this again',
      code: EXIT.failed,
    });
  return { ...answer, frames };
}

/** What a shell said that gave no frame at all. */
export const words = ({ stdout, stderr }: Answer): string =>
  hideKeys((stderr.trim() || stdout.trim()).split('\n').slice(-5).join('\n'));
