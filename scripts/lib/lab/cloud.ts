/** The DigitalOcean API of a lab: its own process in the lab's controller, and an account there. */
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { atEnd, EXIT, Fault } from '../cli.ts';
import { exists, makeDirectory, readTextIfAny, writeText } from '../files.ts';
import { until } from '../poll.ts';
import { attempt, killNow, spawnDetached } from '../transport/local.ts';
import { lastLines } from './boot.ts';
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
import { withoutAccount } from './environment.ts';
import { type Lab, openLab } from './open.ts';
import { waitFor } from './patience.ts';
import { labCommand, nameOf, type Place, placeOf } from './place.ts';
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
  put(settingsFile(place), () => settingsText(place.name));
  put(inventoryFile(place), () => inventoryText(join(place.directory, 'id_ed25519')));
  makeDirectory(join(place.directory, 'droplets'), 0o700);
}

const said = (place: Place): string =>
  lastLines(readTextIfAny(cloudLog(place)) ?? '', 3).join('\n    ') || 'it printed nothing';

/** Starts the API process; returns once it answers. Throws what `signal` was aborted with. */
async function launch(place: Place, flags: CloudFlags, signal: AbortSignal): Promise<void> {
  const inside = [`--net=/run/netns/${nameOf(place, 'ctl')}`, 'env', '-C', place.project];
  // Not by `ip netns exec`: namespaces that the API makes would be seen by nobody else.
  const words = ['nsenter', ...inside, ...serverWords(place, flags)];
  const pid = spawnDetached(words, cloudLog(place), withoutAccount());
  const service = { address: '127.0.0.1', port: CLOUD_PORT, greeting: '' };
  const asked = findSilent(nameOf(place, 'ctl'), [service], PATIENCE, signal);
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
    next: `see the whole log, then ${labCommand('cloud', place.name)}`,
    code: EXIT.failed,
  });
}

/** A Fault where the API could not do what these flags say. */
export async function judgeFlags({ spec, fault = [] }: CloudFlags): Promise<void> {
  if (spec !== undefined) await (await import('./cloud/document.ts')).judgeDocument(spec);
  if (fault.length === 0) return;
  const { judgeFault } = await import('./cloud/fault-place.ts');
  fault.forEach(judgeFault);
}

/** What came of a start: with `anew` an API that runs is ended first. */
export type Started = 'started' | 'started anew' | 'runs already';

/** Starts the API of a lab that is up, with what it knew when it ended. */
export async function startCloud(
  { name }: Pick<Lab, 'name'>,
  flags: CloudFlags = {},
  anew = false,
): Promise<Started> {
  const place = placeOf(name);
  const { spec } = flags;
  await judgeFlags(flags);
  const stop = new AbortController();
  const work = alone(place, async (): Promise<Started> => {
    // It may have been taken down meanwhile.
    openLab(name);
    const runs = cloudPid(place) !== undefined;
    if (runs && !anew) return 'runs already';
    await stopCloud({ name });
    openAccount(place);
    await launch(place, spec === undefined ? flags : { ...flags, spec: resolve(spec) }, stop.signal);
    return runs ? 'started anew' : 'started';
  });
  // After Ctrl-C the lab may be to be taken down: not before this has let go of it.
  const settle = atEnd(async () => {
    stop.abort(new Fault({ what: `the cloud of "${name}" was interrupted`, code: EXIT.interrupted }));
    await waitFor(
      `the start of the cloud of "${name}" to end`,
      work.catch(() => {}),
    );
  });
  return work.finally(settle);
}

/** Ends a lab's API, which finishes what it is at; its droplets stay. False where none runs. */
export async function stopCloud({ name }: Pick<Lab, 'name'>): Promise<boolean> {
  const place = placeOf(name);
  const pid = cloudPid(place);
  if (pid === undefined) return false;
  await attempt(['kill', '-TERM', String(pid)]);
  const ended = until(PATIENCE * 1000, () => cloudPid(place) !== pid);
  if (!(await waitFor(`what the cloud of "${name}" is at`, ended))) killNow([pid]);
  return true;
}
