import { EXIT, Fault } from '../cli.ts';
import type { Transport } from '../transport/transport.ts';
import { converge, type Outcome } from './apply.ts';
import type { Gather, Task } from './task.ts';

/** How the play ended on one host. */
export interface HostResult<H> {
  host: H;
  outcome: Outcome;
  /** Why no connection could be had or kept; no task counts then. */
  unreachable?: Fault;
  /** Why the play failed on this host outside of a task. */
  failed?: Fault;
}

export interface Play<H, F> {
  hosts: readonly H[];
  connect: (host: H) => Promise<Transport>;
  gather: Gather<F>;
  tasksFor: (host: H) => readonly Task<F>[];
  check: boolean;
  /** Called as each host ends, in the order in which they do. */
  onHost: (result: HostResult<H>) => void;
  /** Called as a host begins a step, with a line for a person: `connecting`, `install nftables`. */
  onStep?: (host: H, line: string) => void;
}

async function playHost<H, F>(host: H, play: Play<H, F>): Promise<HostResult<H>> {
  const nothing: Outcome = { tasks: [], values: new Map() };
  const { check, gather, onStep = () => {} } = play;
  let transport: Transport | undefined;
  try {
    onStep(host, 'connecting');
    transport = await play.connect(host);
    onStep(host, 'reading its state');
    const onChange = (line: string): void => onStep(host, line);
    return { host, outcome: await converge(transport, gather, play.tasksFor(host), { check, onChange }) };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (error.code === EXIT.unreachable) return { host, outcome: nothing, unreachable: error };
    return { host, outcome: nothing, failed: error };
  } finally {
    transport?.close();
  }
}

/** Plays all hosts at the same time, one connection each; a host's trouble never stops the others. */
export function runPlay<H, F>(play: Play<H, F>): Promise<HostResult<H>[]> {
  return Promise.all(
    play.hosts.map(async (host) => {
      const result = await playHost(host, play);
      play.onHost(result);
      return result;
    }),
  );
}

/** Whether everything that was wanted of this host is so. */
const isGood = (result: HostResult<unknown>): boolean =>
  result.unreachable === undefined &&
  result.failed === undefined &&
  result.outcome.tasks.every((task) => task.failed === undefined);

/** The exit code of a play: unreachable weighs more than failed, as in ansible-playbook. */
export function exitCodeOf(results: readonly HostResult<unknown>[]): number {
  if (results.some((result) => result.unreachable !== undefined)) return EXIT.unreachable;
  return results.every(isGood) ? EXIT.ok : EXIT.failed;
}
