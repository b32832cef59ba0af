import { EXIT, Fault, messageOf } from '../cli.ts';
import { pause } from '../poll.ts';
import { SshFault } from '../transport/ssh-options.ts';
import type { Bytes, Transport } from '../transport/transport.ts';
import { converge, type Outcome } from './apply.ts';
import type { Choice } from './choice.ts';
import type { Round } from './round.ts';
import type { Change, Gather, Task } from './task.ts';

/** How the play ended on one host. */
export interface HostResult<H> {
  host: H;
  outcome: Outcome;
  /** Why no connection could be had or kept; no task counts then. */
  unreachable?: Fault;
  /** Why the play failed on this host outside of a task. */
  failed?: Fault;
  /** What was made before the connection was lost for good. */
  made?: readonly Made[];
  /** What it took: round trips after connection, bytes on the wire where they were counted, and ms from the first try on. */
  cost: { rounds: number; bytes: Bytes; ms: number };
}

export interface Play<H, F> {
  hosts: readonly H[];
  connect: (host: H) => Promise<Transport>;
  gather: Gather<F>;
  tasksFor: (host: H) => readonly Task<F>[];
  check: boolean;
  /** Which tasks are wanted of a host; all unless given. */
  choiceFor?: ((host: H) => Choice | undefined) | undefined;
  /** How many hosts at the same time; all of them unless given. */
  forks?: number | undefined;
  /** Called as each host ends, in the order in which they do. */
  onHost: (result: HostResult<H>) => void;
  /** Called as a host begins a step, with a line for a person: `connecting`, `install nftables`. */
  onStep?: (host: H, line: string) => void;
  /** Called where a host makes the run wait: with `waiting` or `retrying`, and for what. */
  onWait?: (host: H, kind: 'waiting' | 'retrying', what: string) => void;
  onRound?: (host: H, round: Round) => void;
  /** Waits these many ms before a lost connection is made again. */
  rest?: (ms: number) => Promise<unknown>;
}

/** Before each further try after a connection was lost in the middle, in ms. */
const RESTS = [1000, 3000];

/** A change that was made, as the script told it before its connection was lost. */
export interface Made {
  task: string;
  change: Change;
}

interface Try {
  cost: { rounds: number; bytes: Bytes };
  made: Made[];
}

/** One connection, and all tasks over it. */
async function tryHost<H, F>(host: H, play: Play<H, F>, { cost, made }: Try): Promise<Outcome> {
  const { check, gather, onStep, onWait, onRound } = play;
  onStep?.(host, 'connecting');
  const transport = await play.connect(host);
  try {
    onStep?.(host, 'reading its state');
    return await converge(transport, gather, play.tasksFor(host), {
      check,
      choice: play.choiceFor?.(host),
      onChange: (line) => onStep?.(host, line),
      onChanged: (task, change) => made.push({ task, change }),
      onWait: (what) => onWait?.(host, 'waiting', what),
      onRound: (round) => {
        cost.rounds++;
        onRound?.(host, round);
      },
    });
  } catch (error) {
    if (error instanceof Fault && error.code === EXIT.unreachable) throw new Lost(error);
    throw error;
  } finally {
    transport.close();
    cost.bytes.sent += transport.bytes?.sent ?? 0;
    cost.bytes.received += transport.bytes?.received ?? 0;
  }
}

/** A connection that was there and is no more, in contrast to one that could not be had. */
class Lost extends Error {
  readonly fault: Fault;

  constructor(fault: Fault) {
    super(messageOf(fault));
    this.fault = fault;
  }
}

/** Whether to connect again: to a host that was there and is cut off, not to one that keeps silent or refuses the login. */
function mayPass(error: unknown, fault: Fault, tries: number): boolean {
  if (error instanceof Lost) return !/does not answer any more/.test(fault.message);
  return tries > 0 && fault instanceof SshFault && fault.kind === 'network';
}

/** The last word on a host that was there: it may be half changed. */
const lostBefore = (fault: Fault): Fault =>
  new Fault({
    what: `${fault.message} (its connection had been lost in the middle before)`,
    next: 'run this again once it answers: it goes on from where it was',
    code: fault.code,
  });

/** An outcome with the changes that tries before it had made. */
function withMade(outcome: Outcome, made: readonly Made[]): Outcome {
  const tasks = outcome.tasks.map((task) => ({
    ...task,
    changed: [...made.filter((one) => one.task === task.name).map(({ change }) => change), ...task.changed],
  }));
  return { ...outcome, tasks };
}

/**
 * Plays one host. Where the connection is lost in the middle it is made again, and everything is read anew: what the
 * lost script had still to do is done by then, or is found missing.
 */
async function playHost<H, F>(host: H, play: Play<H, F>): Promise<HostResult<H>> {
  const { rest = pause, onWait } = play;
  const cost = { rounds: 0, bytes: { sent: 0, received: 0 } };
  const began = performance.now();
  const before: Made[] = [];
  const end = (result: Omit<HostResult<H>, 'host' | 'cost'>): HostResult<H> => ({
    host,
    ...result,
    cost: { ...cost, ms: performance.now() - began },
  });
  for (let tries = 0; ; tries++) {
    const made: Made[] = [];
    try {
      return end({ outcome: withMade(await tryHost(host, play, { cost, made }), before) });
    } catch (error) {
      const fault = error instanceof Lost ? error.fault : error;
      if (!(fault instanceof Fault)) throw error;
      const wait = RESTS[tries];
      before.push(...made);
      if (mayPass(error, fault, tries) && wait !== undefined) {
        onWait?.(host, 'retrying', `${fault.message}; again in ${wait / 1000} s`);
        await rest(wait);
        continue;
      }
      const outcome: Outcome = { tasks: [], values: new Map() };
      if (fault.code !== EXIT.unreachable) return end({ outcome, failed: fault, made: before });
      const unreachable = error instanceof Lost || tries === 0 ? fault : lostBefore(fault);
      return end({ outcome, unreachable, made: before });
    }
  }
}

/** Plays hosts at the same time, one connection each; a host's trouble never stops the others. Results are in the hosts' order. */
export async function runPlay<H, F>(play: Play<H, F>): Promise<HostResult<H>[]> {
  const results: HostResult<H>[] = [];
  const queue = play.hosts.entries();
  const work = async (): Promise<void> => {
    for (const [i, host] of queue) {
      const result = await playHost(host, play);
      results[i] = result;
      play.onHost(result);
    }
  };
  const { forks = play.hosts.length } = play;
  await Promise.all(Array.from({ length: Math.min(forks, play.hosts.length) }, work));
  return results;
}

/** Whether everything that was wanted of this host is so. */
export const isGood = (result: HostResult<unknown>): boolean =>
  result.unreachable === undefined &&
  result.failed === undefined &&
  result.outcome.tasks.every((task) => task.failed === undefined);

/** The exit code of a play: unreachable weighs more than failed, as in ansible-playbook. */
export function exitCodeOf(results: readonly HostResult<unknown>[]): number {
  if (results.some((result) => result.unreachable !== undefined)) return EXIT.unreachable;
  return results.every(isGood) ? EXIT.ok : EXIT.failed;
}
