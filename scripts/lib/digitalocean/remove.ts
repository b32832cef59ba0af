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

/** Seconds after which a deletion is asked for again: a droplet that was still being made may survive the first. */
const AGAIN = 15;

/** An answer that cannot be understood may be one to a deletion that was carried out: the droplet itself is asked. */
async function removeOr(api: CloudApi, id: number): Promise<'accepted' | 'gone'> {
  try {
    return await api.remove(id);
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== EXIT.unreachable) throw error;
    if ((await api.droplet(id)) === undefined) return 'gone';
    throw error;
  }
}

/** Deletes all, at the same time; the Faults of those that are not gone. */
export async function removeAll(
  droplets: readonly { id: number; name: string }[],
  { api, timeout, now, pause, onGone }: Removing,
): Promise<Map<number, Fault>> {
  const failed = new Map<number, Fault>();
  const end = now() + timeout;
  const one = async ({ id, name }: { id: number; name: string }): Promise<void> => {
    let asked = Number.NEGATIVE_INFINITY;
    for (let seconds = 0.5; ; seconds = Math.min(seconds * 1.5, 10)) {
      if (now() - asked >= AGAIN) {
        if ((await removeOr(api, id)) === 'gone') return onGone(id);
        asked = now();
      } else if ((await api.droplet(id)) === undefined) return onGone(id);
      if (now() >= end)
        throw new Fault({
          at: name,
          what: `the droplet ${id} is still there ${timeout} s after its deletion was accepted`,
          next: 'run the same command again; it costs money until it is gone',
          code: EXIT.failed,
        });
      await pause(seconds);
    }
  };
  await Promise.all(
    droplets.map((droplet) =>
      one(droplet).catch((error: unknown) => {
        if (!(error instanceof Fault)) throw error;
        failed.set(droplet.id, error);
      }),
    ),
  );
  return failed;
}
