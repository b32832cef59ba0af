/** hosts.ini text -> the same text with other addresses: only the lines of provisioning's own hosts change. */
import { isIPv4 } from 'node:net';
import { Fault } from '../cli.ts';
import { show } from '../text.ts';
import { place } from './edit-place.ts';
import { hasAddress, isRowOf, type Row, rowsOf, textOf, withAddress } from './edit-rows.ts';
import { type Inventory, type InventoryHost, inherit } from './inherit.ts';
import { compGroup } from './network.ts';
import { readLines, type Variable } from './read.ts';

/** A line that provisioning owns. */
export interface HostEdit {
  name: string;
  group: 'vpn' | 'comp';
  /** IPv4. */
  address: string;
}

/** What hosts.ini has for a name. */
export interface HostEntry {
  /** From 1: its own line, else that of the first pattern that stands for it. */
  line: number;
  /** Those of this network's two groups that it is in, by way of groups below them too, by their names in this file. */
  groups: readonly ('vpn' | 'comp' | 'comps')[];
  /** `ansible_host`, or `ansible_ssh_host`, as it holds for this host, whichever line it comes from. */
  address: string | undefined;
  /** Whether it has a line of its own. One that only a pattern such as `web[1:3]` stands for can be neither put nor dropped. */
  plain: boolean;
}

/** A file of comments only, or an empty one, has no inventory. */
function read(text: string, file: string): { inventory: Inventory | undefined; mark: string; rows: Row[] } {
  // First the reader, which refuses what no rows can be made of. It refuses an empty file too, which is none here.
  const empty = text.split(/[\r\n]+/).every((line) => /^[\s\uFEFF]*(?:[#;]|$)/.test(line));
  const inventory = empty ? undefined : inherit(readLines(text, file));
  return { inventory, ...rowsOf(text) };
}

type Names = { vpn: 'vpn'; comp: 'comp' | 'comps' };

/** Names of the network's two groups in this file. */
function groupNames(inventory: Inventory | undefined): Names {
  if (inventory === undefined) return { vpn: 'vpn', comp: 'comp' };
  const comp = compGroup(inventory);
  const renamed = comp === 'comp' && !inventory.groups.has('comp') && inventory.groups.has('comps');
  return { vpn: 'vpn', comp: renamed ? 'comps' : comp };
}

const addresses = (host: InventoryHost | undefined): ({ key: string } & Variable)[] =>
  ['ansible_host', 'ansible_ssh_host'].flatMap((key) => {
    const variable = host?.variables.get(key);
    return variable === undefined ? [] : [{ key, ...variable }];
  });

function entryOf(
  inventory: Inventory | undefined,
  rows: readonly Row[],
  name: string,
): HostEntry | undefined {
  const host = inventory?.hosts.get(name);
  if (host === undefined) return undefined;
  const names = groupNames(inventory);
  const groups = [names.vpn, names.comp].filter((group) =>
    inventory?.groups.get(group)?.hosts.includes(name),
  );
  const own = rows.findIndex((row) => isRowOf(row, name));
  return {
    line: own === -1 ? host.line : own + 1,
    groups,
    address: addresses(host)[0]?.value,
    plain: own !== -1,
  };
}

/** What stands there for a name; undefined where nothing does. A Fault where the text is no inventory. */
export function findHost(text: string, file: string, name: string): HostEntry | undefined {
  const { inventory, rows } = read(text, file);
  return entryOf(inventory, rows, name);
}

/**
 * The text with those hosts' lines added, or their addresses changed in place; everything else stays byte for byte. New
 * lines follow each other as the edits do. A Fault where a host is in the other group, or cannot be given an address;
 * which address it is plays no part in that, so that any will do to find out beforehand.
 */
export function putHosts(text: string, file: string, edits: readonly HostEdit[]): string {
  if (new Set(edits.map(({ name }) => name)).size < edits.length || !edits.every((e) => isIPv4(e.address)))
    throw new Error(`edits of ${file} must be of different hosts, each with an IPv4 address`);
  const { inventory, mark, rows } = read(text, file);
  const names = groupNames(inventory);
  for (const { name, group, address } of edits) {
    const entry = entryOf(
      inventory,
      rows.filter(({ added }) => !added),
      name,
    );
    if (entry !== undefined) requireEditable(entry, file, name, names[group]);
    const own = rows.filter((row) => isRowOf(row, name));
    const there = entry?.groups.includes(names[group]) ?? false;
    const addressed = own.filter(hasAddress);
    // One that gets a new line in its group needs none on the others.
    const first = there ? (own.find((row) => row.group === names[group]) ?? own[0]) : undefined;
    for (const row of addressed.length > 0 || first === undefined ? addressed : [first])
      row.text = withAddress(row.text, address);
    const order = edits.filter((edit) => edit.group === group).map((edit) => edit.name);
    if (!there) place(rows, names[group], order, name, `${name} ansible_host=${address}`);
  }
  const result = textOf({ mark, rows });
  if (edits.length > 0) requireResult(result, file, edits, rows);
  return result;
}

function requireEditable(
  { groups, line, plain }: HostEntry,
  file: string,
  name: string,
  section: Names['vpn' | 'comp'],
): void {
  const at = `${file}:${line}`;
  const other = groups.find((one) => one !== section);
  if (other !== undefined)
    throw new Fault({
      at,
      what: `${name} is in [${other}] here, and is to be in [${section}]`,
      next: `move the line below [${section}], or give one of the two another name`,
    });
  if (groups.length > 0 && !plain)
    throw new Fault({
      at,
      what: `${name} comes from a pattern here, and needs a line of its own for its address`,
      next: 'write the hosts of the pattern out, one a line',
    });
}

/** The result is read again: what does not hold there comes from lines that this must not touch. */
function requireResult(text: string, file: string, edits: readonly HostEdit[], rows: readonly Row[]): void {
  const inventory = inherit(readLines(text, file));
  const names = groupNames(inventory);
  for (const { name, group, address } of edits) {
    const host = inventory.hosts.get(name);
    const wrong = addresses(host).find(({ value }) => value !== address);
    if (wrong !== undefined)
      throw new Fault({
        at: `${file}:${rows.slice(0, wrong.line).filter(({ added }) => !added).length}`,
        what: `${wrong.key} is ${show(wrong.value)} for ${name}, which is to have the address of its droplet`,
        next: `take ${wrong.key} out there`,
      });
    if (addresses(host).length === 0 || !inventory.groups.get(names[group])?.hosts.includes(name))
      throw new Error(`${file}: ${name} was put into [${group}] and is not there`);
  }
}

/** The text without the lines of these hosts, in whichever sections they stand; patterns stay. */
export function dropHosts(text: string, file: string, names: readonly string[]): string {
  const { mark, rows } = read(text, file);
  return textOf({ mark, rows: rows.filter((row) => !names.some((name) => isRowOf(row, name))) });
}
