/**
 * What is kept of droplets between two runs, beside hosts.ini: `.droplets/hosts.ini.json`. It is written before each
 * create is sent and again the moment that the API accepts it, so that a run cut off anywhere is continued.
 */
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { Fault } from '../cli.ts';
import { makeDirectory, readTextIfAny, writeText } from '../files.ts';

const entry = z.object({
  name: z.string().min(1),
  group: z.enum(['vpn', 'comp']),
  region: z.string(),
  /** Unix seconds at which its creation was asked for. */
  asked: z.number(),
  /** Undefined while it is not known whether the API has accepted it. */
  id: z.int().positive().optional(),
  /** Number of the create action. */
  action: z.int().positive().optional(),
  /** Its public SSH host key as in known_hosts, `ssh-ed25519 AAAA…`; the private half is nowhere but on the droplet. */
  hostKey: z.string().optional(),
  /** The address that hosts.ini was given. */
  address: z.string().optional(),
});

/** One droplet of this hosts.ini. */
export type Entry = z.infer<typeof entry>;

const schema = z.object({ format: z.literal(1), droplets: z.array(entry) });

export interface Saved {
  file: string;
  readonly entries: readonly Entry[];
  find(name: string): Entry | undefined;
  /** Puts an entry in the place of the one of its name. */
  put(entry: Entry): void;
  drop(name: string): void;
}

function read(file: string): Entry[] {
  const text = readTextIfAny(file);
  if (text === undefined) return [];
  const fault = (): Fault =>
    new Fault({
      at: file,
      what: 'is not what provision.ts writes there, so the droplets it made are not known',
      next: `see DigitalOcean's list of droplets, then remove the file: rm ${file}`,
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw fault();
  }
  const result = schema.safeParse(value);
  if (!result.success) throw fault();
  return result.data.droplets;
}

/** The record that belongs to an inventory; nothing is written before the first `put`. */
export function openSaved(inventory: string): Saved {
  const file = join(dirname(inventory), '.droplets', `${basename(inventory)}.json`);
  let entries = read(file);
  const write = (): void => {
    makeDirectory(dirname(file), 0o700);
    writeText(file, `${JSON.stringify({ format: 1, droplets: entries }, null, 2)}\n`, 0o600);
  };
  return {
    file,
    get entries() {
      return entries;
    },
    find: (name) => entries.find((one) => one.name === name),
    put: (changed) => {
      const at = entries.findIndex(({ name }) => name === changed.name);
      entries = at === -1 ? [...entries, changed] : entries.with(at, changed);
      write();
    },
    drop: (name) => {
      if (entries.every((one) => one.name !== name)) return;
      entries = entries.filter((one) => one.name !== name);
      write();
    },
  };
}
