import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { Fault, messageOf } from '../cli.ts';
import { appendLine, exists, readText, readTextIfAny } from '../files.ts';
import { quoteAll } from '../shell.ts';
import { type KnownKey, knownKeys } from './known-hosts.ts';
import { isEncryptedKey } from './private-key.ts';
import type { SshOptions, SshTarget } from './ssh.ts';

/** Keys that ssh(1) offers by itself, in its order. */
const DEFAULT_KEYS = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

export interface LoginSettings {
  /** The inventory; relative key files and the project's known_hosts lie beside it. */
  inventory: string;
  /** Take the key of a host that was never seen, and remember it. */
  acceptNew: boolean;
  /** Seconds. */
  timeout: number;
}

interface LoginTarget extends SshTarget {
  privateKeyFile?: string | undefined;
  /** Line of the host in the inventory. */
  line: number;
}

function pathOf(file: string, directory: string): string {
  if (file.startsWith('~/')) return join(homedir(), file.slice(2));
  return isAbsolute(file) ? file : join(directory, file);
}

function readKey(file: string, name: string, at: string): string {
  try {
    return readText(file);
  } catch (error) {
    throw new Fault({
      at,
      what: `the key for ${name}: ${messageOf(error)}`,
      next: 'correct ansible_ssh_private_key_file for this host',
    });
  }
}

/** The keys to offer to a host. One that hosts.ini names must be there and readable; the usual ones may be missing. */
function keysFor(target: LoginTarget, inventory: string): { file: string; text: string }[] {
  const { name, privateKeyFile, line } = target;
  const agent = Boolean(process.env.SSH_AUTH_SOCK);
  if (privateKeyFile !== undefined) {
    const file = pathOf(privateKeyFile, dirname(inventory));
    const at = `${inventory}:${line}`;
    const text = readKey(file, name, at);
    if (!isEncryptedKey(text, file)) return [{ file, text }];
    if (agent) return [];
    const next = `start ssh-agent, then ${quoteAll(['ssh-add', file])}`;
    throw new Fault({ at, what: `the key for ${name}, ${file}, has a passphrase`, next });
  }
  return DEFAULT_KEYS.map((key) => join(homedir(), '.ssh', key))
    .filter(exists)
    .map((file) => ({ file, text: readText(file) }))
    .filter(({ file, text }) => !isEncryptedKey(text, file));
}

/** The project's own known_hosts, beside the inventory. */
export const knownHostsOf = (inventory: string): string => join(dirname(inventory), 'known_hosts');

/** What is known of a host, from the project's own known_hosts and the user's; and the file that new keys go to. */
export function knownOf(
  { address, port }: Pick<SshTarget, 'address' | 'port'>,
  inventory: string,
): { known: KnownKey[]; own: string } {
  const own = knownHostsOf(inventory);
  const known = [own, join(homedir(), '.ssh', 'known_hosts')].flatMap((file) =>
    knownKeys(readTextIfAny(file) ?? '', file, address, port),
  );
  return { known, own };
}

/** How to log in to one host: keys, agent, and the host keys known of it. Reads files only; connects to nothing. */
export function loginOf(target: LoginTarget, { inventory, acceptNew, timeout }: LoginSettings): SshOptions {
  const { known, own } = knownOf(target, inventory);
  return {
    keys: keysFor(target, inventory),
    agent: process.env.SSH_AUTH_SOCK || undefined,
    known,
    knownHostsFile: known[0]?.at.replace(/:\d+$/, '') ?? own,
    timeout,
    ...(acceptNew ? { remember: (line: string) => appendLine(own, line, 0o600) } : {}),
  };
}
