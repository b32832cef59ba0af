/** The lab's network as lines for `ip -batch`; nothing here runs anything. */
import { nameOf, type Place } from './place.ts';
import {
  addressOf,
  isDroplet,
  isOfCloud,
  privateAddressOf,
  QUIC_SITE,
  RESOLVER,
  type Role,
  twinOf,
} from './roles.ts';

/** Bridges in the router namespace, each the gateway of its network. None leads out of this computer. */
const BRIDGES = { cloud0: '198.51.100.1', home0: '192.0.2.1', inet0: '203.0.113.1' } as const;

interface Link {
  bridge: keyof typeof BRIDGES;
  /** The interface's name inside; a droplet's is not eth0, so that nobody can rely on that. */
  device: 'eth0' | 'ens3';
  addresses: string[];
  gateway: string | undefined;
}

function addressesOf(role: Role): string[] {
  const own = addressOf(role);
  if (role === 'inet') return [own, QUIC_SITE, RESOLVER];
  return isOfCloud(role) ? [own, privateAddressOf(role)] : [own];
}

/** How a role is connected to the router. */
export function linkOf(role: Exclude<Role, 'net'>): Link {
  const bridge = role === 'client' || role === 'engine' ? 'home0' : role === 'inet' ? 'inet0' : 'cloud0';
  return {
    bridge,
    device: isDroplet(role) ? 'ens3' : 'eth0',
    addresses: addressesOf(role),
    gateway: role === 'ctl' ? undefined : BRIDGES[bridge],
  };
}

/** Whether a role has IPv6 in a lab with IPv6: all but the containers' host. */
const hasIpv6 = (role: Role, ipv6: boolean): boolean => ipv6 && role !== 'engine';

/** Kernel settings of a new namespace: what a fresh machine has, whatever this computer's own are. */
export function sysctlsOf(role: Role, ipv6 = false): string[] {
  if (role === 'net')
    return [
      ...(ipv6 ? ['net.ipv6.conf.all.disable_ipv6=0', 'net.ipv6.conf.all.forwarding=1'] : []),
      'net.ipv4.ip_forward=1',
      'net.ipv4.conf.all.send_redirects=0',
      'net.ipv4.conf.default.send_redirects=0',
    ];
  const fresh = [
    'net.ipv4.ip_forward=0',
    'net.ipv4.conf.all.rp_filter=2',
    'net.ipv4.conf.default.rp_filter=2',
    ...(hasIpv6(role, ipv6) ? ['net.ipv6.conf.all.disable_ipv6=0', 'net.ipv6.conf.all.forwarding=0'] : []),
  ];
  // Only a containers' host, so all that leaves it is to be theirs: none of its kernel's own greetings.
  return role === 'engine' ? [...fresh, 'net.ipv6.conf.all.disable_ipv6=1'] : fresh;
}

/** Usable at once: nobody is asked first whether he has it already. */
const addLine6 = (address: string, device: string): string =>
  `addr add ${twinOf(address)}/64 dev ${device} nodad`;

/** Inside the router: the bridges. */
export const routerLines = (ipv6 = false): string[] => [
  'link set lo up',
  ...Object.entries(BRIDGES).flatMap(([bridge, address]) => [
    `link add ${bridge} type bridge`,
    `addr add ${address}/24 dev ${bridge}`,
    ...(ipv6 ? [addLine6(address, bridge)] : []),
    `link set ${bridge} up`,
  ]),
];

/** A role's hardware address, made of its IPv4 address: a machine that is started again keeps it. */
export const macOf = (role: Role): string =>
  [
    '02',
    '00',
    ...addressOf(role)
      .split('.')
      .map((byte) => Number(byte).toString(16).padStart(2, '0')),
  ].join(':');

/** From outside: the cable between a role and the router, whose end there is called like the role. */
export const cableLine = (place: Place, role: Exclude<Role, 'net'>): string =>
  `link add name ${linkOf(role).device} address ${macOf(role)} netns ${nameOf(place, role)} type veth ` +
  `peer name ${role} netns ${nameOf(place, 'net')}`;

/** Inside the router: the role's cable goes into its bridge. */
export const portLines = (role: Exclude<Role, 'net'>): string[] => [
  `link set ${role} master ${linkOf(role).bridge}`,
  `link set ${role} up`,
];

/** Inside the role's own namespace: address and way out. */
export function deviceLines(role: Exclude<Role, 'net'>, ipv6 = false): string[] {
  const { device, addresses, gateway } = linkOf(role);
  // A droplet's private address has none.
  const twins = hasIpv6(role, ipv6) ? addresses.filter((address) => !address.startsWith('10.')) : [];
  return [
    'link set lo up',
    // Every packet is on the cable as it would be on a real one, and so in a capture: none joined to others.
    `link set ${device} gso_max_segs 1`,
    ...addresses.map((address) => `addr add ${address}/24 dev ${device}`),
    ...twins.map((address) => addLine6(address, device)),
    `link set ${device} up`,
    ...(gateway === undefined ? [] : [`route add default via ${gateway}`]),
    ...(gateway === undefined || twins.length === 0 ? [] : [`route add default via ${twinOf(gateway)}`]),
  ];
}
