/** What split.ts is given: single-path traces in files, and visits whose paths are joined first. */
import { basename } from 'node:path';
import { PcapError, readPcap } from '../../../client/scripts/lib/trace/pcap.ts';
import { Fault } from '../cli.ts';
import { readPieces } from '../files/input.ts';
import { exists, isFolder, readBytes } from '../files.ts';
import { readLines } from './lines.ts';
import { guessClient, isPacket, parseCell, parseCsv } from './parse.ts';
import { planOf } from './plan.ts';
import { itemsOf, openSource, requireRereadable, type Source } from './source.ts';
import { inOrder, onPath, type TracePacket } from './trace.ts';
import { type Visit, visitsOf } from './traces.ts';

export interface NamedTrace {
  /** What its files are called. */
  name: string;
  /** In the order of time, one at least. */
  packets: TracePacket[];
  /** What a person should know of the reading. */
  notes: string[];
}

type Kind = 'records' | 'pcap' | 'cell' | 'csv';

/** Begins of captures, both orders of bytes, and of pcapng, which the reading refuses with what to do. */
const MAGICS = ['a1b2c3d4', 'd4c3b2a1', 'a1b23c4d', '4d3cb2a1', '0a0d0d0a'];

/** What others' files begin with that are no traces. */
const OTHERS: [string, string][] = [
  ['504b0304', 'a ZIP archive, as .npz files are'],
  ['504b0506', 'an empty ZIP archive'],
  ['50415231', 'a Parquet file'],
];

const BOM = /^\u00ef\u00bb\u00bf/;

async function kindOf(path: string): Promise<Kind> {
  if (!exists(path)) throw new Fault({ at: path, what: 'no such file or folder' });
  requireRereadable(path);
  if (isFolder(path)) return 'records';
  for await (const piece of readPieces(path)) {
    const magic = piece.toString('hex', 0, 4);
    if (MAGICS.includes(magic)) return 'pcap';
    const other = OTHERS.find(([begin]) => begin === magic)?.[1];
    if (other !== undefined)
      throw new Fault({
        at: path,
        what: `is ${other}; pcap, .cell, CSV and records can be read`,
        next: 'the run or records file that it was made of',
      });
    break;
  }
  for await (const line of readLines(path)) {
    if ('problem' in line) throw new Fault({ at: `${path}:${line.number}`, what: line.problem });
    const text = line.bytes.toString('latin1', 0, 100).replace(BOM, '');
    if (text.startsWith('{')) return 'records';
    return text.includes(',') ? 'csv' : 'cell';
  }
  throw new Fault({ at: path, what: 'empty' });
}

function readCapture(path: string, client: string | undefined): NamedTrace {
  const bytes = readBytes(path);
  try {
    const address = client ?? guessClient(bytes);
    if (address === undefined) throw new Fault({ at: path, what: 'not one IP packet' });
    const { packets, cut } = readPcap(bytes, address);
    const kept = onPath(packets, 0);
    const notes = client === undefined ? [`${address} is taken for the client (--client says another)`] : [];
    if (cut) notes.push('the capture is cut off in its last packet');
    if (kept.length < packets.length)
      notes.push(`${packets.length - kept.length} packets are neither from nor to ${address} and left out`);
    return { name: basename(path).replace(/\.\w+$/, ''), packets: kept, notes };
  } catch (error) {
    if (error instanceof PcapError) throw new Fault({ at: path, what: error.message });
    throw error;
  }
}

async function readText(path: string, kind: 'cell' | 'csv'): Promise<NamedTrace> {
  const parse = kind === 'cell' ? parseCell : parseCsv;
  const packets: TracePacket[] = [];
  for await (const line of readLines(path)) {
    const at = `${path}:${line.number}`;
    if ('problem' in line) throw new Fault({ at, what: line.problem });
    // Spreadsheets put a mark of UTF-8 before the first line.
    const text = line.bytes.toString('latin1').replace(line.number === 1 ? BOM : '', '');
    if (text.trim() === '' || (line.number === 1 && /^\s*"?time/i.test(text))) continue;
    const parsed = parse(text);
    if (!isPacket(parsed)) throw new Fault({ at, what: parsed.problem });
    packets.push(parsed);
  }
  return { name: basename(path).replace(/(_join)?(\.(cell|csv|txt))?(\.gz)?$/, ''), packets, notes: [] };
}

function sorted({ name, packets, notes }: NamedTrace, path: string): NamedTrace {
  if (packets.length === 0) throw new Fault({ at: path, what: 'not one packet of the client' });
  const ordered = packets.every(({ time }, i) => i === 0 || time >= (packets[i - 1] as TracePacket).time);
  return ordered
    ? { name, packets, notes }
    : { name, packets: inOrder(packets), notes: [...notes, 'was not in the order of time, and is now'] };
}

type Tell = (at: string, what: string) => void;

/** The successful visits of sources, all paths joined. */
export async function* liveVisits(sources: readonly Source[], tell: Tell): AsyncGenerator<Visit, void> {
  const wish = { path: 'joined', cut: 'none', least: 1 } as const;
  for (const { path } of sources) requireRereadable(path);
  const plan = await planOf(itemsOf(sources), wish, tell);
  if (plan.rows === 0) throw new Fault({ what: `of ${plan.visits} visits none is a success with packets` });
  yield* visitsOf(itemsOf(sources), plan, wish);
}

/** Every trace of the inputs, in their order; throws a Fault for the first that cannot be read. */
export async function* tracesIn(
  paths: readonly string[],
  client: string | undefined,
  tell: Tell,
): AsyncGenerator<NamedTrace, void> {
  const records: Source[] = [];
  for (const path of paths) {
    const kind = await kindOf(path);
    if (kind === 'records') records.push(openSource(path));
    else if (kind === 'pcap') yield sorted(readCapture(path, client), path);
    else yield sorted(await readText(path, kind), path);
  }
  if (records.length === 0) return;
  for await (const { label, instance, packets } of liveVisits(records, tell))
    yield { name: `${label}-${instance}`, packets, notes: [] };
}
