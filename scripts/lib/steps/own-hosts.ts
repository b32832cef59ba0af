/** The lines of hosts.ini and known_hosts that are provisioning's own. */
import { EXIT, Fault } from '../cli.ts';
import type { Droplet } from '../digitalocean/api.ts';
import type { Entry, Saved } from '../digitalocean/saved.ts';
import type { Wanted } from '../digitalocean/wanted.ts';
import { readTextIfAny, replaceText } from '../files.ts';
import { type Connection, connectionOf } from '../inventory/connection.ts';
import {
  dropHosts,
  findHost,
  type HostEdit,
  type Inventory,
  parseInventory,
  putHosts,
} from '../inventory.ts';
import { knownKeys } from '../transport/known-hosts.ts';
import { editKnownHosts, pin, unpin } from '../transport/known-hosts-edit.ts';
import { knownHostsOf } from '../transport/login.ts';
import type { SshSettings } from '../transport/login-target.ts';
import { withSshConfig } from '../transport/ssh-config.ts';

export const inventoryText = (file: string): string => readTextIfAny(file) ?? '';

/** A server that provisioning has written into hosts.ini, and how to log in to it. */
export interface Target extends Connection {
  name: string;
  line: number;
  /** Put there by withSshConfig. */
  ssh?: SshSettings | undefined;
}

/** How hosts.ini says to log in to the host of this name; ~/.ssh/config has not been asked yet. */
export function targetOf(inventory: Inventory, name: string): Target {
  const host = inventory.hosts.get(name);
  if (host === undefined) throw new Error(`${name} was written to ${inventory.file} and is not in it`);
  return { name, line: host.line, ...connectionOf(host, inventory.file) };
}

/** How to log in to hosts as hosts.ini will have them, and as ~/.ssh/config has it where that says nothing. */
export function targetsOf(inventory: string, edits: readonly HostEdit[]): Target[] {
  if (edits.length === 0) return [];
  const parsed = parseInventory(putHosts(inventoryText(inventory), inventory, edits), inventory);
  const targets = edits.map(({ name }) => targetOf(parsed, name));
  return withSshConfig(targets, inventory);
}

/** Lines of hosts.ini that stand under a droplet's name with an address of somebody else's. */
export function claimProblems(
  text: string,
  file: string,
  wanted: readonly Wanted[],
  entries: readonly Entry[],
  droplets: readonly Droplet[],
): Fault[] {
  return wanted.flatMap(({ name }) => {
    const found = findHost(text, file, name);
    if (found?.address === undefined) return [];
    const recorded = entries.find((entry) => entry.name === name);
    const holder = droplets.find(({ address }) => address === found.address);
    if (recorded?.address === found.address || holder?.name === name) return [];
    const whose =
      holder === undefined
        ? 'and no droplet of the account has it'
        : `and it is the droplet ${holder.name} (${holder.id})`;
    return [
      new Fault({
        at: `${file}:${found.line}`,
        what: `${name} has the address ${found.address} there, which is not on record here, ${whose}`,
        next: 'take this line out, or give the droplet another name in config.cfg',
      }),
    ];
  });
}

/** A droplet that is up. */
export interface Arrived {
  wanted: Wanted;
  droplet: Droplet & { address: string };
}

/**
 * Writes the droplets' addresses into hosts.ini, at once or not at all, after their host keys into known_hosts: nobody
 * connects by a line whose key is not pinned. What was changed, a line each. `acceptNew`: a host key that a person took out
 * of known_hosts does not come back.
 */
export function writeHosts(
  inventory: string,
  arrived: readonly Arrived[],
  saved: Saved,
  acceptNew: boolean,
): { changed: string[]; targets: Target[] } {
  const text = inventoryText(inventory);
  const edits = arrived.map(({ wanted: { name, group }, droplet: { address } }) => ({
    name,
    group,
    address,
  }));
  if (edits.length === 0) return { changed: [], targets: [] };
  const next = putHosts(text, inventory, edits);
  const changed = edits
    .filter(({ name, address }) => findHost(text, inventory, name)?.address !== address)
    .map(({ name, group, address }) => `${name} in [${group}] has the address ${address}`);
  const targets = targetsOf(inventory, edits);
  const replaced = writePins(inventory, targets, saved, acceptNew);
  if (next !== text) replaceText(inventory, next);
  for (const { wanted, droplet } of arrived) {
    const entry = saved.find(wanted.name);
    if (entry === undefined) continue;
    const { hostKey, pinned, ...rest } = entry;
    const own = hostKey !== undefined && !replaced.has(wanted.name);
    const isSame = entry.address === droplet.address && entry.seen === true;
    if (isSame && (hostKey === undefined || (own && pinned))) continue;
    const pins = own ? { hostKey, pinned: true as const } : {};
    saved.put({ ...rest, ...pins, seen: true, address: droplet.address });
  }
  return { changed, targets };
}

/**
 * Pins of droplets whose keys are known from their making, once for each address; what their former addresses had goes.
 * The names of those for which known_hosts has another key since: a person took it, and it stays.
 */
function writePins(
  inventory: string,
  targets: readonly Target[],
  saved: Saved,
  acceptNew: boolean,
): Set<string> {
  const inUse = new Set(targets.map(({ address }) => address));
  const replaced = new Set<string>();
  const file = knownHostsOf(inventory);
  editKnownHosts(file, (before) => {
    let text = before;
    for (const { name, address, port } of targets) {
      const { address: former, hostKey, pinned } = saved.find(name) ?? {};
      if (former !== undefined && !inUse.has(former)) text = unpin(text, former, port);
      const [type, key] = hostKey?.split(' ') ?? [];
      if (type === undefined || key === undefined) continue;
      const there = knownKeys(before, file, address, port).filter(({ revoked }) => !revoked);
      const isDone = pinned === true && former === address && (acceptNew || there.length > 0);
      if (!isDone) text = pin(text, { address, port, type, key, comment: name });
      else if (there.length > 0 && there.every((one) => one.key !== key)) replaced.add(name);
    }
    return text;
  });
  return replaced;
}

/** Takes the lines and pins of droplets that are gone out of both files; what was changed, a line each. */
export function forgetHosts(inventory: string, gone: readonly Entry[]): string[] {
  const text = inventoryText(inventory);
  const found = new Map(gone.map(({ name }) => [name, findHost(text, inventory, name)]));
  // A file of comments only is no inventory, and names nobody.
  const parsed = [...found.values()].some(Boolean) ? parseInventory(text, inventory) : undefined;
  const own = gone.filter(({ name, address }) => {
    const there = found.get(name);
    return there?.plain && address !== undefined && there.address === address;
  });
  const names = own.map(({ name }) => name);
  // The line of hosts.ini has the port, so it goes last.
  editKnownHosts(knownHostsOf(inventory), (before) => {
    let pins = before;
    for (const { name, address } of gone) {
      const there = parsed?.hosts.has(name) ? [targetOf(parsed, name)] : [];
      const port = withSshConfig(there, inventory)[0]?.port ?? 22;
      if (address !== undefined) pins = unpin(pins, address, port);
    }
    return pins;
  });
  if (names.length > 0) replaceText(inventory, dropHosts(text, inventory, names));
  return names.map((name) => `${name} taken out`);
}

/** The exit code that speaks of all: unreachable weighs more than failed. */
export const worst = (faults: readonly Fault[]): number =>
  faults.some(({ code }) => code === EXIT.unreachable)
    ? EXIT.unreachable
    : faults.length > 0
      ? EXIT.failed
      : EXIT.ok;
