/**
 * What is kept of droplets between two runs, beside hosts.ini: `.droplets/hosts.ini.json`. It is written before each
 * create is sent and again the moment that the API accepts it, so that a run cut off anywhere is continued.
 */
import { randomBytes } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { Fault } from '../cli.ts';
import { makeDirectory, readTextIfAny, writeText } from '../files.ts';
import { quoteAll } from '../shell.ts';

const entry = z.object({
  name: z.string().min(1),
  group: z.enum(['vpn', 'comp']),
  region: z.string(),
  /** Unix seconds at which its creation was asked for. */
  asked: z.number(),
  /** Undefined while it is not known whether the API has accepted it. */
  id: z.int().positive().optional(),
  /** The API has shown it: where it does not any more, it is gone. */
  seen: z.literal(true).optional(),
  /** Number of the create action. */
  action: z.int().positive().optional(),
  /** Its public SSH host key as in known_hosts, `ssh-ed25519 AAAA…`; the private half is nowhere but on the droplet. */
  hostKey: z.string().optional(),
  /** That key was written into known_hosts for that address: from then on known_hosts is right, whatever stands there. */
  pinned: z.literal(true).optional(),
  /** The address that hosts.ini was given. */
  address: z.string().optional(),
});

/** One droplet of this hosts.ini. */
export type Entry = z.infer<typeof entry>;

const schema = z.object({
  format: z.literal(1),
  mark: z.string().regex(/^comps-from-[0-9a-f]{12}$/),
  account: z.string().min(1).optional(),
  past: z.array(z.string()).optional(),
  droplets: z.array(entry),
});

type Content = z.infer<typeof schema>;

/** Addresses of droplets that are gone, at most. */
const KEPT = 200;

export interface Saved {
  file: string;
  /** A tag of the droplets that were asked for from this hosts.ini, and of no others. */
  readonly mark: string;
  /** Whose they are, by the `id` of api.ts’s Account; undefined while it is not known. */
  readonly account: string | undefined;
  /** Addresses that droplets of here had and gave up: others have them by now. The latest come last. */
  readonly past: readonly string[];
  readonly entries: readonly Entry[];
  /** Puts the account on record, where it is another one than before. */
  bind(account: string): void;
  find(name: string): Entry | undefined;
  /** Puts an entry in the place of the one of its name. */
  put(entry: Entry): void;
  drop(name: string): void;
  /** Writes it as it is: what stands in the way is found out before there is anything to lose. */
  write(): void;
}

function read(file: string): Content {
  const text = readTextIfAny(file);
  if (text === undefined)
    return { format: 1, mark: `comps-from-${randomBytes(6).toString('hex')}`, droplets: [] };
  const fault = (what: string): Fault =>
    new Fault({
      at: file,
      what,
      next: `see DigitalOcean's list of droplets, then remove the file: ${quoteAll(['rm', file])}`,
    });
  const damaged = 'is not what provision.ts writes there, so the droplets it made are not known';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw fault(damaged);
  }
  if (z.object({ format: z.number().min(2) }).safeParse(value).success)
    throw new Fault({ at: file, what: 'was written by a newer version of this project', next: 'git pull' });
  const { data } = schema.safeParse(value);
  if (data === undefined) throw fault(damaged);
  // Every record of today has `past`. Before, a key was written into known_hosts whenever its address was met.
  if (data.past === undefined)
    data.droplets = data.droplets.map((one) =>
      one.hostKey !== undefined && one.address !== undefined && one.seen === true
        ? { ...one, pinned: true as const }
        : one,
    );
  if (new Set(data.droplets.map(({ name }) => name)).size < data.droplets.length)
    throw fault('has a name twice');
  return data;
}

/** The record that belongs to an inventory; nothing is written before the first `put`. */
export function openSaved(inventory: string): Saved {
  const file = join(dirname(inventory), '.droplets', `${basename(inventory)}.json`);
  const { mark, droplets, ...rest } = read(file);
  let { account, past = [] } = rest;
  let entries = droplets;
  const write = (): void => {
    makeDirectory(dirname(file), 0o700);
    const content: Content = { format: 1, mark, account, past, droplets: entries };
    writeText(file, `${JSON.stringify(content, null, 2)}\n`, 0o600);
  };
  return {
    file,
    mark,
    get account() {
      return account;
    },
    get past() {
      return past;
    },
    get entries() {
      return entries;
    },
    bind: (now) => {
      if (account === now) return;
      account = now;
      write();
    },
    write,
    find: (name) => entries.find((one) => one.name === name),
    put: (changed) => {
      const at = entries.findIndex(({ name }) => name === changed.name);
      entries = at === -1 ? [...entries, changed] : entries.with(at, changed);
      write();
    },
    drop: (name) => {
      const gone = entries.find((one) => one.name === name);
      if (gone === undefined) return;
      entries = entries.filter((one) => one !== gone);
      const { address } = gone;
      if (address !== undefined) past = [...past.filter((one) => one !== address), address].slice(-KEPT);
      write();
    },
  };
}
