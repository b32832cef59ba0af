/** The client's side of a set-up: its files, and the way from there to a client that is up. */
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT, Fault, paint } from '../cli.ts';
import type { Config, Mode } from '../config.ts';
import { openSaved } from '../digitalocean/saved.ts';
import { readTextIfAny, realPath } from '../files.ts';
import type { HostResult } from '../runner/play.ts';
import type { Diff } from '../runner/task.ts';
import { quote } from '../shell.ts';
import { KEY_PAIR } from '../tasks/key-pair.ts';
import type { preflight } from '../transport/docker.ts';
import { type ClientFile, clientFiles } from '../wireguard/client-files.ts';
import type { Topology } from '../wireguard/topology.ts';
import { staleIn, writeClientFiles } from '../wireguard/write-client.ts';
import { labClientHint } from './hints.ts';
import { type Moved, modeOf } from './present-client.ts';
import { type ConfigFlags, saysMode } from './read-config.ts';
import type { HostFlags, PlayFlags } from './set-up-flags.ts';
import type { Member } from './set-up-servers.ts';

/** A server whose public key is not to be had. */
export interface Missing {
  name: string;
  why: string;
  /** {@link EXIT}. */
  code: number;
}

/** What stands in a check for a key that the run proper would make or read. */
const NEW_KEY = '(a new key)';

/** Set-up makes one, unless flags leave that out. */
const NO_KEY = 'it has no key pair yet';

/** Whether a host outside of `--limit` could not be asked, and the key in the client's present files holds instead. */
export const isSpared = ({ host, unreachable, failed }: HostResult<Member>): boolean =>
  host.serverKey !== undefined && (unreachable ?? failed) !== undefined;

/** By server, its public key: read by this run, or that of {@link isSpared}; and where neither is so, why. */
function serverKeys(
  members: readonly Member[],
  results: readonly HostResult<Member>[],
): { keys: Map<string, string>; missing: Missing[] } {
  const keys = new Map<string, string>();
  const missing: Missing[] = [];
  for (const { name, serverKey } of members) {
    const result = results.find(({ host }) => host.name === name);
    // One that answers and has none was made anew: the key in the files is dead.
    const spare = result !== undefined && isSpared(result) ? serverKey : undefined;
    const key = result?.outcome.values.get(KEY_PAIR) ?? spare;
    const trouble = result?.unreachable ?? result?.failed;
    if (key !== undefined) keys.set(name, key);
    else if (trouble === undefined) missing.push({ name, why: NO_KEY, code: EXIT.failed });
    else missing.push({ name, why: trouble.message, code: trouble.code });
  }
  return { keys, missing };
}

/** The client's files as they are to be, and the servers whose keys stand in them as {@link NEW_KEY}. */
export function clientWish(
  members: readonly Member[],
  results: readonly HostResult<Member>[],
  topology: Topology,
  { dns, allowTcp }: Config,
): { files: ClientFile[]; missing: Missing[] } {
  const { keys, missing } = serverKeys(members, results);
  const privateKeys = new Map(members.map(({ name, key }) => [name, key?.privateKey]));
  const files = clientFiles(
    topology,
    ({ server }) => ({
      privateKey: privateKeys.get(server.name) ?? NEW_KEY,
      serverPublicKey: keys.get(server.name) ?? NEW_KEY,
    }),
    { dns, published: [], allowTcp },
  );
  return { files, missing };
}

/** Why the client's files stay as they are. */
export interface Left {
  why: string;
  next: string;
  /** {@link EXIT}. */
  code: number;
}

/** The flags given that leave out hosts or tasks. */
const narrowing = ({ limit, tags, skipTags, startAtTask }: HostFlags & PlayFlags): string[] =>
  Object.entries({
    '--limit': limit,
    '--tags': tags,
    '--skip-tags': skipTags,
    '--start-at-task': startAtTask,
  })
    .filter(([, value]) => value !== undefined && value.length > 0)
    .map(([flag]) => flag);

/** Undefined where nothing stands in the way of writing them. */
export function leftFor(
  missing: readonly Missing[],
  moved: readonly Moved[],
  flags: HostFlags & PlayFlags,
): Left | undefined {
  if (moved.length > 0) {
    const tunnels = moved.map(({ name, what }) => `the tunnel to ${name} (${what})`).join(', ');
    return {
      why: `they would change ${tunnels}, and --limit leaves the other end as it is`,
      next: 'run it without --limit',
      code: EXIT.failed,
    };
  }
  if (missing.length === 0) return undefined;
  const narrow = narrowing(flags).join(', ');
  const keyless = missing.filter(({ why }) => why === NO_KEY).length;
  const mend = keyless < missing.length ? 'mend that, then ' : '';
  return {
    why: `they need the public key of every server; ${missing.map(({ name, why }) => `${name}: ${why}`).join('; ')}`,
    next: keyless > 0 && narrow !== '' ? `${mend}run it without ${narrow}` : 'mend that, then run this again',
    code: Math.max(...missing.map(({ code }) => code)),
  };
}

/** A server that the files name, and that is none of the network's now; `idle`: it stands in hosts.ini for the other mode. */
export function retiredLine(name: string, address: string, idle: boolean): string {
  const what = idle
    ? `${name} is idle in mode quic; WireGuard goes on running there for mode wireguard`
    : `${name} is no server of this network any more, and WireGuard goes on running there`;
  return `${paint.cyan('notice:')} ${what}; to end it, as root on ${address}: systemctl disable --now wg-quick@wg0`;
}

/** Addresses that droplets of this hosts.ini had once; none where the record cannot be read, which is provisioning's to say. */
export function givenUp(inventory: string): readonly string[] {
  try {
    return openSaved(inventory).past;
  } catch (error) {
    if (error instanceof Fault) return [];
    throw error;
  }
}

/** What is said where the files change their mode; undefined where they do not. A forgotten flag may be the cause. */
export function modeLine(
  out: string,
  mode: Mode,
  flags: ConfigFlags & { config: string; check: boolean },
): string | undefined {
  const was = modeOf(out);
  if (was === undefined || was === mode) return undefined;
  const [held, now] = flags.check
    ? ['holds', `would be of mode ${mode}`]
    : ['held', `are of mode ${mode} now`];
  const why = saysMode(flags) ? '' : ` (${flags.config}; or --mode ${was})`;
  return `${paint.cyan('notice:')} ${out} ${held} files of mode ${was}; they ${now}${why}`;
}

/** What writing those files would change, a text each. */
export const clientDiffs = (out: string, files: readonly ClientFile[]): Diff[] =>
  files.flatMap(({ name, text }) => {
    const path = join(out, name);
    const before = readTextIfAny(path) ?? '';
    return before === text ? [] : [{ path, before, after: text }];
  });

/** What writing those files would do, a line each. */
export const wouldDo = (out: string, files: readonly ClientFile[]): string[] => [
  ...clientDiffs(out, files).map(({ path }) => `write ${path}`),
  ...staleIn(out, files).map((path) => `remove ${path}`),
];

/** Writes them; what was done, a line each. */
export const writeClient = (out: string, files: readonly ClientFile[]): string[] =>
  writeClientFiles(out, files);

/** How the client meets files that are new or changed, and what on this computer would stand in its way. */
export async function clientHint(
  out: string,
  docker: ReturnType<typeof preflight> | undefined,
): Promise<string> {
  const inLab = labClientHint();
  if (inLab !== undefined) return `next:    ${inLab}`;
  const { compose, troubles } = (await docker) ?? { compose: 'docker-compose', troubles: [] };
  const client = fileURLToPath(new URL('../../../client', import.meta.url));
  const files = realPath(out);
  const where = files === join(client, 'generated') ? '' : `COMPS_FILES=${quote(files)} `;
  return [
    `next:    cd ${quote(relative(process.cwd(), client) || '.')} && ${where}${compose} up`,
    '         or, where it is up: docker exec wgclient /etc/wireguard/setup.sh',
    ...troubles.map(({ message, next }) => `${paint.cyan('notice:')}  ${message}\n  next:  ${next}`),
  ].join('\n');
}
