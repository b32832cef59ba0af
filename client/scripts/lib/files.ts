/** The door to the file system. */
import { close, openSync, readFileSync, write } from 'node:fs';
import { promisify } from 'node:util';
import { Fault, messageOf } from './fault.ts';

/** The text of a file (UTF-8). */
export const readText = (path: string): string => readFileSync(path, 'utf8');

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
