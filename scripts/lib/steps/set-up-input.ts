/** All that a run needs to know before it plays a task: both files, the servers, and how to log in to them. */
import { Fault } from '../cli.ts';
import type { Config } from '../config.ts';
import { readText } from '../files.ts';
import {
  besideNotice,
  type Host,
  type Inventory,
  limitOf,
  networkOf,
  parseInventory,
  passedOver,
  withExtraVars,
} from '../inventory.ts';
import { keepSecret } from '../runner/secrets.ts';
import { meetStrangers } from '../transport/first-use.ts';
import { type LoginSettings, loginOf } from '../transport/login.ts';
import { withSshConfig } from '../transport/ssh-config.ts';
import { unlockKeys } from '../transport/unlock.ts';
import { clientKeys } from '../wireguard/key-store.ts';
import { type Topology, type TunnelPlan, tunnelsOf } from '../wireguard/topology.ts';
import { readExtraVars } from './extra-vars.ts';
import type { ModeFlags } from './mode-flags.ts';
import { serverKeyIn } from './present-client.ts';
import { readConfig, tellOnce } from './read-config.ts';
import { becomePassword, withFlags } from './set-up-access.ts';
import type { HostFlags } from './set-up-flags.ts';
import { type Member, planTopology, resolveAll } from './set-up-servers.ts';

export interface InputOptions extends HostFlags, ModeFlags {
  /** hosts.ini and config.cfg. */
  inventory: string;
  config: string;
  /** Where the client's files are, or go. */
  out: string;
  /** Change nothing: no key of the client's is made. */
  check: boolean;
  /** Seconds for connecting to a host. */
  timeout: number;
  /** Take the host keys of hosts never seen before, and remember them. */
  acceptNew: boolean;
}

/** What the files and the flags say; nothing is asked, resolved or connected to for it. */
export interface Input {
  config: Config;
  /** The proxies in order, then the comp server where there is one, whatever `--limit` says. */
  hosts: Host[];
  /** Names of those that `--limit` leaves. */
  chosen: ReadonlySet<string>;
  /** Names below [comp] that mode quic passes over. */
  idle: readonly string[];
}

export interface Prepared extends Input {
  /** The same hosts with all that a play needs of them, in the same order. */
  members: Member[];
  topology: Topology;
}

const INVENTORY_HINT = 'write one: README, "On servers", step 1';

/** Both files, read and refused before the first effect. */
export function readInput(options: InputOptions): Input {
  const extra = readExtraVars(options.extraVars ?? [], readText);
  const config = readConfig(options.config, options);
  const inventory = parseInventory(readText(options.inventory, INVENTORY_HINT), options.inventory);
  const beside = besideNotice(inventory);
  if (beside !== undefined) tellOnce(beside);
  const hosts = serversOf(withExtraVars(inventory, extra.hosts), config);
  const chosen = chosenOf(inventory, hosts, options.limit);
  return { config, hosts, chosen, idle: passedOver(inventory, config.mode) };
}

/** The proxies in order, then the comp server in mode wireguard; in mode quic those below [comp] are named, once. */
export function serversOf(inventory: Inventory, { mode }: Config): Host[] {
  const { vpn, comp } = networkOf(inventory, mode);
  const over = passedOver(inventory, mode);
  if (over.length > 0)
    tellOnce(
      `mode quic has no comp server, and passes over what is below [comp] in ${inventory.file}: ${over.join(', ')}`,
    );
  return comp === undefined ? vpn : [...vpn, comp];
}

/** Names of the servers that `--limit` leaves; all of them without it. */
export function chosenOf(
  inventory: Inventory,
  hosts: readonly Host[],
  limit: string | undefined,
): Set<string> {
  const names = hosts.map(({ name }) => name);
  if (limit === undefined) return new Set(names);
  const left = limitOf(inventory, limit, readText);
  const chosen = names.filter((name) => left.includes(name));
  if (chosen.length > 0) return new Set(chosen);
  throw new Fault({
    at: '--limit',
    what: `it leaves ${left.slice(0, 12).join(', ')}, and none of this network's servers`,
    next: `the servers are ${names.slice(0, 12).join(', ')}`,
  });
}

/** Seconds at most for connecting to a host that can do without: it is only asked for a key that is most likely known. */
const ASK_TIMEOUT = 5;

/** A host outside of `--limit` is asked for its public key; what the client's present files have may be an older one. */
function partOf(
  host: Host,
  tunnel: TunnelPlan,
  { chosen }: Input,
  out: string,
): Pick<Member, 'part' | 'serverKey'> {
  if (chosen.has(host.name)) return { part: 'play' };
  return { part: 'ask', serverKey: serverKeyIn(out, tunnel) };
}

/** Reads files, resolves names, asks about host keys never seen, and makes the client's keys unless in check mode. */
export async function prepare(options: InputOptions, input = readInput(options)): Promise<Prepared> {
  const { inventory, acceptNew, timeout, out, check } = options;
  const password = await becomePassword(options);
  const flagged = input.hosts.map((host) => withFlags(host, options, password));
  const hosts = withSshConfig(flagged, inventory);
  const addresses = await resolveAll(hosts, inventory);
  const topology = planTopology(input.config, hosts, addresses);
  const tunnels = tunnelsOf(topology);
  const parts = hosts.map((host, i) => partOf(host, tunnels[i] as TunnelPlan, input, out));

  const login: LoginSettings = { inventory, acceptNew, timeout };
  // Nobody is asked for a passphrase, or about a host key, for a host that can do without.
  const met = hosts.filter((_, i) => parts[i]?.serverKey === undefined);
  await unlockKeys(met, login);
  // What is wrong with the keys to log in with is said before anybody is connected to.
  for (const host of met) loginOf(host, login);
  await meetStrangers(
    met.filter((host) => !(addresses[hosts.indexOf(host)] instanceof Fault)),
    login,
  );

  const keys = clientKeys(
    out,
    hosts.map(({ name }) => name),
    !check,
  );
  for (const key of keys.values()) keepSecret(key?.privateKey);
  for (const { become } of hosts) keepSecret(become?.password?.reveal());
  const members = hosts.map(
    (host, i): Member => ({
      host,
      name: host.name,
      // Not before it is needed: one outside of --limit may have a key that is not there.
      get ssh() {
        const spare = parts[i]?.serverKey !== undefined;
        return loginOf(host, spare ? { ...login, timeout: Math.min(timeout, ASK_TIMEOUT) } : login);
      },
      unresolved: addresses[i] instanceof Fault ? addresses[i] : undefined,
      tunnel: tunnels[i] as TunnelPlan,
      key: keys.get(host.name),
      ...(parts[i] ?? { part: 'play' }),
    }),
  );
  return { ...input, hosts, members, topology };
}
