/** What of a lab is there, read from the running machines. */
import { exists } from '../files.ts';
import { namespacesOf } from './network.ts';
import { placeOf } from './place.ts';
import { runningIn } from './processes.ts';
import { addressOf, isMachine, type Role, rolesOf } from './roles.ts';
import { readState } from './state.ts';

export interface MachineStatus {
  role: Role;
  address: string;
  up: boolean;
  /** Of the machine's process 1; null for a mere namespace and for a machine that is down. */
  pid: number | null;
}

export interface LabStatus {
  name: string;
  /** Everyone in it is up. */
  up: boolean;
  /** Some of it is there, but no `up` has come to its end. */
  remains: boolean;
  directory: string;
  clientDirectory: string;
  machines: MachineStatus[];
}

/** The status of the lab called `name`, which need not exist. */
export async function labStatus(name = 'lab'): Promise<LabStatus> {
  const place = placeOf(name);
  const state = readState(place);
  const namespaces = await namespacesOf(place);
  const running = runningIn(place);
  const roles = state === undefined ? [...new Set([...namespaces, ...running.keys()])] : rolesOf(state);
  const machines = roles.map((role): MachineStatus => {
    const pid = running.get(role)?.leader ?? null;
    const up = isMachine(role) ? pid !== null : namespaces.includes(role);
    return { role, address: addressOf(role), up, pid };
  });
  return {
    name,
    up: state !== undefined && machines.every(({ up }) => up),
    remains: state === undefined && (machines.length > 0 || exists(place.directory)),
    directory: place.directory,
    clientDirectory: place.clientDirectory,
    machines,
  };
}
