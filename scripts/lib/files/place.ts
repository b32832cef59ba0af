/** Where results go, checked before the work is done. */
import { dirname, join, resolve } from 'node:path';
import { MANIFEST } from '../../../client/scripts/lib/trace/layout.ts';
import { Fault } from '../cli.ts';
import { exists, isFolder, realPath } from '../files.ts';
import { type PathKind, pathKind } from './input.ts';

const refused = (what: string, next?: string): Fault =>
  new Fault({ at: '-o', what, ...(next !== undefined && { next }) });

/** Without a slash at its end, behind which a symbolic link would be followed. */
function kindAt(path: string): PathKind {
  if (path === '') throw refused('is empty', 'name a file or a folder');
  const above = dirname(path);
  if (!isFolder(above)) throw refused(`there is no folder ${above}`, `mkdir -p ${above}`);
  const kind = pathKind(resolve(path));
  if (kind === 'link')
    throw refused(`${path} is a symbolic link, and none is written through`, 'name what it leads to');
  // Renaming a result over a device or a pipe would take that away from all who use it.
  if (kind === 'other') throw refused(`${path} is a device, a pipe or a socket`, 'name a file or a folder');
  return kind;
}

/** A run is what its checksums say: nothing else goes into its folder. */
function requireOutsideRuns(path: string): void {
  for (let at = realPath(dirname(resolve(path))); ; at = dirname(at)) {
    if (exists(join(at, MANIFEST)))
      throw refused(`${path} is inside ${at}, a run (it has a ${MANIFEST})`, 'name a place outside of it');
    if (dirname(at) === at) return;
  }
}

const taken = (path: string): Fault =>
  refused(`${path} is there already`, 'another name, or --force to replace it');

/** Refuses what cannot become a file. `inRun`: it is a run's own, beside its manifest. */
export function requireFilePlace(path: string, force: boolean, inRun = false): void {
  const kind = kindAt(path);
  if (kind === 'folder') throw refused(`${path} is a folder, a file is written here`);
  if (!inRun) requireOutsideRuns(path);
  if (kind === 'file' && !force) throw taken(path);
}

/** Refuses what cannot become a folder. */
export function requireFolderPlace(path: string, force: boolean): void {
  const kind = kindAt(path);
  if (kind === 'file') throw refused(`${path} is a file, a folder is written here`);
  requireOutsideRuns(path);
  if (kind === 'folder' && !force) throw taken(path);
}
