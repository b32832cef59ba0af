/** One tcpdump: what it takes to lose no packet at either end of it. */
import { endText, Tool } from '../process.ts';
import { VisitError } from './failure.ts';

/** Milliseconds that tcpdump may take to begin, to tell its counts, and to end. */
const PATIENCE = 10_000;
/** Kilobytes that the kernel keeps for tcpdump while it is busy: a second at 30 MB/s. */
const KERNEL_BUFFER = 32_768;
/** Bytes of each packet in a capture of headers: all of IPv6's, WireGuard's or TCP's with options. */
export const HEADER_BYTES = 128;

export interface CaptureWish {
  device: string;
  file: string;
  /** Bytes of each packet. The kernel sets aside this much for each, so no more than a packet can have. */
  snaplen: number;
  /** Only what goes out, and matches this pcap-filter(7); else all of IPv4. */
  leaving?: string | undefined;
}

/** Characters of what tcpdump said that are kept from one question to the next. */
const KEPT = 4000;

/** Packets by tcpdump's own count. */
export interface Counts {
  /** Written to the file. */
  captured: number;
  /** Came to it in the kernel, written or not yet, and some that came while its filter was not set yet. */
  received: number;
  /** Lost, since tcpdump was too slow. */
  dropped: number;
}

const unwritten = ({ captured, received }: Counts): number => received - captured;

const COUNTS =
  /(\d+) packets? captured\D+?(\d+) packets? received by filter\D+?(\d+) packets? dropped by kernel/g;

/** The last counts in what tcpdump said; undefined before the first. */
export function countsIn(said: string): Counts | undefined {
  const last = [...said.matchAll(COUNTS)].at(-1);
  if (last === undefined) return undefined;
  const [captured = 0, received = 0, dropped = 0] = last.slice(1).map(Number);
  return { captured, received, dropped };
}

/** The reason in what tcpdump said, without its usual lines. */
export const complaintIn = (said: string): string =>
  said
    .split('\n')
    .filter(
      (line) => line !== '' && !/listening on|packets? (captured|received|dropped)|dropped privs/.test(line),
    )
    .join('; ');

export class Capture {
  readonly device: string;
  readonly file: string;
  private readonly tool: Tool;
  /** tcpdump throws away what comes in, which the kernel has counted as received. */
  private readonly sifts: boolean;
  /** The fewest packets received and not written, ever: those that came before its filter stood, and nothing else. */
  private early = Number.POSITIVE_INFINITY;
  /** It has not answered: no use in waiting for it again. */
  private dumb = false;

  constructor({ device, file, snaplen, leaving }: CaptureWish) {
    this.device = device;
    this.file = file;
    // Without --immediate-mode and -U the last second stays in buffers.
    const words = ['tcpdump', '-n', '-i', device, '--immediate-mode', '-U', '-Z', 'root', '-w', file];
    // Inside the tunnels is IPv4: the kernel's own IPv6 greetings to an interface go nowhere.
    const only = leaving === undefined ? ['ip'] : ['-Q', 'out', leaving];
    this.sifts = leaving !== undefined;
    this.tool = new Tool([...words, '-B', String(KERNEL_BUFFER), '-s', String(snaplen), ...only]);
  }

  /** Resolves once every packet from now on is captured; throws a VisitError where none will be. */
  async ready(): Promise<void> {
    const listening = await this.tool.until(PATIENCE, () => this.tool.said.includes('listening on'));
    if (!listening || this.tool.over !== undefined) throw this.trouble('does not capture');
    await this.counts();
  }

  /** Why it is of no use any more; undefined while it captures. */
  get broken(): VisitError | undefined {
    return this.tool.over === undefined ? undefined : this.trouble('ended early');
  }

  /** Its counts of this moment; throws a VisitError where it does not answer. */
  async counts(): Promise<Counts> {
    // Earlier counts are of no use any more, and what is kept of its words has a limit.
    this.tool.said = this.tool.said.slice(-KEPT).replace(COUNTS, '');
    this.tool.kill('SIGUSR1');
    const told = () => countsIn(this.tool.said) !== undefined;
    const counts = (await this.tool.until(PATIENCE, told)) ? countsIn(this.tool.said) : undefined;
    this.dumb = counts === undefined;
    if (counts === undefined || this.tool.over !== undefined) throw this.trouble('does not tell its counts');
    this.early = Math.min(this.early, unwritten(counts));
    return counts;
  }

  /** Whether all that had come by the time of these counts is in the file. */
  isWritten = (counts: Counts): boolean => this.sifts || unwritten(counts) <= this.early;

  /** Ends it. The counts are of the whole capture; throws a VisitError where its file is not all there was. */
  async stop(): Promise<Counts> {
    const early = this.broken;
    if (early !== undefined) throw early;
    await this.tool.end('SIGINT', this.dumb ? 0 : PATIENCE);
    const counts = countsIn(this.tool.said);
    if (counts === undefined || this.tool.over?.code !== 0) throw this.trouble('came to no good end');
    const lost = Math.max(counts.dropped, this.sifts ? 0 : unwritten(counts) - this.early);
    if (lost > 0) throw new VisitError('capture', `tcpdump on ${this.device} lost ${lost} of its packets`);
    return counts;
  }

  /** Ends it, whatever it holds. */
  async abandon(): Promise<void> {
    await this.tool.end('SIGKILL', 0);
  }

  private trouble(what: string): VisitError {
    const { over, said } = this.tool;
    const details = [over === undefined ? '' : endText(over), complaintIn(said)].filter(
      (text) => text !== '',
    );
    return new VisitError('capture', `tcpdump on ${this.device} ${[what, ...details].join(': ')}`);
  }
}

/** Milliseconds between two looks at the counts, and for which they must stay the same; and at most. */
const LOOK = 25;
const CALM = 50;
const LONGEST = 1500;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Waits until what is still on its way has come and is in the files: no packet more for a while, and all that the
 * kernel has received written. A line that never falls silent is left after {@link LONGEST}.
 */
export async function untilCalm(captures: readonly Capture[]): Promise<void> {
  const end = performance.now() + LONGEST;
  let last = -1;
  let since = performance.now();
  while (performance.now() < end) {
    const counts = await Promise.all(captures.map((capture) => capture.counts()));
    const received = counts.reduce((sum, each) => sum + each.received, 0);
    const written = captures.every((capture, i) => capture.isWritten(counts[i] as Counts));
    if (received !== last) {
      last = received;
      since = performance.now();
    } else if (written && performance.now() - since >= CALM) return;
    await pause(LOOK);
  }
}
