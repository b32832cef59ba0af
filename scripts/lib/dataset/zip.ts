/** ZIP archives written as a stream: no entry needs to fit into memory. */
import { Readable } from 'node:stream';
import { ZipFile } from 'yazl';
import type { Write } from '../files/output.ts';

export interface ZipEntry {
  name: string;
  /** Asked for once the entries before it are written. */
  pieces: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/**
 * With 64-bit sizes: they are known only afterwards, and an array may be longer than the 4 GiB of others. The date is
 * the first that the format knows: the same data give the same bytes.
 */
const OPTIONS = { forceZip64Format: true, forceDosTimestamp: true, mtime: new Date(1980, 0, 1) };

export async function writeZip(entries: readonly ZipEntry[], write: Write): Promise<void> {
  const zip = new ZipFile();
  const archive = zip.outputStream as Readable;
  for (const { name, pieces } of entries)
    zip.addReadStreamLazy(name, OPTIONS, (give) => {
      const stream = Readable.from(pieces(), { objectMode: false });
      stream.on('error', (error) => archive.destroy(error));
      give(null, stream);
    });
  zip.end();
  for await (const piece of archive) write(piece);
}
