import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { command, duration, EXIT, exitWith, Fault, main, paint } from './lib/cli.ts';
import { type Config, clientAddress, compClientAddress, parseConfig } from './lib/config.ts';
import { readText, realPath } from './lib/files.ts';
import { type Host, networkOf, parseInventory } from './lib/inventory.ts';
import { statusLine } from './lib/progress.ts';
import { exitCodeOf, type HostResult, runPlay } from './lib/runner/play.ts';
import { hostLines, recapLines } from './lib/runner/report.ts';
import type { Task } from './lib/runner/task.ts';
import { quote } from './lib/shell.ts';
import { type HostFacts, hostFacts } from './lib/tasks/facts.ts';
import { KEY_PAIR } from './lib/tasks/key-pair.ts';
import { serverTasks } from './lib/tasks/server.ts';
import { preflight } from './lib/transport/docker.ts';
import { loginOf } from './lib/transport/login.ts';
import { resolveAddress } from './lib/transport/resolve.ts';
import { connectSsh, type SshOptions } from './lib/transport/ssh.ts';
import { clientFiles } from './lib/wireguard/client-files.ts';
import { type ClientKey, clientKeys } from './lib/wireguard/key-store.ts';
import { serverConf, serverNat } from './lib/wireguard/server-files.ts';
import { type Topology, type TunnelPlan, topologyOf } from './lib/wireguard/topology.ts';
import { endpointIn, writeClientFiles } from './lib/wireguard/write-client.ts';

interface Options {
  inventory: string;
  config: string;
  out: string;
  check: boolean;
  timeout: number;
  acceptNew: boolean;
}

const INVENTORY_HINT = 'write one: README, "On your own servers", step 1';

/** One server with all that this run knows of it. */
interface Member {
  host: Host;
  name: string;
  ssh: SshOptions;
  /** Why its name does not resolve; it is unreachable then. */
  unresolved: Fault | undefined;
  tunnel: TunnelPlan;
  /** Undefined only in check mode, where none is made. */
  key: ClientKey | undefined;
}

/** Both files, read and refused before the first effect; hosts are the proxies in order, then the comp server. */
function readInput({ config: configFile, inventory }: Options): { config: Config; hosts: Host[] } {
  const { config, notices } = parseConfig(
    readText(configFile, `cp config.cfg.example ${configFile}, and fill it in`),
    configFile,
  );
  const { vpn, comp } = networkOf(parseInventory(readText(inventory, INVENTORY_HINT), inventory));
  for (const notice of notices) console.log(`${paint.cyan('notice:')} ${notice}`);
  return { config, hosts: [...vpn, comp] };
}

/** Each host's numeric address, or why it has none. */
const resolveAll = (hosts: readonly Host[], inventory: string): Promise<(string | Fault)[]> =>
  Promise.all(
    hosts.map(({ address, line }) =>
      resolveAddress(address, `${inventory}:${line}`).catch((error: unknown) => {
        if (error instanceof Fault) return error;
        throw error;
      }),
    ),
  );

function planTopology(
  config: Config,
  hosts: readonly Host[],
  addresses: readonly (string | Fault)[],
): Topology {
  const servers = hosts.map(({ name, address }, i) => {
    const resolved = addresses[i];
    // One that does not resolve is reported with the others; no file is written from this plan then.
    return { name, address: typeof resolved === 'string' ? resolved : address };
  });
  const comp = servers.pop();
  if (comp === undefined)
    throw new Error('the inventory reader lets no network without a comp server through');
  return topologyOf({
    proxies: servers,
    comp,
    port: config.wireguardPort,
    pathAddress: (k) => clientAddress(config, k),
    compAddress: compClientAddress(config),
  });
}

function gatherMembers(
  hosts: readonly Host[],
  addresses: readonly (string | Fault)[],
  topology: Topology,
  options: Options,
): Member[] {
  const login = {
    inventory: options.inventory,
    acceptNew: options.acceptNew,
    timeout: options.timeout,
  };
  const tunnels = [...topology.paths, topology.comp];
  const logins = hosts.map((host) => loginOf(host, login));
  const keys = clientKeys(
    options.out,
    hosts.map(({ name }) => name),
    !options.check,
  );
  return hosts.map((host, i) => ({
    host,
    name: host.name,
    ssh: logins[i] as SshOptions,
    unresolved: addresses[i] instanceof Fault ? addresses[i] : undefined,
    tunnel: tunnels[i] as TunnelPlan,
    key: keys.get(host.name),
  }));
}

function tasksFor({ tunnel, key }: Member, config: Config): Task<HostFacts>[] {
  const publicKey = key?.publicKey ?? '(a new key)';
  const settings = { gateway: config.wireguardGatewayAddress, network: `${config.wireguardSubnet}.0/24` };
  const allowedIps = tunnel.allowedIps.map((address) => `${address}/32`);
  return serverTasks({
    conf: serverConf(tunnel, settings, publicKey),
    nat: (egress) => serverNat(settings, egress),
    running: {
      address: settings.gateway,
      port: tunnel.port,
      mtu: tunnel.mtu,
      peer: { publicKey, allowedIps },
    },
    network: settings.network,
  });
}

/** Renders and writes the client's side; what was done, a line each. */
function writeClient(
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
async function clientHint(out: string, docker: ReturnType<typeof preflight> | undefined): Promise<string> {
  const { compose, troubles } = (await docker) ?? { compose: 'docker-compose', troubles: [] };
  const client = fileURLToPath(new URL('../client', import.meta.url));
  const files = realPath(out);
  const where = files === join(client, 'generated') ? '' : `COMPS_FILES=${quote(files)} `;
  return [
    `next:    cd ${quote(relative(process.cwd(), client) || '.')} && ${where}${compose} up`,
    '         or, where it is up: docker exec wgclient /etc/wireguard/setup.sh',
    ...troubles.map(({ message, next }) => `${paint.cyan('notice:')}  ${message}\n  next:  ${next}`),
  ].join('\n');
}

async function setUp(options: Options): Promise<number> {
  const { config, hosts } = readInput(options);
  const addresses = await resolveAll(hosts, options.inventory);
  const topology = planTopology(config, hosts, addresses);
  const members = gatherMembers(hosts, addresses, topology, options);

  // The first time, and meanwhile: whether the client can be started here.
  const docker = options.check || endpointIn(options.out) !== undefined ? undefined : preflight();
  const status = statusLine();
  const results = await runPlay({
    hosts: members,
    connect: (member) =>
      member.unresolved ? Promise.reject(member.unresolved) : connectSsh(member.host, member.ssh),
    gather: hostFacts,
    tasksFor: (member) => tasksFor(member, config),
    check: options.check,
    onStep: ({ name }, line) => status.set(name, line),
    onHost: (result) => {
      const { name } = result.host;
      status.set(name, undefined);
      status.print(hostLines(name, result, options.check));
    },
  });

  const code = exitCodeOf(results);
  const unfinished = code !== EXIT.ok || options.check;
  const before = endpointIn(options.out);
  const done = unfinished ? [] : writeClient(results, topology, config, options.out);
  for (const line of done) console.log(`${paint.yellow('changed:')} [client] ${line}`);
  const now = endpointIn(options.out);
  if (before !== undefined && before !== now)
    console.log(
      `${paint.cyan('notice:')} ${options.out} held another network (comp server ${before}); its keys are kept there, and its own hosts.ini writes it again`,
    );
  if (code !== EXIT.ok)
    console.log(
      `${paint.red('client files not written:')} they need every server; mend the above and run this again`,
    );

  console.log(`\n${paint.bold('RECAP')}`);
  for (const line of recapLines(results.map((result) => ({ name: result.host.name, result }))))
    console.log(line);
  if (done.length > 0) console.log(`\n${await clientHint(options.out, docker)}`);
  return code;
}

const program = command(
  'wgnet-setup',
  'start WireGuard on the servers of hosts.ini and write the client’s files',
)
  .option('-i, --inventory <file>', 'Ansible INI inventory with the groups [vpn] and [comp]', 'hosts.ini')
  .option('-c, --config <file>', 'YAML variables file', 'config.cfg')
  .option('-o, --out <directory>', 'where the client’s files go', 'client/generated')
  .option('-C, --check', 'change nothing, only say what would be changed', false)
  .option('-T, --timeout <seconds>', 'for connecting to a host', duration, 10)
  .option('--accept-new', 'take and remember the host keys of hosts never seen before', false)
  .action(async (options: Options) => exitWith(await setUp(options)));

await main(program);
