/** The one connection to a host, and what runs over it. */
import { runOver } from './script-channel.ts';
import { openSession } from './session.ts';
import type { SshOptions, SshTarget } from './ssh-options.ts';
import type { Transport } from './transport.ts';

export { type Jump, SshFault, type SshOptions, type SshTarget, type SshTrouble } from './ssh-options.ts';

/** Opens the one connection to a host; rejects with a Fault that says why there is none, and what to do. */
export async function connectSsh(target: SshTarget, options: SshOptions): Promise<Required<Transport>> {
  return runOver(await openSession(target, options), target, options);
}
