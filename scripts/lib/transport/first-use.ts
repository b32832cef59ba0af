/** Hosts that were never seen: a person compares their keys before anything is sent to them. */
import { Client } from 'ssh2';
import { canAsk, confirm } from '../ask.ts';
import { Fault } from '../cli.ts';
import { statusLine } from '../progress.ts';
import { fingerprint, hostKeyAlgorithms, judgeHostKey, keyType } from './known-hosts.ts';
import { editKnownHosts, pin } from './known-hosts-edit.ts';
import { knownOf, type LoginSettings } from './login.ts';
import type { SshTarget } from './ssh.ts';

/** A host of which nothing is known, and the key that it shows. */
interface Stranger {
  target: SshTarget;
  key: Buffer;
}

/**
 * The key that a host shows, taken as ssh-keyscan does: the connection ends there, and nobody logs in. Undefined where
 * it shows none in time (seconds); why that is, the connection proper says later.
 */
export function shownKey(target: SshTarget, timeout: number): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const client = new Client();
    const end = (key?: Buffer): void => {
      resolve(key);
      client.destroy();
    };
    client.on('error', () => end()).once('close', () => end());
    client.connect({
      host: target.address,
      port: target.port,
      username: target.user,
      readyTimeout: timeout * 1000,
      // Nothing is known of it, so these are the ones that the connection proper asks for first, too.
      algorithms: { serverHostKey: hostKeyAlgorithms([]) as never },
      hostVerifier: (key: Buffer) => {
        resolve(key);
        return false;
      },
      authHandler: [],
    });
  });
}

/** `vpn1 (198.51.100.11 port 22): ssh-ed25519 SHA256:…` */
const lineOf = ({ target: { name, address, port }, key }: Stranger): string =>
  `${name} (${address} port ${port}): ${keyType(key)} ${fingerprint(key)}`;

async function strangersAmong(
  targets: readonly SshTarget[],
  { inventory, timeout }: LoginSettings,
): Promise<Stranger[]> {
  const status = statusLine();
  const found = await Promise.all(
    targets.map(async (target): Promise<Stranger[]> => {
      const { known } = knownOf(target, inventory);
      if (known.some(({ revoked }) => !revoked)) return [];
      status.set(target.name, 'asking for its host key');
      const key = await shownKey(target, timeout);
      status.set(target.name, undefined);
      // A revoked one is refused by the connection proper.
      return key !== undefined && judgeHostKey(known, key).verdict === 'unknown' ? [{ target, key }] : [];
    }),
  );
  return found.flat();
}

/**
 * Shows the keys of all hosts that were never seen, asks once, and remembers just these keys. A Fault where the answer is
 * no. Does nothing where there is nobody to ask, or where new keys are taken unasked: the connection decides then.
 */
export async function meetStrangers(
  targets: readonly SshTarget[],
  settings: LoginSettings,
  person = { canAsk, confirm },
): Promise<void> {
  if (settings.acceptNew || !person.canAsk()) return;
  const strangers = await strangersAmong(targets, settings);
  const [first] = strangers;
  if (first === undefined) return;
  const one = strangers.length === 1;
  const question = `${one ? 'Is this the fingerprint' : 'Are these the fingerprints'} that your provider shows?`;
  const lines = strangers.map((stranger) => `  ${lineOf(stranger)}\n`).join('');
  if (!(await person.confirm(`${one ? 'A host' : 'Hosts'} never seen before:\n${lines}${question}`)))
    throw new Fault({
      what: `the host ${one ? 'key was' : 'keys were'} not confirmed, and nothing was changed`,
      next: 'compare them with what `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` says in your provider’s console, then run this again',
    });
  const { own } = knownOf(first.target, settings.inventory);
  editKnownHosts(own, (text) =>
    strangers.reduce(
      (so, { target: { name, address, port }, key }) =>
        pin(so, {
          address,
          port,
          type: keyType(key),
          key: key.toString('base64'),
          ...(name === address ? {} : { comment: name }),
        }),
      text,
    ),
  );
}
