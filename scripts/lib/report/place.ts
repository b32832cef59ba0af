/** Where a report goes: into its run's folder under one name, or outside of all runs. */
import { basename, dirname, join, resolve } from 'node:path';
import { pathKind, readPieces } from '../files/input.ts';
import { requireFilePlace } from '../files/place.ts';
import { isFolder, realPath } from '../files.ts';

const REPORT = 'report.html';

export const ownReport = (run: string): string => join(run, REPORT);

/** Whether a file begins as our reports do: such a one may be replaced by the next. */
async function isReport(path: string): Promise<boolean> {
  if (pathKind(resolve(path)) !== 'file') return false;
  for await (const piece of readPieces(path))
    return /^<!doctype html>[\s\S]{0,2000}<title>[^<]*: CoMPS run<\/title>/.test(
      piece.toString('utf8', 0, 8000),
    );
  return false;
}

/** Refuses what cannot become the report of a run, and to replace anything else without `force`. */
export async function requireReportPlace(path: string, run: string, force: boolean): Promise<void> {
  const above = dirname(resolve(path));
  const inRun = basename(path) === REPORT && isFolder(above) && realPath(above) === realPath(run);
  const ours = path !== '' && isFolder(above) && (await isReport(path));
  requireFilePlace(path, force || ours, inRun);
}
