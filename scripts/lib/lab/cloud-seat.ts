/** Where the cloud of a lab lives, and how it is found and reached; nothing here changes anything. */
import { join } from 'node:path';
import { readTextIfAny } from '../files.ts';
import { commandLines } from './engine-daemon.ts';
import type { Place } from './place.ts';

/** In the controller, like the port of a service there: each lab has a loopback of its own. */
export const CLOUD_PORT = 8080;
export const CLOUD_URL = `http://127.0.0.1:${CLOUD_PORT}/v2`;

/** The number that the lab's SSH key has on the account. */
export const KEY_ID = 512_190;

/** The names of the environment variables that hold the account's token and its key's number. */
export const TOKEN_VARIABLE = 'LAB_DO_TOKEN';
export const KEY_VARIABLE = 'LAB_SSH_KEY_ID';

const inLab =
  (name: string) =>
  ({ directory }: Pick<Place, 'directory'>): string =>
    join(directory, name);

/**
 * The variables that the account's owner has set, a line each; for root alone. Names of their own, so that who forgets
 * `lab.ts exec` acts on no other account.
 */
export const environmentFile = inLab('cloud.env');
export const settingsFile = inLab('cloud.cfg');
export const inventoryFile = inLab('cloud.ini');
/** What the API knows of its droplets, for its next start; for root alone. */
export const memoryFile = inLab('cloud.json');
export const cloudLog = inLab(join('log', 'cloud.log'));

/** The hidden command of lab.ts that is the API; with the path of this project and a lab's name it marks its process. */
export const SERVE = 'serve-cloud';

export interface CloudFlags {
  /** Path of the official document: requests and answers are checked against it. */
  spec?: string | undefined;
  /** Faults on demand, as `lab.ts cloud --fault` reads them. */
  fault?: readonly string[] | undefined;
  /** Seconds until a droplet that has been started is active. */
  delay?: number | undefined;
}

/** The command line of a lab's API, without what leads into its namespace. */
export const serverWords = (place: Place, { spec, fault = [], delay }: CloudFlags): string[] => [
  ...[process.execPath, '--import=tsx', join(place.project, 'scripts', 'lab.ts')],
  ...[SERVE, '--name', place.name],
  ...(spec === undefined ? [] : ['--spec', spec]),
  ...(delay === undefined ? [] : ['--delay', String(delay)]),
  ...fault.flatMap((one) => ['--fault', one]),
];

/** Whether a command line (words that end in NUL) is the API of this lab, and not what leads to it. */
export function isCloudOf(place: Place, line: string): boolean {
  const words = line.split('\0');
  const marks = serverWords(place, {});
  return marks.every((word, i) => words[i] === word);
}

/** The process that is a lab's API, if one runs. */
export const cloudPid = (place: Place): number | undefined =>
  commandLines().find(({ line }) => isCloudOf(place, line))?.pid;

/** Variables in a text of `NAME=value` lines. */
export const variablesIn = (text: string): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
  );

/** What the account's owner has set, where the lab's cloud runs. */
export const cloudEnvironment = (place: Place): Record<string, string> =>
  cloudPid(place) === undefined ? {} : variablesIn(readTextIfAny(environmentFile(place)) ?? '');
