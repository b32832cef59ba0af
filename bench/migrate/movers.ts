/** What switches the client's paths while it is measured: migrate.ts, or a stand-in for the original's loop. */
import { join } from 'node:path';
import { clientRun } from '../../scripts/lib/lab/client.ts';
import type { Lab } from '../../scripts/lib/lab/lab.ts';
import { ENGINE, ENGINE_BEGAN, type Mover as Process, startMover as startProcess } from '../mover.ts';
import type { Case } from './cases.ts';
import { HERE } from './rig.ts';
import { type Log, readLog, readLoop } from './stamps.ts';

/** Debian's own, which sees Debian's pyroute2. */
const PYTHON = '/usr/bin/python3';

export interface Mover extends Pick<Process, 'cost'> {
  /** Ends it; what it says of its switches. */
  stop(): Promise<Log>;
}

/** Whether the client's migrate.ts can split by packet. */
export async function canSplit(lab: Lab): Promise<boolean> {
  const help = await clientRun(lab, ...ENGINE, '--help');
  return /"packet"/.test(/--strategy[\s\S]*?\)/.exec(help)?.[0] ?? '');
}

/** The words that run it; its log goes to their standard output. */
function wordsOf({ mover, period }: Case, lab: Lab): string[] {
  const every = String(period);
  switch (mover) {
    case 'engine':
      return lab.words('client', [...ENGINE, '--strategy', 'rr', '--period', every, '--first', '1']);
    case 'split':
      return lab.words('client', [...ENGINE, '--strategy', 'packet', '--seed', '42']);
    case 'shell':
      return lab.words('client', ['bash', '/loop.sh', every]);
    default:
      // On this computer, as the client has no Python; in the client's network all the same.
      return ['ip', 'netns', 'exec', lab.namespaceOf('client'), PYTHON, join(HERE, 'loop.py'), every];
  }
}

const HAS_BEGUN = { engine: ENGINE_BEGAN, split: /"event":"split"/, shell: /^\d+\.\d+ /m };

/** Starts what a case says, and waits until the first switch is made. */
export async function startMover(lab: Lab, one: Case): Promise<Mover | undefined> {
  if (one.mover === 'none') return undefined;
  const begun = HAS_BEGUN[one.mover === 'python' ? 'shell' : one.mover];
  const read = one.mover === 'engine' || one.mover === 'split' ? readLog : readLoop;
  const { cost, stop } = await startProcess(lab, one.mover, wordsOf(one, lab), begun);
  return { cost, stop: async () => read(await stop()) };
}
