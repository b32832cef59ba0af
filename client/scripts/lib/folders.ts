/** The door to folders, to whole files in them, and to the disk that they are on. */
import {
  chmodSync,
  chownSync,
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

export const exists = existsSync;

/** The names in a folder, sorted; none where there is no such folder. */
export function list(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** A new folder whose name begins with `prefix`; only its owner may look in. */
export const makeScratch = (prefix: string): string => mkdtempSync(prefix);

/**
 * Gives a path, and what is in it, to the owner of the folder that it is in: what root makes in a container in a folder
 * of the computer's user is that user's. A file system that knows no owners is left as it is.
 */
export function giveToOwner(path: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(dirname(path));
  if (uid === 0) return;
  try {
    for (const name of [...list(path).map((each) => join(path, each)), path]) lchownSync(name, uid, gid);
  } catch {
    // Root may read it all the same.
  }
}

/** Makes a folder, and those above it; each is of the owner of the one that it is in. */
export function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  makeFolder(dirname(path));
  // Part by part: Node's own way of several at once never ends in a place such as /proc.
  mkdirSync(path);
  giveToOwner(path);
}

/** Gives a folder to a user, and lets nobody else in. */
export function give(path: string, { uid, gid }: { uid: number; gid: number }): void {
  chmodSync(path, 0o700);
  chownSync(path, uid, gid);
}

/** Lets others pass through a folder without looking around in it. */
export const letPass = (path: string): void => chmodSync(path, 0o711);

/** Whether others may pass through a folder and all above it. */
export const othersPass = (path: string): boolean =>
  (statSync(path).mode & 0o001) !== 0 && (path === dirname(path) || othersPass(dirname(path)));

export const remove = (path: string): void =>
  rmSync(path, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });

/** The whole file; undefined where it is not there (any more) or may not be read. */
export function readIfAny(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** Whether every user may read a file, by its mode; so where it is not there. */
export const openToAll = (path: string): boolean =>
  ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0o444) & 0o444) === 0o444;

export const linkTarget = (path: string): string => readlinkSync(path);

/** Copies a file that another user may have written; this user's own then, and for nobody else. */
export function copyIfAny(path: string, to: string): void {
  // Where that other user has put a link, it is not followed.
  if (!lstatSync(path, { throwIfNoEntry: false })?.isFile()) return;
  const bytes = readIfAny(path);
  if (bytes !== undefined) writeFileSync(to, bytes, { mode: 0o600 });
}

/** Bytes of a file; 0 where it is not there. */
export const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** The bytes of a file, piece by piece, each of `size` bytes but the last. */
export const pieces = (path: string, size: number): AsyncIterable<Buffer> =>
  createReadStream(path, { highWaterMark: size });

/** Bytes that may still be written to the disk of a folder. */
export function freeSpace(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** Sees to it that a file, or a folder's list of names, outlives a power cut. */
export function settle(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Writes a whole file, readable for its owner alone. */
export const write = (path: string, text: string): void => writeFileSync(path, text, { mode: 0o600 });

/** Writes a whole file so that at any moment the old one or the new one is there. */
export function replace(path: string, text: string): void {
  const half = `${path}.half`;
  write(half, text);
  giveToOwner(half);
  settle(half);
  renameSync(half, path);
  settle(dirname(path));
}

/** Moves a folder with all that is in it to another name on the same disk; it is there whole or not at all. */
export function moveWhole(folder: string, to: string): void {
  for (const name of list(folder)) settle(join(folder, name));
  settle(folder);
  renameSync(folder, to);
  settle(dirname(to));
}
