/** Deletes droplets, and waits until they are gone: DigitalOcean accepts a deletion before it has carried it out. */
import { EXIT, Fault } from '../cli.ts';
import type { CloudApi } from './api.ts';

export interface Removing {
  api: CloudApi;
  /** Seconds, for all together. */
  timeout: number;
  now: () => number;
  pause: (seconds: number) => Promise<void>;
  /** Called as each is gone. */
  onGone: (id: number) => void;
}

/** A droplet that is to be deleted. */
export interface Doomed {
  id: number;
  name: string;
}

/** Seconds after which a deletion is asked for again: a droplet that was still being made may survive the first. */
const AGAIN = 15;

const isThere = async (api: CloudApi, id: number): Promise<boolean> => (await api.droplet(id)) !== undefined;

/**
 * Asks for one deletion. What the answer says is no proof, not even that there is no such droplet: whether it is gone, the
 * lists and the droplet itself say. Only a refusal ends it.
 */
async function ask(api: CloudApi, { id }: Doomed): Promise<void> {
  try {
    await api.remove(id);
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== EXIT.unreachable || (await isThere(api, id))) throw error;
  }
}

const stays = ({ id, name }: Doomed, timeout: number): Fault =>
  new Fault({
    at: name,
    what: `the droplet ${id} is still there ${timeout} s after its deletion was accepted`,
    next: 'run the same command again; it costs money until it is gone',
    code: EXIT.failed,
  });

/** Deletes all, at the same time; the Faults of those that are not gone. One list a round, whatever their number. */
export async function removeAll(
  droplets: readonly Doomed[],
  { api, timeout, now, pause, onGone }: Removing,
): Promise<Map<number, Fault>> {
  const failed = new Map<number, Fault>();
  const end = now() + timeout;
  const askAll = (some: readonly Doomed[]): Promise<unknown> =>
    Promise.all(
      some.map((one) =>
        ask(api, one).catch((error: unknown) => {
          if (!(error instanceof Fault)) throw error;
          failed.set(one.id, error);
        }),
      ),
    );
  let waiting = [...droplets];
  let asked = Number.NEGATIVE_INFINITY;
  for (let seconds = 0.5; waiting.length > 0; seconds = Math.min(seconds * 1.5, 5)) {
    if (now() - asked >= AGAIN) {
      await askAll(waiting);
      asked = now();
    }
    waiting = waiting.filter(({ id }) => !failed.has(id));
    const listed = new Set(waiting.length === 0 ? [] : (await api.droplets()).map(({ id }) => id));
    const gone = await Promise.all(
      waiting.map(async ({ id }) => !listed.has(id) && !(await isThere(api, id))),
    );
    for (const [i, { id }] of waiting.entries()) if (gone[i]) onGone(id);
    waiting = waiting.filter((_, i) => !gone[i]);
    if (now() >= end) {
      for (const one of waiting) failed.set(one.id, stays(one, timeout));
      return failed;
    }
    if (waiting.length > 0) await pause(seconds);
  }
  return failed;
}
