/** Makes the droplets of a plan, all at the same time, and waits until they are up. */
import { EXIT, Fault } from '../cli.ts';
import type { CloudApi, Droplet, DropletOrder } from '../digitalocean/api.ts';
import { createOnce, lookFor, type Making, madeBy } from '../digitalocean/create.ts';
import { removeAll } from '../digitalocean/remove.ts';
import type { Entry, Saved } from '../digitalocean/saved.ts';
import { userData } from '../digitalocean/user-data.ts';
import { type Awaited, awaitUp } from '../digitalocean/wait.ts';
import type { Wanted } from '../digitalocean/wanted.ts';
import { newHostKey } from '../transport/host-key.ts';
import { clock, unixNow } from './cloud.ts';

/** Seconds that DigitalOcean may take to delete a droplet that it could not make. */
const REMOVAL = 120;

/** Seconds after an unanswered create in which a list may not show its droplet yet. */
const LAG = 60;

export interface MakingContext {
  api: CloudApi;
  saved: Saved;
  tag: string;
  /** Number or fingerprint on the account. */
  sshKey: string;
  /** `wait_timeout` of config.cfg, seconds. */
  timeout: number;
  /** Numbers of droplets that the account had before. */
  known: ReadonlySet<number>;
  /** What somebody does now; undefined when they have ended. */
  onStep: (name: string, what: string | undefined) => void;
  /** A line that stays. */
  say: (name: string, line: string) => void;
}

/**
 * The entries of creates that were sent by a run that was cut off before their answer, with the droplets that they made.
 * Those that made none stay as they are.
 */
export async function recover(
  api: CloudApi,
  entries: readonly Entry[],
  droplets: readonly Droplet[],
): Promise<Entry[]> {
  const recorded = new Set(entries.map(({ id }) => id));
  const unanswered = entries.filter(({ id }) => id === undefined);
  return Promise.all(
    unanswered.map(async (entry) => {
      const made = madeBy(entry, droplets, recorded);
      if (made.length > 0) return made.length === 1 ? { ...entry, id: made[0]?.id } : entry;
      if (unixNow() - entry.asked > LAG) return entry;
      const known = new Set(droplets.map(({ id }) => id));
      const late = await lookFor(entry, { api, known, pause: clock.pause });
      return late === undefined ? entry : { ...entry, id: late.id };
    }),
  );
}

const orderOf = ({ group: _, ...rest }: Wanted, sshKey: string, data: string): DropletOrder => ({
  ...rest,
  sshKeys: [sshKey],
  userData: data,
});

/** Asks for one droplet; on record before it is asked for, and its number as soon as the API has told it. */
async function ask(wanted: Wanted, context: MakingContext): Promise<Awaited> {
  const { api, saved, sshKey, known, onStep, say } = context;
  const { name, group, region } = wanted;
  const before = saved.find(name);
  // What hosts.ini has of a former one stays known until it is written over.
  const former = before?.address === undefined ? {} : { address: before.address };
  const key = newHostKey();
  const entry: Entry = { name, group, region, asked: unixNow(), hostKey: key.publicKey, ...former };
  onStep(name, 'asked for');
  saved.put(entry);
  const making: Making = {
    api,
    known,
    asked: entry.asked,
    pause: clock.pause,
    say: (line) => say(name, line),
  };
  try {
    const { droplet, action } = await createOnce(orderOf(wanted, sshKey, userData(key)), making);
    saved.put({ ...entry, id: droplet.id, ...(action === undefined ? {} : { action }) });
    say(name, `droplet ${droplet.id} is being made in ${region}`);
    return { name, id: droplet.id, action };
  } catch (error) {
    // Refused, so there is none; after no answer there may be one, and the record stays.
    if (error instanceof Fault && error.code === EXIT.refused) {
      if (before === undefined) saved.drop(name);
      else saved.put(before);
    }
    throw error;
  }
}

/** Deletes a droplet that DigitalOcean could not make: it would be billed. */
async function discard({ name, id }: Awaited, { api, saved }: MakingContext): Promise<void> {
  const removing = { api, timeout: REMOVAL, ...clock, onGone: () => {} };
  const failed = await removeAll([{ id, name }], removing);
  const [fault] = failed.values();
  if (fault !== undefined) throw fault;
  saved.drop(name);
}

const asFault = (error: unknown): Fault => {
  if (error instanceof Fault) return error;
  throw error;
};

/** By name: the droplet that is up, or why there is none. */
export type Outcomes = Map<string, Droplet | Fault>;

/** Waits for these; one that DigitalOcean gave up is deleted and asked for a second time, and not for a third. */
async function follow(
  awaited: readonly Awaited[],
  wanted: readonly Wanted[],
  context: MakingContext,
  again: boolean,
): Promise<Outcomes> {
  const { api, tag, timeout, onStep, say } = context;
  const arrived = await awaitUp(awaited, { api, tag, timeout, ...clock, onState: onStep });
  const outcomes: Outcomes = new Map();
  const second: Wanted[] = [];
  await Promise.all(
    awaited.map(async (one) => {
      const end = arrived.get(one.name);
      if (end !== undefined && end !== 'errored') return void outcomes.set(one.name, end);
      try {
        say(one.name, `DigitalOcean could not make the droplet ${one.id}; deleting it`);
        await discard(one, context);
        const order = wanted.find(({ name }) => name === one.name);
        if (again && order !== undefined) second.push(order);
        else outcomes.set(one.name, gaveUp(one.name));
      } catch (error) {
        outcomes.set(one.name, asFault(error));
      }
    }),
  );
  if (second.length > 0)
    for (const [name, outcome] of await makeThese(second, [], context, false)) outcomes.set(name, outcome);
  return outcomes;
}

const gaveUp = (name: string): Fault =>
  new Fault({
    at: name,
    what: 'DigitalOcean could not make it, twice; nothing of it is left',
    next: 'run the same command again later, or choose another region: https://status.digitalocean.com',
    code: EXIT.failed,
  });

async function makeThese(
  create: readonly Wanted[],
  adopted: readonly Awaited[],
  context: MakingContext,
  again: boolean,
): Promise<Outcomes> {
  const outcomes: Outcomes = new Map();
  const asked = await Promise.all(
    create.map((wanted) =>
      ask(wanted, context).catch((error: unknown) => {
        outcomes.set(wanted.name, asFault(error));
        return undefined;
      }),
    ),
  );
  const awaited = [...asked.filter((one) => one !== undefined), ...adopted];
  for (const [name, outcome] of await follow(awaited, create, context, again)) outcomes.set(name, outcome);
  return outcomes;
}

/** Makes what is to be made, and waits for it and for those adopted that are not up yet. */
export const makeAll = (
  create: readonly Wanted[],
  adopted: readonly Awaited[],
  context: MakingContext,
): Promise<Outcomes> => makeThese(create, adopted, context, true);
