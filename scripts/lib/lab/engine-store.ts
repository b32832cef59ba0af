/** Where the engine's images are kept from one run to the next, by one daemon at a time. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { exists, list, makeDirectory, remove } from '../files.ts';
import { withLock } from '../lock.ts';
import { pause } from '../poll.ts';
import { attempt } from '../transport/local.ts';
import { cacheFolder } from './cache.ts';
import { commandLines, docker, killDaemon, startDaemon, stopDaemon } from './engine-daemon.ts';
import { type Built, makeImages } from './engine-images.ts';
import { type Seat, seatOf } from './engine-place.ts';
import { holderIn, type Net } from './engine-settings.ts';

export interface Store {
  folder: string;
  /** Docker's own folder. */
  data: string;
  /** Locked by the daemon that uses the store. */
  lock: string;
  /** Where images are made: a daemon that ends with the command. */
  seat: Seat;
}

export function storeHere(): Store {
  const folder = join(cacheFolder(), 'engine-1');
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 8);
  return {
    folder,
    data: join(folder, 'data'),
    lock: join(folder, 'lock'),
    seat: seatOf(`comps-build-${hash}`),
  };
}

const lockName = (folder: string): string => `engine ${folder}`;

/** What to tell a person who waits for a store. */
export function waitingFor(holder: string | undefined): string {
  const lab = /^comps-(.+)-[0-9a-f]{4}-engine$/.exec(holder ?? '')?.[1];
  if (lab === undefined) return 'Another command makes the images of the engine; waiting for it.';
  return (
    `The engine of the lab "${lab}" has the images; waiting until it ends ` +
    `(npx zx scripts/lab.ts down --name ${lab}).`
  );
}

const isFree = async (lock: string): Promise<boolean> =>
  (await attempt(['flock', '--nonblock', lock, 'true'])).code === 0;

/**
 * Does the work once no daemon uses the store, and before any other can; does nothing where `instead` has an answer
 * meanwhile.
 */
export function withStore<T>(
  store: Store,
  work: () => Promise<T>,
  instead: () => Promise<T | undefined> = async () => undefined,
): Promise<T> {
  let told = '';
  const tell = (): void => {
    const holders = commandLines().map(({ line }) => holderIn(line, store.lock));
    const holder = holders.find((name) => name !== undefined);
    const line = waitingFor(holder);
    // One that has just ended is not worth another line.
    if (line === told || (told !== '' && holder === undefined)) return;
    console.log(line);
    told = line;
  };
  return withLock(lockName(store.folder), tell, async () => {
    makeDirectory(store.folder, 0o700);
    while (!(await isFree(store.lock))) {
      const found = await instead();
      if (found !== undefined) return found;
      tell();
      await pause(200);
    }
    return work();
  });
}

async function withDaemon<T>(store: Store, net: Net, work: () => Promise<T>): Promise<T> {
  const { seat, folder, data, lock } = store;
  await startDaemon(seat, { net, data, lock, log: join(folder, 'daemon.log'), bound: true });
  try {
    return await work();
  } finally {
    await stopDaemon(seat);
  }
}

/** Removes what a command that was killed while it made images left outside the store; nothing while one is at work. */
export async function tidyStore({ folder, seat, lock }: Store): Promise<void> {
  if (!exists(seat.folder)) return;
  const busy = new Error('a command is at work');
  const tidy = async (): Promise<void> => {
    if (await isFree(lock)) await killDaemon(seat);
  };
  const stop = (): never => {
    throw busy;
  };
  await withLock(lockName(folder), stop, tidy).catch((error) => {
    if (error !== busy) throw error;
  });
}

/** Removes the containers, networks and volumes of earlier runs, also of killed ones. Images stay. */
async function sweepStore(store: Store): Promise<void> {
  for (const name of ['network', 'volumes']) remove(join(store.data, name));
  if (list(join(store.data, 'containers')).length === 0) return;
  // Docker starts those that are to be restarted at once: where there is no network, nothing comes of it.
  await withDaemon(store, 'none', async () => {
    const ids = (await docker(store.seat, ['ps', '--all', '--quiet', '--no-trunc'])).stdout
      .split('\n')
      .filter(Boolean);
    if (ids.length > 0) await docker(store.seat, ['rm', '--force', '--volumes', ...ids]);
  });
  for (const name of ['network', 'volumes', 'containers']) remove(join(store.data, name));
}

/** The store, swept, with the images of a build context in it. */
export async function fillStore(store: Store, context: string, mirror?: string): Promise<Built[]> {
  await sweepStore(store);
  const source = { half: join(store.folder, 'half'), mirror };
  return withDaemon(store, 'host', () => makeImages(store.seat, context, source));
}
