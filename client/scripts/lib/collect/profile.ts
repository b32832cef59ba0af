/** A visit's scratch folder, Chromium's profile in it, and what is left of either where somebody was killed. */
import { join } from 'node:path';
import { Fault } from '../fault.ts';
import { readText } from '../files.ts';
import { give, letPass, list, makeFolder, makeScratch, readIfAny, remove } from '../folders.ts';

const PLACE = '/tmp';
const PREFIX = 'comps-fetch-';

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

/** A scratch folder, named after this process. */
export function openScratch(): string {
  const scratch = makeScratch(join(PLACE, `${PREFIX}${process.pid}-`));
  letPass(scratch);
  return scratch;
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

/** Whether a collector with this number is at work. */
const atWork = (pid: number): boolean =>
  readIfAny(`/proc/${pid}/cmdline`)?.includes('fetch_websites') ?? false;

/** Clears what collectors that were killed have left: scratch folders, and a Chromium that works in one. */
export async function sweepScratch(): Promise<void> {
  for (const name of list(PLACE)) {
    const pid = /^comps-fetch-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || atWork(Number(pid))) continue;
    const scratch = join(PLACE, name);
    await endProfile(profileIn(scratch));
    remove(scratch);
  }
}
