/** What of a lab is there, read from the running machines. */
import { exists } from '../files.ts';
import { cloudPid } from './cloud-seat.ts';
import { dropletsOfCloud } from './droplet-record.ts';
import { leaderOf } from './engine-daemon.ts';
import { engineSeat } from './engine-place.ts';
import { namespacesOf } from './network.ts';
import { placeOf } from './place.ts';
import { runningIn } from './processes.ts';
import { addressOf, isMachine, isOfCloud, type Role, rolesOf } from './roles.ts';
import { readState } from './state.ts';

export interface MachineStatus {
  role: Role;
  /** A droplet of the cloud: what it is called. */
  name?: string;
  address: string;
  up: boolean;
  /** Of process 1 of the machine, or of the engine; null for a mere namespace and for a machine that is down. */
  pid: number | null;
}

export interface LabStatus {
  name: string;
  /** Everyone in it is up; the cloud's droplets do not count. */
  up: boolean;
  /** Its client has Chromium. */
  browser: boolean;
  /** Some of it is there, but no `up` has come to its end. */
  remains: boolean;
  directory: string;
  clientDirectory: string;
  /** The process of its cloud's API, if that runs. */
  cloud: number | null;
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
  const droplets = new Map<Role, string>(dropletsOfCloud(place).map(({ role, name }) => [role, name]));
  // An engine is on no record: it is where it is found, and so is what is left of a droplet.
  const extra = [...there].filter((role) => role === 'engine' || (isOfCloud(role) && !droplets.has(role)));
  const roles = state === undefined ? [...there] : [...rolesOf(state), ...droplets.keys(), ...extra];
  const machines = roles.map((role): MachineStatus => {
    const pid = role === 'engine' ? engine : (running.get(role)?.leader ?? null);
    const up = isMachine(role) || role === 'engine' ? pid !== null : namespaces.includes(role);
    const called = droplets.get(role);
    return { role, ...(called === undefined ? {} : { name: called }), address: addressOf(role), up, pid };
  });
  return {
    name,
    up: state !== undefined && machines.every(({ role, up }) => up || isOfCloud(role)),
    browser: state?.browser !== undefined,
    remains: state === undefined && (machines.length > 0 || exists(place.directory)),
    directory: place.directory,
    clientDirectory: place.clientDirectory,
    cloud: cloudPid(place) ?? null,
    machines,
  };
}
