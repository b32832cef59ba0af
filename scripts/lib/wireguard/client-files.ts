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
  /** What docker-compose.yml names, relative to the place where it lies: build context, scripts, generated files. */
  context: string;
  scripts: string;
  generated: string;
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

function setupFile({ paths, comp }: Topology, dns: string): ClientFile {
  const view = {
    dns,
    wg0Mark: WG0_MARK,
    wgnetMark: WGNET_MARK,
    port: comp.port,
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

/**
 * A relative path in a compose file, whatever it holds: JSON is YAML, compose reads `$$` as a dollar, and takes a
 * path that does not begin with a dot for the name of a volume.
 */
const composeText = (path: string): string =>
  JSON.stringify((path.startsWith('.') ? path : `./${path}`).replaceAll('$', '$$$$'));

/** All of the client's files: a wg-quick file a tunnel, setup.sh and docker-compose.yml. */
export function clientFiles(
  topology: Topology,
  keysOf: (tunnel: TunnelPlan) => TunnelKeys,
  settings: ClientSettings,
): ClientFile[] {
  const tunnels = [topology.comp, ...topology.paths];
  const compose = {
    dns: settings.dns,
    context: composeText(settings.context),
    scripts: composeText(settings.scripts),
    generated: composeText(settings.generated),
    count: topology.paths.length,
    names: topology.paths.map(({ server }) => server.name).join(', '),
  };
  return [
    ...tunnels.map((tunnel) => tunnelFile(tunnel, keysOf(tunnel))),
    setupFile(topology, settings.dns),
    { name: 'docker-compose.yml', mode: 0o600, text: fromTemplate('docker-compose.yml', compose) },
  ];
}
