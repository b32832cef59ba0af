import { type IpProcess, startIp } from './ip.ts';

/** What became of a command: `at` is when the answer came, in performance.now()'s milliseconds. */
export type Outcome = { ok: true; at: number } | { ok: false; at: number; message: string };

/** What `ip -force -batch -` said about one of its input lines that failed. */
export interface Report {
  line: number;
  message: string;
}

/**
 * Splits what `ip` wrote to standard error into its reports: the lines up to `Command failed -:LINE` are that
 * line's reasons. Returns them with the text that is not complete yet.
 */
export function readReports(text: string): { reports: Report[]; rest: string } {
  const reports: Report[] = [];
  let rest = text;
  for (;;) {
    const end = /^Command failed -:(\d+)\n/m.exec(rest);
    if (end === null) return { reports, rest };
    const message = rest.slice(0, end.index).trim().replaceAll('\n', '; ');
    reports.push({ line: Number(end[1]), message });
    rest = rest.slice(end.index + end[0].length);
  }
}

/**
 * `ip` says nothing about a line that went well. So each command is followed by a word that it does not know:
 * what it says about that word comes after the command is done, costs no system call but the saying, and is the
 * same in every version. (`ip -echo` would print the new route; in 6.1 it leaves the kernel's acknowledgement
 * unread and reports the wrong line from then on.)
 */
const MARKER = 'done?';

/**
 * Failures that do not come from `ip` remembering an interface's number by its name after the interface was
 * deleted and made anew: it has just asked the kernel for the name, or the kernel knows the number.
 */
const FRESH = /Cannot find device|Network is down|is not up|not permitted/;

/** An `ip` is started at most this often, milliseconds. */
const START_EVERY_MS = 200;
/** An `ip` that leaves a command without an answer for this long is replaced, milliseconds. */
const HUNG_MS = 1000;
/** How long it has to end once its input is closed, milliseconds. */
const END_MS = 500;

interface Pending {
  /** Input line of the marker. */
  line: number;
  sent: number;
  message: string | undefined;
  done: (outcome: Outcome) => void;
}

/** One `ip -force -batch -` and the commands that it has not answered yet. */
class Batch {
  readonly started = performance.now();
  readonly pending: Pending[] = [];
  /** What it remembers may be out of date. */
  stale = false;
  alive = true;
  readonly closed: Promise<void>;
  private readonly process: IpProcess = startIp();
  private lines = 0;
  private text = '';

  constructor() {
    let reason = '';
    this.process.on('error', (error) => {
      reason = error.message;
    });
    this.process.on('exit', (code, signal) => {
      reason = `ended (${signal ?? code})`;
      this.alive = false;
    });
    // Its end is what counts; a write that comes too late is answered there.
    this.process.stdin.on('error', () => undefined);
    this.process.stderr.setEncoding('utf8').on('data', (text: string) => this.read(text));
    this.closed = new Promise((resolve) => {
      this.process.on('close', () => {
        this.alive = false;
        for (const { done } of this.pending.splice(0))
          done({ ok: false, at: performance.now(), message: `ip ${reason}` });
        resolve();
      });
    });
  }

  send(command: string | undefined, done: Pending['done']): void {
    const lines = command === undefined ? [MARKER] : [command, MARKER];
    this.lines += lines.length;
    this.pending.push({ line: this.lines, sent: performance.now(), message: undefined, done });
    this.process.stdin.write(`${lines.join('\n')}\n`);
  }

  get hung(): boolean {
    const oldest = this.pending[0];
    return oldest !== undefined && performance.now() - oldest.sent > HUNG_MS;
  }

  kill(): void {
    this.alive = false;
    this.process.kill('SIGKILL');
  }

  async end(): Promise<void> {
    this.process.stdin.end();
    const late = setTimeout(() => this.kill(), END_MS);
    await this.closed;
    clearTimeout(late);
  }

  private read(text: string): void {
    const at = performance.now();
    const { reports, rest } = readReports(this.text + text);
    this.text = rest;
    for (const { line, message } of reports) {
      const oldest = this.pending[0];
      if (oldest === undefined) return;
      if (line < oldest.line) {
        oldest.message = message;
        this.stale ||= !FRESH.test(message);
        continue;
      }
      this.pending.shift();
      oldest.done(
        oldest.message === undefined ? { ok: true, at } : { ok: false, at, message: oldest.message },
      );
    }
  }
}

/** The one door to `ip -batch`: keeps one running, replaces it where it ended, hangs or remembers wrongly. */
export class IpBatch {
  private batch: Batch | undefined;

  /** Whether a command awaits its answer. */
  get busy(): boolean {
    return this.batch !== undefined && this.batch.pending.length > 0;
  }

  /** Resolves once an `ip` is running and answers, so that the first command is as quick as the others. */
  ready(): Promise<Outcome> {
    return new Promise((resolve) => this.current().send(undefined, resolve));
  }

  /** Gives `ip` a command such as `route replace …`; `done` is called once, some 0.1 ms later. */
  send(command: string, done: (outcome: Outcome) => void): void {
    const batch = this.current();
    if (batch.alive) batch.send(command, done);
    else done({ ok: false, at: performance.now(), message: 'ip ended and is about to be started again' });
  }

  /** Lets `ip` finish what it was given, then ends it. */
  async close(): Promise<void> {
    await this.batch?.end();
  }

  private current(): Batch {
    const batch = this.batch;
    if (batch === undefined) {
      this.batch = new Batch();
      return this.batch;
    }
    if (batch.alive && batch.hung) batch.kill();
    const replace = !batch.alive || (batch.stale && batch.pending.length === 0);
    if (replace && performance.now() - batch.started >= START_EVERY_MS) {
      if (batch.alive) void batch.end();
      this.batch = new Batch();
    }
    return this.batch ?? batch;
  }
}
