import { Fault } from '../cli.ts';
import { canonicalAddress } from '../inventory/address.ts';

/** Last numbers of the client's own addresses: 5 in the tunnel to proxy 1 and upwards, 100 in the comp server's. */
const FIRST_PROXY = 5;
const COMP = 100;

export interface Network {
  /** The first three numbers of every address inside the tunnels: `10.45.0`. */
  wireguardSubnet: string;
}

/** Proxies that a network has room for: beyond, the client's addresses would meet the comp server's. */
export const MAX_PROXIES = COMP - FIRST_PROXY;

/** The client's own address in the tunnel to proxy `index` (from 1): `10.45.0.5`, `10.45.0.6`, … */
export function clientAddress({ wireguardSubnet: subnet }: Network, index: number): string {
  if (!Number.isInteger(index) || index < 1)
    throw new RangeError(`proxies are numbered from 1, this is ${index}`);
  if (index > MAX_PROXIES)
    throw new Fault({
      what: `proxy ${index} has no address left in ${subnet}.0/24: it has room for ${MAX_PROXIES} proxies (.${FIRST_PROXY} to .${COMP - 1})`,
      next: `take hosts out of [vpn] until there are ${MAX_PROXIES} or fewer`,
    });
  return `${subnet}.${FIRST_PROXY + index - 1}`;
}

/** The client's own address in the tunnel to the comp server: `10.45.0.100`. */
export const compClientAddress = ({ wireguardSubnet: subnet }: Network): string => `${subnet}.${COMP}`;

/** Bytes of the largest packet in a wgnet that config.cfg may ask for: IPv6's least, and Ethernet's jumbo frames. */
export const LEAST_MTU = 1280;
export const MOST_MTU = 9000;

/** What wg0's packets cost inside a wgnet, and the least that IPv6 needs on wg0. */
export const LEAST_MTU_WITH_IPV6 = LEAST_MTU + 60;

/**
 * The IPv6 address that goes with an address of the tunnels: of the range that nobody reaches over the Internet (RFC 4193),
 * with the same numbers, so that a person sees which belong together. `10.45.0.100` has `fd00:10:45::100`.
 */
export function twinOf(address: string): string {
  const [a, b, c, d] = address.split('.');
  return canonicalAddress(`fd00:${a}:${b}:${c}::${d}`);
}

/** The twins' own network: `fd00:10:45::/64`. */
export const twinNetwork = ({ wireguardSubnet }: Network): string => `${twinOf(`${wireguardSubnet}.0`)}/64`;

/** Whether the client itself has or may get this address. */
export function isClientAddress({ wireguardSubnet: subnet }: Network, address: string): boolean {
  const last = address.startsWith(`${subnet}.`) ? Number(address.slice(subnet.length + 1)) : -1;
  return last >= FIRST_PROXY && last <= COMP;
}

/** Whether `A.B.C` (a /24) is of a range that nobody reaches over the Internet: RFC 1918, 6598 or 2544. */
export function isPrivateSubnet(subnet: string): boolean {
  const [a = 0, b = 0] = subnet.split('.').map(Number);
  return (
    a === 10 ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 100 && b >= 64 && b < 128) ||
    (a === 198 && (b === 18 || b === 19))
  );
}
