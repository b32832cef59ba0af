/**
 * Who is in a lab, and at which address:
 *
 *     client 192.0.2.2 ──┐          ┌── 203.0.113.80 site, .81 its HTTP/3 ─┐ inet
 *     engine 192.0.2.3 ─ net (router)┴── 203.0.113.53 DNS ──────────────────┘
 *       vpn1… 198.51.100.11… ──┤├── 198.51.100.201… comp1…
 *  droplet1… 198.51.100.101… ──┘└── 198.51.100.250 ctl (no way out of that network)
 *
 * The droplets vpn1… and comp1… are there from its beginning; droplet1… come and go by the lab's own cloud.
 */
import { Fault } from '../cli.ts';

/** A droplet of the lab's own cloud, whatever name it was ordered under. */
export type CloudRole = `droplet${number}`;

export type Role =
  | 'net'
  | 'ctl'
  | 'inet'
  | 'client'
  | 'engine'
  | `vpn${number}`
  | `comp${number}`
  | CloudRole;

/** How many droplets of each group a lab has from its beginning. */
export interface Shape {
  vpn: number;
  comp: number;
}

/**
 * The IPv6 address that goes with a public IPv4 address of a lab, in one that has IPv6: of the range for documentation, with its
 * last two numbers as they are written. `198.51.100.11` has `2001:db8:100::11`.
 */
export function twinOf(address: string): string {
  const [, , network, host] = address.split('.');
  return `2001:db8:${network}::${host}`;
}

export const SITE = '203.0.113.80';
/** Of quic.example.org, the one site with HTTP/3: the others' address has nobody there, so a test can tell them apart. */
export const QUIC_SITE = '203.0.113.81';
/** What the addresses of all its servers begin with: a range for documentation, so no server elsewhere has one. */
export const LAB_SERVERS = '198.51.100.';
export const RESOLVER = '203.0.113.53';
const MOST = { vpn: 64, comp: 9 } as const;

/** Whether the role is a droplet of the lab's own cloud. */
export const isOfCloud = (role: string): role is CloudRole => /^droplet(?:[1-9]|[1-7]\d|80)$/.test(role);

/** The droplets that the lab's own cloud can have, in the order in which their places are taken. */
export const CLOUD_ROLES: readonly CloudRole[] = Array.from(
  { length: 80 },
  (_, i): CloudRole => `droplet${i + 1}`,
);

/** Whether a word is a role that a lab can have. */
export const isRole = (word: string): word is Role =>
  isOfCloud(word) || /^(?:net|ctl|inet|client|engine|vpn(?:[1-9]|[1-5]\d|6[0-4])|comp[1-9])$/.test(word);

/** Whether the role is a droplet: a server that is set up over SSH. */
export const isDroplet = (role: Role): boolean => /^(?:vpn|comp|droplet)/.test(role);

/** Whether the role is a machine with a file system of its own, and not just a network namespace. */
export const isMachine = (role: Role): boolean => role !== 'net' && role !== 'ctl' && role !== 'engine';

/** A shape from what was typed; a Fault where a number is not in its range. */
export function shapeFrom({ vpn, comp }: { vpn: string | number; comp: string | number }): Shape {
  const read = (flag: 'vpn' | 'comp', least: number, given: string | number): number => {
    const number = /^\d{1,3}$/.test(String(given)) ? Number(given) : Number.NaN;
    if (number >= least && number <= MOST[flag]) return number;
    throw new Fault({
      at: `--${flag} ${given}`,
      what: `a lab has ${least} to ${MOST[flag]} ${flag} droplets`,
    });
  };
  return { vpn: read('vpn', 1, vpn), comp: read('comp', 0, comp) };
}

const several = (group: 'vpn' | 'comp', count: number): Role[] =>
  Array.from({ length: count }, (_, i) => `${group}${i + 1}` as Role);

/** The droplets of one group, in the order of hosts.ini. */
export const dropletsIn = (shape: Shape, group: 'vpn' | 'comp'): Role[] => several(group, shape[group]);

/** All droplets that a lab has from its beginning. */
export const dropletsOf = (shape: Shape): Role[] => [
  ...dropletsIn(shape, 'vpn'),
  ...dropletsIn(shape, 'comp'),
];

/** Everyone in a lab, the router first; a Docker engine and the cloud's droplets join only when they are asked for. */
export const rolesOf = (shape: Shape): Role[] => ['net', 'ctl', 'inet', 'client', ...dropletsOf(shape)];

/** The address at which the others reach a role. */
export function addressOf(role: Role): string {
  const [, group, number = ''] = /^(\D+)(\d*)$/.exec(role) ?? [];
  if (group === 'vpn') return `198.51.100.${10 + Number(number)}`;
  if (group === 'comp') return `198.51.100.${200 + Number(number)}`;
  if (group === 'droplet') return `198.51.100.${100 + Number(number)}`;
  return {
    net: '198.51.100.1',
    ctl: '198.51.100.250',
    inet: SITE,
    client: '192.0.2.2',
    engine: '192.0.2.3',
  }[role as 'net' | 'ctl' | 'inet' | 'client' | 'engine'];
}

/** The same for IPv6, in a lab that has it. */
export const address6Of = (role: Role): string => twinOf(addressOf(role));

/** The address of a droplet of the cloud that only its neighbours there could use; nobody is to take it for its own. */
export const privateAddressOf = (role: CloudRole): string => `10.110.0.${addressOf(role).split('.')[3]}`;

/** A droplet of the cloud that is there, under the name of its order. */
export interface Named {
  role: CloudRole;
  name: string;
}

/** The role that a person means by a role, an address, a droplet's name, `site`, `quic` or `dns`; undefined where there is none. */
export function roleNamed(shape: Shape, word: string, ofCloud: readonly Named[] = []): Role | undefined {
  if (['site', 'quic', 'dns', QUIC_SITE, RESOLVER].includes(word)) return 'inet';
  const roles: Role[] = [...rolesOf(shape), 'engine', ...ofCloud.map(({ role }) => role)];
  const found = roles.find((role) => [role, addressOf(role), address6Of(role)].includes(word));
  return found ?? ofCloud.find(({ name }) => name === word)?.role;
}

/** Which of the image's systems a machine runs: the last proxy is the one that has no WireGuard yet. */
export function systemOf(role: Exclude<Role, CloudRole>, shape: Shape): 'bare' | 'ready' | 'world' {
  if (!isDroplet(role)) return 'world';
  return role === `vpn${shape.vpn}` ? 'bare' : 'ready';
}
