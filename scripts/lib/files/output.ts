/** Files too long for memory and folders of many files: written under another name, and in their place once whole. */
import * as fs from 'node:fs';
import { basename, dirname } from 'node:path';
import { atEnd } from '../cli.ts';
import { remove, removeHalves, rename } from '../files.ts';
import { guard, halfOf } from './guard.ts';

/** Takes the next piece of a file. */
export type Write = (piece: string | Uint8Array) => void;

/** Writes a file piece by piece: `fill` gives them away, and the file has its name once that has come to its end. */
export async function writePieces<T>(
  path: string,
  fill: (write: Write) => Promise<T>,
  mode = 0o644,
): Promise<T> {
  // Those of a command that was killed: they may be as long as the file itself.
  removeHalves(dirname(path), basename(path));
  const half = halfOf(path);
  const file = guard(path, 'write', () => fs.openSync(half, 'wx', mode));
  // Also where the command is interrupted; once it has its name there is nothing to remove.
  const removeHalf = atEnd(() => fs.rmSync(half, { force: true }));
  try {
    let result: T;
    try {
      result = await fill((piece) => guard(path, 'write', () => fs.writeFileSync(file, piece)));
      guard(path, 'write', () => fs.fsyncSync(file));
    } finally {
      fs.closeSync(file);
    }
    rename(half, path);
    return result;
  } finally {
    await removeHalf();
  }
}

/** Writes a file of a folder that has not got its name yet: nothing of it is for readers, so nothing is renamed. */
export const writePart = (path: string, text: string): void =>
  guard(path, 'write', () => fs.writeFileSync(path, text, { flag: 'wx' }));

/** Makes an empty folder beside the one that it is to become; {@link rename} gives it its name. */
export function makeHalfFolder(path: string): string {
  removeHalves(dirname(path), basename(path));
  const half = halfOf(path);
  guard(path, 'create', () => fs.mkdirSync(half));
  atEnd(() => remove(half));
  return half;
}
