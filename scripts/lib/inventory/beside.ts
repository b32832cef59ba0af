/** Files beside an inventory that Ansible would read, and that are not read here. */
import { dirname, join, relative } from 'node:path';
import { exists, list } from '../files.ts';
import type { Inventory } from './inherit.ts';

/** Names in the two folders, and whether there is an ansible.cfg. */
export interface Beside {
  groupVars: readonly string[];
  hostVars: readonly string[];
  config: boolean;
}

/** Extensions that Ansible looks for, and a folder of such files. */
const nameOf = (entry: string): string => entry.replace(/\.(?:ya?ml|json)$/, '');

/** The files that would have a say, by their paths from the inventory's folder. */
export function passedOver({ hosts, groups }: Inventory, { groupVars, hostVars, config }: Beside): string[] {
  return [
    ...groupVars
      .filter((entry) => groups.has(nameOf(entry)) || groups.has(entry))
      .map((entry) => `group_vars/${entry}`),
    ...hostVars
      .filter((entry) => hosts.has(nameOf(entry)) || hosts.has(entry))
      .map((entry) => `host_vars/${entry}`),
    ...(config ? ['ansible.cfg'] : []),
  ];
}

const MOST = 6;

/** What is to be said of files that Ansible would read beside this inventory; undefined where there are none. Reads names only. */
export function besideNotice(inventory: Inventory): string | undefined {
  const folder = dirname(inventory.file);
  const files = passedOver(inventory, {
    groupVars: list(join(folder, 'group_vars')),
    hostVars: list(join(folder, 'host_vars')),
    config: exists(join(folder, 'ansible.cfg')),
  });
  if (files.length === 0) return undefined;
  const shown = files.slice(0, MOST).map((file) => relative('.', join(folder, file)));
  const more = files.length > MOST ? ` and ${files.length - MOST} more` : '';
  return `not read, and Ansible would: ${shown.join(', ')}${more}; write what the servers need of it into ${inventory.file}: on the host's line, or below [group:vars]`;
}
