/** The process that is a lab's cloud: it runs in the lab's controller until it is told to end. */
import { createHash } from 'node:crypto';
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
  variablesIn,
} from '../cloud-seat.ts';
import { type Place, placeOf } from '../place.ts';
import { CLOUD_ROLES } from '../roles.ts';
import { createCloud } from './cloud.ts';
import { labMachines } from './machines.ts';
import type { State } from './store.ts';
import type { AccountKey, Cloud } from './types.ts';

/** MD5 with colons, as the API knows keys. `line`: `ssh-ed25519 AAAA… comment`. */
export const fingerprintOf = (line: string): string =>
  createHash('md5')
    .update(Buffer.from(line.split(' ')[1] ?? '', 'base64'))
    .digest('hex')
    .replace(/(..)(?!$)/g, '$1:');

function accountKey({ name, directory }: Place): AccountKey {
  const publicKey = readText(join(directory, 'id_ed25519.pub')).trim();
  return { id: KEY_ID, fingerprint: fingerprintOf(publicKey), name: `lab ${name}`, publicKey };
}

function tokenOf(place: Place): string {
  const file = environmentFile(place);
  const token = variablesIn(readText(file)).DO_TOKEN;
  if (token) return token;
  throw new Fault({
    at: file,
    what: 'has no line DO_TOKEN=…',
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
 * one too many would be active and never answer. `text`: as /proc has it.
 */
export function dropletLimit(text: string | undefined): number {
  const most = Math.floor(Number(text ?? 128) / INSTANCES) - 3;
  return Math.min(CLOUD_ROLES.length, Math.max(1, most));
}

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
    machines: labMachines(name),
    token: tokenOf(place),
    keys: [accountKey(place)],
    dropletLimit: dropletLimit(readTextIfStill('/proc/sys/fs/inotify/max_user_instances')),
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
