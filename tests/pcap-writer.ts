/** Classic pcap files for tests, made packet by packet; https://www.tcpdump.org/manpages/pcap-savefile.5.html. */

export interface MadePacket {
  /** Microseconds since 1970. */
  us: number;
  /** The packet from its link layer on, as far as it is captured. */
  bytes: Buffer;
  /** Bytes on the wire, link layer included; as many as captured unless given. */
  wire?: number;
}

export interface PcapForm {
  /** Link type; 101, raw IP, unless given. */
  link?: number;
  nano?: boolean;
  bigEndian?: boolean;
}

/** The bytes of a capture. */
export function pcapBytes(packets: readonly MadePacket[], form: PcapForm = {}): Buffer {
  const { link = 101, nano = false, bigEndian = false } = form;
  const words = (...values: number[]): Buffer => {
    const bytes = Buffer.alloc(4 * values.length);
    for (const [i, value] of values.entries())
      if (bigEndian) bytes.writeUInt32BE(value, 4 * i);
      else bytes.writeUInt32LE(value, 4 * i);
    return bytes;
  };
  const version = Buffer.from(bigEndian ? [0, 2, 0, 4] : [2, 0, 4, 0]);
  const parts = [words(nano ? 0xa1b23c4d : 0xa1b2c3d4), version, words(0, 0, 262144, link)];
  for (const { us, bytes, wire = bytes.length } of packets) {
    const part = (us % 1e6) * (nano ? 1000 : 1);
    parts.push(words(Math.floor(us / 1e6), part, bytes.length, wire), bytes);
  }
  return Buffer.concat(parts);
}

/** An IPv4 packet with a UDP datagram, of `size` bytes in all (28 at least), its payload zeros. */
export function udpPacket(from: string, to: string, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.set([0x45, 0], 0);
  bytes.writeUInt16BE(size, 2);
  bytes.set([64, 17], 8);
  bytes.set(from.split('.').map(Number), 12);
  bytes.set(to.split('.').map(Number), 16);
  bytes.writeUInt16BE(51820, 20);
  bytes.writeUInt16BE(51820, 22);
  bytes.writeUInt16BE(size - 20, 24);
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  bytes.writeUInt16BE(~sum & 0xffff, 10);
  return bytes;
}
