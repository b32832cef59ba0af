/** Files too long for memory, and what is no file: read piece by piece. */
import * as fs from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { isatty, ReadStream as Terminal } from 'node:tty';
import { fault } from './guard.ts';

/** Whether it is the same when it is read again, as a pipe is not. */
export const isRereadable = (path: string): boolean =>
  fs.statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

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
