/** Takes away what a lab owns, found by its prefix and not by any record; also after a crash. */
import { Fault } from '../cli.ts';
import { exists, remove } from '../files.ts';
import { until } from '../poll.ts';
import { killNow } from '../transport/local.ts';
import { killDaemon } from './engine-daemon.ts';
import { engineSeat } from './engine-place.ts';
import { storeHere, tidyStore } from './engine-store.ts';
import { namespacesOf, pidsIn, removeNamespaces, unplug } from './network.ts';
import { waitFor } from './patience.ts';
import { labCommand, nameOf, type Place } from './place.ts';
import { type Running, runningIn } from './processes.ts';
import type { Role } from './roles.ts';

/** Milliseconds that processes may take to go after SIGKILL. */
const PATIENCE = 20_000;

/** Cuts the power of machines; systemd-nspawn then takes their mounts away and ends by itself. */
export async function cutPower(place: Place, roles?: readonly Role[]): Promise<number> {
  const chosen = (): [Role, Running][] =>
    [...runningIn(place)].filter(([role]) => roles === undefined || roles.includes(role));
  const before = chosen().length;
  const began = performance.now();
  const cut = until(PATIENCE, () => {
    const left = chosen();
    // Without process 1 it is about to begin or to end; one that hangs there is ended from outside.
    const hangs = performance.now() - began > PATIENCE / 2;
    killNow(left.map(([, { leader, host }]) => leader ?? (hangs ? host : 0)).filter((pid) => pid !== 0));
    return left.length === 0;
  });
  const gone = await waitFor(`machines of the lab "${place.name}" to end`, cut);
  if (gone) return before;
  const [role, running] = chosen()[0] ?? ['client', { host: 0 }];
  throw new Fault({
    what: `the machine ${nameOf(place, role)} does not end`,
    next: `see what process ${running.host} waits for (ps -o pid,stat,wchan,args ${running.host}), then repeat it`,
  });
}

/** Ends every process in these namespaces. */
async function endProcesses(place: Place, roles: readonly Role[]): Promise<void> {
  let pids: number[] = [];
  const ended = until(PATIENCE, async () => {
    pids = (await Promise.all(roles.map((role) => pidsIn(place, role)))).flat();
    killNow(pids);
    return pids.length === 0;
  });
  if (await waitFor(`processes of the lab "${place.name}" to end`, ended)) return;
  throw new Fault({
    what: `process ${pids[0]} of the lab "${place.name}" does not end`,
    next: `see what it waits for (ps -o pid,stat,wchan,args ${pids[0]}), then ${labCommand('down', place.name)}`,
  });
}

/** Ends every process that is left in these namespaces, and removes them. */
export async function clearNamespaces(place: Place, roles: readonly Role[]): Promise<void> {
  await endProcesses(place, roles);
  await removeNamespaces(place, roles);
}

/** Ends a lab's Docker engine and takes its namespace away; without one, does nothing. */
export async function endEngine(place: Place): Promise<void> {
  await killDaemon(engineSeat(place));
  const there = (await namespacesOf(place)).filter((role) => role === 'engine');
  if (there.length === 0) return;
  await unplug(place, 'engine');
  await clearNamespaces(place, there);
}

export interface Removed {
  machines: number;
  namespaces: number;
  folder: boolean;
}

/** Removes all that a lab owns; what there was. */
export async function clear(place: Place): Promise<Removed> {
  // First the cloud's API and all that it has begun: it would go on making machines.
  await endProcesses(place, ['ctl']);
  await killDaemon(engineSeat(place));
  await tidyStore(storeHere());
  const machines = await cutPower(place);
  const namespaces = await namespacesOf(place);
  await clearNamespaces(place, namespaces);
  const folder = exists(place.directory);
  remove(place.directory);
  return { machines, namespaces: namespaces.length, folder };
}
