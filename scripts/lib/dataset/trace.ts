/** From records to traces: packets with their paths, in the order of time. Pure. */
import { type Packet, PcapError, readPcap } from '../../../client/scripts/lib/trace/pcap.ts';
import type { TraceRecord } from '../../../client/scripts/lib/trace/record.ts';

export interface TracePacket {
  /** Seconds since 1970, or since the trace's beginning. */
  time: number;
  /** Bytes on the wire. */
  size: number;
  /** +1 from the client, -1 to it. */
  direction: 1 | -1;
  /** Index of the path in the visit's interfaces. */
  path: number;
}

/** Padded standard base64, nothing else (RFC 4648, section 4); undefined for any other text. */
export function decodeBase64(text: string): Buffer | undefined {
  // Node skips what is no base64; only the text itself comes out again as it went in.
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

type Decoded = { packets: Packet[] } | { problem: string };

/** The packets of a record's capture, as they stand in it. */
export function decodeRecord({
  packets,
  client_address,
}: Pick<TraceRecord, 'packets' | 'client_address'>): Decoded & { bytes?: Buffer } {
  const bytes = decodeBase64(packets);
  if (bytes === undefined) return { problem: 'packets: no padded standard base64' };
  try {
    const pcap = readPcap(bytes, client_address);
    if (pcap.cut) return { problem: 'packets: the capture is cut off in a packet' };
    return { packets: pcap.packets, bytes };
  } catch (error) {
    if (error instanceof PcapError) return { problem: `packets: ${error.message}` };
    throw error;
  }
}

/** Seconds between the clock of a capture and that of the collector; more is another time. */
const SLACK = 1;

/** The packets of a success's record, unless they are plainly not those that it tells of. */
export function soundPackets(record: TraceRecord): Decoded {
  const decoded = decodeRecord(record);
  if ('problem' in decoded) return decoded;
  const { started, ended, packets_out, packets_in } = record;
  let out = 0;
  let inward = 0;
  for (const { time, direction } of decoded.packets) {
    if (time < started - SLACK || time > ended + SLACK)
      return { problem: 'packets: some are outside of started to ended' };
    if (direction === 1) out++;
    else if (direction === -1) inward++;
  }
  if (out === packets_out && inward === packets_in) return decoded;
  return {
    problem: `packets: ${out} out and ${inward} in, the record says ${packets_out} and ${packets_in}`,
  };
}

/** Those packets that went to the client or came from it, on a path. */
export function onPath(packets: readonly Packet[], path: number): TracePacket[] {
  return packets.flatMap(({ time, size, direction }) =>
    direction === 0 ? [] : [{ time, size, direction, path }],
  );
}

/** In the order of time; packets of one time stay as they are. */
export const inOrder = (packets: readonly TracePacket[]): TracePacket[] =>
  [...packets].sort((a, b) => a.time - b.time);

/** Times relative to an origin, to the microsecond that a capture has. */
export const since = (time: number, origin: number): number => Math.round((time - origin) * 1e6) / 1e6;
