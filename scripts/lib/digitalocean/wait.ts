/** Waits until droplets are up: active, with a public IPv4 address. */
import { EXIT, Fault } from '../cli.ts';
import type { CloudApi, Droplet } from './api.ts';

/** A droplet that is waited for. */
export interface Awaited {
  name: string;
  id: number;
  action: number | undefined;
}

/** `active` with its address, what went wrong, or that DigitalOcean gave up making it. */
export type Arrival = Droplet | Fault | 'errored';

export interface Waiting {
  api: CloudApi;
  tag: string;
  /** Seconds, for all together. */
  timeout: number;
  now: () => number;
  pause: (seconds: number) => Promise<void>;
  onState: (name: string, state: string) => void;
}

/** Questions about single droplets in one round; the rest has its turn in the next. */
const SINGLES = 4;

/** Rounds in which a droplet that was seen once is in no list: then it is gone. */
const MISSES = 3;

interface Follow {
  one: Awaited;
  last: Droplet | undefined;
  misses: number;
}

const stateOf = (droplet: Droplet | undefined): string => {
  if (droplet === undefined) return 'accepted';
  return droplet.status === 'active' ? 'active, waiting for its public address' : droplet.status;
};

/** Whether nothing is to be waited for any more. */
export const isUp = (droplet: Droplet): boolean =>
  droplet.status === 'active' && droplet.address !== undefined;

const unseen = ({ one }: Follow, { message, next }: Fault): Fault =>
  new Fault({
    at: one.name,
    what: `the droplet ${one.id} was asked for, and nothing is heard of it: ${message}`,
    next: `run the same command again, it goes on from there${next === undefined ? '' : `; ${next}`}`,
    code: EXIT.unreachable,
  });

function late({ one, last }: Follow, timeout: number): Fault {
  const missing =
    last === undefined
      ? 'is in no list of droplets yet'
      : last.status === 'active'
        ? 'is active and has no public IPv4 address'
        : `is still ${last.status}`;
  return new Fault({
    at: one.name,
    what: `the droplet ${one.id} ${missing} after ${timeout} s (wait_timeout)`,
    next: `run the same command again to go on waiting, or delete it: npx zx scripts/teardown.ts --limit ${one.name}`,
    code: EXIT.failed,
  });
}

const vanished = ({ one }: Follow): Fault =>
  new Fault({
    at: one.name,
    what: `the droplet ${one.id} was deleted meanwhile, by somebody else or by DigitalOcean`,
    next: 'run the same command again to have it made anew',
    code: EXIT.failed,
  });

/** What a look at the list says of one; undefined while it is to be waited for. */
function judge(follow: Follow, droplet: Droplet | undefined): Arrival | undefined {
  if (droplet === undefined) {
    if (follow.last !== undefined) follow.misses++;
    return follow.misses >= MISSES ? vanished(follow) : undefined;
  }
  follow.last = droplet;
  follow.misses = 0;
  return isUp(droplet) ? droplet : undefined;
}

/** One list a round for all of them, and a few questions about those that the list says nothing new of. */
export async function awaitUp(
  droplets: readonly Awaited[],
  { api, tag, timeout, now, pause, onState }: Waiting,
): Promise<Map<string, Arrival>> {
  const arrived = new Map<string, Arrival>();
  let waiting: Follow[] = droplets.map((one) => ({ one, last: undefined, misses: 0 }));
  const end = now() + timeout;
  const look = async (all: readonly Follow[]): Promise<void> => {
    const list = new Map((await api.droplets(tag)).map((droplet) => [droplet.id, droplet]));
    const turn = all.slice(0, SINGLES);
    for (const follow of all) {
      const { one } = follow;
      const inTurn = turn.includes(follow);
      // One without the tag is in no list of it; a list may also lag behind.
      const droplet = list.get(one.id) ?? (inTurn ? await api.droplet(one.id) : follow.last);
      const verdict = judge(follow, droplet) ?? (inTurn ? await errored(api, one) : undefined);
      onState(one.name, stateOf(follow.last));
      if (verdict !== undefined) arrived.set(one.name, verdict);
    }
    // Those who had their turn go to the end.
    waiting = [...all.filter((one) => !turn.includes(one)), ...turn];
  };
  for (let seconds = 1; waiting.length > 0; seconds = Math.min(seconds * 1.3, 5)) {
    let trouble: Fault | undefined;
    try {
      await look(waiting);
    } catch (error) {
      // What cannot be reached for a while is borne, and told in the end.
      if (!(error instanceof Fault) || error.code !== EXIT.unreachable) throw error;
      trouble = error;
    }
    waiting = waiting.filter(({ one }) => !arrived.has(one.name));
    const over = now() >= end;
    if (over)
      for (const follow of waiting)
        arrived.set(follow.one.name, trouble === undefined ? late(follow, timeout) : unseen(follow, trouble));
    if (over) return arrived;
    if (waiting.length > 0) await pause(seconds);
  }
  return arrived;
}

/** A droplet whose create was not answered has an action, too, and it is asked for. */
async function errored(api: CloudApi, { id, action }: Awaited): Promise<'errored' | undefined> {
  const number = action ?? (await api.createAction(id));
  if (number === undefined) return undefined;
  return (await api.action(number)) === 'errored' ? 'errored' : undefined;
}
