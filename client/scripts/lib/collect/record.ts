/** Records as text: one JSON object a line, ASCII only, `packets` last and read from its file piece by piece. */
import type { TraceRecord } from '../trace/record.ts';

/** JSON in ASCII: a line separator of Unicode (U+2028) in a page would break readers that split at it. */
export const asciiJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** Bytes of a capture that are turned into base64 at a time; a multiple of 3, so that the pieces join. */
export const PIECE = 3 * 65_536;

/** The text of a record, in pieces; `capture`: the bytes of its pcap, or none for an empty `packets`. */
export async function* recordText(
  record: Omit<TraceRecord, 'packets'>,
  capture: AsyncIterable<Buffer> | undefined,
): AsyncGenerator<string> {
  yield `${asciiJson(record).slice(0, -1)},"packets":"`;
  let left: Buffer = Buffer.alloc(0);
  for await (const piece of capture ?? []) {
    const bytes = left.length === 0 ? piece : Buffer.concat([left, piece]);
    const whole = bytes.length - (bytes.length % 3);
    yield bytes.toString('base64', 0, whole);
    left = bytes.subarray(whole);
  }
  yield `${left.toString('base64')}"}\n`;
}
