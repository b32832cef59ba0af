/** The servers of hosts.ini run WireGuard, and the client's files exist. */
import { EXIT, Fault, paint } from '../cli.ts';
import type { Config } from '../config.ts';
import { readText } from '../files.ts';
import { type Host, networkOf, parseInventory } from '../inventory.ts';
import { statusLine } from '../progress.ts';
import { exitCodeOf, type HostResult, runPlay } from '../runner/play.ts';
import { hostLines, recapLines } from '../runner/report.ts';
import { hostFacts } from '../tasks/facts.ts';
import { preflight } from '../transport/docker.ts';
import { meetStrangers } from '../transport/first-use.ts';
import { loginOf } from '../transport/login.ts';
import { connectSsh, type SshOptions } from '../transport/ssh.ts';
import { clientKeys } from '../wireguard/key-store.ts';
import type { Topology, TunnelPlan } from '../wireguard/topology.ts';
import { endpointIn } from '../wireguard/write-client.ts';
import { readConfig } from './read-config.ts';
import { clientHint, writeClient } from './set-up-client.ts';
import { type Member, planTopology, resolveAll, tasksFor } from './set-up-servers.ts';

export interface SetUpOptions {
  /** hosts.ini and config.cfg. */
  inventory: string;
  config: string;
  /** Where the client's files go. */
  out: string;
  /** Change nothing, only say what would be changed. */
  check: boolean;
  /** Seconds for connecting to a host. */
  timeout: number;
  /** Take the host keys of hosts never seen before, and remember them. */
  acceptNew: boolean;
}

const INVENTORY_HINT = 'write one: README, "On servers", step 1';

/** Both files, read and refused before the first effect; hosts are the proxies in order, then the comp server. */
function readInput({ config: configFile, inventory }: SetUpOptions): { config: Config; hosts: Host[] } {
  const config = readConfig(configFile);
  const { vpn, comp } = networkOf(parseInventory(readText(inventory, INVENTORY_HINT), inventory));
  return { config, hosts: [...vpn, comp] };
}

/** Everything that this run needs to know of its servers. Reads files, asks about keys never seen, makes the client's own. */
async function gatherMembers(
  hosts: readonly Host[],
  addresses: readonly (string | Fault)[],
  topology: Topology,
  options: SetUpOptions,
): Promise<Member[]> {
  const { inventory, acceptNew, timeout } = options;
  const login = { inventory, acceptNew, timeout };
  // What is wrong with the keys to log in with is said before anybody is connected to.
  const logins = (): SshOptions[] => hosts.map((host) => loginOf(host, login));
  logins();
  const resolved = hosts.filter((_, i) => !(addresses[i] instanceof Fault));
  await meetStrangers(resolved, login);
  const ssh = logins();

  const tunnels = [...topology.paths, topology.comp];
  const keys = clientKeys(
    options.out,
    hosts.map(({ name }) => name),
    !options.check,
  );
  return hosts.map((host, i) => ({
    host,
    name: host.name,
    ssh: ssh[i] as SshOptions,
    unresolved: addresses[i] instanceof Fault ? addresses[i] : undefined,
    tunnel: tunnels[i] as TunnelPlan,
    key: keys.get(host.name),
  }));
}

/** Plays all servers, each with a line or more as it ends. */
function playAll(members: readonly Member[], config: Config, check: boolean): Promise<HostResult<Member>[]> {
  const status = statusLine();
  return runPlay({
    hosts: members,
    connect: (member) =>
      member.unresolved ? Promise.reject(member.unresolved) : connectSsh(member.host, member.ssh),
    gather: hostFacts,
    tasksFor: (member) => tasksFor(member, config),
    check,
    onStep: ({ name }, line) => status.set(name, line),
    onHost: (result) => {
      const { name } = result.host;
      status.set(name, undefined);
      status.print(hostLines(name, result, check));
    },
  });
}

/** Sets the servers up and writes the client's files, with all that is to be said of it; the exit code. */
export async function setUp(options: SetUpOptions): Promise<number> {
  const { check, out } = options;
  const { config, hosts } = readInput(options);
  const addresses = await resolveAll(hosts, options.inventory);
  const topology = planTopology(config, hosts, addresses);
  const members = await gatherMembers(hosts, addresses, topology, options);

  // The first time, and meanwhile: whether the client can be started here.
  const docker = check || endpointIn(out) !== undefined ? undefined : preflight();
  const results = await playAll(members, config, check);

  const code = exitCodeOf(results);
  const before = endpointIn(out);
  const done = code !== EXIT.ok || check ? [] : writeClient(results, topology, config, out);
  for (const line of done) console.log(`${paint.yellow('changed:')} [client] ${line}`);
  if (before !== undefined && before !== endpointIn(out))
    console.log(
      `${paint.cyan('notice:')} ${out} held another network (comp server ${before}); its keys are kept there, and its own hosts.ini writes it again`,
    );
  if (code !== EXIT.ok)
    console.log(
      `${paint.red('client files not written:')} they need every server; mend the above and run this again`,
    );

  console.log(`\n${paint.bold('RECAP')}`);
  for (const line of recapLines(results.map((result) => ({ name: result.host.name, result }))))
    console.log(line);
  if (done.length > 0) console.log(`\n${await clientHint(out, docker)}`);
  return code;
}
