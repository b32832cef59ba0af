/** Traces that others wrote: `.cell` and CSV lines, captures. Pure. */
import { type Packet, readPcap } from '../../../client/scripts/lib/trace/pcap.ts';
import type { TracePacket } from './trace.ts';

/** A line of a trace; `problem`: what is wrong with it. */
type Parsed = TracePacket | { problem: string };

const number = (text: string | undefined): number =>
  text === undefined || text.trim() === '' ? Number.NaN : Number(text);

/** Seconds; beyond it they are milliseconds or less, and lose their microseconds. */
const LATEST = 1e11;

function packetFrom(time: number, signed: number, size: number): Parsed {
  if (!Number.isFinite(time)) return { problem: 'its time is no number' };
  if (Math.abs(time) >= LATEST) return { problem: `its time is ${time}: are times seconds?` };
  if (!Number.isFinite(signed) || signed === 0) return { problem: 'its direction is no number other than 0' };
  if (!(Number.isFinite(size) && size >= 0)) return { problem: 'its size is no number from 0 on' };
  return { time, direction: signed > 0 ? 1 : -1, size, path: 0 };
}

/**
 * `time<TAB>direction[<TAB>size]`; a direction other than ±1 is a signed size, as some data sets have it, and a packet
 * without a size has size 1.
 */
export function parseCell(line: string): Parsed {
  const fields = line.trim().split(/\s+/);
  if (fields.length < 2 || fields.length > 3)
    return { problem: 'not time, direction, size with tabs between' };
  const [time, signed, size] = fields.map(number) as [number, number, number | undefined];
  return packetFrom(time, signed, size ?? Math.abs(signed));
}

/** `time,signed_size`. */
export function parseCsv(line: string): Parsed {
  const fields = line.trim().split(',');
  if (fields.length !== 2) return { problem: 'not time,signed_size' };
  const [time, signed] = fields.map(number) as [number, number];
  return packetFrom(time, signed, Math.abs(signed));
}

/** RFC 1918, RFC 6598, RFC 4193 (IPv6 as eight groups). */
const isPrivate = (address: string): boolean =>
  /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd]..:)/.test(
    address,
  );

/** The client of a capture: of its first packet's two ends the private one, else the sender; undefined without an IP packet. */
export function guessClient(bytes: Buffer): string | undefined {
  const ends: string[] = [];
  readPcap(bytes, (address) => {
    if (ends.length < 2) ends.push(address);
    return false;
  });
  const [from, to] = ends;
  if (from === undefined || to === undefined) return from;
  return !isPrivate(from) && isPrivate(to) ? to : from;
}

export const isPacket = (parsed: Parsed | Packet): parsed is TracePacket => 'direction' in parsed;
