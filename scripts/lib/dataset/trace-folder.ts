/** A folder of traces, which has its name once all of them are in it. */
import { join } from 'node:path';
import { Fault } from '../cli.ts';
import { makeHalfFolder, writePart } from '../files/output.ts';
import { exists, isFolder, list, remove, rename } from '../files.ts';

export const LABELS = 'labels.csv';
export const VISITS = 'visits.csv';

/** Refuses to put a folder of traces in the place of anything else. */
export function requireTraceFolder(path: string): void {
  if (!exists(path)) return;
  const ours = (name: string): boolean =>
    name === LABELS || name === VISITS || /_(split_\d+|join)\.(cell|csv)$/.test(name);
  const strange = isFolder(path) ? list(path).find((name) => !ours(name)) : path;
  if (strange !== undefined)
    throw new Fault({
      at: path,
      what: `holds ${strange}, which is no trace: --force leaves this folder alone`,
    });
}

/** Makes the folder; `fill` gives every file, once, by `put`. */
export async function writeFolder(
  path: string,
  fill: (put: (name: string, text: string) => void) => Promise<void>,
): Promise<void> {
  const half = makeHalfFolder(path);
  try {
    await fill((name, text) => writePart(join(half, name), text));
    if (exists(path)) remove(path);
    rename(half, path);
  } catch (error) {
    remove(half);
    throw error;
  }
}
