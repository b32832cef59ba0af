import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { Fault } from '../cli.ts';
import { appendText, exists, readText, readTextIfAny } from '../files.ts';
import { type KnownKey, knownKeys } from './known-hosts.ts';
import { isEncryptedKey } from './private-key.ts';
import type { SshOptions, SshTarget } from './ssh.ts';

/** Keys that ssh(1) offers by itself, in its order. */
const DEFAULT_KEYS = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

export interface LoginSettings {
  /** Relative key files and the project's known_hosts lie here: the inventory's directory. */
  directory: string;
  /** Take the key of a host that was never seen, and remember it. */
  acceptNew: boolean;
  /** Seconds. */
  timeout: number;
}

interface LoginTarget extends SshTarget {
  privateKeyFile?: string | undefined;
}

function pathOf(file: string, directory: string): string {
  if (file.startsWith('~/')) return join(homedir(), file.slice(2));
  return isAbsolute(file) ? file : join(directory, file);
}

/** The keys to offer to a host. One that hosts.ini names must be there and readable; the usual ones may be missing. */
function keysFor({ name, privateKeyFile }: LoginTarget, directory: string): { file: string; text: string }[] {
  const agent = process.env.SSH_AUTH_SOCK !== undefined;
  if (privateKeyFile !== undefined) {
    const file = pathOf(privateKeyFile, directory);
    const text = readText(file);
    if (!isEncryptedKey(text, file)) return [{ file, text }];
    if (agent) return [];
    throw new Fault({ at: file, what: `the key for ${name} has a passphrase`, next: `ssh-add ${file}` });
  }
  return DEFAULT_KEYS.map((key) => join(homedir(), '.ssh', key))
    .filter(exists)
    .map((file) => ({ file, text: readText(file) }))
    .filter(({ file, text }) => !isEncryptedKey(text, file));
}

/** How to log in to one host: keys, agent, and the host keys known of it. Reads files only; connects to nothing. */
export function loginOf(target: LoginTarget, { directory, acceptNew, timeout }: LoginSettings): SshOptions {
  const own = join(directory, 'known_hosts');
  const known: KnownKey[] = [own, join(homedir(), '.ssh', 'known_hosts')].flatMap((file) =>
    knownKeys(readTextIfAny(file) ?? '', file, target.address, target.port),
  );
  return {
    keys: keysFor(target, directory),
    agent: process.env.SSH_AUTH_SOCK,
    known,
    knownHostsFile: known.find(({ key }) => key !== '')?.at.replace(/:\d+$/, '') ?? own,
    timeout,
    ...(acceptNew ? { remember: (line: string) => appendText(own, `${line}\n`, 0o600) } : {}),
  };
}
