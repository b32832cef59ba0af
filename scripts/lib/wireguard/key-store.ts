import { join } from 'node:path';
import { Fault } from '../cli.ts';
import { createText, list, makeDirectory, readText, readTextIfAny, setMode } from '../files.ts';
import { isKey, newPrivateKey, publicKeyOf } from './key.ts';

export interface ClientKey {
  privateKey: string;
  publicKey: string;
}

/** A server's name as a file name, whatever the inventory holds. */
export const keyFileOf = (directory: string, server: string): string =>
  join(directory, 'keys', `${encodeURIComponent(server)}.key`);

/** The key in a file's text; a Fault where it is none. */
export function parseKey(file: string, text: string): ClientKey {
  const privateKey = text.trim();
  if (!isKey(privateKey))
    throw new Fault({
      at: file,
      what: 'holds no WireGuard key',
      next: `remove it to have a new one made: rm ${file}`,
    });
  return { privateKey, publicKey: publicKeyOf(privateKey) };
}

/** Refuses a directory with other things in it: its mode is changed, and files of tunnels that are no more go away. */
function claimDirectory(directory: string, create: boolean): void {
  // The project's own folder for them holds a .gitignore from the start.
  const there = list(directory).filter((name) => name !== '.gitignore');
  if (there.length > 0 && !there.includes('keys'))
    throw new Fault({
      at: directory,
      what: "holds other files than the client's",
      next: 'name a new or an empty directory with --out',
    });
  if (!create) return;
  makeDirectory(join(directory, 'keys'), 0o700);
  setMode(directory, 0o700);
}

/**
 * The client's key for the tunnel to each server, by the server's name; undefined for one that is not there yet
 * and, with `create` false, is not to be made. Kept before any server hears of it, so that a run which
 * is cut off, or meets a host that is down, never leaves servers with a key that nobody has.
 */
export function clientKeys(
  directory: string,
  servers: readonly string[],
  create: boolean,
): Map<string, ClientKey | undefined> {
  claimDirectory(directory, create);
  const keys = new Map<string, ClientKey | undefined>();
  for (const server of servers) {
    const file = keyFileOf(directory, server);
    // Two runs at once: one makes the key, both read it.
    if (create && readTextIfAny(file) === undefined) createText(file, `${newPrivateKey()}\n`, 0o600);
    const text = create ? readText(file) : readTextIfAny(file);
    keys.set(server, text === undefined ? undefined : parseKey(file, text));
  }
  return keys;
}
