/** The DigitalOcean API of a lab: its own process in the lab's controller, and an account there. */
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { atEnd, EXIT, Fault } from '../cli.ts';
import { exists, makeDirectory, readText, readTextIfAny, writeText } from '../files.ts';
import { until } from '../poll.ts';
import { attempt, killNow, spawnDetached } from '../transport/local.ts';
import { lastLines } from './boot.ts';
import { parseFault } from './cloud/faults.ts';
import {
  CLOUD_PORT,
  type CloudFlags,
  cloudLog,
  cloudPid,
  environmentFile,
  inventoryFile,
  serverWords,
  settingsFile,
} from './cloud-seat.ts';
import { environmentText, inventoryText, settingsText } from './cloud-texts.ts';
import { type Lab, openLab } from './open.ts';
import { nameOf, type Place, placeOf } from './place.ts';
import { findSilent } from './ready.ts';
import { alone } from './up.ts';

/** Seconds that the API may take to answer; with the official document it has much to read. */
const PATIENCE = 30;

/** Writes an account's files where they are missing: what a user has changed or provisioned stays. */
function openAccount(place: Place): void {
  const put = (path: string, text: () => string, mode?: number): void => {
    if (!exists(path)) writeText(path, text(), mode);
  };
  put(environmentFile(place), () => environmentText(`dop_v1_${randomBytes(32).toString('hex')}`), 0o600);
  put(settingsFile(place), settingsText);
  put(inventoryFile(place), () => inventoryText(join(place.directory, 'id_ed25519')));
  makeDirectory(join(place.directory, 'droplets'), 0o700);
}

const said = (place: Place): string =>
  lastLines(readTextIfAny(cloudLog(place)) ?? '', 3).join('\n    ') || 'it printed nothing';

/** Starts the API process; returns once it answers. Throws what `signal` was aborted with. */
async function launch(place: Place, flags: CloudFlags, signal: AbortSignal): Promise<void> {
  const inside = [`--net=/run/netns/${nameOf(place, 'ctl')}`, 'env', '-C', place.project];
  // Not by `ip netns exec`: namespaces that the API makes would be seen by nobody else.
  const pid = spawnDetached(['nsenter', ...inside, ...serverWords(place, flags)], cloudLog(place));
  const service = { address: '127.0.0.1', port: CLOUD_PORT, greeting: '' };
  const asked = findSilent(nameOf(place, 'ctl'), [service], PATIENCE);
  let silent: string | undefined = service.address;
  await Promise.race([
    asked.then((address) => {
      silent = address;
    }),
    until(PATIENCE * 1000, () => signal.aborted || !exists(`/proc/${pid}`)),
  ]);
  if (silent === undefined) return;
  killNow([pid]);
  signal.throwIfAborted();
  throw new Fault({
    at: cloudLog(place),
    what: `the lab's cloud did not start:\n    ${said(place)}`,
    code: EXIT.failed,
  });
}

/** Starts the API of a lab that is up, with what it knew when it ended; false where it runs already. */
export async function startCloud({ name }: Pick<Lab, 'name'>, flags: CloudFlags = {}): Promise<boolean> {
  const place = placeOf(name);
  const { spec, fault = [] } = flags;
  if (spec !== undefined) readText(spec);
  fault.forEach(parseFault);
  const stop = new AbortController();
  const work = alone(place, async () => {
    // It may have been taken down meanwhile.
    openLab(name);
    if (cloudPid(place) !== undefined) return false;
    openAccount(place);
    await launch(place, spec === undefined ? flags : { ...flags, spec: resolve(spec) }, stop.signal);
    return true;
  });
  // After Ctrl-C the lab may be to be taken down: not before this has let go of it.
  const settle = atEnd(async () => {
    stop.abort(new Fault({ what: `the cloud of "${name}" was interrupted`, code: EXIT.interrupted }));
    await work.catch(() => {});
  });
  return work.finally(settle);
}

/** Ends a lab's API, which finishes what it is at; its droplets stay. False where none runs. */
export async function stopCloud({ name }: Pick<Lab, 'name'>): Promise<boolean> {
  const place = placeOf(name);
  const pid = cloudPid(place);
  if (pid === undefined) return false;
  await attempt(['kill', '-TERM', String(pid)]);
  if (!(await until(PATIENCE * 1000, () => cloudPid(place) !== pid))) killNow([pid]);
  return true;
}
