/** Where results go, checked before the work is done. */
import { dirname } from 'node:path';
import { Fault } from '../cli.ts';
import { exists, isFolder } from '../files.ts';

function requireAbove(path: string): void {
  const above = dirname(path);
  if (!isFolder(above))
    throw new Fault({ at: '-o', what: `there is no folder ${above}`, next: `mkdir -p ${above}` });
}

const taken = (path: string): Fault =>
  new Fault({ at: '-o', what: `${path} is there already`, next: 'another name, or --force to replace it' });

/** Refuses what cannot become a file. */
export function requireFilePlace(path: string, force: boolean): void {
  requireAbove(path);
  if (isFolder(path)) throw new Fault({ at: '-o', what: `${path} is a folder, a file is written here` });
  if (exists(path) && !force) throw taken(path);
}

/** Refuses what cannot become a folder. */
export function requireFolderPlace(path: string, force: boolean): void {
  requireAbove(path);
  if (exists(path) && !isFolder(path))
    throw new Fault({ at: '-o', what: `${path} is a file, a folder is written here` });
  if (exists(path) && !force) throw taken(path);
}
