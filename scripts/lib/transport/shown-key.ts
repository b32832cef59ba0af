/** The key that a host shows, taken as ssh-keyscan does: the connection ends there, and nobody logs in. */
import { Client } from 'ssh2';
import { hostKeyAlgorithms } from './known-hosts.ts';
import { wayTo } from './session.ts';
import type { Jump, SshTarget } from './ssh-options.ts';

/** Undefined where it shows none in time (seconds); why that is, the connection proper says later. */
export async function shownKey(
  target: SshTarget,
  timeout: number,
  jumps: readonly Jump[] = [],
): Promise<Buffer | undefined> {
  const way = await wayTo(target, jumps).catch(() => undefined);
  if (way === undefined) return undefined;
  const { socket, release } = way;
  const key = await new Promise<Buffer | undefined>((resolve) => {
    const client = new Client();
    client.on('error', () => resolve(undefined)).once('close', () => resolve(undefined));
    client.connect({
      sock: socket as never,
      username: target.user,
      readyTimeout: timeout * 1000,
      // Nothing is known of it, so these are the ones that the connection proper asks for first, too.
      algorithms: { serverHostKey: hostKeyAlgorithms([]) as never },
      hostVerifier: (shown: Buffer) => {
        resolve(shown);
        return false;
      },
      authHandler: [],
    });
  });
  socket.destroy();
  release();
  return key;
}
