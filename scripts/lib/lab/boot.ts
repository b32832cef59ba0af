/** Starts machines, and waits until they serve. */
import { join } from 'node:path';
import { Fault } from '../cli.ts';
import { exists, readText, readTextIfAny, remove } from '../files.ts';
import { until } from '../poll.ts';
import { run, spawnDetached } from '../transport/local.ts';
import { hostNameFrom } from './droplet-boot.ts';
import { recordOf } from './droplet-record.ts';
import { withoutAccount } from './environment.ts';
import { insideWords, type MachineParts, machineWords, NSPAWN_ENVIRONMENT } from './machine.ts';
import { nameOf, type Place } from './place.ts';
import { hasBegun, isSettled, runningIn } from './processes.ts';
import { findSilent, type Service } from './ready.ts';
import {
  addressOf,
  isDroplet,
  isMachine,
  isOfCloud,
  QUIC_SITE,
  RESOLVER,
  type Role,
  roleNamed,
  SITE,
  systemOf,
} from './roles.ts';
import type { State } from './state.ts';

/** Seconds that a machine may take to answer. */
const PATIENCE = 60;
/** Machines that are started together: more would only wait for each other, and for longer than that. */
const AT_ONCE = 12;

const logOf = (place: Place, role: Role): string => join(place.directory, 'log', `${role}.log`);

/** The last lines of a console, without its colours and cursor movements. */
export function lastLines(log: string, count = 5): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is to go
  const plain = log.replace(/\u001b\[[\d;?]*[A-Za-z]|[\u0000-\u0009\u000b-\u001f]/g, '');
  return plain
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-count);
}

function machineFault(place: Place, role: Role, what: string): Fault {
  const lines = lastLines(readTextIfAny(logOf(place, role)) ?? '');
  const said = lines.length === 0 ? 'it printed nothing' : `its last words:\n    ${lines.join('\n    ')}`;
  return new Fault({ at: `${role} (${addressOf(role)})`, what: `${what}; ${said}`, ...nextFor(lines) });
}

/** What helps a machine that ended with these words, where that is known. */
export const nextFor = (lines: readonly string[]): { next?: string } =>
  lines.some((line) => /inotify|too many open files/i.test(line))
    ? { next: 'sysctl fs.inotify.max_user_instances=1024; or fewer machines at once, of all labs together' }
    : {};

const servicesOf = (role: Role): Service[] => {
  if (isDroplet(role)) return [{ address: addressOf(role), port: 22, greeting: 'SSH-2.0' }];
  if (role !== 'inet') return [];
  return [
    { address: SITE, port: 80, greeting: '' },
    { address: SITE, port: 443, greeting: '' },
    // By TCP; it serves only once its HTTP/3 does.
    { address: QUIC_SITE, port: 443, greeting: '' },
    { address: RESOLVER, port: 53, greeting: '' },
  ];
};

/** The address of a machine that does not come up in time, if there is one. */
async function findLate(place: Place, roles: readonly Role[], signal?: AbortSignal) {
  const droplets = roles.filter(isDroplet).flatMap(servicesOf);
  const others = roles.filter((role) => !isDroplet(role)).flatMap(servicesOf);
  const late = await Promise.all([
    findSilent(nameOf(place, 'ctl'), droplets, PATIENCE, signal),
    findSilent(nameOf(place, 'net'), others, PATIENCE, signal),
  ]);
  return late.find((address) => address !== undefined);
}

/** Lets the lab's SSH key in as root: an ordinary authorized_keys, put there from outside as a provider does. */
async function admit(place: Place, droplets: readonly Role[]): Promise<void> {
  const input = readText(join(place.directory, 'id_ed25519.pub'));
  const script = 'umask 077; mkdir -p /root/.ssh; cat >/root/.ssh/authorized_keys';
  const running = runningIn(place);
  await Promise.all(
    droplets.map((role) => run(insideWords(running.get(role)?.leader ?? 0, ['sh', '-c', script]), { input })),
  );
}

/** What a machine is started from. */
function partsOf(place: Place, role: Role, state: State): MachineParts {
  const { image, npm, browser, python, ipv6 = false } = state;
  const parts = { npm, browser: false, ipv6, hostname: role };
  if (isOfCloud(role)) {
    const record = recordOf(place, role);
    if (record === undefined) throw new Fault({ at: role, what: 'this droplet is gone' });
    return { ...parts, tree: join(image, record.system), hostname: hostNameFrom(record.name) };
  }
  if (role === 'client' && browser !== undefined)
    return { ...parts, tree: join(browser, 'browser'), browser: true };
  if (isDroplet(role) && python !== undefined) return { ...parts, tree: join(python, 'python') };
  return { ...parts, tree: join(image, systemOf(role, state)) };
}

/** Starts a machine, and answers with the number of the process that runs it. */
function power(place: Place, state: State, role: Role): number {
  const words = machineWords(place, role, partsOf(place, role, state));
  return spawnDetached(words, logOf(place, role), { ...withoutAccount(), ...NSPAWN_ENVIRONMENT });
}

/**
 * Starts a machine that nobody waits for; returns once its system has begun, long before it answers. One that dies at once,
 * as where the kernel has no room for it, is a Fault.
 */
export async function bootUnseen(place: Place, state: State, role: Role): Promise<void> {
  remove(logOf(place, role));
  const pid = power(place, state, role);
  let dead = false;
  const begun = await until(PATIENCE * 1000, () => {
    dead = !exists(`/proc/${pid}`);
    const leader = runningIn(place).get(role)?.leader;
    return dead || (leader !== undefined && hasBegun(leader));
  });
  if (dead || !begun) throw machineFault(place, role, 'did not start');
}

/** Starts the machines of these roles, some at a time; returns when all serve. Throws what `signal` was aborted with. */
export async function boot(
  place: Place,
  state: State,
  roles: readonly Role[],
  signal?: AbortSignal,
): Promise<void> {
  for (let from = 0; from < roles.length; from += AT_ONCE)
    await bootSome(place, state, roles.slice(from, from + AT_ONCE), signal);
}

async function bootSome(
  place: Place,
  state: State,
  roles: readonly Role[],
  signal?: AbortSignal,
): Promise<void> {
  const started = roles.filter(isMachine).map((role) => ({ role, pid: power(place, state, role) }));
  let answered = false;
  const late = findLate(place, roles, signal).finally(() => {
    answered = true;
  });
  const serve = (): boolean => {
    signal?.throwIfAborted();
    const dead = started.find(({ pid }) => !exists(`/proc/${pid}`));
    if (dead !== undefined) throw machineFault(place, dead.role, 'did not start');
    const running = runningIn(place);
    const isUp = (role: Role): boolean => {
      const leader = running.get(role)?.leader;
      return leader !== undefined && (role !== 'client' || isSettled(leader));
    };
    return answered && started.every(({ role }) => isUp(role));
  };
  const whole = await until((PATIENCE + 5) * 1000, serve);
  const silent = await late;
  if (silent === undefined && whole)
    return admit(
      place,
      roles.filter((role) => isDroplet(role) && !isOfCloud(role)),
    );
  const role = silent === undefined ? undefined : roleNamed(state, silent);
  throw machineFault(place, role ?? 'client', `did not answer in ${PATIENCE} s`);
}
