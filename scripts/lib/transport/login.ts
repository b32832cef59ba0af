import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { appendLine, exists, readTextIfAny } from '../files.ts';
import { agentOf, isOpen, keyFilesOf, offerOf } from './key-files.ts';
import { type KnownKey, knownKeys } from './known-hosts.ts';
import type { LoginSettings, LoginTarget } from './login-target.ts';
import type { OfferedKey, SshOptions } from './ssh-options.ts';
import { lockedFault } from './unlock.ts';

export type { LoginSettings, LoginTarget } from './login-target.ts';

/** The keys to offer to a host; a Fault where hosts.ini names one that cannot be used as things are. */
function keysFor(target: LoginTarget, inventory: string): OfferedKey[] {
  const files = keyFilesOf(target, inventory);
  const closed = files.find((key) => key.by === 'inventory' && !isOpen(key));
  if (closed !== undefined && agentOf(target) === undefined)
    throw lockedFault(closed.file, target.name, `${inventory}:${target.line}`);
  return files.flatMap((key) => offerOf(key) ?? []);
}

/** The project's own known_hosts, beside the inventory. */
export const knownHostsOf = (inventory: string): string => join(dirname(inventory), 'known_hosts');

const usualFiles = (): string[] => [
  ...['known_hosts', 'known_hosts2'].map((name) => join(homedir(), '.ssh', name)),
  '/etc/ssh/ssh_known_hosts',
];

/** As ssh(1) has it, a user's file in a folder that nobody may look into is not there; the project's own must be readable. */
const textOf = (file: string, own: string): string =>
  file === own || exists(file) ? (readTextIfAny(file) ?? '') : '';

/** What is known of a host, from the project's own known_hosts and the user's; and the file that new keys go to. */
export function knownOf(
  { address, port, ssh }: Pick<LoginTarget, 'address' | 'port' | 'ssh'>,
  inventory: string,
): { known: KnownKey[]; own: string } {
  const own = knownHostsOf(inventory);
  // An alias stands in known_hosts as it is, whatever the port.
  const [name, at] = ssh?.hostKeyAlias === undefined ? [address, port] : [ssh.hostKeyAlias, 22];
  const known = [own, ...(ssh?.knownHostsFiles ?? usualFiles())].flatMap((file) =>
    knownKeys(textOf(file, own), file, name, at),
  );
  return { known, own };
}

/** How to log in to one host, and to those on the way: keys, agent, and the host keys known. Reads files only; connects to nothing. */
export function loginOf(target: LoginTarget, settings: LoginSettings): SshOptions {
  const { inventory, acceptNew, timeout } = settings;
  const { ssh, user, become } = target;
  const { known, own } = knownOf(target, inventory);
  const checking = target.hostKeyChecking ?? ssh?.hostKeyChecking;
  // `no` takes keys that are new, as accept-new does, and never one that has changed.
  const taken = acceptNew || checking === 'accept-new' || checking === 'no';
  return {
    keys: keysFor(target, inventory),
    agent: agentOf(target),
    namedOnly: ssh?.identitiesOnly,
    known,
    knownAs: ssh?.hostKeyAlias,
    knownHostsFile: known[0]?.at.replace(/:\d+$/, '') ?? own,
    // Who gives a slow way longer in ~/.ssh/config is not cut short here.
    timeout: Math.max(timeout, ssh?.connectTimeout ?? 0),
    jumps: ssh?.jumps.map((hop) => ({ target: hop, options: loginOf({ ...hop, line: 0 }, settings) })),
    ...(user === 'root' || become?.wanted === false ? {} : { become: { password: become?.password } }),
    ...(taken ? { remember: (line: string) => appendLine(own, line, 0o600) } : {}),
  };
}
