/** Lines of a file of any length, gzip or not, with the numbers that messages name. */
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { messageOf } from '../cli.ts';
import { readPieces } from '../files/input.ts';

/** Bytes; a text of more than 2^29 characters is beyond JavaScript. */
const LONGEST = 500e6;
const NEWLINE = 10;

export interface Text {
  /** From 1. */
  number: number;
  bytes: Buffer;
}
export type Line = Text | { number: number; problem: string };

/** What a file holds; unpacked where it begins as gzip does, whatever its name. */
async function* contents(path: string): AsyncGenerator<Buffer, void> {
  const pieces = readPieces(path);
  const first = await pieces.next();
  if (first.done) return;
  const all = (async function* () {
    yield first.value;
    yield* pieces;
  })();
  if (first.value[0] !== 0x1f || first.value[1] !== 0x8b) return yield* all;
  const gunzip = createGunzip();
  // Errors of either end come out of the reading end.
  pipeline(Readable.from(all), gunzip, () => undefined);
  yield* gunzip as AsyncIterable<Buffer>;
}

/** The lines of a file in their order, without empty ones; what ends the reading early is the last, as a problem. */
export async function* readLines(path: string): AsyncGenerator<Line, void> {
  let number = 1;
  let parts: Buffer[] = [];
  let length = 0;
  const take = (): Text => {
    const bytes = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    parts = [];
    length = 0;
    return { number: number++, bytes };
  };
  try {
    for await (const piece of contents(path)) {
      let from = 0;
      for (let to = piece.indexOf(NEWLINE); to !== -1; to = piece.indexOf(NEWLINE, from)) {
        parts.push(piece.subarray(from, to));
        from = to + 1;
        const line = take();
        if (line.bytes.length > 0) yield line;
      }
      parts.push(piece.subarray(from));
      length += piece.length - from;
      if (length > LONGEST)
        return yield { number, problem: 'a line longer than 500 MB; the rest is not read' };
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const what = code === 'Z_BUF_ERROR' ? 'the gzip file is cut off here' : messageOf(error);
    return yield { number, problem: `${what}; the rest is not read` };
  }
  const last = take();
  if (last.bytes.length > 0) yield last;
}
