/** What of a lab is there, read from the running machines. */
import { exists } from '../files.ts';
import { leaderOf } from './engine-daemon.ts';
import { engineSeat } from './engine-place.ts';
import { namespacesOf } from './network.ts';
import { placeOf } from './place.ts';
import { runningIn } from './processes.ts';
import { addressOf, isMachine, type Role, rolesOf } from './roles.ts';
import { readState } from './state.ts';

export interface MachineStatus {
  role: Role;
  address: string;
  up: boolean;
  /** Of process 1 of the machine, or of the engine; null for a mere namespace and for a machine that is down. */
  pid: number | null;
}

export interface LabStatus {
  name: string;
  /** Everyone in it is up. */
  up: boolean;
  /** Its client has Chromium. */
  browser: boolean;
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
  const engine = leaderOf(engineSeat(place)) ?? null;
  const there = new Set([...namespaces, ...running.keys(), ...(engine === null ? [] : ['engine' as const])]);
  // An engine is on no record: it is where it is found.
  const extra = there.has('engine') ? ['engine' as const] : [];
  const roles = state === undefined ? [...there] : [...rolesOf(state), ...extra];
  const machines = roles.map((role): MachineStatus => {
    const pid = role === 'engine' ? engine : (running.get(role)?.leader ?? null);
    const up = isMachine(role) || role === 'engine' ? pid !== null : namespaces.includes(role);
    return { role, address: addressOf(role), up, pid };
  });
  return {
    name,
    up: state !== undefined && machines.every(({ up }) => up),
    browser: state?.browser !== undefined,
    remains: state === undefined && (machines.length > 0 || exists(place.directory)),
    directory: place.directory,
    clientDirectory: place.clientDirectory,
    machines,
  };
}
