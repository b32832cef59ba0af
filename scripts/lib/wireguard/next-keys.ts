/** The client's side of a change of keys that is under way: what is to be, beside what is. */
import { join } from 'node:path';
import { createText, exists, list, readText, readTextIfAny, remove, rename, writeText } from '../files.ts';
import type { ClientFile } from './client-files.ts';
import { newPrivateKey } from './key.ts';
import { type ClientKey, keyFileOf, parseKey } from './key-store.ts';

const nextOf = (path: string): string => `${path}.next`;

const settingIn = (text: string | undefined, name: string): string | undefined =>
  new RegExp(`^${name} = (\\S+)$`, 'm').exec(text ?? '')?.[1];

/** The key that the client is to have next for the tunnel to a server; one that a run left which was cut off is taken. */
export function nextClientKey(directory: string, server: string): ClientKey {
  const file = nextOf(keyFileOf(directory, server));
  if (!exists(file)) createText(file, `${newPrivateKey()}\n`, 0o600);
  return parseKey(file, readText(file));
}

/** Writes what `setup.sh rekey` reads. */
export const writeNext = (directory: string, { name, text, mode }: ClientFile): void =>
  writeText(join(directory, nextOf(name)), text, mode);

export interface UnderWay {
  clientKey: ClientKey;
  serverPublicKey: string;
  /** The tunnel's file: `…/wgnet1.conf.next`. */
  file: string;
}

/** The change of keys that was begun with a server and, as far as is known here, not ended. */
export function underWay(directory: string, server: string): UnderWay | undefined {
  const file = nextOf(keyFileOf(directory, server));
  const text = readTextIfAny(file);
  if (text === undefined) return undefined;
  const clientKey = parseKey(file, text);
  for (const name of list(directory).filter((one) => one.endsWith('.conf.next'))) {
    const conf = readText(join(directory, name));
    const serverPublicKey = settingIn(conf, 'PublicKey');
    if (settingIn(conf, 'PrivateKey') === clientKey.privateKey && serverPublicKey !== undefined)
      return { clientKey, serverPublicKey, file: join(directory, name) };
  }
  return undefined;
}

/**
 * Both ends have changed to `clientKey`: what was to be is. The key first, as from it a set-up makes the file anew. What
 * another run has done already is left so.
 */
export function promote(directory: string, server: string, clientKey: ClientKey): void {
  const change = underWay(directory, server);
  const key = keyFileOf(directory, server);
  const former = readTextIfAny(key)?.trim();
  if (!exists(nextOf(key)) && former === clientKey.privateKey) return;
  rename(nextOf(key), key);
  if (change === undefined) return;
  const conf = change.file.replace(/\.next$/, '');
  // The tunnels may be numbered anew since.
  if (settingIn(readTextIfAny(conf), 'PrivateKey') === former) rename(change.file, conf);
  else remove(change.file);
}

/** The change was undone at the server: nothing is to be any more. The tunnel's file first, as it is found by the key. */
export function dropNext(directory: string, server: string): void {
  const change = underWay(directory, server);
  if (change !== undefined) remove(change.file);
  remove(nextOf(keyFileOf(directory, server)));
}

/** Removes halves of changes, of which no server has heard or which are done: a key without its file, a file without its key. */
export function dropOrphans(directory: string): void {
  const keys = list(join(directory, 'keys'))
    .filter((name) => name.endsWith('.key.next'))
    .map((name) => join(directory, 'keys', name));
  const confs = list(directory)
    .filter((name) => name.endsWith('.conf.next'))
    .map((name) => join(directory, name));
  const inKeys = new Map(keys.map((path) => [path, readText(path).trim()]));
  const inConfs = new Map(confs.map((path) => [path, settingIn(readText(path), 'PrivateKey')]));
  for (const [path, key] of inKeys) if (![...inConfs.values()].includes(key)) remove(path);
  for (const [path, key] of inConfs) if (![...inKeys.values()].some((one) => one === key)) remove(path);
}
