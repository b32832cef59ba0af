/** Which key files are offered to a host, and which of them need a passphrase first. */
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import type { ParsedKey } from 'ssh2';
import { Fault, messageOf } from '../cli.ts';
import { exists, readText } from '../files.ts';
import type { LoginTarget } from './login-target.ts';
import { isEncryptedKey, publicHalf } from './private-key.ts';
import type { OfferedKey } from './ssh-options.ts';

/** Keys that ssh(1) offers by itself, in its order. */
const DEFAULT_KEYS = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

/** A key file as it lies there. */
export interface KeyFile {
  file: string;
  /** Undefined where there is none. */
  text: string | undefined;
  /** Who names it: hosts.ini, ~/.ssh/config, or nobody: one of the usual ones. */
  by: 'inventory' | 'config' | 'default';
  locked: boolean;
  /** The public half's blob, where it can be read. */
  publicKey: Buffer | undefined;
}

/** Keys whose passphrase was asked for, by their file's text; for as long as this process lives, and in its memory only. */
const unlocked = new Map<string, ParsedKey>();

export const keepUnlocked = (text: string, key: ParsedKey): void => void unlocked.set(text, key);

/** The socket of the ssh-agent for a host; undefined where there is none, or none is wanted. */
export const agentOf = ({ ssh }: LoginTarget): string | undefined =>
  ssh?.agent === 'none' ? undefined : ssh?.agent || process.env.SSH_AUTH_SOCK || undefined;

function pathOf(file: string, directory: string): string {
  if (file.startsWith('~/')) return join(homedir(), file.slice(2));
  return isAbsolute(file) ? file : join(directory, file);
}

function readNamed(file: string, { name, line }: LoginTarget, inventory: string): string {
  try {
    return readText(file);
  } catch (error) {
    throw new Fault({
      at: `${inventory}:${line}`,
      what: `the key for ${name}: ${messageOf(error)}`,
      next: 'correct ansible_ssh_private_key_file for this host',
    });
  }
}

/** A file that nobody insists on is passed over where it holds nothing that can be read. */
function isLocked(text: string, file: string, by: KeyFile['by']): boolean | undefined {
  try {
    return isEncryptedKey(text, file);
  } catch (error) {
    if (by === 'inventory') throw error;
    return undefined;
  }
}

/** As ssh(1) has it, one in a folder that nobody may look into is not there. */
const readSeen = (file: string): string | undefined => (exists(file) ? readText(file) : undefined);

function lookAt(
  file: string,
  by: KeyFile['by'],
  read: () => string | undefined,
  hasAgent: boolean,
): KeyFile[] {
  const text = read();
  // IdentityFile may name a public key: of those that the agent has, this one.
  const pub = (): string | undefined => readSeen(`${file}.pub`);
  if (text === undefined)
    return hasAgent && by === 'config'
      ? [{ file, text, by, locked: true, publicKey: publicHalf('', pub()) }]
      : [];
  const onlyPublic = hasAgent && /^(?:ssh|ecdsa)-\S+ \S/.test(text);
  const locked = onlyPublic || isLocked(text, file, by);
  if (locked === undefined) return [];
  return [
    {
      file,
      text: onlyPublic ? undefined : text,
      by,
      locked,
      publicKey: locked ? publicHalf(text, pub()) : undefined,
    },
  ];
}

/** The key files for a host, in the order to offer them. One that hosts.ini names must be there and readable. */
export function keyFilesOf(target: LoginTarget, inventory: string): KeyFile[] {
  const { privateKeyFile, ssh } = target;
  const agent = agentOf(target) !== undefined;
  const named = privateKeyFile === undefined ? [] : [pathOf(privateKeyFile, dirname(inventory))];
  const own = named.flatMap((file) =>
    lookAt(file, 'inventory', () => readNamed(file, target, inventory), agent),
  );
  const others = ssh?.identityFiles?.filter((file) => !named.includes(file));
  if (others !== undefined)
    return [...own, ...others.flatMap((file) => lookAt(file, 'config', () => readSeen(file), agent))];
  if (privateKeyFile !== undefined) return own;
  return DEFAULT_KEYS.map((key) => join(homedir(), '.ssh', key))
    .filter(exists)
    .flatMap((file) => lookAt(file, 'default', () => readText(file), agent));
}

/** Whether a key can be used as it is: it has no passphrase, or was unlocked. */
export const isOpen = ({ locked, text }: KeyFile): boolean =>
  text !== undefined && (!locked || unlocked.has(text));

/** What to offer of a key file; undefined for one that is locked and whose public half is not known. */
export function offerOf({ file, text, locked, publicKey }: KeyFile): OfferedKey | undefined {
  if (text !== undefined && !locked) return { file, text };
  const key = text === undefined ? undefined : unlocked.get(text);
  if (key !== undefined) return { file, unlocked: key };
  return publicKey && { file, publicKey };
}
