/**
 * Classic pcap files (https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcap/): a header of 24 bytes, then for each
 * packet 16 bytes (seconds, micro- or nanoseconds, bytes captured, bytes on the wire) and the captured bytes.
 */

/** Bytes of a capture without a packet. */
export const PCAP_HEADER = 24;
const RECORD_HEADER = 16;

export interface Packet {
  /** Seconds since 1970. */
  time: number;
  /** Bytes on the wire of the interface, without a link layer's header. */
  size: number;
  /** +1 from the client, -1 to it, 0 for a packet that is neither. */
  direction: 1 | -1 | 0;
  /** Of IPv4 and where it was asked for: the number of what it carries ({@link TCP}, {@link UDP}, …), and the ports of the other end and of this one. */
  protocol?: number;
  port?: number;
  own?: number;
}

/** Protocols by IP's numbers. */
export const TCP = 6;
export const UDP = 17;

export interface Pcap {
  packets: Packet[];
  /** Its last packet is not there in full: whoever wrote it was cut off. */
  cut: boolean;
}

/** Bytes of the link layer's header by link type (https://www.tcpdump.org/linktypes.html). */
const LINK_HEADERS: Record<number, number> = {
  // BSD loopback; Ethernet; raw IP in its three numbers; Linux cooked 1 and 2.
  ...{ 0: 4, 1: 14, 12: 0, 14: 0, 101: 0, 113: 16, 276: 20 },
};

/** The reading of a file that is no pcap throws this. */
export class PcapError extends Error {}

interface Layout {
  u32: (at: number) => number;
  /** Of a second: 1e6 or 1e9. */
  parts: number;
  link: number;
}

function layoutOf(bytes: Buffer): Layout {
  if (bytes.length < PCAP_HEADER) throw new PcapError('shorter than the header of a pcap file');
  const magic = bytes.readUInt32LE(0);
  const little = magic === 0xa1b2c3d4 || magic === 0xa1b23c4d;
  const big = magic === 0xd4c3b2a1 || magic === 0x4d3cb2a1;
  if (magic === 0x0a0d0d0a) throw new PcapError('a pcapng file; next: editcap -F pcap IN OUT');
  if (!little && !big) throw new PcapError('no pcap file: its first bytes are others');
  const u32 = little ? (at: number) => bytes.readUInt32LE(at) : (at: number) => bytes.readUInt32BE(at);
  const type = u32(20) & 0xffff;
  const link = LINK_HEADERS[type];
  if (link === undefined)
    throw new PcapError(`link type ${type} is none of ${Object.keys(LINK_HEADERS).join(', ')}`);
  return { u32, parts: magic === 0xa1b23c4d || magic === 0x4d3cb2a1 ? 1e9 : 1e6, link };
}

const ipv4 = (bytes: Buffer, at: number): string => bytes.subarray(at, at + 4).join('.');

/** Eight groups in hexadecimal, without `::`. */
const ipv6 = (bytes: Buffer, at: number): string =>
  Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(at + 2 * i).toString(16)).join(':');

/** Source and destination of an IP packet that begins at a byte; undefined where it is none, or cut too short. */
function addressesAt(bytes: Buffer, at: number, captured: number): [string, string] | undefined {
  const version = captured > 0 ? (bytes[at] as number) >> 4 : 0;
  if (version === 4 && captured >= 20) return [ipv4(bytes, at + 12), ipv4(bytes, at + 16)];
  if (version === 6 && captured >= 40) return [ipv6(bytes, at + 8), ipv6(bytes, at + 24)];
  return undefined;
}

/** What an IPv4 packet carries, and its ports; both only as far as they were captured. */
function transportAt(bytes: Buffer, at: number, captured: number, sent: boolean): Partial<Packet> {
  if (captured < 20 || (bytes[at] as number) >> 4 !== 4) return {};
  const protocol = bytes[at + 9] as number;
  const header = 4 * ((bytes[at] as number) & 15);
  // Only the first fragment of a packet has them.
  const ported = [TCP, UDP].includes(protocol) && (bytes.readUInt16BE(at + 6) & 0x1fff) === 0;
  if (!ported || captured < header + 4) return { protocol };
  const [from, to] = [bytes.readUInt16BE(at + header), bytes.readUInt16BE(at + header + 2)];
  return sent ? { protocol, port: to, own: from } : { protocol, port: from, own: to };
}

/**
 * All packets of a capture, in its order. `client`: the client's address, or what tells one from the others (IPv6 as
 * eight groups). `transport`: also what each carries. Throws a {@link PcapError} where it is no pcap file.
 */
export function readPcap(
  bytes: Buffer,
  client: string | ((address: string) => boolean),
  transport = false,
): Pcap {
  const { u32, parts, link } = layoutOf(bytes);
  const isClient = typeof client === 'string' ? (address: string) => address === client : client;
  const directionOf = (addresses: [string, string] | undefined): Packet['direction'] => {
    if (addresses === undefined) return 0;
    if (isClient(addresses[0])) return 1;
    return isClient(addresses[1]) ? -1 : 0;
  };
  const packets: Packet[] = [];
  let at = PCAP_HEADER;
  while (at + RECORD_HEADER <= bytes.length) {
    const captured = u32(at + 8);
    const data = at + RECORD_HEADER;
    if (data + captured > bytes.length) break;
    const direction = directionOf(addressesAt(bytes, data + link, captured - link));
    packets.push({
      time: u32(at) + u32(at + 4) / parts,
      size: Math.max(0, u32(at + 12) - link),
      direction,
      ...(transport && transportAt(bytes, data + link, captured - link, direction === 1)),
    });
    at = data + captured;
  }
  return { packets, cut: at !== bytes.length };
}
