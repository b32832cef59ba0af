/** What a capture on the real interfaces holds: pcap filters, and the reading of tcpdump's lines. Pure. */
import { BlockList, isIPv6 } from 'node:net';
import { leakFilter, type Published } from '../collect/leak.ts';
import { hostOf } from './exits.ts';

/** A packet that left a real interface. */
export interface Leak {
  /** Seconds since 1970. */
  time: number;
  device: string;
  /** `UDP`, `TCP`, `ICMP`, `ICMP6`, `ARP` or what else tcpdump calls it. */
  protocol: string;
  from: string;
  /** With the port, where there is one: `192.0.2.1.53`. */
  to: string;
  /** As tcpdump prints it, without the time. */
  text: string;
}

const anyOf = (terms: readonly string[]): string => `(${terms.join(' or ')})`;
const each = (endpoints: readonly string[], term: (host: string) => string): string =>
  anyOf([...new Set(endpoints.map(hostOf))].map(term));

/** Bytes of an ICMP echo's data by which our own pings through the tunnels are known, in the size of what carries them. */
export const SENTINEL = 457;
/** IP and ICMP headers; then WireGuard's padding to 16, its header and tag, and UDP's header. */
const OUTER = Math.ceil((SENTINEL + 28) / 16) * 16 + 32 + 8;
/** UDP's length with an initiation of a handshake in it. */
const INITIATION = 148 + 8;

/** A tunnel's own UDP to its proxy, known by its size. */
export const sentinelFilter = (endpoints: readonly string[]): string => {
  const sizes = [OUTER, INITIATION].flatMap((size) => [`udp[4:2] = ${size}`, `ip6[44:2] = ${size}`]);
  return `(udp and ${each(endpoints, (host) => `dst host ${host}`)} and ${anyOf(sizes)})`;
};

/** Pieces of what was too large for the way to a proxy, the first ones aside. */
export const fragmentFilter = (endpoints: readonly string[]): string =>
  each(endpoints, (host) =>
    isIPv6(host) ? `(ip6[6] = 44 and dst host ${host})` : `(ip[6:2] & 0x1fff != 0 and dst host ${host})`,
  );

/** What may not leave: all but the tunnels' own, whatever is in pieces; and what asks for neighbours is looked at by itself. */
export const strayFilter = (endpoints: readonly string[], published: Published): string =>
  `${leakFilter(endpoints, published)} and not ${fragmentFilter(endpoints)}`;

/** Questions for a neighbour's hardware address: ARP, neighbour discovery. */
export const NEIGHBOUR_FILTER = '((arp and arp[6:2] = 1) or (icmp6 and ip6[40] = 135))';

/** All that a capture has to keep. */
export const captureFilter = (endpoints: readonly string[], published: Published): string =>
  anyOf([
    `(${strayFilter(endpoints, published)})`,
    sentinelFilter(endpoints),
    fragmentFilter(endpoints),
    NEIGHBOUR_FILTER,
  ]);

/** Packets in what `tcpdump -n -tt -q -r` printed. */
export function packetsIn(text: string, device: string): Leak[] {
  return text.split('\n').flatMap((line) => {
    const [, time, rest] = /^(\d+\.\d+) (.+)$/.exec(line) ?? [];
    if (time === undefined || rest === undefined) return [];
    const arp = /^ARP, (?:Ethernet \S+ \S+, )?Request who-has (\S+?),? (?:\(\S+\) )?tell (\S+?),/.exec(rest);
    const ip = /^IP6? (?:\([^)]*\) )?(\S+) > (\S+): (.*)$/.exec(rest);
    const protocol = arp ? 'ARP' : (/^[\w-]+/.exec(ip?.[3] ?? rest)?.[0] ?? '?').toUpperCase();
    const from = arp?.[2] ?? ip?.[1] ?? '?';
    const to = arp?.[1] ?? ip?.[2] ?? '?';
    return [{ time: Number(time), device, protocol, from, to, text: rest }];
  });
}

/** Seconds since 1970 of each packet. */
export const timesIn = (text: string): number[] =>
  [...text.matchAll(/^(\d+\.\d+) /gm)].map(([, time]) => Number(time));

/**
 * Questions for neighbours that are none: something was about to leave to that address. `neighbours`: networks of the
 * interface, and addresses beside them.
 */
export function strangersAmong(asked: readonly Leak[], neighbours: readonly string[]): Leak[] {
  const known = new BlockList();
  for (const network of [...neighbours, 'fe80::/10']) {
    const [address = '', length] = network.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (length === undefined) known.addAddress(address, family);
    else known.addSubnet(address, Number(length), family);
  }
  return asked.filter(({ protocol, to, text }) => {
    const address = protocol === 'ARP' ? to : /who has ([0-9a-f:.]+)/.exec(text)?.[1];
    return address !== undefined && !known.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  });
}

/** `15:55:30.123 UDP 192.0.2.2.4711 > 203.0.113.9.53`, in this machine's time zone. */
export function leakText({ time, protocol, from, to, device }: Leak): string {
  const date = new Date(time * 1000);
  const part = (value: number, digits = 2): string => String(value).padStart(digits, '0');
  const clock = `${part(date.getHours())}:${part(date.getMinutes())}:${part(date.getSeconds())}.${part(date.getMilliseconds(), 3)}`;
  return `${clock} ${device} ${protocol} ${from} > ${to}`;
}
