/** The client's side of a set-up: its files, and the way from there to a client that is up. */
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT, Fault, paint } from '../cli.ts';
import type { Config } from '../config.ts';
import { realPath } from '../files.ts';
import type { HostResult } from '../runner/play.ts';
import { quote } from '../shell.ts';
import { KEY_PAIR } from '../tasks/key-pair.ts';
import type { preflight } from '../transport/docker.ts';
import { clientFiles } from '../wireguard/client-files.ts';
import type { Topology, TunnelPlan } from '../wireguard/topology.ts';
import { writeClientFiles } from '../wireguard/write-client.ts';
import { labClientHint } from './hints.ts';
import type { Member } from './set-up-servers.ts';

/** Renders and writes the client's side; what was done, a line each. */
export function writeClient(
  results: readonly HostResult<Member>[],
  topology: Topology,
  config: Config,
  out: string,
): string[] {
  const byInterface = new Map(results.map((result) => [result.host.tunnel.interface, result]));
  const keysOf = (tunnel: TunnelPlan) => {
    const result = byInterface.get(tunnel.interface);
    const serverPublicKey = result?.outcome.values.get(KEY_PAIR);
    const privateKey = result?.host.key?.privateKey;
    if (serverPublicKey === undefined || privateKey === undefined)
      throw new Fault({
        at: tunnel.server.name,
        what: 'gave no public key',
        next: 'run this again',
        code: EXIT.failed,
      });
    return { privateKey, serverPublicKey };
  };
  const files = clientFiles(topology, keysOf, { dns: config.dns, published: [] });
  return writeClientFiles(out, files);
}

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
