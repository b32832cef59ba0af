/** Holds each state of a client against a capture of its real interface's cable. */
import assert from 'node:assert/strict';
import { type Capture, capture, leakFilter } from '../../scripts/lib/lab/capture.ts';
import type { Lab } from '../../scripts/lib/lab/lab.ts';
import { attempt } from '../../scripts/lib/transport/local.ts';
import { KINDS, type Probers, type Tried } from './prober.ts';

/** A packet on the wire that is none of the tunnels': when, seconds since 1970, and tcpdump's words. */
export interface Packet {
  time: number;
  what: string;
}

/** The packets of a capture file that match a filter; its last one may still be written. */
export async function packetsIn(file: string, filter = 'not arp'): Promise<Packet[]> {
  const { stdout } = await attempt(['tcpdump', '-tt', '-n', '-r', file, filter]);
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => ({ time: Number.parseFloat(line), what: line }));
}

/** Probes between two counts, all kinds together; fails where a kind was not tried. */
export function probesBetween(before: Tried, after: Tried): number {
  const more = Object.keys(KINDS).map((kind) => [kind, (after[kind] ?? 0) - (before[kind] ?? 0)] as const);
  const idle = more.filter(([, count]) => count <= 0).map(([kind]) => kind);
  assert.deepEqual(idle, [], 'kinds that were not tried');
  return more.reduce((sum, [, count]) => sum + count, 0);
}

/** What a state came to. */
export interface Row {
  state: string;
  probes: number;
  past: Packet[];
}

export class LeakWatch {
  readonly rows: Row[] = [];
  private readonly lab: Lab;
  private readonly probers: Probers;
  private readonly name: string;
  private capture: Capture | undefined;
  private filter = 'not arp';

  constructor(lab: Lab, probers: Probers, name: string) {
    this.lab = lab;
    this.probers = probers;
    this.name = name;
  }

  /** From here on all that leaves past the tunnels counts, but for what `except` matches. */
  async start(except?: string): Promise<void> {
    this.capture = await capture(this.lab, this.name, leakFilter(this.lab));
    if (except !== undefined) this.filter = `not arp and not (${except})`;
  }

  packets(filter = this.filter): Promise<Packet[]> {
    return packetsIn(this.capture?.file ?? '', filter);
  }

  /** Brings a state about, lets every kind be tried some times in it, and ends it; what left meanwhile. */
  async state(
    state: string,
    enter: () => Promise<unknown>,
    leave: () => Promise<unknown>,
    except?: string,
  ): Promise<Row> {
    const filter = except === undefined ? this.filter : `${this.filter} and not (${except})`;
    const [known, before] = [(await this.packets(filter)).length, this.probers.tried()];
    await enter();
    await this.probers.rounds(4);
    await leave();
    await this.probers.rounds(1);
    const row = {
      state,
      probes: probesBetween(before, this.probers.tried()),
      past: (await this.packets(filter)).slice(known),
    };
    this.rows.push(row);
    return row;
  }

  /** Ends the capture; fails where it had gone blind. */
  async stop(): Promise<void> {
    await this.capture?.stop();
  }
}

/** The first packets, in words: which state, when, what. */
export const inWords = ({ state, past }: Row): string =>
  past
    .slice(0, 8)
    .map(({ time, what }) => `${state}: ${new Date(time * 1000).toISOString()} ${what}`)
    .join('\n');
