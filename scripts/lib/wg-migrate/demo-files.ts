/** All files of a rendering, as values: pure. */
import { type SiteCertificate, trustPolicy } from '../tls/certificate.ts';
import { type ClientFile, clientFiles } from '../wireguard/client-files.ts';
import { serverConf, serverNat } from '../wireguard/server-files.ts';
import type { TunnelPlan, WholeTopology } from '../wireguard/topology.ts';
import type { TunnelEnds } from './keys.ts';
import { GATEWAY, type Plan, TUNNELS, WEBDRIVER_PORT } from './plan.ts';
import { browserScript, migrateScript, serverScript, siteFiles } from './texts.ts';

/** `name` is relative to the demo’s folder. */
export type DemoFile = ClientFile;

export interface DemoParts {
  plan: Plan;
  topology: WholeTopology;
  keys: (tunnel: TunnelPlan) => TunnelEnds;
  site: SiteCertificate;
}

const SCRIPT = 0o755;
const SECRET = 0o600;
const PUBLIC = 0o644;

/** A server’s files, as wgnet-setup makes them on a real one. */
function serverFiles(tunnel: TunnelPlan, { client, server }: TunnelEnds): DemoFile[] {
  const { name } = tunnel.server;
  const settings = { gateway: GATEWAY, network: `${TUNNELS.wireguardSubnet}.0/24` };
  return [
    { name: `${name}/wg0.key`, text: `${server.privateKey}\n`, mode: SECRET },
    { name: `${name}/wg0.conf`, text: serverConf(tunnel, settings, client.publicKey), mode: SECRET },
    // Docker gives a machine’s networks no order that lasts, but calls them all eth.
    { name: `${name}/wg0.nft`, text: serverNat(settings, 'eth*'), mode: SECRET },
    { name: `${name}/start.sh`, text: serverScript(name), mode: SCRIPT },
  ];
}

/** The client’s files: the same as a real network’s, `migrate.sh`, and the authority for `curl --cacert`. */
function clientSide({ plan, topology, keys, site }: DemoParts): DemoFile[] {
  const keysOf = (tunnel: TunnelPlan) => {
    const { client, server } = keys(tunnel);
    return { privateKey: client.privateKey, serverPublicKey: server.publicKey };
  };
  return [
    ...clientFiles(topology, keysOf, { dns: plan.site, published: [WEBDRIVER_PORT] }),
    { name: 'migrate.sh', text: migrateScript(), mode: SCRIPT },
    { name: 'authority.crt', text: site.authority, mode: PUBLIC },
  ].map((file) => ({ ...file, name: `client/${file.name}` }));
}

/** Everything but docker-compose.yml. */
export const demoFiles = (parts: DemoParts): DemoFile[] => [
  ...[...parts.topology.paths, parts.topology.comp].flatMap((tunnel) =>
    serverFiles(tunnel, parts.keys(tunnel)),
  ),
  ...clientSide(parts),
  ...siteFiles(parts.plan).map(([name, text]) => ({ name: `site/${name}`, text, mode: PUBLIC })),
  { name: 'site/tls/site.crt', text: parts.site.certificate, mode: PUBLIC },
  { name: 'site/tls/site.key', text: parts.site.key, mode: SECRET },
  { name: 'browser/start.sh', text: browserScript(parts.plan), mode: SCRIPT },
  { name: 'browser/policies/authority.json', text: trustPolicy(parts.site.authority), mode: PUBLIC },
];
