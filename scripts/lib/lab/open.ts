/** A lab that is up, for commands and tests: run things in it, cut the power of one machine. */
import { Fault } from '../cli.ts';
import { attempt, type LocalOptions } from '../transport/local.ts';
import { boot } from './boot.ts';
import { clearNamespaces, cutPower } from './clear.ts';
import { type Droplet, dropletsOfCloud } from './droplet-record.ts';
import { leaderOf } from './engine-daemon.ts';
import { engineSeat, engineWords } from './engine-place.ts';
import { controllerEnvironment } from './environment.ts';
import { insideWords } from './machine.ts';
import { buildNetwork, namespacesOf, unplug } from './network.ts';
import { labCommand, nameOf, type Place, placeOf } from './place.ts';
import { runningIn } from './processes.ts';
import { address6Of, addressOf, isMachine, isOfCloud, type Role, rolesOf, type Shape } from './roles.ts';
import { readState, type State } from './state.ts';

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

export interface Lab {
  name: string;
  /**
   * `.lab`: hosts.ini, config.cfg, id_ed25519, known_hosts, site/access.log, site/h3.log, site/dns.log, log/; by site-ca.pem and
   * Chromium's policy site-ca.json one trusts the sites.
   */
  directory: string;
  /** Client files written here are what the client machine sees in /etc/wireguard. */
  clientDirectory: string;
  shape: Shape;
  /** Who is in it from its beginning. */
  roles: Role[];
  /** The droplets that its cloud has now. */
  droplets(): Droplet[];
  addressOf(role: Role): string;
  /** Whether it has IPv6. */
  ipv6: boolean;
  /** Its IPv6 address, in a lab that has IPv6. */
  address6Of(role: Role): string;
  /** The name for `ip netns`, also of a machine that is down. */
  namespaceOf(role: Role): string;
  /** The command line that runs `words` in a role's machine; in `net`, `ctl`, `engine` with this computer's files. */
  words(role: Role, words: readonly string[]): string[];
  /** Runs `words` in a role's machine, whatever they end with. */
  exec(role: Role, words: readonly string[], options?: LocalOptions): Promise<Outcome>;
  /** Runs `words` where the commands that work on the lab run; where its cloud runs, with the account's variables. */
  controller(words: readonly string[], options?: LocalOptions): Promise<Outcome>;
  /** A power cut: the machine is gone at once, with all that it wrote. */
  stop(role: Role): Promise<void>;
  /** Boots a machine that is down, as new as on the first day, and waits until it serves. */
  start(role: Role): Promise<void>;
}

/** The command that starts what is down of a lab: its shape is to be the one that it has. */
export function startCommand(name: string, { vpn, comp }: Shape, role?: Role): string {
  if (vpn === 0 || (role !== undefined && isOfCloud(role))) return labCommand('cloud', name);
  const flags = [...(vpn === 3 ? [] : [` --vpn ${vpn}`]), ...(comp === 1 ? [] : [` --comp ${comp}`])];
  return labCommand('up', name) + flags.join('');
}

function inEngine(place: Place, shape: Shape, words: readonly string[]): string[] {
  if (leaderOf(engineSeat(place)) !== undefined) return engineWords(place, words);
  throw new Fault({
    at: 'engine',
    what: 'this lab has no Docker engine that runs',
    // A lab of the cloud's alone gets none.
    next:
      shape.vpn === 0
        ? 'npx zx scripts/lab.ts up --engine --name second'
        : `${startCommand(place.name, shape)} --engine`,
  });
}

function commandIn(place: Place, shape: Shape, role: Role, words: readonly string[]): string[] {
  if (role === 'engine') return inEngine(place, shape, words);
  if (!isMachine(role)) return ['ip', 'netns', 'exec', nameOf(place, role), ...words];
  const leader = runningIn(place).get(role)?.leader;
  if (leader !== undefined) return insideWords(leader, words, process.env.TERM);
  throw new Fault({
    at: role,
    what: 'this machine is down',
    next: `${startCommand(place.name, shape, role)} starts it again`,
  });
}

async function start(place: Place, state: State, role: Role): Promise<void> {
  if (runningIn(place).has(role)) return;
  // A new namespace: the old one may still hold what the machine had set in its kernel.
  await unplug(place, role);
  if ((await namespacesOf(place)).includes(role)) await clearNamespaces(place, [role]);
  await buildNetwork(place, [role], state);
  await boot(place, state, [role]);
}

const inController = (place: Place, { env, ...options }: LocalOptions = {}): LocalOptions => ({
  ...options,
  env: controllerEnvironment(place, env),
});

/** The lab with this state. */
export function labOf(place: Place, state: State): Lab {
  const words: Lab['words'] = (role, command) => commandIn(place, state, role, command);
  const exec: Lab['exec'] = (role, command, options) =>
    attempt(words(role, command), role === 'ctl' ? inController(place, options) : options);
  return {
    name: place.name,
    directory: place.directory,
    clientDirectory: place.clientDirectory,
    shape: { vpn: state.vpn, comp: state.comp },
    roles: rolesOf(state),
    droplets: () => dropletsOfCloud(place),
    addressOf,
    ipv6: state.ipv6 === true,
    address6Of,
    namespaceOf: (role) => nameOf(place, role),
    words,
    exec,
    controller: (command, options) => exec('ctl', command, options),
    stop: async (role) => {
      await cutPower(place, [role]);
      // Else its namespace would go on answering in its place.
      await unplug(place, role);
    },
    // An `up` may have given its client another system since.
    start: (role) => start(place, readState(place) ?? state, role),
  };
}

/** The lab called `name`; a Fault where it is not up. */
export function openLab(name = 'lab'): Lab {
  const place = placeOf(name);
  const state = readState(place);
  if (state !== undefined) return labOf(place, state);
  throw new Fault({ what: `the lab "${name}" is not up`, next: labCommand('up', name) });
}
