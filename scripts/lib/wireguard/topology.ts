import { isIPv6 } from 'node:net';
import type { Mode } from '../../../client/scripts/lib/modes.ts';
import { Fault } from '../cli.ts';

/** Marks and tables; fixed, because users type commands against them (network.md). */
export const WG0_MARK = 51820;
export const WGNET_MARK = 51821;

/** Bytes that a WireGuard hop adds to a packet: IP header 20, or IPv6's 40, UDP 8, WireGuard 32. */
const IPV4_HOP = 60;
const IPV6_HOP = 80;

/** What the hop to a server at this address costs, in bytes. */
export const hopTo = (address: string): number => (isIPv6(address) ? IPV6_HOP : IPV4_HOP);

/** What every path is sure to carry: Ethernet's 1500 less the dearer hop, WireGuard's usual 1420. */
const USUAL_MTU = 1420;

/** One server of the network, its address already a number. */
export interface Server {
  /** As the inventory names it. */
  name: string;
  /** IPv4 or IPv6 address at which WireGuard answers. */
  address: string;
}

export interface TunnelPlan {
  /** Interface on the client: `wg0`, `wgnet1`, … */
  interface: string;
  server: Server;
  /** UDP port of the server. */
  port: number;
  /** The client's address inside this tunnel. */
  clientAddress: string;
  /** Its IPv6 one, where this tunnel carries IPv6: wg0 alone may, as a wgnet has nothing but wg0's packets to carry. */
  clientAddress6?: string;
  /**
   * What the server lets this client send from (its peer's allowed IPs). A proxy has no other client, and takes all of
   * the tunnels' network: where a proxy before it goes and the numbers of the later ones change, it serves both addresses.
   */
  allowedIps: string[];
  /** Bytes; the same on both ends. */
  mtu: number;
  /** Firewall mark of the tunnel's own UDP packets on the client. */
  mark: number;
}

export interface Topology {
  mode: Mode;
  /** wgnet1 … wgnetN, in the inventory's order. In mode quic the client has one address on all of them. */
  paths: TunnelPlan[];
  /** Undefined in mode quic, which has no wg0. */
  comp: TunnelPlan | undefined;
}

/** The network of mode wireguard. */
export interface WholeTopology extends Topology {
  mode: 'wireguard';
  comp: TunnelPlan;
}

/** All tunnels: the paths, then wg0 where there is one. */
export const tunnelsOf = ({ paths, comp }: Topology): TunnelPlan[] =>
  comp === undefined ? paths : [...paths, comp];

export interface TopologyInput {
  proxies: Server[];
  /** Undefined in mode quic. */
  comp?: Server | undefined;
  /** UDP port of every server. */
  port: number;
  /** The client's address in the tunnel to proxy K, K from 1; in mode quic the first one's is that of all. */
  pathAddress: (k: number) => string;
  /** The client's address in the tunnel to the comp server. */
  compAddress: string;
  /** Its IPv6 one there; without it IPv6 is closed. */
  compAddress6?: string | undefined;
  /** Bytes of the largest packet in a wgnet. */
  mtu?: number;
}

/** `10.45.0.`, `fd00:10:45::` */
const prefixOf = (tunnelAddress: string): string => tunnelAddress.replace(/[^.:]+$/, '');

/** `10.45.0.0/24`, `fd00:10:45::/64` */
const networkAround = (tunnelAddress: string): string =>
  isIPv6(tunnelAddress) ? `${prefixOf(tunnelAddress)}/64` : `${prefixOf(tunnelAddress)}0/24`;

/**
 * Refuses servers that the network could not tell apart or reach: two at one address (names may resolve to
 * the same), or one whose address lies inside the tunnels, where no packet of theirs could get to it.
 */
function refuseClashes(servers: readonly Server[], tunnelAddress: string): void {
  const prefix = prefixOf(tunnelAddress);
  const network = networkAround(tunnelAddress);
  const seen = new Map<string, string>();
  for (const { name, address } of servers) {
    const other = seen.get(address);
    if (other !== undefined)
      throw new Fault({
        at: name,
        what: `has the same address as ${other}, ${address}: each server needs its own`,
      });
    if (address.startsWith(prefix))
      throw new Fault({
        at: name,
        what: `its address ${address} lies inside the tunnels' own network ${network}`,
        next: 'choose another wireguard_subnet in config.cfg',
      });
    seen.set(address, name);
  }
}

/** The tunnel to the comp server, inside the current path. */
function compTunnel(
  comp: Server,
  { port, compAddress, compAddress6, mtu = USUAL_MTU }: TopologyInput,
): TunnelPlan {
  if (isIPv6(comp.address))
    throw new Fault({
      at: comp.name,
      what: `the comp server is reached through the proxies over IPv4, and ${comp.address} is an IPv6 address`,
      next: 'give its IPv4 address in hosts.ini',
    });
  return {
    interface: 'wg0',
    server: comp,
    port,
    clientAddress: compAddress,
    ...(compAddress6 === undefined ? {} : { clientAddress6: compAddress6 }),
    allowedIps: [compAddress, ...(compAddress6 === undefined ? [] : [compAddress6])],
    // Its packets travel inside a wgnet, which carries IPv4.
    mtu: mtu - hopTo(comp.address),
    mark: WG0_MARK,
  };
}

/**
 * The whole network as tunnels: one to each proxy and, in mode wireguard, one more inside the current one of them. A proxy is
 * the same in both modes.
 */
export function topologyOf(input: TopologyInput & { comp: Server }): WholeTopology;
export function topologyOf(input: TopologyInput): Topology;
export function topologyOf(input: TopologyInput): Topology {
  const { proxies, comp, port, pathAddress, compAddress, compAddress6, mtu = USUAL_MTU } = input;
  const wg0 = comp && compTunnel(comp, input);
  const servers = comp === undefined ? proxies : [...proxies, comp];
  refuseClashes(servers, compAddress);
  if (compAddress6 !== undefined) refuseClashes(servers, compAddress6);
  const paths = proxies.map((server, i) => ({
    interface: `wgnet${i + 1}`,
    server,
    port,
    // With one address on every path a socket's own address survives a switch.
    clientAddress: pathAddress(comp === undefined ? 1 : i + 1),
    allowedIps: [networkAround(compAddress)],
    mtu,
    mark: WGNET_MARK,
  }));
  return { mode: comp === undefined ? 'quic' : 'wireguard', paths, comp: wg0 };
}

/** One address with its length: `10.45.0.5/32`, `fd00:10:45::100/128`; a prefix stays what it is. */
export const asPrefix = (address: string): string =>
  address.includes('/') ? address : `${address}/${isIPv6(address) ? 128 : 32}`;

/** `1.2.3.4:51820`, `[2001:db8::1]:51820`. */
export const endpointText = (address: string, port: number): string =>
  isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
