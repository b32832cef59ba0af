/** Ansible's own reading of inventories, in one process of its library, and how ours is held against it. */

import { Fault } from '../../scripts/lib/cli.ts';
import { type Inventory, parseInventory } from '../../scripts/lib/inventory.ts';
import { attempt } from '../../scripts/lib/transport/local.ts';

const PROGRAM = new URL('inventory-oracle.py', import.meta.url).pathname;

/** A text, or what Python would print of another value. */
type Value = string | { python: string };

export interface Listing {
  /** As `ansible-inventory --list` has them. */
  groups: Record<string, { hosts?: string[]; children?: string[] }>;
  vars: Record<string, Record<string, Value>>;
  /** Hosts of each group and of those below it. */
  members: Record<string, string[]>;
  warnings: string[];
  /** What `--limit` leaves, by pattern. */
  limits: Record<string, { hosts: string[]; warnings: string[] } | { refused: string }>;
}

export type Theirs = Listing | { refused: string };

export interface Question {
  name: string;
  text: string;
  limits?: string[];
}

export interface Answer extends Question {
  ours: Inventory | Fault;
  theirs: Theirs;
}

/** How Python reads each text, as a value of an inventory. */
export type Read = Record<string, Value>;

export function parsed(text: string): Inventory | Fault {
  try {
    return parseInventory(text, 'hosts.ini');
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
}

/** Everything is asked at once: a start of Ansible costs half a second. */
export async function ask(questions: readonly Question[]): Promise<{ answers: Answer[]; read: Read }> {
  const ours = questions.map(({ text }) => parsed(text));
  const hosts = ours.flatMap((one) => (one instanceof Fault ? [] : [...one.hosts.values()]));
  const texts = hosts.flatMap(({ variables }) => [...variables.values()].map(({ value }) => value));
  const input = JSON.stringify({
    inventories: questions.map(({ text, limits = [] }) => ({ text, limits })),
    texts: [...new Set(texts)],
  });
  // Debian's own Python, which has Debian's Ansible; nothing of this process' environment.
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/nowhere', LC_ALL: 'C.UTF-8' };
  const { code, stdout, stderr } = await attempt(['/usr/bin/python3', PROGRAM], { input, env });
  if (code !== 0)
    throw new Error(
      /No module named 'ansible'|ENOENT/.test(stderr)
        ? 'Ansible is the judge here, and it is not installed: apt-get install ansible-core'
        : stderr,
    );
  const { inventories, texts: read } = JSON.parse(stdout);
  return {
    answers: questions.map((one, i) => ({
      ...one,
      ours: ours[i] as Inventory | Fault,
      theirs: inventories[i],
    })),
    read,
  };
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
const sorted = (names: readonly string[]): string[] => [...names].sort();

/**
 * Whether Ansible gives the hosts of a group in one order: where two groups of the same depth both have children, it takes
 * them from a set, in the order of their addresses in memory.
 */
export function isOrdered({ groups }: Inventory, name: string): boolean {
  const seen = new Set([name]);
  let level = [name];
  for (;;) {
    const parents = level.filter((group) => (groups.get(group)?.children ?? []).length > 0);
    if (level[0] !== name && parents.length > 1) return false;
    level = parents.flatMap((group) => groups.get(group)?.children ?? []).filter((child) => !seen.has(child));
    if (level.length === 0) return true;
    for (const child of level) seen.add(child);
  }
}

/** What differs between our reading of an inventory and Ansible's; [] where nothing does. */
export function differences(ours: Inventory, theirs: Listing, read: Read): string[] {
  const found: string[] = [];
  const compare = (what: string, a: unknown, b: unknown): void => {
    if (!same(a, b)) found.push(`${what}: ours ${JSON.stringify(a)}, Ansible's ${JSON.stringify(b)}`);
  };
  compare('groups', sorted([...ours.groups.keys()]), sorted(Object.keys(theirs.members)));
  for (const [name, group] of ours.groups) {
    // --list leaves out the hosts of `all`, and groups that have nothing.
    const { hosts = [], children = [] } = theirs.groups[name] ?? {};
    if (name !== 'all' && name !== 'ungrouped')
      compare(`hosts of [${name}]`, [...new Set(group.mentions.map((mention) => mention.name))], hosts);
    if (name === 'ungrouped' && group.children.length === 0) compare('ungrouped', group.hosts, hosts);
    const shown = children.includes('ungrouped')
      ? group.children
      : group.children.filter((c) => c !== 'ungrouped');
    compare(`children of [${name}]`, shown, children);
    const all = theirs.members[name] ?? [];
    if (isOrdered(ours, name)) compare(`all hosts of [${name}]`, group.hosts, all);
    else compare(`all hosts of [${name}], in any order`, sorted(group.hosts), sorted(all));
  }
  compare('hosts', sorted([...ours.hosts.keys()]), sorted(theirs.members.all ?? []));
  for (const [name, { variables }] of ours.hosts) {
    const values = theirs.vars[name] ?? {};
    compare(`variables of ${name}`, sorted([...variables.keys()]), sorted(Object.keys(values)));
    // Ours are texts. Where Ansible has a text too, both must be the same to the letter. Where it has a number, a truth value,
    // None or a list, Python must read our text as the very same value: 0x10 as 16, True as True, and not as 'True'.
    for (const [key, { value }] of variables) {
      const other = values[key];
      if (other !== undefined)
        compare(`${key} of ${name}`, typeof other === 'string' ? value : read[value], other);
    }
  }
  return found;
}
