import { setImmediate as turn } from 'node:timers/promises';
import { closeFile, openToAppend, writeFrom } from './files.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Lines that follow one another gather for this long before they are written, milliseconds. */
const GATHER_MS = 20;
/** A full pipe (EAGAIN) is tried again after this, milliseconds. */
const FULL_PIPE_MS = 10;
/** Any other failure, such as a full disk, is tried again after this, milliseconds. */
const RETRY_MS = 1000;
/** At the end, a reader that stands still or a full disk has this long, milliseconds. */
const LAST_CHANCE_MS = 5000;

interface Events {
  /** The reader went away (EPIPE): nothing can be written any more. */
  gone: () => void;
  /** Writing failed and is tried again; the lines are kept. */
  trouble: (message: string) => void;
}

/** JSON lines into a file or a pipe, written in the background: a slow disk or reader does not hold up the caller. */
export class JsonLog {
  private waiting = '';
  private writing: Promise<void> | undefined;
  private ended = false;
  private gone = false;
  private readonly fd: number;
  private readonly events: Events;

  private constructor(fd: number, events: Events) {
    this.fd = fd;
    this.events = events;
  }

  /** Appends to a file, or writes to standard output where there is no name; throws a Fault where it cannot be opened. */
  static open(file: string | undefined, events: Events): JsonLog {
    return new JsonLog(file === undefined ? 1 : openToAppend(file, '--log'), events);
  }

  line(value: object): void {
    this.waiting += `${JSON.stringify(value)}\n`;
    this.writing ??= this.drain();
  }

  /** Writes out what is left; false where lines had to be given up though their reader is there. */
  async close(lastChance = LAST_CHANCE_MS): Promise<boolean> {
    await new Promise<void>((resolve) => {
      const late = setTimeout(() => {
        this.ended = true;
        resolve();
      }, lastChance);
      void Promise.resolve(this.writing).then(() => {
        clearTimeout(late);
        resolve();
      });
    });
    if (this.fd !== 1 && this.writing === undefined) await closeFile(this.fd);
    return this.gone || (this.waiting === '' && this.writing === undefined);
  }

  private async drain(): Promise<void> {
    // The first line at once, for whoever waits for it; not within the call, which may be in a hurry.
    await turn();
    while (this.waiting !== '' && !this.ended) {
      const text = Buffer.from(this.waiting);
      this.waiting = '';
      let done = 0;
      while (done < text.length && !this.ended) {
        try {
          done += await writeFrom(this.fd, text, done);
        } catch (error) {
          await this.failed(error as NodeJS.ErrnoException);
        }
      }
      this.waiting = text.subarray(done).toString() + this.waiting;
      await pause(GATHER_MS);
    }
    this.writing = undefined;
  }

  private async failed(error: NodeJS.ErrnoException): Promise<void> {
    if (error.code === 'EAGAIN') return pause(FULL_PIPE_MS);
    if (error.code === 'EPIPE') {
      this.ended = true;
      this.gone = true;
      return this.events.gone();
    }
    this.events.trouble(error.message);
    return pause(RETRY_MS);
  }
}
