/** The capture of all real interfaces, from the first probe to the last. */
import { join } from 'node:path';
import { Capture, HEADER_BYTES } from '../collect/capture.ts';
import { VisitError } from '../collect/failure.ts';
import type { Published } from '../collect/leak.ts';
import { pause, realTimeNow } from './moment.ts';
import {
  captureFilter,
  fragmentFilter,
  type Leak,
  NEIGHBOUR_FILTER,
  packetsIn,
  SENTINEL,
  sentinelFilter,
  strangersAmong,
  strayFilter,
  timesIn,
} from './packets.ts';
import { Missing, ping, tell } from './tools.ts';

/** Milliseconds for a packet of the tunnels' own to be seen. */
const PATIENCE = 6000;

export interface WatchWish {
  folder: string;
  devices: readonly string[];
  /** Of the wgnetN. */
  endpoints: readonly string[];
  published: Published;
  neighbours: readonly string[];
  /** Addresses inside by wgnetN, of those that answer. */
  inside: ReadonlyMap<string, string>;
}

export interface Seen {
  leaks: Leak[];
  /** Pieces of the tunnels' own packets. */
  fragments: Leak[];
}

export class Watch {
  private readonly wish: WatchWish;
  private captures: Capture[] = [];
  /** Seconds since 1970; what left before is told. */
  private cut = 0;
  /** Why nothing that it says counts. */
  blind: string | undefined;

  constructor(wish: WatchWish) {
    this.wish = wish;
  }

  /** Begins; afterwards {@link blind} is set where it does not see. */
  async open(): Promise<void> {
    const { folder, devices, endpoints, published } = this.wish;
    if (devices.length === 0)
      this.blind = 'no real interface is up: nothing can leave, and nothing can be shown';
    else if (endpoints.length === 0) this.blind = 'no tunnel has a peer whose packets it could see';
    if (this.blind !== undefined) return;
    const leaving = captureFilter(endpoints, published);
    this.captures = devices.map(
      (device, i) => new Capture({ device, file: join(folder, `${i}.pcap`), snaplen: HEADER_BYTES, leaving }),
    );
    await this.orBlind(async () => {
      await Promise.all(this.captures.map((capture) => capture.ready()));
      await this.drain();
    });
  }

  /** What keeps it from seeing is no failure of the check, but its finding. */
  private async orBlind(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof VisitError || error instanceof Missing)) throw error;
      this.blind ??= error.message;
    }
  }

  /**
   * Sends something through each tunnel and waits until it is seen on its way to the proxy: the capture is not blind, and
   * whatever left before is in it.
   */
  private async drain(): Promise<void> {
    if (this.blind !== undefined) return;
    const from = realTimeNow();
    for (const end = performance.now() + PATIENCE; performance.now() < end; await pause(20)) {
      const { inside } = this.wish;
      await Promise.all(
        [...inside].map(([name, address]) =>
          ping('-q', '-c', '1', '-W', '0.2', '-s', String(SENTINEL), '-I', name, address),
        ),
      );
      if (await this.sees(from)) return;
    }
    const broken = this.captures.find((capture) => capture.broken !== undefined)?.broken?.message;
    this.blind = broken ?? 'the tunnels’ own packets to their proxies were not in it';
  }

  /** What left since the last time that this was asked; each packet comes once. */
  async news(): Promise<Seen> {
    const until = realTimeNow();
    await this.orBlind(() => this.drain());
    const since = this.cut;
    this.cut = until;
    const { endpoints, published, neighbours } = this.wish;
    const within = ({ time }: Leak): boolean => time >= since && time < until;
    const [stray, asked, fragments] = await Promise.all(
      [strayFilter(endpoints, published), NEIGHBOUR_FILTER, fragmentFilter(endpoints)].map((filter) =>
        this.read(filter),
      ),
    );
    const leaks = [...(stray ?? []), ...strangersAmong(asked ?? [], neighbours)].sort(
      (a, b) => a.time - b.time,
    );
    return { leaks: leaks.filter(within), fragments: (fragments ?? []).filter(within) };
  }

  /** Ends it, for good; it is blind where it lost a packet. */
  async close(): Promise<void> {
    if (this.blind === undefined)
      await this.orBlind(() => Promise.all(this.captures.map((capture) => capture.stop())));
    if (this.blind !== undefined) await this.abandon();
  }

  async abandon(): Promise<void> {
    await Promise.all(this.captures.map((capture) => capture.abandon()));
  }

  private async sees(since: number): Promise<boolean> {
    const texts = await this.printed(sentinelFilter(this.wish.endpoints));
    return texts.some(([, text]) => timesIn(text).some((time) => time >= since));
  }

  private async read(filter: string): Promise<Leak[]> {
    const texts = await this.printed(filter);
    return texts.flatMap(([device, text]) => packetsIn(text, device));
  }

  /** What tcpdump prints of each capture so far; its last packet may be half there, which it says at its end. */
  private printed(filter: string): Promise<[string, string][]> {
    return Promise.all(
      this.captures.map(async ({ device, file }): Promise<[string, string]> => {
        try {
          return [device, (await tell(['tcpdump', '-n', '-tt', '-q', '-r', file, filter])).text];
        } catch (error) {
          // Then it is blind anyway, and says so.
          if (error instanceof Missing) return [device, ''];
          throw error;
        }
      }),
    );
  }
}
