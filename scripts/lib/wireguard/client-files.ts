import { isIPv6 } from 'node:net';
import type { Tcp } from '../../../client/scripts/lib/modes.ts';
import { LEAST_MTU } from '../config/addresses.ts';
import { fromTemplate } from '../template.ts';
import { roleOf } from './server-files.ts';
import {
  asPrefix,
  endpointText,
  hopTo,
  type Topology,
  type TunnelPlan,
  WG0_MARK,
  WGNET_MARK,
} from './topology.ts';

export interface ClientFile {
  /** Relative to the directory of the client's files. */
  name: string;
  text: string;
  mode: number;
}

/** The two keys that a tunnel's client side needs. */
export interface TunnelKeys {
  privateKey: string;
  serverPublicKey: string;
}

export interface ClientSettings {
  /** Address of the resolver behind the tunnels. */
  dns: string;
  /** TCP ports of the client that answer its own local networks, as a container's published ports do. */
  published: readonly number[];
  /** What becomes of TCP in mode quic; `none` unless given. */
  allowTcp?: Tcp;
}

/** Mark and table of the TCP connections that keep to path K, K from 1: this and K. */
const TCP_MARK = 52000;

/** A tunnel's file for `wg-quick`. */
export const tunnelFile = (tunnel: TunnelPlan, { privateKey, serverPublicKey }: TunnelKeys): ClientFile => ({
  name: `${tunnel.interface}.conf`,
  mode: 0o600,
  text: fromTemplate('client-tunnel.conf', {
    interface: tunnel.interface,
    role: roleOf(tunnel),
    name: tunnel.server.name,
    privateKey,
    serverPublicKey,
    addresses: [tunnel.clientAddress, tunnel.clientAddress6]
      .filter((address) => address !== undefined)
      .map(asPrefix)
      .join(', '),
    everything: tunnel.clientAddress6 === undefined ? '0.0.0.0/0' : '0.0.0.0/0, ::/0',
    mtu: tunnel.mtu,
    mark: tunnel.mark,
    endpoint: endpointText(tunnel.server.address, tunnel.port),
  }),
});

function setupFile(
  { mode, paths, comp }: Topology,
  { dns, published, allowTcp = 'none' }: ClientSettings,
): ClientFile {
  const quic = mode === 'quic';
  const tcpMarks = paths.map((_, i) => TCP_MARK + i + 1);
  const view = {
    mode,
    quic,
    tcp: quic ? allowTcp : '',
    sticky: quic && allowTcp === 'sticky',
    tcpMarks: tcpMarks.join(', '),
    tcpOfPath: paths.map((tunnel, i) => `"${tunnel.interface}" : ${tcpMarks[i]}`).join(', '),
    dns,
    wg0Mark: WG0_MARK,
    wgnetMark: WGNET_MARK,
    port: paths[0]?.port,
    anyPublished: published.length > 0,
    published: published.join(', '),
    ipv6Endpoints: paths.some(({ server }) => isIPv6(server.address)),
    ipv6: comp?.clientAddress6 !== undefined,
    // The same on all paths.
    mtu: Math.min(...paths.map((tunnel) => tunnel.mtu)),
    leastMtu: LEAST_MTU,
    wg0Hop: comp === undefined ? 0 : hopTo(comp.server.address),
    paths: paths.map((tunnel) => ({
      interface: tunnel.interface,
      address: tunnel.server.address,
      hop: hopTo(tunnel.server.address),
      family: isIPv6(tunnel.server.address) ? 'ip6' : 'ip',
      port: tunnel.port,
    })),
  };
  // Parts, so that each stays short to read.
  const part = (name: string): string => fromTemplate(`setup/${name}.sh`, view);
  const parts = {
    doorPart: part('door'),
    guardPart: part('guard'),
    rulesPart: part('rules'),
    tunnelsPart: part('tunnels'),
    mtuPart: part('mtu'),
    routesPart: part('routes'),
    resolverPart: part('resolver'),
    rekeyPart: part('rekey'),
  };
  return { name: 'setup.sh', mode: 0o700, text: fromTemplate('setup.sh', { ...view, ...parts }) };
}

/** All of the client's files: a wg-quick file a tunnel, and setup.sh. In mode quic there is no wg0. */
export function clientFiles(
  topology: Topology,
  keysOf: (tunnel: TunnelPlan) => TunnelKeys,
  settings: ClientSettings,
): ClientFile[] {
  const tunnels = topology.comp === undefined ? topology.paths : [topology.comp, ...topology.paths];
  // setup.sh last: the container waits for it, and then finds the others there.
  return [...tunnels.map((tunnel) => tunnelFile(tunnel, keysOf(tunnel))), setupFile(topology, settings)];
}
