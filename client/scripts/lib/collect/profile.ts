/** A visit's scratch folder, Chromium's profile in it, and what is left of either where somebody was killed. */
import { join } from 'node:path';
import { Fault, messageOf } from '../fault.ts';
import { readText } from '../files.ts';
import {
  exists,
  give,
  letPass,
  list,
  makeFolder,
  makeScratch,
  othersPass,
  readIfAny,
  remove,
} from '../folders.ts';

const PLACE = '/tmp';
const PREFIX = 'comps-fetch-';

/** Characters of TMPDIR at most: a socket of Chromium's lies in the profile, and its whole path has room for 107. */
const MOST_PLACE = 24;

export interface User {
  uid: number;
  gid: number;
}

/** A user in a text as /etc/passwd; undefined where there is none of that name. */
export function userIn(passwd: string, name: string): User | undefined {
  const fields = passwd
    .split('\n')
    .map((line) => line.split(':'))
    .find(([first]) => first === name);
  return fields === undefined ? undefined : { uid: Number(fields[2]), gid: Number(fields[3]) };
}

/** Whom Chromium runs as: `browser` where there is one, else `nobody`, and never root; this user itself where it is not root. */
export function browserUser(uid = process.getuid?.()): User | undefined {
  if (uid !== 0) return undefined;
  const passwd = readText('/etc/passwd');
  const user = userIn(passwd, 'browser') ?? userIn(passwd, 'nobody');
  if (user !== undefined) return user;
  throw new Fault({
    what: 'Chromium does not run as root, and there is neither a user browser nor nobody',
    next: 'useradd --create-home browser',
  });
}

/** Why a TMPDIR is no place for scratch; undefined where it is one. `others`: Chromium runs as another user. */
export function unfit(place: string, others: boolean): string | undefined {
  if (!place.startsWith('/') || !exists(place)) return 'there is no such folder';
  if (place.length > MOST_PLACE) return `more than ${MOST_PLACE} characters, too many for Chromium's sockets`;
  return others && !othersPass(place) ? "Chromium's user may not pass through it" : undefined;
}

/** Where scratch is made: TMPDIR, where that is fit; one that is not is said. */
function placeNow(): string {
  const wanted = process.env.TMPDIR?.replace(/(?<=.)\/+$/, '');
  if (wanted === undefined || wanted === '' || wanted === PLACE) return PLACE;
  const why = unfit(wanted, process.getuid?.() === 0);
  if (why === undefined) return wanted;
  console.error(`TMPDIR=${wanted}: ${why}; ${PLACE} it is`);
  return PLACE;
}

/** A scratch folder, named after this process. */
export function openScratch(): string {
  const place = placeNow();
  try {
    const scratch = makeScratch(join(place, `${PREFIX}${process.pid}-`));
    letPass(scratch);
    return scratch;
  } catch (error) {
    throw new Fault({ at: place, what: messageOf(error), next: 'make room there, or TMPDIR=ANOTHER_PLACE' });
  }
}

/** Makes it anew where somebody has cleared it away. */
export function keepScratch(scratch: string): void {
  if (exists(scratch)) return;
  makeFolder(scratch);
  letPass(scratch);
}

const profileIn = (scratch: string): string => join(scratch, 'profile');

/** A new profile in it, of the user that Chromium runs as. */
export function makeProfile(scratch: string, user: User | undefined): string {
  const profile = profileIn(scratch);
  remove(profile);
  makeFolder(profile);
  if (user !== undefined) give(profile, user);
  return profile;
}

/** Numbers of the processes that were started on a profile: Chromium's, and its crash handlers, which name a folder in it. */
function processesOf(profile: string): number[] {
  const flags = [`--user-data-dir=${profile}`, `--database=${profile}/`];
  const numbers = list('/proc').filter((name) => /^\d+$/.test(name));
  const naming = numbers.filter((number) => {
    const words = readIfAny(`/proc/${number}/cmdline`);
    return flags.some((flag) => words?.includes(flag));
  });
  return naming.map(Number).filter((pid) => pid !== process.pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself meanwhile.
  }
}

/** Milliseconds that killed processes may take to be gone. */
const GONE = 3000;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Ends every process that works on a profile. */
export async function endProfile(profile: string): Promise<void> {
  const end = performance.now() + GONE;
  for (
    let left = processesOf(profile);
    left.length > 0 && performance.now() < end;
    left = processesOf(profile)
  ) {
    for (const pid of left) kill(pid);
    await pause(5);
  }
}

/** Whether the words of a process, as /proc has them, are a collector's. */
export const isCollector = (cmdline: string): boolean => /fetch_websites\.ts(\0|$)/.test(cmdline);

/**
 * Whether a collector with this number is at work. One with this process's own number is not: the numbers of a container
 * that was started anew are those of before.
 */
const atWork = (pid: number): boolean =>
  pid !== process.pid && isCollector(readIfAny(`/proc/${pid}/cmdline`)?.toString() ?? '');

/** Clears what collectors that were killed have left: scratch folders, and a Chromium that works in one. */
export async function sweepScratch(): Promise<void> {
  const places = new Set([PLACE, process.env.TMPDIR || PLACE]);
  for (const scratch of [...places].flatMap((place) => list(place).map((name) => join(place, name)))) {
    const pid = /\/comps-fetch-(\d+)-[^/]*$/.exec(scratch)?.[1];
    if (pid === undefined || atWork(Number(pid))) continue;
    await endProfile(profileIn(scratch));
    remove(scratch);
  }
}
