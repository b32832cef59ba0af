import { isIPv6 } from 'node:net';
import { fromTemplate } from '../template.ts';
import { roleOf } from './server-files.ts';
import { endpointText, type Topology, type TunnelPlan, WG0_MARK, WGNET_MARK } from './topology.ts';

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
  /** Address of the resolver behind wg0. */
  dns: string;
  /** TCP ports of the client that answer its own local networks, as a container's published ports do. */
  published: readonly number[];
}

const tunnelFile = (tunnel: TunnelPlan, { privateKey, serverPublicKey }: TunnelKeys): ClientFile => ({
  name: `${tunnel.interface}.conf`,
  mode: 0o600,
  text: fromTemplate('client-tunnel.conf', {
    interface: tunnel.interface,
    role: roleOf(tunnel),
    name: tunnel.server.name,
    privateKey,
    serverPublicKey,
    clientAddress: tunnel.clientAddress,
    mtu: tunnel.mtu,
    mark: tunnel.mark,
    endpoint: endpointText(tunnel.server.address, tunnel.port),
  }),
});

function setupFile({ paths, comp }: Topology, { dns, published }: ClientSettings): ClientFile {
  const view = {
    dns,
    wg0Mark: WG0_MARK,
    wgnetMark: WGNET_MARK,
    port: comp.port,
    anyPublished: published.length > 0,
    published: published.join(', '),
    ipv6Endpoints: paths.some(({ server }) => isIPv6(server.address)),
    paths: paths.map((tunnel) => ({
      interface: tunnel.interface,
      address: tunnel.server.address,
      family: isIPv6(tunnel.server.address) ? 'ip6' : 'ip',
      port: tunnel.port,
    })),
  };
  return { name: 'setup.sh', mode: 0o700, text: fromTemplate('setup.sh', view) };
}

/** All of the client's files: a wg-quick file a tunnel, and setup.sh. */
export function clientFiles(
  topology: Topology,
  keysOf: (tunnel: TunnelPlan) => TunnelKeys,
  settings: ClientSettings,
): ClientFile[] {
  const tunnels = [topology.comp, ...topology.paths];
  // setup.sh last: the container waits for it, and then finds the others there.
  return [...tunnels.map((tunnel) => tunnelFile(tunnel, keysOf(tunnel))), setupFile(topology, settings)];
}
