/** known_hosts text -> the same text with other keys for one host; lines that do not speak of it stay to the byte. */
import { exists, readTextIfAny, realPath, writeText } from '../files.ts';
import { knownName, patternMatches } from './known-hosts.ts';

/** A host key that is known for certain. */
export interface Pin {
  address: string;
  port: number;
  /** `ssh-ed25519` */
  type: string;
  /** The key's blob in base64. */
  key: string;
  /** For people: the host's name. */
  comment?: string;
}

/** Whether an entry of a host list is this very name, plain or hashed; patterns with `*` and `?` are of other hosts too. */
const isName = (entry: string, name: string): boolean =>
  entry.startsWith('|1|') ? patternMatches(entry, name) : entry.toLowerCase() === name.toLowerCase();

/**
 * A line without this name; undefined where nothing is left of it. Revoked keys and certificate authorities stay: what
 * they say is no host's key.
 */
function without(line: string, name: string, key: string | undefined): string | undefined {
  const match = /^\s*(?![#@])(\S+)\s+\S+\s+(\S+)/.exec(line);
  const [, list = '', lineKey] = match ?? [];
  if (match === null || (key !== undefined && key !== lineKey)) return line;
  const entries = list.split(',');
  const rest = entries.filter((entry) => !isName(entry, name));
  if (rest.length === entries.length) return line;
  return rest.every((entry) => entry.startsWith('!')) ? undefined : line.replace(list, () => rest.join(','));
}

/** Lines with their ends. */
const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

const clean = (lines: readonly string[], name: string, key?: string): string =>
  lines.flatMap((line) => without(line, name, key) ?? []).join('');

/** The text without the keys of this host, or without one of them. */
export const unpin = (text: string, address: string, port: number, key?: string): string =>
  clean(linesOf(text), knownName(address, port), key);

/** The text with this key, and no other one, for the host. */
export function pin(text: string, { address, port, type, key, comment }: Pin): string {
  const words = [knownName(address, port), type, key];
  if (!words.every((word) => /^[^\s,|#]+$/.test(word)))
    throw new Error('a pin must be an address, a type of key and the key in base64');
  const line = [...words, comment?.replace(/\s+/g, ' ').trim() ?? ''].join(' ').trimEnd();
  const lines = linesOf(text);
  const there = lines.findIndex((one) => one.trim() === line);
  const before = clean(lines.slice(0, Math.max(there, 0)), words[0] as string);
  const behind = clean(lines.slice(there + 1), words[0] as string);
  if (there !== -1) return before + lines[there] + behind;
  return `${behind}${behind === '' || behind.endsWith('\n') ? '' : '\n'}${line}\n`;
}

/** Changes a known_hosts file at once or not at all, making it where there is none; true where it was changed. */
export function editKnownHosts(file: string, change: (text: string) => string): boolean {
  const text = readTextIfAny(file) ?? '';
  const changed = change(text);
  if (changed === text) return false;
  // One that is a link stays a link.
  writeText(exists(file) ? realPath(file) : file, changed, 0o600);
  return true;
}
