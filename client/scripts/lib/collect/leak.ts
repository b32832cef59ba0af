/** What may leave this machine, and by which interfaces anything could. */
import { Fault } from '../fault.ts';
import { askIp } from '../ip.ts';
import { ask } from '../process.ts';

/** Interfaces by which a packet could leave this machine past the tunnels, from `ip -j link show`. */
export function realInterfaces(json: string): string[] {
  const links = JSON.parse(json) as { ifname: string; link_type: string; flags: string[] }[];
  const real = links.filter(
    ({ ifname, link_type, flags }) =>
      link_type !== 'loopback' && flags.includes('UP') && !/^(wg0|wgnet[1-9]\d*)$/.test(ifname),
  );
  return real.map(({ ifname }) => ifname);
}

/** The real interfaces of this network namespace that are up; throws a Fault where there is none. */
export function existingRealInterfaces(): string[] {
  const names = realInterfaces(askIp('-j', 'link', 'show'));
  if (names.length > 0) return names;
  throw new Fault({ what: 'no interface but the tunnels is up: no packet can leave', next: 'ip link' });
}

/** Answers of ports that this machine publishes to its own networks: setup.sh lets them out. */
export interface Published {
  ports: number[];
  networks: string[];
}

/** What setup.sh's table `inet comps` lets answer, in what `nft list table` printed. */
export function publishedIn(table: string): Published {
  const rule = /ct direction reply tcp sport (?:\{ ([\d, ]+) \}|(\d+)) ip daddr @neighbours accept/.exec(
    table,
  );
  const elements = /set neighbours \{[\s\S]*?elements = \{([^}]*)\}/.exec(table)?.[1] ?? '';
  const list = (text: string): string[] => text.split(',').map((word) => word.trim());
  if (rule === null || elements === '') return { ports: [], networks: [] };
  return { ports: list(rule[1] ?? rule[2] ?? '').map(Number), networks: list(elements) };
}

/** As {@link publishedIn}, of this machine; nothing where the table is not there or cannot be read. */
export function published(): Published {
  try {
    return publishedIn(ask(['nft', 'list', 'table', 'inet', 'comps'], 'apt-get install nftables'));
  } catch (error) {
    if (error instanceof Fault) return { ports: [], networks: [] };
    throw error;
  }
}

const anyOf = (terms: readonly string[]): string => `(${terms.join(' or ')})`;

/**
 * DHCP's question: to everybody on the link, by a program that no rule decides about, and without which a machine would
 * lose its address: setup.sh lets it out. It names this machine's card alone.
 */
const DHCP = '(udp src port 68 and dst port 67 and dst host 255.255.255.255)';
/** The same of IPv6, which is let out where a proxy has an address of that. */
const DHCP6 = '(udp src port 546 and dst port 547 and dst host ff02::1:2)';

/**
 * What may not leave a real interface, for pcap-filter(7): all but the tunnels' own UDP to their proxies, answers of
 * published ports, what finds a neighbour's hardware address (ARP; neighbour discovery, RFC 4861), and DHCP's question.
 * What comes in from the proxies is left out too, as there is much of it. No `outbound`: libpcap itself looks at the
 * first packet of a capture, and cannot read that word there.
 */
export function leakFilter(endpoints: readonly string[], { ports, networks }: Published): string {
  const tunnels = [...new Set(endpoints)].flatMap((endpoint) => {
    const [, v6, v4, port] = /^(?:\[(.+)\]|(.+)):(\d+)$/.exec(endpoint) ?? [];
    return ['dst', 'src'].map((end) => `(udp ${end} port ${port} and ${end} host ${v6 ?? v4})`);
  });
  const toIpv6 = endpoints.some((endpoint) => endpoint.startsWith('['));
  // Towards an IPv6 proxy the kernel also asks for a router, again and again where none announces itself.
  const kinds = [135, 136, ...(toIpv6 ? [133] : [])];
  const neighbours = `(icmp6 and ${anyOf(kinds.map((kind) => `ip6[40] = ${kind}`))})`;
  const allowed = ['arp', neighbours, DHCP, ...(toIpv6 ? [DHCP6] : []), ...tunnels];
  if (ports.length > 0) {
    const from = anyOf(ports.map((port) => `src port ${port}`));
    const to = anyOf(networks.map((network) => `dst net ${network}`));
    // An answer: no packet that opens a connection.
    allowed.push(`(tcp and ${from} and ${to} and tcp[tcpflags] & (tcp-syn|tcp-ack) != tcp-syn)`);
  }
  return `not ${anyOf(allowed)}`;
}

/** The endpoints of all wgnetN there are, also of those that a run leaves out. */
export function allEndpoints(): string[] {
  const text = ask(['wg', 'show', 'all', 'endpoints'], 'apt-get install wireguard-tools');
  const rows = [...text.matchAll(/^(wgnet\d+)\t\S+\t(\S+:\d+)$/gm)];
  return rows.map(([, , endpoint = '']) => endpoint);
}
