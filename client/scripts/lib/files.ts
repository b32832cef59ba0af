/** The door to the file system. */
import {
  accessSync,
  close,
  constants,
  openSync,
  readFileSync,
  statSync,
  write,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { EXIT, Fault, messageOf } from './fault.ts';

/** The text of a file (UTF-8). */
export const readText = (path: string): string => readFileSync(path, 'utf8');

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

/** Writes a whole file; `at` names the culprit in the Fault. */
export function writeFile(path: string, bytes: Buffer, at: string): void {
  try {
    writeFileSync(path, bytes);
  } catch (error) {
    throw new Fault({ at, what: messageOf(error), code: EXIT.failed });
  }
}
