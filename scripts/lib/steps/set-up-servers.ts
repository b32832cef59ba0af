/** The servers of a set-up: where they are, how to log in to them, and what is wanted of each. */
import { Fault } from '../cli.ts';
import { type Config, clientAddress, compClientAddress, twinNetwork, twinOf } from '../config.ts';
import type { Host } from '../inventory.ts';
import type { Task } from '../runner/task.ts';
import type { HostFacts } from '../tasks/facts.ts';
import { serverTasks } from '../tasks/server.ts';
import { resolveAddress } from '../transport/resolve.ts';
import type { SshOptions } from '../transport/ssh.ts';
import type { ClientKey } from '../wireguard/key-store.ts';
import { serverConf, serverNat } from '../wireguard/server-files.ts';
import { asPrefix, type Topology, type TunnelPlan, topologyOf } from '../wireguard/topology.ts';

/**
 * What a run has to do with a server; `--limit` makes the difference. `play`: all tasks; `ask`: only its public key is
 * read.
 */
export type Part = 'play' | 'ask';

/** One server with all that this run knows of it. */
export interface Member {
  host: Host;
  name: string;
  readonly ssh: SshOptions;
  /** Why its name does not resolve; it is unreachable then. */
  unresolved: Fault | undefined;
  tunnel: TunnelPlan;
  /** Undefined only in check mode, where none is made. */
  key: ClientKey | undefined;
  part: Part;
  /** Of one to ask: its public key as the client's present files have it, which holds where it does not answer. */
  serverKey?: string | undefined;
}

/** Each host's numeric address, or why it has none. */
export const resolveAll = (hosts: readonly Host[], inventory: string): Promise<(string | Fault)[]> =>
  Promise.all(
    hosts.map(({ address, line }) =>
      resolveAddress(address, `${inventory}:${line}`).catch((error: unknown) => {
        if (error instanceof Fault) return error;
        throw error;
      }),
    ),
  );

/** `hosts`: the proxies in order, then the comp server where the mode has one. */
export function planTopology(
  config: Config,
  hosts: readonly Host[],
  addresses: readonly (string | Fault)[],
): Topology {
  const servers = hosts.map(({ name, address }, i) => {
    const resolved = addresses[i];
    // One that does not resolve is reported with the others; no file is written from this plan then.
    return { name, address: typeof resolved === 'string' ? resolved : address };
  });
  // In mode quic all of them are proxies.
  const comp = config.mode === 'quic' ? undefined : servers.pop();
  return topologyOf({
    proxies: servers,
    comp,
    port: config.wireguardPort,
    pathAddress: (k) => clientAddress(config, k),
    compAddress: compClientAddress(config),
    compAddress6: config.wireguardIpv6 ? twinOf(compClientAddress(config)) : undefined,
    mtu: config.wireguardMtu,
  });
}

export const tasksFor = ({ tunnel, key }: Member, config: Config): Task<HostFacts>[] =>
  serverTasksFor(tunnel, key?.publicKey, config);

/** Everything that is wanted of the server behind a tunnel; without the client's public key, only to look at. */
export function serverTasksFor(
  tunnel: TunnelPlan,
  clientKey: string | undefined,
  config: Config,
): Task<HostFacts>[] {
  const publicKey = clientKey ?? '(a new key)';
  const gateway = config.wireguardGatewayAddress;
  // Of the servers the comp server alone carries IPv6.
  const ipv6 =
    tunnel.clientAddress6 === undefined
      ? undefined
      : { gateway: asPrefix(twinOf(gateway.replace('/32', ''))), network: twinNetwork(config) };
  const settings = { gateway, network: `${config.wireguardSubnet}.0/24`, ipv6 };
  return serverTasks({
    conf: (forwards) => serverConf(tunnel, settings, publicKey, forwards),
    nat: (egress, egress6) => serverNat(settings, egress, egress6),
    running: {
      addresses: [gateway, ...(ipv6 ? [ipv6.gateway] : [])],
      port: tunnel.port,
      mtu: tunnel.mtu,
      peer: { publicKey, allowedIps: tunnel.allowedIps.map(asPrefix) },
    },
    from: { network: settings.network, network6: ipv6?.network },
  });
}
