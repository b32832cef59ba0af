/** What switches the client's paths while it is measured: migrate.ts, or a stand-in for the original's loop. */
import { join } from 'node:path';
import { EXIT, Fault } from '../../scripts/lib/cli.ts';
import { readTextIfAny, readTextIfStill, remove } from '../../scripts/lib/files.ts';
import { clientRun } from '../../scripts/lib/lab/client.ts';
import type { Lab } from '../../scripts/lib/lab/lab.ts';
import { until } from '../../scripts/lib/poll.ts';
import { attempt, spawnDetached } from '../../scripts/lib/transport/local.ts';
import type { Case } from './cases.ts';
import { childrenOf, secondsOf } from './process-time.ts';
import { HERE } from './rig.ts';
import { type Log, readLog, readLoop } from './stamps.ts';

/** Milliseconds that it may take to begin, and to end. */
const PATIENCE = 20_000;
/** Debian's own, which sees Debian's pyroute2. */
const PYTHON = '/usr/bin/python3';

export interface Mover {
  /** Seconds of the processors that it had up to now, with all that it started. */
  cost(): number;
  /** Ends it; what it says of its switches. */
  stop(): Promise<Log>;
}

const engine = ['node', '--import=tsx', '/comps/migrate.ts'];

/** Whether the client's migrate.ts can split by packet. */
export async function canSplit(lab: Lab): Promise<boolean> {
  const help = await clientRun(lab, ...engine, '--help');
  return /"packet"/.test(/--strategy[\s\S]*?\)/.exec(help)?.[0] ?? '');
}

/** The words that run it; its log goes to their standard output. */
function wordsOf({ mover, period }: Case, lab: Lab): string[] {
  const every = String(period);
  switch (mover) {
    case 'engine':
      return lab.words('client', [...engine, '--strategy', 'rr', '--period', every, '--first', '1']);
    case 'split':
      return lab.words('client', [...engine, '--strategy', 'packet', '--seed', '42']);
    case 'shell':
      return lab.words('client', ['bash', '/loop.sh', every]);
    default:
      // On this computer, as the client has no Python; in the client's network all the same.
      return ['ip', 'netns', 'exec', lab.namespaceOf('client'), PYTHON, join(HERE, 'loop.py'), every];
  }
}

/** The process itself: entering a machine leaves an nsenter above it. */
const innerOf = (pid: number): number =>
  readTextIfStill(`/proc/${pid}/comm`)?.trim() === 'nsenter' ? (childrenOf(pid)[0] ?? pid) : pid;

const isGone = (pid: number): boolean => readTextIfStill(`/proc/${pid}/stat`) === undefined;

const lastOf = (text: string): string => text.trim().split('\n').slice(-3).join(' / ') || 'without a word';

const HAS_BEGUN = { engine: /"event":"switch"/, split: /"event":"split"/, shell: /^\d+\.\d+ /m };

/** Starts what a case says, and waits until the first switch is made. */
export async function startMover(lab: Lab, one: Case): Promise<Mover | undefined> {
  if (one.mover === 'none') return undefined;
  const file = join(lab.directory, 'log', 'mover.log');
  remove(file);
  const said = (): string => readTextIfAny(file) ?? '';
  const pid = spawnDetached(wordsOf(one, lab), file);
  const begun = HAS_BEGUN[one.mover === 'python' ? 'shell' : one.mover];
  const ended = (): boolean => isGone(pid);
  if (!(await until(PATIENCE, () => begun.test(said()) || ended())) || ended())
    throw new Fault({ at: one.mover, what: `it does not start: ${lastOf(said())}`, code: EXIT.failed });
  return {
    cost: () => secondsOf(pid),
    stop: async () => {
      if (ended())
        throw new Fault({ at: one.mover, what: `it ended by itself: ${lastOf(said())}`, code: EXIT.failed });
      await attempt(['kill', '-TERM', String(innerOf(pid))]);
      if (!(await until(PATIENCE, ended)))
        throw new Fault({ at: one.mover, what: 'it does not end', code: EXIT.failed });
      return one.mover === 'engine' || one.mover === 'split' ? readLog(said()) : readLoop(said());
    },
  };
}
