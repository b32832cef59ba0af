/** Many runs and records files as one records file, each record once. */
import { gzipSync } from 'node:zlib';
import type { TraceRecord } from '../../../client/scripts/lib/trace/record.ts';
import type { Write } from '../files/output.ts';
import type { Item } from './source.ts';
import { soundPackets } from './trace.ts';
import { recordId } from './visits.ts';

export interface Merged {
  records: number;
  duplicates: number;
  runs: number;
  /** URLs by their label in the output. */
  urls: string[];
  /** Records whose label is another one than it was. */
  relabelled: number;
}

/** A record's line: all of it ASCII, since U+2028 breaks some readers' lines; `packets` last. Pure. */
export function lineOf(record: TraceRecord): string {
  const { packets, ...rest } = record;
  const json = JSON.stringify({ ...rest, packets });
  return `${json.replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}

/** Bytes that are packed together; a gzip file of several parts is one to every reader. */
const PART = 2 ** 20;

/** Gives lines away, packed where wanted. */
function lineSink(write: Write, gzip: boolean): { add: (line: string) => void; end: () => void } {
  let waiting: Buffer[] = [];
  let size = 0;
  const flush = (): void => {
    const bytes = Buffer.concat(waiting);
    if (size > 0 || gzip) write(gzip ? gzipSync(bytes) : bytes);
    waiting = [];
    size = 0;
  };
  const add = (line: string): void => {
    const bytes = Buffer.from(line, 'latin1');
    waiting.push(bytes);
    size += bytes.length;
    if (size >= PART) flush();
  };
  return { add, end: flush };
}

/**
 * Copies records. `label` becomes the number of its URL by first appearance, the same in all
 * runs, while all else stays that of its own run. `tell` gets what is no record, or one with other packets than it
 * says, and where.
 */
export async function mergeInto(
  write: Write,
  items: AsyncIterable<Item>,
  { gzip, tell }: { gzip: boolean; tell: (at: string, what: string) => void },
): Promise<Merged> {
  const seen = new Set<string>();
  const labels = new Map<string, number>();
  const runs = new Set<string>();
  const lines = lineSink(write, gzip);
  const merged = { records: 0, duplicates: 0, relabelled: 0 };
  for await (const item of items) {
    if ('problem' in item) {
      tell(item.at, item.problem);
      continue;
    }
    const { record } = item;
    const sound = record.status === 'success' ? soundPackets(record) : undefined;
    if (sound !== undefined && 'problem' in sound) {
      tell(item.at, sound.problem);
      continue;
    }
    const id = recordId(record);
    if (seen.has(id)) {
      merged.duplicates++;
      continue;
    }
    seen.add(id);
    runs.add(record.run);
    const label = labels.get(record.url) ?? labels.size;
    labels.set(record.url, label);
    if (label !== record.label) merged.relabelled++;
    lines.add(lineOf({ ...record, label }));
    merged.records++;
  }
  lines.end();
  return { ...merged, runs: runs.size, urls: [...labels.keys()] };
}
