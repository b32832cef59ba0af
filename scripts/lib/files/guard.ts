/** What every door to the file system shares: its errors in words, and the name under which a file is written first. */
import { randomBytes } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { Fault } from '../cli.ts';

export type Errno = NodeJS.ErrnoException;

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
  return new Fault({ at: path, what, ...(next !== undefined && code === 'ENOENT' ? { next } : {}) });
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
