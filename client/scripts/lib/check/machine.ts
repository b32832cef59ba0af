/** What there is to judge on this machine: read, never changed. */
import { type Published, published, realInterfaces } from '../collect/leak.ts';
import { Fault } from '../fault.ts';
import { openToAll, readIfAny } from '../folders.ts';
import { tunnelNames } from '../interfaces.ts';
import { askIp } from '../ip.ts';
import { type Mode, type Tcp, tcpIn } from '../mode.ts';
import { SPLIT, type Wg0, wg0In } from '../split-rules.ts';
import { modeOf } from './mode-verdict.ts';
import { type Door, doorIn } from './nft-table.ts';
import type { Rule } from './rules.ts';
import { pathsIn, splitMarks } from './split.ts';
import { type SetUp, type Sysctls, setUpIn } from './system.ts';
import type { Family, Route } from './tables.ts';
import { askIfAny } from './tools.ts';
import { SET_UP_FILE } from './verdict.ts';

export interface Link {
  ifname: string;
  mtu: number;
  flags: string[];
  /** What it is a port of. */
  master?: string;
  addr_info: { family: string; local: string; prefixlen: number; scope: string }[];
}

/** A real interface that is up. */
export interface Device {
  name: string;
  /** Its first IPv4 address. */
  address: string | undefined;
  gateway: string | undefined;
  mtu: number;
}

export interface Machine {
  setUp: SetUp;
  /** What it is judged by. */
  mode: Mode;
  /** In mode wireguard `none`, which says nothing there. */
  tcp: Tcp;
  /** The wgnetN that there should be, in their order. */
  paths: string[];
  links: Link[];
  devices: Device[];
  /** Networks that a real interface is in, and addresses beside them: `192.0.2.0/24`, `fe80::/10`. */
  neighbours: string[];
  rules: Record<Family, Rule[]>;
  routes: Record<Family, Route[]>;
  /** Whether this kernel has IPv6. */
  ipv6: boolean;
  door: Door | undefined;
  /** The paths that a split by packet marks packets for; none where there is no split. */
  split: string[];
  /** The table `arp comps`, as nft prints it; undefined where there is none. */
  arp: string | undefined;
  published: Published;
  sysctls: Sysctls;
  resolvConf: string;
  /** Whether all users may read it. */
  resolvConfOpen: boolean;
  /** By interface, as `wg show all endpoints` has them; wg0's too. */
  endpoints: Map<string, string>;
}

const textOf = (path: string): string => readIfAny(path)?.toString() ?? '';

const jsonOf = <T>(...words: string[]): T[] => JSON.parse(askIfAny('ip', '-j', ...words) || '[]') as T[];

/** A table of `wg show all FIELD`: the last word of each line by interface. */
export function fieldsIn(text: string): Map<string, string[]> {
  const rows = text.split('\n').map((line) => line.split('\t'));
  return new Map(
    rows.flatMap(([name, , ...words]) => (name && words.length > 0 ? [[name, words] as const] : [])),
  );
}

/** The endpoints of all tunnels; a peer without one has none. */
export function endpointsNow(): Map<string, string> {
  const rows = fieldsIn(askIfAny('wg', 'show', 'all', 'endpoints') ?? '');
  return new Map(
    [...rows].flatMap(([name, [endpoint = '']]) => (/:\d+$/.test(endpoint) ? [[name, endpoint]] : [])),
  );
}

/** The mark that each tunnel sends with, in what `wg show all fwmark` printed; 0 for none. */
export const marksIn = (text: string): Map<string, number> =>
  new Map(
    [...text.matchAll(/^(\S+)\t(\S+)$/gm)].map(([, name = '', mark]) => [
      name,
      mark === 'off' ? 0 : Number(mark),
    ]),
  );

function sysctls(names: readonly string[]): Sysctls {
  const read = (name: string, key: string): number | undefined => {
    const text = textOf(`/proc/sys/net/ipv4/conf/${name}/${key}`).trim();
    return text === '' ? undefined : Number(text);
  };
  const rpFilter = ['all', ...names].flatMap((name) => {
    const value = read(name, 'rp_filter');
    return value === undefined ? [] : [[name, value] as const];
  });
  return { rpFilter: new Map(rpFilter), srcValidMark: read('all', 'src_valid_mark') };
}

/** The networks and gateways of real interfaces, by the main tables. */
function neighboursOf(routes: readonly Route[], devices: ReadonlySet<string>): string[] {
  const own = routes.filter(({ dev, table = 'main' }) => devices.has(dev ?? '') && table === 'main');
  return own.flatMap(({ dst, gateway }) => [
    ...(dst === 'default' || gateway !== undefined ? [] : [dst]),
    ...(gateway === undefined ? [] : [gateway]),
  ]);
}

export const linksNow = (): Link[] => JSON.parse(askIp('-j', 'address', 'show')) as Link[];

export const routesNow = (): Machine['routes'] => ({
  4: jsonOf<Route>('-4', 'route', 'show', 'table', 'all'),
  6: jsonOf<Route>('-6', 'route', 'show', 'table', 'all'),
});

export const rulesNow = (): Machine['rules'] => ({
  4: jsonOf<Rule>('-4', 'rule'),
  6: jsonOf<Rule>('-6', 'rule'),
});

/** The table `inet comps`; undefined where there is none, or no nft. */
export function doorNow(): Door | undefined {
  const json = askIfAny('nft', '-j', 'list', 'table', 'inet', 'comps');
  return json === undefined ? undefined : doorIn(json);
}

/** The paths that nftables marks packets for. (The whole table, with a map of all packets of a round, is of megabytes.) */
export function splitNow(): string[] {
  const chains = askIfAny('nft', '-j', 'list', 'chains', 'inet');
  if (chains === undefined || !splitMarks(chains)) return [];
  const counters = askIfAny('nft', '-j', 'list', 'counters', 'table', 'inet', SPLIT);
  return counters === undefined ? [] : pathsIn(counters);
}

/** wg0 as a split by packet needs it; undefined where there is none. */
export function wg0Now(): Wg0 | undefined {
  const json = askIfAny('ip', '-j', '-d', 'link', 'show', 'dev', 'wg0');
  return json === undefined ? undefined : wg0In(json);
}

/** Where programs' packets go first: into wg0, or in mode quic into a wgnetN. */
export const entrances = ({ mode, paths }: Pick<Machine, 'mode' | 'paths'>): string[] =>
  mode === 'quic' ? paths : ['wg0'];

/** The tunnels that there should be, wg0 the last. */
export const tunnelsOf = ({ mode, paths }: Pick<Machine, 'mode' | 'paths'>): string[] =>
  mode === 'quic' ? paths : [...paths, 'wg0'];

/** Throws a Fault where there is no tunnel, or no `ip`. */
export function readMachine(): Machine {
  const links = linksNow();
  const existing = tunnelNames(JSON.stringify(links));
  const setUp = setUpIn(textOf(SET_UP_FILE));
  if (existing.length === 0)
    throw new Fault({ what: 'there is no wgnet interface in this network namespace', next: SET_UP_FILE });
  const paths = setUp.paths ?? existing;
  // Before its rules: what begins lays them before it marks, and what ends marks no more before it takes them away.
  const split = splitNow();
  const routes = routesNow();
  const rules = rulesNow();
  const real = new Set(realInterfaces(askIp('-j', 'link', 'show')));
  const devices = links
    .filter(({ ifname }) => real.has(ifname))
    .map(({ ifname, mtu, addr_info }) => ({
      name: ifname,
      mtu,
      address: addr_info.find(({ family }) => family === 'inet')?.local,
      gateway: routes[4].find(
        ({ dev, dst, table = 'main' }) => dev === ifname && dst === 'default' && table === 'main',
      )?.gateway,
    }));
  return {
    setUp,
    ...modeOf(setUp, rules[4], tcpIn(JSON.stringify(rules[4]))),
    paths,
    links,
    devices,
    neighbours: [...neighboursOf(routes[4], real), ...neighboursOf(routes[6], real)],
    rules,
    routes,
    ipv6: readIfAny('/proc/net/if_inet6') !== undefined,
    door: doorNow(),
    split,
    arp: askIfAny('nft', 'list', 'table', 'arp', 'comps'),
    published: published(),
    sysctls: sysctls([...existing, 'wg0']),
    resolvConf: textOf('/etc/resolv.conf'),
    resolvConfOpen: openToAll('/etc/resolv.conf'),
    endpoints: endpointsNow(),
  };
}
