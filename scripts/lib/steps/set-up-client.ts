/** The client's side of a set-up: its files, and the way from there to a client that is up. */
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT, paint } from '../cli.ts';
import type { Config } from '../config.ts';
import { readTextIfAny, realPath } from '../files.ts';
import type { HostResult } from '../runner/play.ts';
import type { Diff } from '../runner/task.ts';
import { quote } from '../shell.ts';
import { KEY_PAIR } from '../tasks/key-pair.ts';
import type { preflight } from '../transport/docker.ts';
import { type ClientFile, clientFiles } from '../wireguard/client-files.ts';
import type { Topology } from '../wireguard/topology.ts';
import { writeClientFiles } from '../wireguard/write-client.ts';
import { labClientHint } from './hints.ts';
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

/** By server, its public key: read by this run, or in the client's files; and where neither is so, why. */
function serverKeys(
  members: readonly Member[],
  results: readonly HostResult<Member>[],
): { keys: Map<string, string>; missing: Missing[] } {
  const keys = new Map<string, string>();
  const missing: Missing[] = [];
  for (const { name, serverKey } of members) {
    const result = results.find(({ host }) => host.name === name);
    const key = result?.outcome.values.get(KEY_PAIR) ?? serverKey;
    const trouble = result?.unreachable ?? result?.failed;
    if (key !== undefined) keys.set(name, key);
    else if (trouble === undefined) missing.push({ name, why: 'it has no key pair yet', code: EXIT.failed });
    else missing.push({ name, why: trouble.message, code: trouble.code });
  }
  return { keys, missing };
}

/** The client's files as they are to be, and the servers whose keys stand in them as {@link NEW_KEY}. */
export function clientWish(
  members: readonly Member[],
  results: readonly HostResult<Member>[],
  topology: Topology,
  { dns }: Config,
): { files: ClientFile[]; missing: Missing[] } {
  const { keys, missing } = serverKeys(members, results);
  const privateKeys = new Map(members.map(({ name, key }) => [name, key?.privateKey]));
  const files = clientFiles(
    topology,
    ({ server }) => ({
      privateKey: privateKeys.get(server.name) ?? NEW_KEY,
      serverPublicKey: keys.get(server.name) ?? NEW_KEY,
    }),
    { dns, published: [] },
  );
  return { files, missing };
}

/** What writing those files would change, a text each. */
export const clientDiffs = (out: string, files: readonly ClientFile[]): Diff[] =>
  files.flatMap(({ name, text }) => {
    const path = join(out, name);
    const before = readTextIfAny(path) ?? '';
    return before === text ? [] : [{ path, before, after: text }];
  });

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
