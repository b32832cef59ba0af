/** The door to the file system. */
import {
  accessSync,
  close,
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  write,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { EXIT, Fault, messageOf } from './fault.ts';

/** The text of a file (UTF-8). */
export const readText = (path: string): string => readFileSync(path, 'utf8');

/** The most bytes of a file that somebody names, and of a piece of it. */
const MOST_BYTES = 256 * 2 ** 20;
const PIECE = 65_536;

/**
 * The text of a file that somebody names, which is a regular one or a pipe of no more than `most` bytes: a device may have
 * no end. `at` is where it was named, for the Fault.
 */
export function readWhole(path: string, at: string, most = MOST_BYTES): string {
  let fd: number | undefined;
  try {
    const kind = statSync(path);
    if (!kind.isFile() && !kind.isFIFO())
      throw new Fault({
        at,
        what: `${path} is ${kind.isDirectory() ? 'a folder' : 'neither a file nor a pipe'}`,
        next: `${at} a file`,
      });
    fd = openSync(path, 'r');
    const pieces: Buffer[] = [];
    for (let size = 0; size <= most; ) {
      const piece = Buffer.alloc(PIECE);
      const bytes = readSync(fd, piece, 0, PIECE, null);
      if (bytes === 0) return Buffer.concat(pieces).toString('utf8');
      pieces.push(piece.subarray(0, bytes));
      size += bytes;
    }
    throw new Fault({
      at,
      what: `${path} has more than ${most} bytes`,
      next: `head -c ${most} has its beginning; the last line may be cut off`,
    });
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault({ at, what: messageOf(error) });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** All of standard input. */
export async function readInput(): Promise<string> {
  process.stdin.setEncoding('utf8');
  let text = '';
  for await (const piece of process.stdin) text += piece;
  return text;
}

/** Opens a file to append to, made where there is none; `at` names the culprit in the Fault. */
export function openToAppend(path: string, at: string): number {
  try {
    return openSync(path, 'a');
  } catch (error) {
    throw new Fault({ at, what: messageOf(error) });
  }
}

const writeBytes = promisify(write);

/** Writes from byte `start` on, in the background; resolves with how many bytes were taken. */
export async function writeFrom(fd: number, bytes: Buffer, start: number): Promise<number> {
  return (await writeBytes(fd, bytes, start)).bytesWritten;
}

export const closeFile = promisify(close);

/** Bytes of an open file; undefined where it is none that keeps them: a pipe, a terminal, a device. */
export function sizeIfFile(fd: number): number | undefined {
  const stat = fstatSync(fd);
  return stat.isFile() ? stat.size : undefined;
}

/** Takes away what an open file has behind its first `size` bytes. */
export const cutFile = (fd: number, size: number): void => ftruncateSync(fd, size);

const NEWLINE = 10;

/** Bytes of a file up to its last newline, with it. */
export function bytesOfLines(path: string): number {
  const fd = openSync(path, 'r');
  try {
    const piece = Buffer.alloc(PIECE);
    for (let end = fstatSync(fd).size; end > 0; ) {
      const start = Math.max(0, end - PIECE);
      const last = piece.subarray(0, readSync(fd, piece, 0, end - start, start)).lastIndexOf(NEWLINE);
      if (last >= 0) return start + last + 1;
      end = start;
    }
    return 0;
  } finally {
    closeSync(fd);
  }
}

/** The text of at most so many bytes of a file, from byte `start` on. */
export function textAt(path: string, start: number, bytes: number): string {
  const fd = openSync(path, 'r');
  try {
    const piece = Buffer.alloc(bytes);
    return piece.toString('utf8', 0, readSync(fd, piece, 0, bytes, start));
  } finally {
    closeSync(fd);
  }
}

/** Refuses a file that could not be written later on: its folder is not there, or it is a folder itself. */
export function requirePlace(path: string, at: string): void {
  const folder = dirname(path);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new Fault({ at, what: `there is no folder ${folder}`, next: `mkdir -p ${folder}` });
  const there = statSync(path, { throwIfNoEntry: false });
  if (there?.isDirectory()) throw new Fault({ at, what: `${path} is a folder, a file was expected` });
  try {
    accessSync(there === undefined ? folder : path, constants.W_OK);
  } catch (error) {
    throw new Fault({ at, what: messageOf(error) });
  }
}

/** Refuses a folder that could not be made or written later on. */
export function requireFolderPlace(path: string, at: string): void {
  if (path.trim() === '') throw new Fault({ at, what: 'is the name of no folder' });
  const there = statSync(path, { throwIfNoEntry: false });
  if (there !== undefined && !there.isDirectory())
    throw new Fault({ at, what: `${path} is no folder`, next: `${at} another name` });
  let above = path;
  while (!statSync(above, { throwIfNoEntry: false })) above = dirname(above);
  if (!statSync(above).isDirectory()) throw new Fault({ at, what: `${above} is no folder` });
  try {
    accessSync(above, constants.W_OK);
  } catch (error) {
    throw new Fault({ at, what: messageOf(error), next: `${at} a folder that can be written` });
  }
}

/** Writes a whole file; `at` names the culprit in the Fault. */
export function writeFile(path: string, bytes: Buffer, at: string): void {
  try {
    writeFileSync(path, bytes);
  } catch (error) {
    throw new Fault({ at, what: messageOf(error), code: EXIT.failed });
  }
}
