/** What a finished `up` leaves on record: only what cannot be read from the running lab itself. */
import { join } from 'node:path';
import { z } from 'zod';
import { readTextIfAny, writeText } from '../files.ts';
import type { Place } from './place.ts';

const schema = z.object({
  vpn: z.int().min(0),
  comp: z.int().min(0),
  image: z.string(),
  npm: z.string(),
  /** Where the client has Chromium: the folder that it is started from. */
  browser: z.string().optional(),
  /** Where its droplets have Python: the folder that they are started from. */
  python: z.string().optional(),
  /** It has IPv6 addresses as well. */
  ipv6: z.boolean().optional(),
});

/** The lab's shape, and the folders its machines are started from. */
export type State = z.infer<typeof schema>;

const fileOf = (place: Place): string => join(place.directory, 'state.json');

/** The state in a text; undefined where it is not one. */
export function parseState(text: string): State | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** The state of a lab whose `up` came to its end; undefined for any other. */
export function readState(place: Place): State | undefined {
  const text = readTextIfAny(fileOf(place));
  return text === undefined ? undefined : parseState(text);
}

export const writeState = (place: Place, state: State): void =>
  writeText(fileOf(place), JSON.stringify(state, null, 2) + '\n');
