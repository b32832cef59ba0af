/** hosts.ini text -> Inventory -> this network's hosts; the only room that knows Ansible's INI format. */
import { type Inventory, inherit } from './inventory/inherit.ts';
import { readLines } from './inventory/read.ts';

export type { Become } from './inventory/become.ts';
export { besideNotice } from './inventory/beside.ts';
export type { Connection } from './inventory/connection.ts';
export { dropHosts, findHost, type HostEdit, type HostEntry, putHosts } from './inventory/edit.ts';
export { withExtraVars } from './inventory/extra.ts';
export type { Group, Inventory, InventoryHost } from './inventory/inherit.ts';
export { limitOf } from './inventory/limit.ts';
export { type Host, type Network, networkOf, passedOver, type WholeNetwork } from './inventory/network.ts';
export type { Mention, Variable } from './inventory/read.ts';

/** Reads an Ansible INI inventory; `file` is its name for messages. A Fault has the line of the first problem. */
export const parseInventory = (text: string, file: string): Inventory => inherit(readLines(text, file));
