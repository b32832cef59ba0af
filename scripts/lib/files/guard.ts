/** What every door to the file system shares: its errors in words, and the name under which a file is written first. */
import { randomBytes } from 'node:crypto';
import { accessSync, constants, lstatSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { Fault } from '../cli.ts';
import { quote } from '../shell.ts';

export type Errno = NodeJS.ErrnoException;

/** Whose a path is, by number; undefined where that cannot be seen. */
function ownerOf(path: string): number | undefined {
  try {
    return lstatSync(path).uid;
  } catch {
    return undefined;
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** What gives back a path that is another user's, as what a run with sudo has made is root's; undefined where it is not that. */
function ownAgain(path: string, doing: string): string | undefined {
  const own = process.geteuid?.();
  let seen = resolve(path);
  while (ownerOf(seen) === undefined && dirname(seen) !== seen) seen = dirname(seen);
  // To write a file of one's own is no help where its folder is another's.
  const writes = seen === resolve(path) && !/^(read|list|find)$/.test(doing);
  const folder = writes && !isWritable(dirname(seen)) ? [dirname(seen)] : [];
  const theirs = [seen, ...folder].find((one) => ownerOf(one) !== own);
  if (own === undefined || theirs === undefined) return undefined;
  const owner = ownerOf(theirs) === 0 ? 'root' : `another user (number ${ownerOf(theirs)})`;
  const sudo = ownerOf(theirs) === 0 ? 'run this with sudo' : 'run this as that one';
  // Never of the system's own folders.
  const below = [homedir(), process.cwd()].some(
    (base) => theirs.startsWith(`${base}/`) && ownerOf(base) === own,
  );
  return below
    ? `${theirs} belongs to ${owner}: \`sudo chown -R "$USER" ${quote(theirs)}\`, or ${sudo} as before`
    : `${theirs} belongs to ${owner}: ${sudo}`;
}

/** What failed and why, for a person. `next`: what helps where there is no such file. */
export function fault(path: string, error: unknown, doing: string, next?: string): Fault {
  const { code, message } = error as Errno;
  const why: Record<string, string> = {
    ENOENT: 'no such file or directory',
    EISDIR: 'is a directory, a file was expected',
    EACCES: 'permission denied',
    ENOTDIR: 'a part of this path is a file, not a directory',
    ENOSPC: 'no space left on this disk',
    EROFS: 'this file system is read-only',
  };
  const what = `cannot ${doing}: ${why[code ?? ''] ?? message}`;
  const denied = code === 'EACCES' || code === 'EPERM';
  const help = denied ? ownAgain(path, doing) : code === 'ENOENT' ? next : undefined;
  return new Fault({ at: path, what, ...(help === undefined ? {} : { next: help }) });
}

/** Does work whose errors become Faults. */
export function guard<T>(path: string, doing: string, work: () => T, next?: string): T {
  try {
    return work();
  } catch (error) {
    throw fault(path, error, doing, next);
  }
}

/** Where a file is written first: a write that was cut off is never taken for the file itself. */
export const halfOf = (path: string): string =>
  join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}`);
