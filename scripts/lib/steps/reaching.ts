/** Waits until new servers answer SSH, and until the work of their first boot is over. */
import { EXIT, Fault } from '../cli.ts';
import { awaitFirstBoot, STILL_BUSY } from '../tasks/first-boot.ts';
import { loginOf } from '../transport/login.ts';
import { connectSsh, SshFault } from '../transport/ssh.ts';
import type { Transport } from '../transport/transport.ts';
import { clock } from './cloud.ts';
import type { Target } from './own-hosts.ts';

/**
 * Seconds for which an answer is taken for one that is not final: a server that boots may refuse a key, or show the host
 * key of its image, before cloud-init has put the right ones there.
 */
const GRACE = 45;

export interface Reaching {
  inventory: string;
  acceptNew: boolean;
  /** Seconds for one connection. */
  timeout: number;
  /** Seconds for all of it. */
  patience: number;
  onStep: (what: string) => void;
}

/** Whether a server that refuses may still be one that is about to be ready. */
function mayPass(fault: Fault, waited: number): boolean {
  if (!(fault instanceof SshFault)) return false;
  if (fault.kind === 'unknown-host-key' || fault.kind === 'revoked-host-key') return false;
  return fault.kind === 'network' || waited < GRACE;
}

async function connect(target: Target, reaching: Reaching, began: number): Promise<Transport> {
  const { inventory, acceptNew, timeout, patience, onStep } = reaching;
  onStep('waiting for SSH');
  for (;;) {
    try {
      return await connectSsh(target, loginOf(target, { inventory, acceptNew, timeout }));
    } catch (error) {
      const waited = clock.now() - began;
      if (!(error instanceof Fault) || waited >= patience || !mayPass(error, waited)) throw error;
      await clock.pause(1);
    }
  }
}

/** Resolves with what went wrong, and with nothing where the server is ready to be set up. */
export async function reach(target: Target, reaching: Reaching): Promise<Fault | undefined> {
  const { patience, onStep } = reaching;
  const began = clock.now();
  let transport: Transport | undefined;
  try {
    transport = await connect(target, reaching, began);
    onStep('its first boot');
    const left = Math.max(1, patience - (clock.now() - began));
    const { code } = await transport.run(awaitFirstBoot(left), {
      onOutput: (line) => onStep(`its first boot: ${line.trim()}`),
    });
    if (code !== STILL_BUSY) return undefined;
    return new Fault({
      at: target.name,
      what: `packages are still being installed there after ${patience} s (wait_timeout)`,
      next: 'run the same command again to go on waiting',
      code: EXIT.failed,
    });
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  } finally {
    transport?.close();
  }
}
