/**
 * The door to this machine's file system: every read and write of scripts/ goes through here, and through
 * files/input.ts and files/output.ts where a file may be too long for memory.
 */
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { type Errno, fault, guard, halfOf } from './files/guard.ts';

export const exists = (path: string): boolean => fs.existsSync(path);

/** The text of a file (UTF-8); a Fault naming the path where it cannot be read. `next`: how to get one. */
export const readText = (path: string, next?: string): string =>
  guard(path, 'read', () => fs.readFileSync(path, 'utf8'), next);

/** Whether an error says that there is nothing at a path; one that may not be looked at says nothing of the kind. */
const isNothing = (path: string, { code }: Errno): boolean =>
  code === 'ENOENT' || (code === 'ENOTDIR' && !exists(path));

/** The text of a file, or undefined where there is none; other errors are Faults, also where nobody may look. */
export function readTextIfAny(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch (error) {
    if (isNothing(path, error as Errno)) return undefined;
    throw fault(path, error, 'read');
  }
}

/** The bytes of a file; a Fault naming the path where it cannot be read. */
export const readBytes = (path: string): Buffer => guard(path, 'read', () => fs.readFileSync(path));

/** Writes a file that nobody reads yet and that a later run makes anew: neither at once nor kept through a power cut. */
export const writeBytes = (path: string, content: string | Uint8Array): void =>
  guard(path, 'write', () => fs.writeFileSync(path, content));

/** Names in a directory, sorted; [] where there is none. */
export function list(path: string): string[] {
  try {
    return fs.readdirSync(path).sort();
  } catch (error) {
    if (isNothing(path, error as Errno)) return [];
    throw fault(path, error, 'list');
  }
}

const isDirectory = (path: string): boolean =>
  guard(path, 'create', () => fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false);

/** Creates a directory, and those above it that are missing. (Not by `recursive`, which in /proc tries for ever.) */
export function makeDirectory(path: string, mode = 0o755): void {
  if (isDirectory(path)) return;
  if (dirname(path) !== path) makeDirectory(dirname(path), mode);
  guard(path, 'create', () => {
    try {
      fs.mkdirSync(path, { mode });
    } catch (error) {
      // Another command was first.
      if (!isDirectory(path)) throw error;
    }
  });
}

export const setMode = (path: string, mode: number): void =>
  guard(path, 'set the mode of', () => fs.chmodSync(path, mode));

export const remove = (path: string): void =>
  guard(path, 'remove', () => fs.rmSync(path, { recursive: true, force: true }));

/** Writes a file at once or not at all: a reader sees the old text or the new, never a part. */
export function writeText(path: string, text: string, mode = 0o644): void {
  const half = halfOf(path);
  guard(path, 'write', () => {
    try {
      fs.writeFileSync(half, text, { mode, flag: 'wx', flush: true });
      fs.chmodSync(half, mode);
      fs.renameSync(half, path);
    } catch (error) {
      fs.rmSync(half, { force: true });
      throw error;
    }
  });
}

/** Writes only where the text or the mode differs; true where it did. */
export function writeTextIfChanged(path: string, text: string, mode = 0o644): boolean {
  if (readTextIfAny(path) === text && (fs.statSync(path).mode & 0o777) === mode) return false;
  writeText(path, text, mode);
  return true;
}

/** Writes a file of the user's in its place, at once: one that is a link stays a link, and its mode stays. */
export function replaceText(path: string, text: string): void {
  const real = exists(path) ? realPath(path) : undefined;
  if (real === undefined) writeText(path, text);
  else writeText(real, text, fs.statSync(real).mode & 0o777);
}

/** A Fault where a file could not be written, whether it is there or not. */
export const requireWritable = (path: string): void =>
  guard(path, 'write', () => {
    const real = exists(path) ? fs.realpathSync(path) : path;
    // It is its folder that a new text is written into.
    fs.accessSync(dirname(real), fs.constants.W_OK);
  });

/** Removes what writes that were cut off over a minute ago left in a directory, or those of one name: they may hold secrets. */
export function removeHalves(directory: string, only?: string): void {
  const isHalf = (entry: string): boolean =>
    /^\..+\.[0-9a-f]{8}$/.test(entry) && (only === undefined || entry.slice(1, -9) === only);
  for (const name of list(directory).filter(isHalf)) {
    const path = join(directory, name);
    const age = Date.now() - (fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > 60_000) remove(path);
  }
}

/** Creates a file that must not exist yet, whole; false where another run was first. */
export function createText(path: string, text: string, mode = 0o600): boolean {
  const half = halfOf(path);
  try {
    fs.writeFileSync(half, text, { mode, flag: 'wx', flush: true });
    // A hard link refuses a name that is taken, where a rename would put itself in its place.
    fs.linkSync(half, path);
    return true;
  } catch (error) {
    if ((error as Errno).code === 'EEXIST') return false;
    throw fault(path, error, 'create');
  } finally {
    fs.rmSync(half, { force: true });
  }
}

/** Adds a line to the end of a file, making the file where there is none; a last line without its end gets one. */
export function appendLine(path: string, line: string, mode = 0o644): void {
  const text = readTextIfAny(path) ?? '';
  const gap = text === '' || text.endsWith('\n') ? '' : '\n';
  guard(path, 'add to', () => fs.appendFileSync(path, `${gap}${line}\n`, { mode }));
}

/** Adds a text to the end of a file, making it where there is none. */
export const addText = (path: string, text: string, mode = 0o644): void =>
  guard(path, 'add to', () => fs.appendFileSync(path, text, { mode }));

/** The text of a file that may vanish at any time, as those in /proc do; undefined once it has. */
export function readTextIfStill(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as Errno;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw fault(path, error, 'read');
  }
}

/** Gives a finished file or folder its name; both on one disk. */
export const rename = (from: string, to: string): void => guard(to, 'create', () => fs.renameSync(from, to));

/** The path with every symbolic link in it followed; a Fault where it does not exist. `next`: how to get one. */
export const realPath = (path: string, next?: string): string =>
  guard(path, 'find', () => fs.realpathSync(path), next);

export const isFolder = (path: string): boolean =>
  fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
