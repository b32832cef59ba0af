/** Droplets of the lab's own cloud: machines that are made and removed while the lab stands. */
import { join } from 'node:path';
import { Fault } from '../cli.ts';
import { writeText } from '../files.ts';
import { run } from '../transport/local.ts';
import { bootUnseen } from './boot.ts';
import { clearNamespaces, cutPower } from './clear.ts';
import { FIRST_BOOT, FIRST_BOOT_DROPIN, FIRST_BOOT_UNIT } from './droplet-boot.ts';
import {
  type Droplet,
  type DropletRecord,
  dropletsOfCloud,
  folderOf,
  freeRole,
  takeRole,
} from './droplet-record.ts';
import { buildNetwork, namespacesOf, unplug } from './network.ts';
import { labCommand, type Place, placeOf } from './place.ts';
import { runningIn } from './processes.ts';
import { readState, type State } from './state.ts';

export interface NewDroplet extends DropletRecord {
  /** Lines for root's authorized_keys. */
  publicKeys: readonly string[];
  /** The machine's own SSH key, as OpenSSH writes it; a fresh one is made unless given. */
  hostKey?: string | undefined;
}

/** Writes what the machine is started with; keys are for root alone. */
async function equip(place: Place, { role, name }: Droplet, order: NewDroplet): Promise<void> {
  const file = (called: string): string => join(folderOf(place, role), called);
  const { publicKeys, hostKey } = order;
  writeText(file('authorized_keys'), publicKeys.map((key) => `${key.trim()}\n`).join(''), 0o600);
  writeText(file(FIRST_BOOT), FIRST_BOOT_UNIT);
  writeText(file('wants.conf'), FIRST_BOOT_DROPIN);
  if (hostKey === undefined)
    await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file('host_key')]);
  else writeText(file('host_key'), hostKey.endsWith('\n') ? hostKey : `${hostKey}\n`, 0o600);
}

function standing(place: Place): State {
  const state = readState(place);
  if (state !== undefined) return state;
  throw new Fault({ what: `the lab "${place.name}" is not up`, next: labCommand('cloud', place.name) });
}

/** Takes away all that a droplet has, but its record. */
async function strip(place: Place, { role }: Droplet): Promise<void> {
  await cutPower(place, [role]);
  await unplug(place, role);
  if ((await namespacesOf(place)).includes(role)) await clearNamespaces(place, [role]);
}

/**
 * Makes a droplet and starts its machine, which has begun to come up when this returns and need not answer yet. An id that is there already is
 * made anew: its order was cut off. Several may be made at once, by one process.
 */
export async function addDroplet({ name }: { name: string }, order: NewDroplet): Promise<Droplet> {
  const place = placeOf(name);
  const state = standing(place);
  await removeDroplet({ name }, order.id);
  const droplet = takeRole(place, order);
  try {
    await equip(place, droplet, order);
    await buildNetwork(place, [droplet.role], state);
    await bootUnseen(place, state, droplet.role);
  } catch (error) {
    await strip(place, droplet);
    freeRole(place, droplet.role);
    throw error;
  }
  return droplet;
}

/** A power cut, and nothing is left of the droplet; whether there was one. */
export async function removeDroplet({ name }: { name: string }, id: number): Promise<boolean> {
  const place = placeOf(name);
  const droplet = dropletsOfCloud(place).find((one) => one.id === id);
  if (droplet === undefined) return false;
  await strip(place, droplet);
  freeRole(place, droplet.role);
  return true;
}

/**
 * Switches a droplet's machine on, off, or off and on; an id that is not there is a Fault. One that comes on is as new as on
 * its first day, with its keys: what it wrote was in memory.
 */
export async function powerDroplet(
  { name }: { name: string },
  id: number,
  how: 'on' | 'off' | 'cycle',
): Promise<void> {
  const place = placeOf(name);
  const state = standing(place);
  const droplet = dropletsOfCloud(place).find((one) => one.id === id);
  if (droplet === undefined) throw new Fault({ at: String(id), what: 'this droplet has no machine' });
  if (how === 'on' && runningIn(place).has(droplet.role)) return;
  await strip(place, droplet);
  if (how === 'off') return;
  await buildNetwork(place, [droplet.role], state);
  await bootUnseen(place, state, droplet.role);
}
