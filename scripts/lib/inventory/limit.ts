/** `--limit`: the hosts that a pattern of Ansible's leaves. */
import { Fault } from '../cli.ts';
import { nearest, show } from '../text.ts';
import { globOf, matchOf } from './glob.ts';
import type { Inventory } from './inherit.ts';
import { isHostLike, splitPort } from './pattern.ts';

/** Reads a file that a pattern names by `@`; a Fault with this next step where it cannot. */
export type ReadFile = (path: string, next?: string) => string;

const refuse = (what: string, next: string): never => {
  throw new Fault({ at: '--limit', what, next });
};

const NEXT = 'name hosts or groups: --limit vpn';
const FILE_NEXT = 'name a file with a host or a group on each line, or write them here: --limit vpn';

/** Parts of a pattern: by commas, or where there are none by colons that are neither an IPv6 address' nor a range's. */
function split(pattern: string): string[] {
  if (pattern.includes(',')) return pattern.split(',').map((part) => part.trim());
  return isHostLike(splitPort(pattern).host)
    ? [pattern]
    : (pattern.match(/(?:[^\s:[\]]|\[[^\]]*\])+/g) ?? []);
}

/** The lines of a file, each one part: blank ones and comments are none. */
const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => !line.startsWith('#'));

/** `group[0]`, `group[-1]`, `group[1:2]` (both included), `group[1:]`; undefined where there is no such end. */
function subscriptOf(part: string): { name: string; from: number; to: number | undefined } | undefined {
  const match = /^(.+)\[(?:(-?\d+)|(\d+)[:-](\d*))\]$/.exec(part);
  if (match === null || part.startsWith('~')) return undefined;
  const [, name = '', one, from, to] = match;
  if (one !== undefined) return { name, from: Number(one), to: undefined };
  if (to !== '' && Number(to) < Number(from))
    refuse(`${show(part)} ends before it begins`, 'write [from:to], both counted from 0');
  return { name, from: Number(from), to: to === '' ? Number.POSITIVE_INFINITY : Number(to) };
}

/** Hosts of groups whose names match, and then hosts whose own do; undefined where nothing has such a name. */
function matches({ groups, hosts }: Inventory, name: string): string[] | undefined {
  const wanted = name.startsWith('~') ? matchOf(name.slice(1)) : globOf(name);
  if (wanted === undefined)
    return refuse(`${show(name)} is no regular expression`, 'write one behind ~, such as ~vpn[0-9]+');
  const found = [...groups.values()].filter((group) => wanted.test(group.name));
  // A plain word that is a group's name is not looked for among the hosts.
  const own = found.length === 0 || /^~|[.?*[]/.test(name);
  const named = own ? [...hosts.keys()].filter((host) => wanted.test(host)) : [];
  return found.length === 0 && named.length === 0
    ? undefined
    : [...found.flatMap((group) => group.hosts), ...named];
}

/** What one part stands for, without its `!` or `&`. */
function hostsOf(inventory: Inventory, part: string): string[] {
  if (part === '') return refuse('`!` or `&` stands before nothing', 'write a host or a group behind it');
  const subscript = subscriptOf(part);
  const name = subscript?.name ?? part;
  const found = matches(inventory, name);
  if (found === undefined) {
    const known = [...inventory.hosts.keys(), ...inventory.groups.keys()];
    const near = nearest(name, known);
    return refuse(
      `no host and no group is called ${show(name)}`,
      near === undefined ? `${inventory.file} has ${known.slice(0, 12).join(', ')}` : `did you mean ${near}?`,
    );
  }
  if (subscript === undefined || found.length === 0) return found;
  const { from, to } = subscript;
  const chosen =
    to === undefined ? found.slice(from, from === -1 ? undefined : from + 1) : found.slice(from, to + 1);
  if (chosen.length === 0)
    return refuse(
      `${show(part)}: ${show(name)} has ${found.length} hosts`,
      'they are counted from 0, the last is [-1]',
    );
  return chosen;
}

/**
 * Names of the hosts that a pattern leaves, in the inventory's order: hosts, groups, `*`, `~regex`, `a:b` and `a,b` for both, `!a`
 * for none of a, `&a` for only those also in a, `a[0]`, `@file`. As in Ansible, `&` comes behind all others and `!` last. A Fault where a
 * part has no host and no group, of which Ansible only warns, and where no host is left.
 */
export function limitOf(inventory: Inventory, pattern: string, readFile?: ReadFile): string[] {
  const parts = split(pattern).flatMap((part) => {
    if (!part.startsWith('@')) return part === '' ? [] : [part];
    if (readFile === undefined) return refuse(`${show(part)} is a file`, 'name the hosts');
    return linesOf(readFile(part.slice(1), FILE_NEXT)).filter((line) => line !== '');
  });
  if (parts.length === 0)
    refuse(/[^\s,:]/.test(pattern.replace(/^@.*/, '')) ? `${show(pattern)} names nobody` : 'is empty', NEXT);
  const of = (sign: string): string[][] =>
    parts.filter((part) => part.startsWith(sign)).map((part) => hostsOf(inventory, part.slice(1)));
  const regular = parts.filter((part) => !/^[!&]/.test(part));
  // A host is meant before a group of its name.
  const either = (part: string): string[] => (inventory.hosts.has(part) ? [part] : hostsOf(inventory, part));
  const all = inventory.groups.get('all')?.hosts ?? [];
  const left = new Set(regular.length === 0 ? all : regular.flatMap(either));
  const within = of('&');
  const without = of('!');
  const chosen = all.filter(
    (host) =>
      left.has(host) &&
      within.every((hosts) => hosts.includes(host)) &&
      !without.some((hosts) => hosts.includes(host)),
  );
  if (chosen.length === 0)
    refuse(`${show(pattern)} leaves no host`, `the hosts are ${all.slice(0, 12).join(', ')}`);
  return chosen;
}
