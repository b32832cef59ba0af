/** What the keys of config.cfg say against each other. */
import { isIPv6 } from 'node:net';
import { canonicalAddress } from '../inventory/address.ts';
import { show } from '../text.ts';
import { compClientAddress, isClientAddress, LEAST_MTU_WITH_IPV6, twinOf } from './addresses.ts';
import type { Read } from './schema.ts';

export interface Problem {
  path: readonly PropertyKey[];
  what: string;
  /** A key of the top that is not there, and so has no line. */
  absent?: boolean;
}

export const bare = (address: string): string => address.replace('/32', '');

/** `vpns[1].name` as people count: `vpns, entry 2, name`. */
export const nameOf = (path: readonly PropertyKey[]): string =>
  path.map((step) => (typeof step === 'number' ? `entry ${step + 1}` : String(step))).join(', ');

/** What no key shows alone; of how packets travel only where `ways` are asked for. */
export const contradictions = (read: Read, ways: boolean): Problem[] => [
  ...gatewayProblems(read),
  ...(ways ? wayProblems(read) : []),
  ...nameProblems(read),
];

function gatewayProblems(read: Read): Problem[] {
  const subnet = read.wireguard_subnet;
  const gateway = bare(read.wireguard_gateway_address);
  const problems: Problem[] = [];
  const bad = (path: PropertyKey[], what: string): number => problems.push({ path, what });

  const last = Number(gateway.split('.')[3]);
  if (!gateway.startsWith(`${subnet}.`) || last === 0 || last === 255)
    bad(
      ['wireguard_gateway_address'],
      `wireguard_gateway_address is ${gateway}: expected an address from ${subnet}.1 to ${subnet}.254, of wireguard_subnet`,
    );
  else if (isClientAddress({ wireguardSubnet: subnet }, gateway))
    bad(
      ['wireguard_gateway_address'],
      `wireguard_gateway_address is ${gateway}: ${subnet}.5 to ${subnet}.100 are the client's own, expected another such as ${subnet}.2/32`,
    );
  return problems;
}

/** Of mode, TCP, IPv6 and resolver, each of which a flag may set for one command. */
function wayProblems(read: Read): Problem[] {
  const subnet = read.wireguard_subnet;
  const network = { wireguardSubnet: subnet };
  const problems: Problem[] = [];
  const bad = (path: PropertyKey[], what: string): number => problems.push({ path, what });
  if (isClientAddress(network, read.dns))
    bad(['dns'], `dns is ${read.dns}: ${subnet}.5 to ${subnet}.100 are the client's own addresses`);
  if (isIPv6(read.dns) && read.mode === 'quic')
    bad(['dns'], `dns is ${read.dns}: mode quic carries IPv4 only, expected the IPv4 address of a resolver`);
  else if (isIPv6(read.dns) && !read.wireguard_ipv6)
    bad(['dns'], `dns is ${read.dns}: an IPv6 address needs wireguard_ipv6: true, which lets IPv6 into wg0`);
  if (isIPv6(read.dns) && canonicalAddress(read.dns) === twinOf(compClientAddress(network)))
    bad(['dns'], `dns is ${read.dns}: that is the client's own address`);
  if (read.wireguard_ipv6 && read.wireguard_mtu < LEAST_MTU_WITH_IPV6)
    bad(
      ['wireguard_mtu'],
      `wireguard_mtu is ${read.wireguard_mtu}: with wireguard_ipv6: true at least ${LEAST_MTU_WITH_IPV6} is expected, as IPv6 needs 1280 inside wg0`,
    );
  if (read.wireguard_ipv6 && read.mode === 'quic')
    bad(['wireguard_ipv6'], 'wireguard_ipv6 is true: mode quic carries IPv4 only, expected false');
  if (read.allow_tcp === 'sticky' && read.mode === 'wireguard')
    bad(
      ['allow_tcp'],
      'allow_tcp is sticky: in mode wireguard all TCP goes through wg0, and no switch breaks it; expected none, or mode: quic',
    );
  return problems;
}

function nameProblems(read: Read): Problem[] {
  const problems: Problem[] = [];
  const bad = (path: PropertyKey[], what: string): number => problems.push({ path, what });
  const seen = new Map<string, string>();
  for (const list of ['vpns', 'comps', 'clients'] as const)
    for (const [i, { name }] of (read[list] ?? []).entries()) {
      const first = seen.get(name.toLowerCase());
      if (first !== undefined)
        bad(
          [list, i, 'name'],
          `${nameOf([list, i, 'name'])} is ${show(name)}: ${first} has that name already`,
        );
      else seen.set(name.toLowerCase(), nameOf([list, i]));
    }
  return problems;
}
