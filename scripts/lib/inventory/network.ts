import type { Mode } from '../../../client/scripts/lib/modes.ts';
import { Fault } from '../cli.ts';
import { nearest } from '../text.ts';
import { canonicalAddress } from './address.ts';
import { type Connection, connectionOf } from './connection.ts';
import type { Group, Inventory, InventoryHost } from './inherit.ts';
import type { Mention } from './read.ts';

/** A server of this network. */
export interface Host extends Connection {
  /** As hosts.ini has it. */
  name: string;
  group: 'vpn' | 'comp';
  /** Place in its group, from 1: proxy 2 is behind the client's `wgnet2`. */
  index: number;
  /** Its line in hosts.ini, from 1. */
  line: number;
}

export interface Network {
  /** At least one. */
  vpn: Host[];
  /** Undefined in mode quic, which has none. */
  comp: Host | undefined;
}

/** The network of mode wireguard. */
export interface WholeNetwork extends Network {
  comp: Host;
}

const VPN_NEXT = 'write the proxies below [vpn], one a line: 192.0.2.11, or nyc ansible_host=192.0.2.11';
const COMP_NEXT =
  'write one server below [comp]: 192.0.2.20, or comp1 ansible_host=192.0.2.20; mode quic needs none (--mode quic)';

/**
 * The proxies (`[vpn]`) and, in mode wireguard, the one comp server (`[comp]`); other groups are passed over, and so is
 * [comp] in mode quic.
 */
export function networkOf(inventory: Inventory, mode?: 'wireguard'): WholeNetwork;
export function networkOf(inventory: Inventory, mode: Mode): Network;
export function networkOf(inventory: Inventory, mode: Mode = 'wireguard'): Network {
  const proxies = membersOf(inventory, 'vpn');
  if (proxies.length === 0) throw emptyFault(inventory, 'vpn', VPN_NEXT);
  const server = mode === 'quic' ? undefined : compServer(inventory, proxies);
  const vpn = proxies.map((member, i) => hostOf(inventory, member, 'vpn', i + 1));
  const comp = server && hostOf(inventory, server, 'comp', 1);
  const seen = new Map<string, Host>();
  for (const host of comp === undefined ? vpn : [...vpn, comp]) {
    const address = canonicalAddress(host.address);
    const other = seen.get(address);
    if (other !== undefined)
      refuse(
        inventory,
        host,
        `${host.name} has the address of ${other.name} (line ${other.line}): ${host.address}`,
        'give each host its own address; each must be a machine of its own',
      );
    seen.set(address, host);
  }
  return { vpn, comp };
}

/** Hosts of [comp] that have no part in a mode, as they are no proxies either. */
export function passedOver({ groups }: Inventory, mode: Mode): string[] {
  if (mode === 'wireguard') return [];
  const hosts = (name: string): readonly string[] => groups.get(name)?.hosts ?? [];
  return [...new Set([...hosts('comp'), ...hosts('comps')])].filter((name) => !hosts('vpn').includes(name));
}

function refuse({ file }: Inventory, { line }: { line: number }, what: string, next: string): never {
  throw new Fault({ at: `${file}:${line}`, what, next });
}

/** The one host of [comp], which must be no proxy. */
function compServer(inventory: Inventory, proxies: readonly Mention[]): Mention {
  const servers = membersOf(inventory, compGroup(inventory));
  const [server, another] = servers;
  if (server === undefined) throw emptyFault(inventory, 'comp', COMP_NEXT);
  if (another !== undefined)
    refuse(
      inventory,
      another,
      `[comp] has ${servers.length} hosts (${servers.map(({ name, line }) => `${name} in line ${line}`).join(', ')}): exactly one was expected`,
      'keep one of them; proxies belong below [vpn]',
    );
  const both = proxies.find(({ name }) => name === server.name);
  if (both !== undefined)
    refuse(
      inventory,
      both.line > server.line ? both : server,
      `${server.name} is in [vpn] (line ${both.line}) and in [comp] (line ${server.line}): the comp server must be another machine`,
      'take it out of one of the two groups',
    );
  return server;
}

function hostOf(inventory: Inventory, { name, line }: Mention, group: 'vpn' | 'comp', index: number): Host {
  const host = inventory.hosts.get(name) as InventoryHost;
  return { name, group, index, line, ...connectionOf(host, inventory.file) };
}

/** A group and those below it. */
function withChildren(inventory: Inventory, name: string): Group[] {
  const found = [name];
  for (const group of found) {
    const children = inventory.groups.get(group)?.children ?? [];
    found.push(...children.filter((child) => !found.includes(child)));
  }
  return found.flatMap((group) => inventory.groups.get(group) ?? []);
}

/** A group's hosts in order with their lines; one that stands twice in the same section's lines is refused. */
function membersOf(inventory: Inventory, name: string): Mention[] {
  const lines = new Map<string, Mention>();
  for (const group of withChildren(inventory, name)) {
    const own = new Map<string, Mention>();
    for (const mention of group.mentions) {
      const first = own.get(mention.name);
      if (first !== undefined)
        throw new Fault({
          at: `${inventory.file}:${mention.line}`,
          what: `${mention.name} is twice in [${group.name}], first in line ${first.line}`,
          next: 'delete one of the two',
        });
      own.set(mention.name, mention);
      if (!lines.has(mention.name)) lines.set(mention.name, mention);
    }
  }
  return (inventory.groups.get(name)?.hosts ?? []).flatMap((host) => lines.get(host) ?? []);
}

/** `comp`, or `comps`, which is what the original's provisioning wrote. */
export function compGroup(inventory: Inventory): 'comp' | 'comps' {
  const hosts = (name: string): readonly string[] => inventory.groups.get(name)?.hosts ?? [];
  if (hosts('comps').length === 0) return 'comp';
  if (hosts('comp').length === 0) return 'comps';
  const nested = (a: string, b: string) => withChildren(inventory, a).some(({ name }) => name === b);
  if (nested('comp', 'comps')) return 'comp';
  if (nested('comps', 'comp')) return 'comps';
  const lines = ['comp', 'comps'].map((name) => inventory.groups.get(name)?.line);
  throw new Fault({
    at: `${inventory.file}:${Math.max(...lines.map(Number))}`,
    what: `[comp] (line ${lines[0]}) and [comps] (line ${lines[1]}) both have hosts, and mean the same group`,
    next: 'keep [comp], with one host',
  });
}

function emptyFault(inventory: Inventory, name: 'vpn' | 'comp', next: string): Fault {
  const group = inventory.groups.get(name);
  const used = [...inventory.groups.values()].filter(({ hosts }) => hosts.length > 0).map((g) => g.name);
  const like = used.find((other) => other !== 'vpn' && nearest(other, [name]) !== undefined);
  const needed = name === 'vpn' ? 'at least one proxy was expected' : 'exactly one server was expected';
  const hint = like === undefined ? '' : `; did you mean [${name}] where [${like}] stands?`;
  return new Fault({
    at: group === undefined ? inventory.file : `${inventory.file}:${group.line}`,
    what:
      (group === undefined ? `there is no group [${name}]: ` : `[${name}] has no hosts: `) + needed + hint,
    next,
  });
}
