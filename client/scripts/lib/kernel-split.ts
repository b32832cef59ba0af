/** A split by packet on this machine: laid, loaded, followed and taken away so that at no moment a packet is lost. */
import { EXIT, Fault, messageOf } from './fault.ts';
import { askIp } from './ip.ts';
import type { Outcome } from './ip-batch.ts';
import { askNft, loadRules, tableThere } from './nft.ts';
import type { Run } from './packet-strategy.ts';
import { missingIn } from './split-mend.ts';
import {
  clearCommands,
  countsIn,
  deleteTable,
  joinAtMost,
  layCommands,
  markNoMore,
  markOf,
  SPLIT,
  type SplitPath,
  splitTable,
  type Wg0,
  wg0In,
} from './split-rules.ts';

const SET_UP = '/etc/wireguard/setup.sh';

/** Milliseconds after which wireguard-go has sent all that wg0 gave it joined. */
const JOINED_MS = 100;

/** Where commands for `ip` go. */
export interface Commands {
  send(command: string, done: (outcome: Outcome) => void): void;
}

const carryOut = (routes: Commands, command: string): Promise<Outcome> =>
  new Promise((resolve) => routes.send(command, resolve));

/** Throws a Fault for a command that did not go well. */
async function mustCarryOut(routes: Commands, commands: readonly string[]): Promise<void> {
  const outcomes = await Promise.all(commands.map((command) => carryOut(routes, command)));
  for (const [i, outcome] of outcomes.entries())
    if (!outcome.ok)
      throw new Fault({
        at: `ip ${commands[i]}`,
        what: outcome.message,
        next: SET_UP,
        code: EXIT.failed,
      });
}

interface Address {
  ifname: string;
  mtu: number;
  addr_info: { local: string }[];
}

/** The paths as they are here; throws a Fault where one has no address. */
export function splitPaths(names: readonly string[]): SplitPath[] {
  const links: Address[] = JSON.parse(askIp('-j', '-4', 'address', 'show'));
  return names.map((name) => {
    const link = links.find(({ ifname }) => ifname === name);
    const address = link?.addr_info[0]?.local;
    if (link === undefined || address === undefined)
      throw new Fault({ at: name, what: 'has no IPv4 address', next: SET_UP });
    return { name, address, mtu: link.mtu };
  });
}

/** wg0 as it is now; undefined where there is none. */
function wg0(): Wg0 | undefined {
  try {
    return wg0In(askIp('-j', '-d', 'link', 'show', 'dev', 'wg0'));
  } catch {
    return undefined;
  }
}

const noWg0 = (): Fault => new Fault({ at: 'wg0', what: 'there is none to split', next: SET_UP });

/** Throws a Fault where there is nothing to split here, or no way. */
export function requireSplittable(names: readonly string[]): void {
  for (const { name } of splitPaths(names)) markOf(name);
  if (wg0() === undefined) throw noWg0();
  askNft('--version');
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What {@link clearSplit} found. */
export interface Cleared {
  /** Packets a path, where nftables still had its table and told them. */
  counts: Record<string, number> | undefined;
  /** Whether there was anything at all. */
  found: boolean;
}

const rulesAndRoutes = (): string[] =>
  clearCommands(
    askIp('-j', '-4', 'rule', 'show', 'pref', '99'),
    askIp('-j', '-4', 'route', 'show', 'table', 'all'),
  );

/** Whether nftables has the table. Where it cannot be asked: false where nothing else is there of a split, else a Fault. */
function loadedNow(): boolean {
  try {
    return tableThere(SPLIT);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (rulesAndRoutes().length === 0) return false;
    // What is marked finds a way by these alone: without them, nothing would get out any more.
    throw new Fault({
      at: SPLIT,
      what: `there are rules or tables of a split, which are left as they are: ${messageOf(error)}`,
      ...(error.next !== undefined && { next: error.next }),
      code: EXIT.failed,
    });
  }
}

/**
 * Takes away what there is of a split, this process's or one that a killed process left: first no packet is marked any
 * more and all take the current path, then what is counted is read, then go the rules and last the tables. Throws a Fault
 * where nobody can say whether packets are marked.
 */
export async function clearSplit(routes: Commands): Promise<Cleared> {
  let counts: Cleared['counts'];
  const loaded = loadedNow();
  if (loaded) {
    try {
      loadRules(markNoMore);
    } catch {
      // Cleared by halves already.
    }
    try {
      counts = countsIn(askNft('-j', 'list', 'counters', 'table', 'inet', SPLIT));
      loadRules(deleteTable);
    } catch (error) {
      // Somebody else was quicker.
      if (tableThere(SPLIT)) throw error;
    }
  }
  const commands = rulesAndRoutes();
  const device = wg0();
  if (device?.joins && device.now === 1) commands.push(joinAtMost(device.most));
  await mustCarryOut(routes, commands);
  return { counts, found: loaded || commands.length > 0 };
}

/** A split that is in force, or about to be. */
export class KernelSplit {
  private readonly names: readonly string[];
  private readonly paths: readonly SplitPath[];
  private readonly routes: Commands;
  private readonly joins: boolean;

  private constructor(paths: readonly SplitPath[], routes: Commands, joins: boolean) {
    this.paths = paths;
    this.names = paths.map(({ name }) => name);
    this.routes = routes;
    this.joins = joins;
  }

  /** Lays tables and rules, in that order; nothing uses them yet. Throws a Fault where something is not as needed. */
  static async lay(names: readonly string[], routes: Commands): Promise<KernelSplit> {
    const paths = splitPaths(names);
    const device = wg0();
    if (device === undefined) throw noWg0();
    await mustCarryOut(routes, layCommands(names));
    if (device.joins && device.now !== 1) {
      await mustCarryOut(routes, [joinAtMost(1)]);
      await pause(JOINED_MS);
    }
    return new KernelSplit(paths, routes, device.joins);
  }

  /** From now on packet 0, 1, 2, … of wg0 take the paths of these runs, again and again. */
  load(runs: readonly Run[]): void {
    loadRules(splitTable({ paths: this.paths, runs, joins: this.joins }));
  }

  /** Whether nftables has it still; throws a Fault where it cannot be asked. */
  get there(): boolean {
    return tableThere(SPLIT);
  }

  /**
   * Lays again what is missing of rules and routes, and tells what somebody took away of them; `instead` has for each
   * path the index of the one that it goes by. Throws a Fault where `ip` cannot be asked.
   */
  mend(instead: readonly number[]): string[] {
    const { commands, taken } = missingIn(
      askIp('-j', '-4', 'rule', 'show', 'pref', '99'),
      askIp('-j', '-4', 'route', 'show', 'table', 'all'),
      this.names,
      instead,
    );
    // As at the beginning, should somebody have made wg0 anew.
    if (this.joins) commands.push(joinAtMost(1));
    // What fails is missing at the next look too.
    for (const command of commands) this.routes.send(command, () => undefined);
    return taken;
  }
}
