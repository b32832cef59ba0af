/** Traces as arrays for classifiers: `X`, `y` as WFlib's `load_data` reads them, and arrays that say what a row is. */
import type { Write } from '../files/output.ts';
import { npyHeader, npyTexts, widthOf } from './npy.ts';
import type { Plan, Wish } from './plan.ts';
import type { TracePacket } from './trace.ts';
import { type Origin, originOf, type Trace, tracesOf, type Visit } from './traces.ts';
import { writeZip, type ZipEntry } from './zip.ts';

export interface NpzWish extends Wish {
  /** Packets of a row; longer traces are cut, shorter ones end in zeros. */
  length: number;
  /** Also `S`, the signed sizes. */
  sizes: boolean;
  origin: Origin;
}

/** Values are gathered to pieces of about this many bytes. */
const PIECE = 2 ** 20;
/** 0 is padding, so a trace's first packet is at one microsecond. */
const FIRST_US = 1;

/** A row of `X`: direction × seconds since the origin, plus one microsecond. Pure. */
function timeRow(packets: readonly TracePacket[], origin: number, length: number): Buffer {
  const row = Buffer.alloc(8 * length);
  for (const [i, { time, direction }] of packets.slice(0, length).entries())
    row.writeDoubleLE((direction * (Math.round((time - origin) * 1e6) + FIRST_US)) / 1e6, 8 * i);
  return row;
}

/** A row of `S`: direction × bytes on the wire. Pure. */
function sizeRow(packets: readonly TracePacket[], length: number): Buffer {
  const row = Buffer.alloc(4 * length);
  for (const [i, { size, direction }] of packets.slice(0, length).entries())
    row.writeInt32LE(direction * size, 4 * i);
  return row;
}

/** Joins rows to pieces. */
async function* gather(rows: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const row of rows) {
    parts.push(row);
    size += row.length;
    if (size < PIECE) continue;
    yield Buffer.concat(parts);
    parts = [];
    size = 0;
  }
  yield Buffer.concat(parts);
}

async function* matrix(
  visits: AsyncIterable<Visit>,
  wish: NpzWish,
  header: Buffer,
  rowOf: (trace: Trace) => Buffer,
): AsyncGenerator<Buffer, void> {
  yield header;
  for await (const visit of visits) for (const trace of tracesOf(visit, wish)) yield rowOf(trace);
}

const texts = (values: readonly string[]): Buffer[] => {
  const width = widthOf(values);
  return [npyHeader(`<U${width}`, [values.length]), npyTexts(values, width)];
};

function labels(values: readonly number[]): Buffer[] {
  const bytes = Buffer.alloc(8 * values.length);
  for (const [i, value] of values.entries()) bytes.writeBigInt64LE(BigInt(value), 8 * i);
  return [npyHeader('<i8', [values.length]), bytes];
}

/**
 * Writes the archive; `look` reads the chosen visits anew, once for `X` and once for `S`. Returns the traces written
 * and those that were longer than a row. Beside `X` [n, length] and `y` [n]: `visit`, `run` and, unless paths are
 * joined, `path` [n].
 */
export async function writeNpz(
  write: Write,
  plan: Plan,
  look: () => AsyncIterable<Visit>,
  wish: NpzWish,
): Promise<{ rows: number; longer: number }> {
  const { length, origin } = wish;
  const rows: { label: number; visit: string; run: string; path: string }[] = [];
  let longer = 0;
  const timesOf = (trace: Trace): Buffer => {
    const { label, visit, run, interfaces } = trace.visit;
    rows.push({ label, visit, run, path: trace.path === null ? '' : (interfaces[trace.path] as string) });
    if (trace.packets.length > length) longer++;
    return timeRow(trace.packets, originOf(trace, origin), length);
  };
  const shape = [plan.rows, length];
  const entries: ZipEntry[] = [
    { name: 'X.npy', pieces: () => gather(matrix(look(), wish, npyHeader('<f8', shape), timesOf)) },
    { name: 'y.npy', pieces: () => labels(rows.map(({ label }) => label)) },
    { name: 'visit.npy', pieces: () => texts(rows.map(({ visit }) => visit)) },
    { name: 'run.npy', pieces: () => texts(rows.map(({ run }) => run)) },
  ];
  if (wish.path !== 'joined')
    entries.push({ name: 'path.npy', pieces: () => texts(rows.map(({ path }) => path)) });
  const sizesOf = ({ packets }: Trace): Buffer => sizeRow(packets, length);
  if (wish.sizes)
    entries.push({
      name: 'S.npy',
      pieces: () => gather(matrix(look(), wish, npyHeader('<i4', shape), sizesOf)),
    });
  await writeZip(entries, write);
  return { rows: rows.length, longer };
}
