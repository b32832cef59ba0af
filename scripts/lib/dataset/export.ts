/** An export from end to end: two looks at the sources, then files under their own names. */
import { Fault } from '../cli.ts';
import { type Write, writePieces } from '../files/output.ts';
import { requireFilePlace, requireFolderPlace } from '../files/place.ts';
import { writeText } from '../files.ts';
import { type NpzWish, writeNpz } from './export-npz.ts';
import { writeParquet } from './export-parquet.ts';
import { writeTexts } from './export-texts.ts';
import { type OneWay, oneWayIn } from './one-way.ts';
import { type Plan, planOf } from './plan.ts';
import { itemsOf, requireRereadable, type Source } from './source.ts';
import { labelsText } from './texts.ts';
import { requireTraceFolder } from './trace-folder.ts';
import { type Visit, visitsOf } from './traces.ts';

export const FORMATS = ['npz', 'cell', 'csv', 'parquet'] as const;
type Format = (typeof FORMATS)[number];

export interface ExportWish extends NpzWish {
  format: Format;
  out: string;
  force: boolean;
}

interface Exported {
  plan: Plan;
  rows: number;
  /** Traces that were longer than a row of `X`. */
  longer: number;
  oneWay: OneWay;
}

const isFolderOf = (format: Format): format is 'cell' | 'csv' => format === 'cell' || format === 'csv';

/** Where the labels of a file are; a folder holds its own. */
export const labelsFile = (out: string): string => `${out}.labels.csv`;

function requirePlace({ format, out, force }: ExportWish): void {
  if (isFolderOf(format)) {
    requireFolderPlace(out, force);
    requireTraceFolder(out);
    return;
  }
  requireFilePlace(out, force);
  requireFilePlace(labelsFile(out), force);
}

/** What there is instead, where nothing can be exported. */
function requireRows({ rows, visits, left }: Plan, { path }: ExportWish): void {
  if (rows > 0) return;
  const reasons = [...left].map(([why, count]) => `${count} ${why}`).join(', ');
  const what = visits === 0 ? 'there is no visit' : `of ${visits} visits none gives a trace (${reasons})`;
  const named = !['joined', 'each', 'both'].includes(path);
  throw new Fault({ what, ...(named && visits > 0 ? { next: `is ${path} one of their paths?` } : {}) });
}

/** Exports; `tell` gets what is wrong with a source, as FILE:LINE and what. */
export async function exportTraces(
  sources: readonly Source[],
  wish: ExportWish,
  tell: (at: string, what: string) => void,
): Promise<Exported> {
  requirePlace(wish);
  for (const { path } of sources) requireRereadable(path);
  const plan = await planOf(itemsOf(sources), wish, tell);
  requireRows(plan, wish);
  const oneWay = oneWayIn(sources, plan, wish);
  const look = (): AsyncGenerator<Visit, void> => visitsOf(itemsOf(sources), plan, wish);
  const { format, out } = wish;
  const exact = (written: { rows: number; longer: number }): { rows: number; longer: number } => {
    if (written.rows === plan.rows) return written;
    throw new Fault({ what: 'the sources changed while they were read', next: 'the same command again' });
  };
  if (isFolderOf(format)) {
    const written = await writeTexts(out, plan, look(), { ...wish, format }, exact);
    return { plan, oneWay, ...written };
  }
  const fill = async (write: Write): Promise<{ rows: number; longer: number }> => {
    const work = format === 'npz' ? writeNpz(write, plan, look, wish) : writeParquet(write, look(), wish);
    return exact(await work);
  };
  const written = await writePieces(out, fill);
  // Behind the file itself: where that fails, the labels of one that was there before still hold.
  writeText(labelsFile(out), labelsText(plan.labels));
  return { plan, oneWay, ...written };
}
