/** Where visits go: into a run's folder, or as records to a file or a pipe. */
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { EXIT, Fault, messageOf } from '../fault.ts';
import { bytesOfLines, closeFile, cutFile, openToAppend, sizeIfFile, textAt, writeFrom } from '../files.ts';
import { giveToOwner, list, makeFolder, moveWhole, pieces, remove, sizeOf, write } from '../folders.ts';
import { attemptFolder, FILE, readAttemptFolder, VISITS, WORK } from '../trace/layout.ts';
import type { VisitSummary } from '../trace/record.ts';
import type { Outcome } from './outcome.ts';
import { PIECE } from './record.ts';

export interface Sink {
  /** Where files are written, for the disk-space guard. */
  readonly place: string;
  /** An empty folder for an attempt's files. */
  open(visit: string, attempt: number): string;
  /** Keeps an attempt; once this resolves it is never lost. */
  keep(folder: string, outcome: Outcome): Promise<void>;
  close(): Promise<void>;
}

/** Whether an error says that the disk is full. */
export const isFull = (text: string): boolean => /ENOSPC|EDQUOT|[Nn]o space left|quota exceeded/.test(text);

/** What ends a run whose disk is full. */
export const diskFull = (place: string): Fault =>
  new Fault({
    at: place,
    what: 'the disk is full; all visits that came to their end are kept',
    next: 'make room, then the same command again',
    code: EXIT.failed,
  });

/** What the system says of a place that cannot be written, as a Fault; anything else as it is. */
export function placeFault(place: string, error: unknown): unknown {
  if (isFull(messageOf(error))) return diskFull(place);
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return error;
  return new Fault({
    at: place,
    what: messageOf(error),
    next: 'another place, or mend this one',
    code: EXIT.failed,
  });
}

async function writeAll(fd: number, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length; ) {
    try {
      done += await writeFrom(fd, bytes, done);
    } catch (error) {
      // A full pipe.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

async function checksum(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of pieces(file, PIECE)) hash.update(piece);
  return hash.digest('hex');
}

/** A run's folder. */
export class RunSink implements Sink {
  readonly place: string;

  constructor(run: string) {
    this.place = run;
    makeFolder(join(run, VISITS));
    remove(join(run, WORK));
  }

  /** Attempts that are there, complete, by visit: status of each in their order. */
  kept(): Map<string, string[]> {
    const found = new Map<string, string[]>();
    for (const name of list(join(this.place, VISITS))) {
      const attempt = readAttemptFolder(name);
      if (attempt !== undefined) found.set(attempt.visit, [...(found.get(attempt.visit) ?? []), name]);
    }
    return found;
  }

  open(visit: string, attempt: number): string {
    const folder = join(this.place, WORK, attemptFolder(visit, attempt));
    remove(join(this.place, WORK));
    makeFolder(folder);
    return folder;
  }

  async keep(folder: string, { summary, records }: Outcome): Promise<void> {
    const file = join(folder, FILE.records);
    const fd = openToAppend(file, file);
    try {
      for await (const text of records()) await writeAll(fd, text);
    } finally {
      await closeFile(fd);
    }
    const files: VisitSummary['files'] = {};
    for (const name of list(folder)) {
      const path = join(folder, name);
      files[name] = { bytes: sizeOf(path), sha256: await checksum(path) };
    }
    write(join(folder, FILE.summary), `${JSON.stringify({ ...summary, files }, null, 2)}\n`);
    giveToOwner(folder);
    moveWhole(folder, join(this.place, VISITS, attemptFolder(summary.visit, summary.attempt)));
  }

  async close(): Promise<void> {
    remove(join(this.place, WORK));
  }
}

/** How a record begins. */
const BEGINNING = '{"format":';

/**
 * Opens a file of records to append to; a last one that somebody was cut off in is taken away, and said. Throws a
 * Fault where its last line is anything else: nobody wants that cut.
 */
function openLines(path: string): number {
  const fd = openToAppend(path, '--out');
  const size = sizeIfFile(fd);
  const whole = size === undefined ? undefined : bytesOfLines(path);
  if (size === undefined || whole === undefined || whole === size) return fd;
  if (!BEGINNING.startsWith(textAt(path, whole, BEGINNING.length)))
    throw new Fault({
      at: '--out',
      what: `${path} is no file of records: its last line is none, and has no end`,
      next: '--out another file',
    });
  cutFile(fd, whole);
  console.error(`${path}: its last line was cut off; its ${size - whole} bytes are taken away`);
  return fd;
}

/** Records appended to a file, or written to standard output. */
export class StreamSink implements Sink {
  readonly place: string;
  private readonly scratch: string;
  private readonly fd: number;
  private readonly name: string;

  /** `scratch`: where an attempt's files are until their records are written. */
  constructor(out: string | undefined, scratch: string) {
    this.fd = out === undefined ? 1 : openLines(out);
    this.name = out ?? 'standard output';
    // A pipe or a device has no disk of its own.
    this.place = out === undefined || sizeIfFile(this.fd) === undefined ? scratch : dirname(out);
    this.scratch = scratch;
  }

  open(visit: string, attempt: number): string {
    const folder = join(this.scratch, attemptFolder(visit, attempt));
    makeFolder(folder);
    return folder;
  }

  async keep(folder: string, { records }: Outcome): Promise<void> {
    const before = sizeIfFile(this.fd);
    try {
      for await (const text of records()) await writeAll(this.fd, text);
    } catch (error) {
      // A visit's records are there all, or none of them, and no half a line.
      if (before !== undefined) cutFile(this.fd, before);
      if (isFull(messageOf(error))) throw diskFull(this.name);
      const gone = (error as NodeJS.ErrnoException).code === 'EPIPE';
      const what = gone ? 'its reader has gone' : messageOf(error);
      throw new Fault({ at: this.name, what, code: EXIT.failed });
    }
    remove(folder);
  }

  async close(): Promise<void> {
    if (this.fd !== 1) await closeFile(this.fd);
  }
}
