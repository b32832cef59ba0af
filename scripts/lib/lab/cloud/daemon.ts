/** The process that is a lab's cloud: it runs in the lab's controller until it is told to end. */
import { join } from 'node:path';
import { atEnd, Fault } from '../../cli.ts';
import { readText, readTextIfAny, readTextIfStill, writeText } from '../../files.ts';
import { pause } from '../../poll.ts';
import {
  CLOUD_PORT,
  type CloudFlags,
  environmentFile,
  KEY_ID,
  memoryFile,
  TOKEN_VARIABLE,
  variablesIn,
} from '../cloud-seat.ts';
import { commandLines } from '../engine-daemon.ts';
import { type Place, placeOf, roleIn } from '../place.ts';
import { bootedIn } from '../processes.ts';
import { CLOUD_ROLES, isOfCloud } from '../roles.ts';
import { createCloud } from './cloud.ts';
import { labMachines, tellingOf } from './machines.ts';
import { md5Fingerprint } from './routes-account.ts';
import type { State } from './store.ts';
import type { AccountKey, Cloud } from './types.ts';

function accountKey({ name, directory }: Place): AccountKey {
  const publicKey = readText(join(directory, 'id_ed25519.pub')).trim();
  return { id: KEY_ID, fingerprint: md5Fingerprint(publicKey) ?? '', name: `lab ${name}`, publicKey };
}

function tokenOf(place: Place): string {
  const file = environmentFile(place);
  const token = variablesIn(readText(file))[TOKEN_VARIABLE];
  if (token) return token;
  throw new Fault({
    at: file,
    what: `has no line ${TOKEN_VARIABLE}=…`,
    next: `rm ${file}, and start the cloud again`,
  });
}

const memoryOf = (place: Place): State | undefined => {
  const text = readTextIfAny(memoryFile(place));
  return text === undefined ? undefined : (JSON.parse(text) as State);
};

/** Inotify instances that systemd, its helpers and sshd of one droplet use. */
const INSTANCES = 6;

/**
 * How many droplets can boot where the kernel gives a user so many inotify instances (128 as a rule), a few left for others:
 * one too many would die. `text`: as /proc has it; `others`: machines of this kind that others have running.
 */
export function dropletLimit(text: string | undefined, others: number): number {
  const most = Math.floor(Number(text ?? 128) / INSTANCES) - 3 - others;
  return Math.min(CLOUD_ROLES.length, Math.max(1, most));
}

/** Machines that run now on this computer and are no droplets of this lab's cloud. */
const othersOf = (place: Place): number =>
  [...bootedIn(commandLines().map(({ line }) => line))].filter(
    (name) => !isOfCloud(roleIn(place, name) ?? ''),
  ).length;

/** Milliseconds after which a request that has no answer is told of as it is. */
const LOST = 10_000;

/** Tells of each request once it has its answer, a line each, and of what does not match the document. */
async function tell({ requests, violations }: Cloud): Promise<never> {
  for (let [told, warned] = [0, 0]; ; await pause(200)) {
    for (const { method, path, query, status, at } of requests.slice(told)) {
      if (status === 0 && Date.now() - at < LOST) break;
      const asked = `${method} ${path}${query === '' ? '' : `?${query.replace(/^\?/, '')}`}`;
      console.log(`${new Date(at).toISOString()} ${status || 'no answer'} ${asked}`);
      told++;
    }
    for (const violation of violations.slice(warned)) console.log(`NOT AS DOCUMENTED: ${violation}`);
    warned = violations.length;
  }
}

/** Serves the API of the lab called `name`; never returns. */
export async function serveCloud(name: string, { spec, fault = [], delay }: CloudFlags): Promise<never> {
  const place = placeOf(name);
  const cloud = createCloud({
    machines: tellingOf(labMachines(name), (line) => console.log(line)),
    token: tokenOf(place),
    keys: [accountKey(place)],
    dropletLimit: () =>
      dropletLimit(readTextIfStill('/proc/sys/fs/inotify/max_user_instances'), othersOf(place)),
    ...(spec === undefined ? {} : { spec }),
    faults: fault,
    ...(delay === undefined ? {} : { delays: { active: delay, address: delay / 3, gone: delay } }),
    save: (state) => writeText(memoryFile(place), `${JSON.stringify(state)}\n`, 0o600),
    restored: memoryOf(place),
  });
  atEnd(() => cloud.close());
  console.log(`listening at ${await cloud.listen(CLOUD_PORT)}`);
  return tell(cloud);
}
