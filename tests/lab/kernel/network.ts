/** The lab's network as files for one machine that is to be all of it: its addresses and lines, the servers' own templates. */
import { join } from 'node:path';
import { parseConfig } from '../../../scripts/lib/config.ts';
import { makeDirectory, writeText } from '../../../scripts/lib/files.ts';
import { networkOf, parseInventory } from '../../../scripts/lib/inventory.ts';
import {
  cableLine,
  deviceLines,
  linkOf,
  portLines,
  routerLines,
  sysctlsOf,
} from '../../../scripts/lib/lab/network-plan.ts';
import { type Place, placeOf } from '../../../scripts/lib/lab/place.ts';
import { dropletsOf, type Role } from '../../../scripts/lib/lab/roles.ts';
import { configCfg, hostsIni } from '../../../scripts/lib/lab/workspace.ts';
import { planTopology } from '../../../scripts/lib/steps/set-up-servers.ts';
import { clientFiles } from '../../../scripts/lib/wireguard/client-files.ts';
import { newPrivateKey, publicKeyOf } from '../../../scripts/lib/wireguard/key.ts';
import { serverConf, serverNat } from '../../../scripts/lib/wireguard/server-files.ts';
import { tunnelsOf } from '../../../scripts/lib/wireguard/topology.ts';

const SHAPE = { vpn: 3, comp: 1 };
export const SERVERS = dropletsOf(SHAPE);
const OTHERS: Exclude<Role, 'net'>[] = ['inet', 'client', ...(SERVERS as Exclude<Role, 'net'>[])];

/** Namespaces there are called like their roles. */
const PLACE: Place = { ...placeOf('kernel'), prefix: '' };

/** A shell script that makes the namespaces and their cables, as the lab's own network is made. */
export function networkScript(): string {
  const batch = (words: string, lines: readonly string[]): string =>
    [`${words} -batch - <<'LINES'`, ...lines, 'LINES'].join('\n');
  const roles: Role[] = ['net', ...OTHERS];
  return [
    'set -eu',
    batch(
      'ip',
      roles.map((role) => `netns add ${role}`),
    ),
    // Before any interface exists: new ones copy the namespace's defaults.
    ...roles.map((role) => `ip netns exec ${role} sysctl -q -w ${sysctlsOf(role).join(' ')}`),
    batch('ip -n net', routerLines()),
    batch(
      'ip',
      OTHERS.map((role) => cableLine(PLACE, role)),
    ),
    batch('ip -n net', OTHERS.flatMap(portLines)),
    ...OTHERS.map((role) => batch(`ip -n ${role}`, deviceLines(role))),
    '',
  ].join('\n');
}

function put(folder: string, name: string, text: string, mode: number): void {
  makeDirectory(folder);
  writeText(join(folder, name), text, mode);
}

/**
 * Writes what a set-up leaves on the servers and on the client, with new keys: `etc/NAMESPACE/wireguard`, which
 * `ip netns exec` shows there as /etc/wireguard.
 */
export function writeNetwork(folder: string): void {
  const { config } = parseConfig(configCfg(SHAPE), 'config.cfg');
  const { vpn, comp } = networkOf(parseInventory(hostsIni(SHAPE, '/root/none'), 'hosts.ini'));
  const hosts = [...vpn, comp];
  const topology = planTopology(
    config,
    hosts,
    hosts.map(({ address }) => address),
  );
  const keys = new Map(
    tunnelsOf(topology).map((tunnel) => [tunnel, { server: newPrivateKey(), client: newPrivateKey() }]),
  );
  const keyOf = (tunnel: Parameters<Parameters<typeof clientFiles>[1]>[0]) => {
    const pair = keys.get(tunnel);
    if (pair === undefined) throw new Error(`no keys for ${tunnel.interface}`);
    return pair;
  };
  const settings = { gateway: config.wireguardGatewayAddress, network: `${config.wireguardSubnet}.0/24` };
  for (const [i, tunnel] of tunnelsOf(topology).entries()) {
    const role = SERVERS[i] as Exclude<Role, 'net'>;
    const { server, client } = keyOf(tunnel);
    const into = join(folder, 'etc', role, 'wireguard');
    put(into, 'wg0.conf', serverConf(tunnel, settings, publicKeyOf(client)), 0o600);
    put(into, 'wg0.key', `${server}\n`, 0o600);
    put(into, 'wg0.nft', serverNat(settings, linkOf(role).device), 0o600);
  }
  const files = clientFiles(
    topology,
    (tunnel) => ({
      privateKey: keyOf(tunnel).client,
      serverPublicKey: publicKeyOf(keyOf(tunnel).server),
    }),
    { dns: config.dns, published: [] },
  );
  for (const { name, text, mode } of files) put(join(folder, 'etc', 'client', 'wireguard'), name, text, mode);
  put(join(folder, 'etc', 'client'), 'resolv.conf', 'nameserver 192.0.2.1\n', 0o644);
  put(folder, 'network.sh', networkScript(), 0o755);
}
