/** Writes the demo's folder. */
import { join } from 'node:path';
import { Fault } from '../cli.ts';
import { list, makeDirectory, readTextIfAny, remove, setMode, writeText } from '../files.ts';
import { clientFiles } from '../wireguard/client-files.ts';
import { serverConf, serverNat } from '../wireguard/server-files.ts';
import type { Topology, TunnelPlan } from '../wireguard/topology.ts';
import { writeClientFiles } from '../wireguard/write-client.ts';
import { makeCertificate } from './certificate.ts';
import { freshKeys, renderingId, type TunnelEnds } from './keys.ts';
import { demoTopology, GATEWAY, type Plan, SITE_NAMES, TUNNELS, WEBDRIVER_PORT } from './plan.ts';
import {
  browserPolicy,
  browserScript,
  composeFile,
  migrateScript,
  type ProjectFolders,
  serverScript,
  siteFiles,
} from './texts.ts';

/** The first file of a rendering, by which the next one knows the folder; it keeps keys out of git as well. */
const MARK = '.gitignore';
const MARK_TEXT = '# The wg-migrate demo, written by scripts/wg-migrate.ts: it holds keys.\n*\n';
export const COMPOSE = 'docker-compose.yml';

/** Refuses a folder that holds other things; one that was half written is taken. */
export function requireOwnFolder(directory: string): void {
  if (list(directory).length === 0 || readTextIfAny(join(directory, MARK)) === MARK_TEXT) return;
  throw new Fault({
    at: directory,
    what: 'holds other files than the demo’s',
    next: 'name a new or an empty folder with --out',
  });
}

/** A folder that only its owner reads, and one that its container’s users read as well. */
const folder = (path: string, mode: number): string => {
  makeDirectory(path, mode);
  setMode(path, mode);
  return path;
};

/** A server’s files, as wgnet-setup makes them on a real one. */
function writeServer(directory: string, tunnel: TunnelPlan, { client, server }: TunnelEnds): void {
  const { name } = tunnel.server;
  const settings = { gateway: GATEWAY, network: `${TUNNELS.wireguardSubnet}.0/24` };
  const file = (each: string): string => join(folder(join(directory, name), 0o700), each);
  writeText(file('wg0.key'), `${server.privateKey}\n`, 0o600);
  writeText(file('wg0.conf'), serverConf(tunnel, settings, client.publicKey), 0o600);
  // Docker gives its networks no order that lasts, but calls them all eth.
  writeText(file('wg0.nft'), serverNat(settings, 'eth*'), 0o600);
  writeText(file('start.sh'), serverScript(name), 0o755);
}

/** The client’s files, the same as a real network’s, and `migrate.sh`. */
function writeClient(
  directory: string,
  { site }: Plan,
  topology: Topology,
  keys: (tunnel: TunnelPlan) => TunnelEnds,
): void {
  const client = folder(join(directory, 'client'), 0o700);
  const keysOf = (tunnel: TunnelPlan) => {
    const ends = keys(tunnel);
    return { privateKey: ends.client.privateKey, serverPublicKey: ends.server.publicKey };
  };
  const files = clientFiles(topology, keysOf, { dns: site, published: [WEBDRIVER_PORT] });
  writeClientFiles(client, [...files, { name: 'migrate.sh', text: migrateScript(), mode: 0o755 }]);
}

function writeBrowser(directory: string, plan: Plan, authority: string): void {
  const browser = folder(join(directory, 'browser'), 0o755);
  writeText(join(browser, 'start.sh'), browserScript(plan), 0o755);
  const policies = folder(join(browser, 'policies'), 0o755);
  writeText(join(policies, 'authority.json'), browserPolicy(authority));
  // For `curl --cacert`.
  writeText(join(directory, 'client', 'authority.crt'), authority);
}

/** Writes all of it with new keys. docker-compose.yml goes first and comes last: without it nothing starts. */
export async function renderDemo(plan: Plan, directory: string, project: ProjectFolders): Promise<string> {
  const topology = demoTopology(plan);
  const keys = freshKeys(topology);
  folder(directory, 0o700);
  writeText(join(directory, MARK), MARK_TEXT);
  remove(join(directory, COMPOSE));

  const servers = [...topology.paths, topology.comp];
  const names = new Set(servers.map(({ server }) => server.name));
  // Proxies of an earlier, larger demo.
  for (const name of list(directory).filter((each) => /^wgnet\d+$/.test(each) && !names.has(each)))
    remove(join(directory, name));
  for (const tunnel of servers) writeServer(directory, tunnel, keys(tunnel));
  writeClient(directory, plan, topology, keys);

  const site = folder(join(directory, 'site'), 0o755);
  folder(join(site, 'www'), 0o755);
  for (const [name, text] of siteFiles(plan)) writeText(join(site, name), text);
  const authority = await makeCertificate(folder(join(site, 'tls'), 0o755), SITE_NAMES);
  writeBrowser(directory, plan, authority);

  const id = renderingId(topology, keys, authority);
  writeText(join(directory, COMPOSE), composeFile(plan, id, project));
  return id;
}
