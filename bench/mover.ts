/** What switches the client's paths while it is measured: a process in the lab, watched and ended in order. */
import { join } from 'node:path';
import { EXIT, Fault } from '../scripts/lib/cli.ts';
import { readTextIfAny, readTextIfStill, remove } from '../scripts/lib/files.ts';
import type { Lab } from '../scripts/lib/lab/lab.ts';
import { until } from '../scripts/lib/poll.ts';
import { attempt, spawnDetached } from '../scripts/lib/transport/local.ts';
import { childrenOf, secondsOf } from './process-time.ts';

/** Milliseconds that it may take to begin, and to end. */
const PATIENCE = 20_000;

/** The client's migrate.ts, in the client. */
export const ENGINE = ['node', '--import=tsx', '/comps/migrate.ts'] as const;
/** It has made its first switch. */
export const ENGINE_BEGAN = /"event":"switch"/;

export interface Mover {
  /** Seconds of the processors that it had up to now, with all that it started. */
  cost(): number;
  /** Ends it; all that it said. */
  stop(): Promise<string>;
}

/** The process itself: entering a machine leaves an nsenter above it. */
const innerOf = (pid: number): number =>
  readTextIfStill(`/proc/${pid}/comm`)?.trim() === 'nsenter' ? (childrenOf(pid)[0] ?? pid) : pid;

const isGone = (pid: number): boolean => readTextIfStill(`/proc/${pid}/stat`) === undefined;

const lastOf = (text: string): string => text.trim().split('\n').slice(-3).join(' / ') || 'without a word';

/** Starts it, and waits until it says `begun`. `at`: its name in messages, and of its file in the lab's log folder. */
export async function startMover(
  lab: Lab,
  at: string,
  words: readonly string[],
  begun: RegExp,
): Promise<Mover> {
  const file = join(lab.directory, 'log', `${at}.log`);
  remove(file);
  const said = (): string => readTextIfAny(file) ?? '';
  const pid = spawnDetached(words, file);
  const ended = (): boolean => isGone(pid);
  if (!(await until(PATIENCE, () => begun.test(said()) || ended())) || ended())
    throw new Fault({ at, what: `it does not start: ${lastOf(said())}`, code: EXIT.failed });
  return {
    cost: () => secondsOf(pid),
    stop: async () => {
      if (ended()) throw new Fault({ at, what: `it ended by itself: ${lastOf(said())}`, code: EXIT.failed });
      await attempt(['kill', '-TERM', String(innerOf(pid))]);
      if (!(await until(PATIENCE, ended)))
        throw new Fault({ at, what: 'it does not end', code: EXIT.failed });
      return said();
    },
  };
}
