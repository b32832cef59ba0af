/**
 * What is on record of the droplets that the lab's cloud has made: their orders, each in a folder called like its role.
 * It is written before the droplet has anything else, and removed when nothing else of it is left.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { EXIT, Fault } from '../cli.ts';
import { createText, exists, list, makeDirectory, readTextIfStill, remove } from '../files.ts';
import type { Place } from './place.ts';
import { addressOf, CLOUD_ROLES, type CloudRole, isOfCloud, privateAddressOf } from './roles.ts';

const schema = z.object({
  /** The number that the API gave it. */
  id: z.int().min(1),
  /** As ordered; other droplets may be called the same. */
  name: z.string(),
  /** Which of the image's systems it runs. */
  system: z.enum(['bare', 'ready']),
});

export type DropletRecord = z.infer<typeof schema>;

export interface Droplet extends DropletRecord {
  role: CloudRole;
  address: string;
  privateAddress: string;
}

/** The folder of all records. */
const foldersOf = (place: Place): string => join(place.directory, 'droplets');

/** What a droplet's machine is started with: `droplet.json`, `host_key`, `authorized_keys`, units. */
export const folderOf = (place: Place, role: CloudRole): string => join(foldersOf(place), role);

const fileOf = (place: Place, role: CloudRole): string => join(folderOf(place, role), 'droplet.json');

/** A record's text as a droplet; undefined for one that is not whole. */
export function parseRecord(role: CloudRole, text: string): Droplet | undefined {
  try {
    const { data } = schema.safeParse(JSON.parse(text));
    return data && { ...data, role, address: addressOf(role), privateAddress: privateAddressOf(role) };
  } catch {
    return undefined;
  }
}

/** The droplet of this role, if there is one. */
export function recordOf(place: Place, role: CloudRole): Droplet | undefined {
  const text = readTextIfStill(fileOf(place, role));
  return text === undefined ? undefined : parseRecord(role, text);
}

/** All droplets that the cloud has made and not yet removed, in the order of their roles; they may be down. */
export function dropletsOfCloud(place: Place): Droplet[] {
  const there = new Set(list(foldersOf(place)).filter(isOfCloud));
  return CLOUD_ROLES.filter((role) => there.has(role))
    .map((role) => recordOf(place, role))
    .filter((droplet) => droplet !== undefined);
}

/** Takes the first free role for a droplet; a Fault where there is none left. */
export function takeRole(place: Place, { id, name, system }: DropletRecord): Droplet {
  const text = `${JSON.stringify({ id, name, system })}\n`;
  for (const role of CLOUD_ROLES) {
    if (exists(fileOf(place, role))) continue;
    makeDirectory(folderOf(place, role), 0o700);
    // Another order may be first.
    const droplet = createText(fileOf(place, role), text) ? parseRecord(role, text) : undefined;
    if (droplet !== undefined) return droplet;
  }
  throw new Fault({
    at: name,
    what: `a lab's cloud has ${CLOUD_ROLES.length} droplets at most`,
    code: EXIT.refused,
  });
}

/** Nothing is on record of this role any more. */
export const freeRole = (place: Place, role: CloudRole): void => remove(folderOf(place, role));
