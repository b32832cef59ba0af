import { Fault } from '../cli.ts';
import type { Mention, RawGroup, RawInventory, Variable } from './read.ts';

export interface InventoryHost extends Mention {
  /** What holds for this host after its groups' variables are merged; values are texts, never evaluated. */
  variables: ReadonlyMap<string, Variable>;
}

export interface Group extends Mention {
  /** Hosts on this group's own lines, in order, repeated ones too. */
  mentions: readonly Mention[];
  /** Groups directly below. */
  children: readonly string[];
  /** Names of all its hosts, its own first, then those of the groups below it, each once. */
  hosts: readonly string[];
}

export interface Inventory {
  /** The file's name, for messages. */
  file: string;
  hosts: ReadonlyMap<string, InventoryHost>;
  /** `all` and `ungrouped` are always among them. */
  groups: ReadonlyMap<string, Group>;
}

/** Group -> the groups directly below it. */
type Tree = ReadonlyMap<string, readonly string[]>;

/** Applies groups, `:children` and `:vars` as Ansible does: all < parent < child < host line. */
export function inherit(raw: RawInventory): Inventory {
  const tree = treeOf(raw);
  const groups = new Map<string, Group>();
  const above = new Map<string, Set<string>>([...raw.hosts.keys()].map((name) => [name, new Set()]));
  for (const { name, line, mentions } of raw.groups.values()) {
    const hosts = unique(below(tree, name).flatMap((group) => ownHosts(raw, group)));
    for (const host of hosts) above.get(host)?.add(name);
    groups.set(name, { name, line, mentions, children: tree.get(name) ?? [], hosts });
  }
  const order = byPrecedence(raw, tree);
  const hosts = new Map<string, InventoryHost>();
  for (const host of raw.hosts.values()) {
    const variables = new Map<string, Variable>();
    for (const group of order.filter(({ name }) => above.get(host.name)?.has(name)))
      for (const [key, variable] of group.variables) if (key !== PRIORITY) variables.set(key, variable);
    for (const [key, variable] of host.variables) variables.set(key, variable);
    hosts.set(host.name, { name: host.name, line: host.line, variables });
  }
  return { file: raw.file, hosts, groups };
}

/** Sorts groups of the same depth that set the same variable; the highest wins. */
const PRIORITY = 'ansible_group_priority';

const unique = <T>(items: readonly T[]): T[] => [...new Set(items)];

/** Hosts on a group's own lines; `ungrouped` keeps only those that no other group has. */
function ownHosts(raw: RawInventory, group: string): string[] {
  const own = (raw.groups.get(group)?.mentions ?? []).map(({ name }) => name);
  if (group !== 'ungrouped') return own;
  const elsewhere = new Set(
    [...raw.groups.values()]
      .filter(({ name }) => name !== 'all' && name !== 'ungrouped')
      .flatMap(({ mentions }) => mentions.map(({ name }) => name)),
  );
  const inAll = (raw.groups.get('all')?.mentions ?? []).map(({ name }) => name);
  return [...own, ...inAll].filter((name) => !elsewhere.has(name));
}

/** Checks that every group is declared and none is below itself; all groups hang below `all`. */
function treeOf(raw: RawInventory): Tree {
  const refuse = (line: number, what: string, next: string): never => {
    throw new Fault({ at: `${raw.file}:${line}`, what, next });
  };
  for (const { name, line } of raw.groups.get('all')?.mentions ?? [])
    if (raw.groups.has(name))
      refuse(
        line,
        `[all] has the host ${name}, and there is a group of that name`,
        'give one of them another name',
      );
  for (const { name, line, declared } of raw.groups.values())
    if (declared === undefined)
      refuse(line, `[${name}:vars] is for a group that is nowhere: [${name}] was expected`, `add [${name}]`);

  // As in Ansible, a group that is declared further down joins its parent there.
  const edges = [...raw.groups.values()].flatMap((parent) =>
    parent.children.map((child) => ({ parent: parent.name, child: child.name, line: child.line })),
  );
  for (const { parent, child, line } of edges) {
    if (!raw.groups.has(child))
      refuse(line, `[${parent}:children] names the group ${child}, which is nowhere`, `add [${child}]`);
    if (child === 'all')
      refuse(line, `all groups are below all, which is put below ${parent}: a loop`, 'take this line out');
    if (child === 'ungrouped' && parent !== 'all')
      refuse(
        line,
        `ungrouped is put below ${parent}, and its hosts would be grouped`,
        `name them in [${parent}]`,
      );
  }
  const joined = (edge: { child: string; line: number }): number => {
    const { line, declared } = raw.groups.get(edge.child) as RawGroup;
    return line < edge.line ? edge.line : (declared ?? edge.line);
  };
  const tree = new Map<string, string[]>([...raw.groups.keys()].map((name) => [name, []]));
  const put = (parent: string, child: string): void => {
    const children = tree.get(parent);
    if (!children?.includes(child)) children?.push(child);
  };
  put('all', 'ungrouped');
  for (const { parent, child } of [...edges].sort((a, b) => joined(a) - joined(b))) put(parent, child);

  for (const { parent, child, line } of edges)
    if (below(tree, child).includes(parent))
      refuse(
        line,
        child === parent
          ? `the group ${child} is put below itself`
          : `the group ${child} is above ${parent} already: a loop`,
        'take one of the two :children lines out',
      );
  const children = new Set(edges.map(({ child }) => child));
  for (const name of raw.groups.keys()) if (name !== 'all' && !children.has(name)) put('all', name);
  return tree;
}

/** A group and all below it, level by level, each once. */
function below(tree: Tree, group: string): string[] {
  const found = [group];
  for (const name of found)
    for (const child of tree.get(name) ?? []) if (!found.includes(child)) found.push(child);
  return found;
}

/** Groups from the weakest to the strongest: by depth, then priority, then name. */
function byPrecedence(raw: RawInventory, tree: Tree): RawGroup[] {
  const depths = new Map<string, number>();
  const sink = (name: string, depth: number): void => {
    if ((depths.get(name) ?? -1) >= depth) return;
    depths.set(name, depth);
    for (const child of tree.get(name) ?? []) sink(child, depth + 1);
  };
  sink('all', 0);
  const rank = (group: RawGroup): [number, number] => [depths.get(group.name) ?? 0, priorityOf(raw, group)];
  return [...raw.groups.values()]
    .map((group) => ({ group, rank: rank(group) }))
    .sort((a, b) => a.rank[0] - b.rank[0] || a.rank[1] - b.rank[1] || (a.group.name < b.group.name ? -1 : 1))
    .map(({ group }) => group);
}

function priorityOf(raw: RawInventory, { variables }: RawGroup): number {
  const set = variables.get(PRIORITY);
  if (set === undefined) return 1;
  if (/^-?\d+$/.test(set.value)) return Number(set.value);
  throw new Fault({
    at: `${raw.file}:${set.line}`,
    what: `${PRIORITY} must be a whole number`,
    next: 'the group with the highest one wins; 1 is the default',
  });
}
