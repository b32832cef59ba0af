/** Files too long for memory, and what is no file: read piece by piece. */
import * as fs from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { isatty, ReadStream as Terminal } from 'node:tty';
import { messageOf } from '../cli.ts';
import { fault, guard } from './guard.ts';

/** Whether it is the same when it is read again, as a pipe is not. */
export const isRereadable = (path: string): boolean =>
  fs.statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

export type PathKind = 'none' | 'file' | 'folder' | 'link' | 'other';

/** What a path itself is; no link is followed. */
export function pathKind(path: string): PathKind {
  const found = guard(path, 'look at', () => fs.lstatSync(path, { throwIfNoEntry: false }));
  if (found === undefined) return 'none';
  if (found.isSymbolicLink()) return 'link';
  if (found.isDirectory()) return 'folder';
  return found.isFile() ? 'file' : 'other';
}

const NO_FILE: Record<Exclude<PathKind, 'file'>, string> = {
  none: 'missing',
  folder: 'is a folder, a file was expected',
  link: 'is a symbolic link, a file was expected',
  other: 'is a device, a pipe or a socket, a file was expected',
};

/** What went wrong with a path, without the path itself. */
export const troubleOf = (path: string, error: unknown): string => messageOf(error).replace(`${path}: `, '');

/**
 * Why a file of a folder that others made is not read; undefined for a regular file. A pipe among them would hold the
 * reader for ever, and a link leads anywhere.
 */
export function whyNoFile(path: string): string | undefined {
  try {
    const kind = pathKind(path);
    return kind === 'file' ? undefined : NO_FILE[kind];
  } catch (error) {
    return troubleOf(path, error);
  }
}

/**
 * A read that waits for a writer or a typist would hold a thread, and that the end of the process, after Ctrl-C too.
 * So pipes and terminals are opened without waiting, and polled.
 */
function streamOf(path: string): Readable {
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  if (isatty(fd)) return new Terminal(fd);
  if (fs.fstatSync(fd).isFIFO()) return new Socket({ fd, readable: true, writable: false });
  return fs.createReadStream('', { fd, highWaterMark: 2 ** 20 });
}

/** The bytes of a file, pipe or terminal, a piece of up to 1 MiB at a time. */
export async function* readPieces(path: string): AsyncGenerator<Buffer, void> {
  try {
    for await (const piece of streamOf(path)) yield piece;
  } catch (error) {
    throw fault(path, error, 'read');
  }
}
