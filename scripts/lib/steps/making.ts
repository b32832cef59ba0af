/** Makes the droplets of a plan, all at the same time, and waits until they are up. */
import { EXIT, Fault } from '../cli.ts';
import type { CloudApi, Droplet, DropletOrder } from '../digitalocean/api.ts';
import { createOnce, type Made, type Making, NotMade } from '../digitalocean/create.ts';
import { removeAll } from '../digitalocean/remove.ts';
import type { Entry, Saved } from '../digitalocean/saved.ts';
import { userData } from '../digitalocean/user-data.ts';
import { type Awaited, awaitUp } from '../digitalocean/wait.ts';
import type { Wanted } from '../digitalocean/wanted.ts';
import { newHostKey } from '../transport/host-key.ts';
import { clock, unixNow } from './cloud.ts';

/** Seconds that DigitalOcean may take to delete a droplet that it could not make. */
const REMOVAL = 120;

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

const orderOf = (
  { group: _, tags, ...rest }: Wanted,
  mark: string,
  sshKey: string,
  data: string,
): DropletOrder => ({
  ...rest,
  tags: [...tags, mark],
  sshKeys: [sshKey],
  userData: data,
});

/** Puts an accepted droplet's number on record; where that fails, it is told at least. */
function record(saved: Saved, entry: Entry, { droplet: { id }, action }: Made): void {
  try {
    saved.put({ ...entry, id, ...(action === undefined ? {} : { action }) });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new Fault({
      at: entry.name,
      what: `the droplet ${id} is made, and its number cannot be put on record: ${error.message}`,
      next: 'mend that, then run the same command again: it finds the droplet by its tags',
      code: EXIT.failed,
    });
  }
}

/** Asks for one droplet; on record before it is asked for, and its number as soon as the API has told it. */
async function ask(wanted: Wanted, context: MakingContext): Promise<Awaited> {
  const { api, saved, sshKey, known, onStep, say } = context;
  const { name, group, region } = wanted;
  const before = saved.find(name);
  const key = newHostKey();
  const entry: Entry = { name, group, region, asked: unixNow(), hostKey: key.publicKey, ...former(before) };
  onStep(name, 'asked for');
  saved.put(entry);
  const making: Making = { api, known, mark: saved.mark, pause: clock.pause, say: (line) => say(name, line) };
  let made: Made;
  try {
    made = await createOnce(orderOf(wanted, saved.mark, sshKey, userData(key)), making);
  } catch (error) {
    // Where there may be one, the record stays.
    if (error instanceof NotMade) forget(saved, name, before);
    throw error;
  }
  record(saved, entry, made);
  const { droplet, action } = made;
  say(name, `droplet ${droplet.id} is being made in ${region}`);
  return { name, id: droplet.id, action };
}

/** What hosts.ini has of a droplet's predecessor stays known until it is written over. */
const former = (entry: Entry | undefined): { address?: string } =>
  entry?.address === undefined ? {} : { address: entry.address };

/** Puts the record back as it was before a droplet, or as it is without it. */
function forget(saved: Saved, name: string, before: Entry | undefined): void {
  if (before === undefined) saved.drop(name);
  else saved.put(before);
}

/** Deletes a droplet that DigitalOcean could not make: it would be billed. */
async function discard({ name, id }: Awaited, { api, saved }: MakingContext): Promise<void> {
  const removing = { api, timeout: REMOVAL, ...clock, onGone: () => {} };
  const failed = await removeAll([{ id, name }], removing);
  const [fault] = failed.values();
  if (fault !== undefined) throw fault;
  const entry = saved.find(name);
  if (entry === undefined) return;
  const { group, region } = entry;
  forget(
    saved,
    name,
    entry.address === undefined ? undefined : { name, group, region, asked: 0, ...former(entry) },
  );
}

/** A defect is thrown on. */
export const asFault = (error: unknown): Fault => {
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
    for (const [name, outcome] of await makeThese(second, [], wanted, context, false))
      outcomes.set(name, outcome);
  return outcomes;
}

const gaveUp = (name: string): Fault =>
  new Fault({
    at: name,
    what: 'DigitalOcean could not make it this time either; nothing of it is left',
    next: 'run the same command again later, or choose another region: https://status.digitalocean.com',
    code: EXIT.failed,
  });

async function makeThese(
  create: readonly Wanted[],
  adopted: readonly Awaited[],
  wanted: readonly Wanted[],
  context: MakingContext,
  again: boolean,
): Promise<Outcomes> {
  const outcomes: Outcomes = new Map();
  const asked = await Promise.all(
    create.map((one) =>
      ask(one, context).catch((error: unknown) => {
        outcomes.set(one.name, asFault(error));
        return undefined;
      }),
    ),
  );
  const awaited = [...asked.filter((one) => one !== undefined), ...adopted];
  for (const [name, outcome] of await follow(awaited, wanted, context, again)) outcomes.set(name, outcome);
  return outcomes;
}

/** Makes those of the wanted that are to be made, and waits for them and for those adopted that are not up yet. */
export const makeAll = (
  create: readonly Wanted[],
  adopted: readonly Awaited[],
  wanted: readonly Wanted[],
  context: MakingContext,
): Promise<Outcomes> => makeThese(create, adopted, wanted, context, true);
