/** Measures one case in the lab: a stream each way, or numbered packets. */
import { capture, leakFilter } from '../../scripts/lib/lab/capture.ts';
import { pause } from '../../scripts/lib/poll.ts';
import { setLine } from '../lab.ts';
import { type Case, isCounted, isFree } from './cases.ts';
import { type Mover, startMover } from './movers.ts';
import type { Packets, Rig, Stream } from './rig.ts';
import { packetsSent } from './shares.ts';
import { between, type Log, type Stamp } from './stamps.ts';

/** How much of each is measured. */
export interface Extent {
  rounds: number;
  /** Of a stream, a way, on a line of so many Mbit/s; and as fast as this computer's processors carry it. */
  line_seconds: number;
  line_mbit: number;
  free_seconds: number;
  /** Of switching with nothing else to do, for its intervals. */
  idle_seconds: number;
  packets: number;
  packets_per_second: number;
  /** Of the long run; see `isCounted`. */
  counted_packets: number;
  counted_packets_per_second: number;
}

export interface Ways {
  up: Stream;
  down: Stream;
}

export interface Streams {
  line: Ways;
  free: Ways | null;
  /** Packets that the client sent past the tunnels meanwhile. */
  past: number;
}

export interface Traffic {
  packets: Packets;
  /** The long run. */
  counted: Packets | null;
  past: number;
  /** Packets a path on the wire in the long run, by interface; without a mover there is one path. */
  paths: Record<string, number> | null;
  /** Seconds of the processors for each second of the first run; null without a mover. */
  cost: number | null;
  log: Log | null;
  /** Switches while there was nothing to carry. */
  idle: Stamp[];
}

/** What is measured while a case's mover is at work, with its log, and the packets that the client sent past the tunnels. */
async function under<T>(
  { lab }: Rig,
  one: Case,
  work: (mover: Mover | undefined) => Promise<T>,
): Promise<T & { log: Log | null; past: number }> {
  const leak = await capture(lab, 'past', leakFilter(lab));
  let mover: Mover | undefined;
  try {
    mover = await startMover(lab, one);
    const result = await work(mover);
    const log = (await mover?.stop()) ?? null;
    return { ...result, log, past: await leak.stop() };
  } catch (error) {
    // The first trouble is the one to tell.
    await mover?.stop().catch(() => undefined);
    await leak.stop().catch(() => undefined);
    throw error;
  }
}

async function ways(rig: Rig, seconds: number): Promise<Ways> {
  const up = await rig.stream('up', seconds);
  return { up, down: await rig.stream('down', seconds) };
}

/** Streams up and down under a case's switching: on the line, and then without one where `isFree` says so. */
export async function measureStreams(rig: Rig, one: Case, extent: Extent): Promise<Streams> {
  await rig.prepare(one);
  const { line, free, past } = await under(rig, one, async () => {
    await setLine(rig.lab, extent.line_mbit);
    const line = await ways(rig, extent.line_seconds);
    await setLine(rig.lab, undefined);
    return { line, free: isFree(one) ? await ways(rig, extent.free_seconds) : null };
  });
  return { line, free, past };
}

const now = (): number => Date.now() / 1000;

/** Numbered packets under a case's switching; before them some seconds of switching alone. */
export async function measurePackets(rig: Rig, one: Case, extent: Extent): Promise<Traffic> {
  await rig.prepare(one);
  const { from, to, ...rest } = await under(rig, one, async (mover) => {
    const from = now();
    if (one.period !== null) await pause(extent.idle_seconds * 1000);
    const to = now();
    const had = mover?.cost() ?? 0;
    const packets = await rig.packets(extent.packets_per_second, extent.packets);
    const cost = mover === undefined ? null : (mover.cost() - had) / (now() - to);
    if (!isCounted(one)) return { from, to, packets, cost, counted: null, paths: null };
    const sent = await packetsSent(rig.lab);
    const counted = await rig.packets(extent.counted_packets_per_second, extent.counted_packets);
    return { from, to, packets, cost, counted, paths: await packetsSent(rig.lab, sent) };
  });
  return { ...rest, idle: between(rest.log?.stamps ?? [], from, to) };
}
