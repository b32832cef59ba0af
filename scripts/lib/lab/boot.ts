/** Starts machines, and waits until they serve. */
import { join } from 'node:path';
import { Fault } from '../cli.ts';
import { exists, readText, readTextIfAny } from '../files.ts';
import { run, spawnDetached } from '../transport/local.ts';
import { insideWords, type MachineParts, machineWords, NSPAWN_ENVIRONMENT } from './machine.ts';
import { nameOf, type Place } from './place.ts';
import { until } from './poll.ts';
import { runningIn } from './processes.ts';
import { findSilent, type Service } from './ready.ts';
import { addressOf, isDroplet, isMachine, RESOLVER, type Role, roleNamed, SITE, systemOf } from './roles.ts';
import type { State } from './state.ts';

/** Seconds that a machine may take to answer. */
const PATIENCE = 60;

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
  return new Fault({ at: `${role} (${addressOf(role)})`, what: `${what}; ${said}` });
}

const servicesOf = (role: Role): Service[] => {
  if (isDroplet(role)) return [{ address: addressOf(role), port: 22, greeting: 'SSH-2.0' }];
  if (role !== 'inet') return [];
  return [
    { address: SITE, port: 80, greeting: '' },
    { address: SITE, port: 443, greeting: '' },
    { address: RESOLVER, port: 53, greeting: '' },
  ];
};

/** The address of a machine that does not come up in time, if there is one. */
async function findLate(place: Place, roles: readonly Role[]): Promise<string | undefined> {
  const droplets = roles.filter(isDroplet).flatMap(servicesOf);
  const others = roles.filter((role) => !isDroplet(role)).flatMap(servicesOf);
  const late = await Promise.all([
    findSilent(nameOf(place, 'ctl'), droplets, PATIENCE),
    findSilent(nameOf(place, 'net'), others, PATIENCE),
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
function partsOf(role: Role, state: State): MachineParts {
  const { image, npm, browser } = state;
  if (role === 'client' && browser !== undefined)
    return { tree: join(browser, 'browser'), npm, browser: true };
  return { tree: join(image, systemOf(role, state)), npm, browser: false };
}

/** Starts the machines of these roles; returns when all serve. Throws what `signal` was aborted with. */
export async function boot(
  place: Place,
  state: State,
  roles: readonly Role[],
  signal?: AbortSignal,
): Promise<void> {
  const env = { ...process.env, ...NSPAWN_ENVIRONMENT };
  const started = roles.filter(isMachine).map((role) => {
    const words = machineWords(place, role, partsOf(role, state));
    return { role, pid: spawnDetached(words, logOf(place, role), env) };
  });
  let answered = false;
  const late = findLate(place, roles).finally(() => {
    answered = true;
  });
  const serve = (): boolean => {
    signal?.throwIfAborted();
    const dead = started.find(({ pid }) => !exists(`/proc/${pid}`));
    if (dead !== undefined) throw machineFault(place, dead.role, 'did not start');
    const running = runningIn(place);
    return answered && started.every(({ role }) => running.get(role)?.leader !== undefined);
  };
  const whole = await until((PATIENCE + 5) * 1000, serve);
  const silent = await late;
  if (silent === undefined && whole) return admit(place, roles.filter(isDroplet));
  const role = silent === undefined ? undefined : roleNamed(state, silent);
  throw machineFault(place, role ?? 'client', `did not answer in ${PATIENCE} s`);
}
