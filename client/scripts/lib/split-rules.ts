/** A split by packet as the kernel is told it: routes and rules for `ip`, a table for `nft`. Pure. */
import { Fault } from './fault.ts';
import type { Run } from './packet-strategy.ts';

/** The table of nftables that re-marks wg0's packets, in the family `inet`. */
export const SPLIT = 'comps_split';

/** The mark of wg0's own packets. */
const WG0_MARK = 51820;

/** Path K, from 1, has this plus K as its mark and as its routing table. */
const FIRST = 51900;
const LAST = 51999;

/** Before the three rules of setup.sh. */
const PREFERENCE = 99;

/** As setup.sh has them: the standby routes of all paths, and the refusal behind them. */
const STANDBY = 1001;
export const REFUSAL = 4_294_967_295;

/** A path as it is on this machine. */
export interface SplitPath {
  /** `wgnetK`. */
  name: string;
  /** The client's address inside. */
  address: string;
  /** Bytes. */
  mtu: number;
}

/** Mark and routing table of `wgnetK`. Throws a Fault where K is too large to have one. */
export function markOf(name: string): number {
  const mark = FIRST + Number(name.slice('wgnet'.length));
  if (mark > FIRST && mark <= LAST) return mark;
  throw new Fault({
    at: name,
    what: `a split by packet has marks for wgnet1 to wgnet${LAST - FIRST}`,
    next: `--interfaces with those, or a strategy with a period`,
  });
}

/** The command that makes `to` carry what is marked for `path`. */
export const pointTo = (path: string, to: string): string =>
  `route replace default dev ${to} table ${markOf(path)}`;

/** The standby route over one path in the table of another; `names` in their order. */
export function standbyOver(path: string, other: string, names: readonly string[]) {
  const metric = STANDBY + names.indexOf(path);
  return { metric, command: `route replace default dev ${path} metric ${metric} table ${markOf(other)}` };
}

/** The refusal behind all routes of a path's table: one without a route falls through to the next rule. */
export const refusalIn = (path: string): string =>
  `route replace unreachable default metric ${REFUSAL} table ${markOf(path)}`;

/** The rule by which what is marked for a path finds its table. */
export const ruleTo = (path: string): string =>
  `rule add pref ${PREFERENCE} fwmark ${markOf(path)} lookup ${markOf(path)}`;

/**
 * All that is to be there before the first packet is marked: each path's table with that path, the others as standbys,
 * and a refusal; only then the rules.
 */
export const layCommands = (names: readonly string[]): string[] => [
  ...names.map(refusalIn),
  ...names.flatMap((path) =>
    names.filter((name) => name !== path).map((name) => standbyOver(path, name, names).command),
  ),
  ...names.map((name) => pointTo(name, name)),
  ...names.map(ruleTo),
];

export interface SplitWish {
  paths: readonly SplitPath[];
  /** Which path (an index of `paths`) the packets take: one round, which repeats. */
  runs: readonly Run[];
  /**
   * wg0's device may hand over several packets joined to one (wireguard-go's; the kernel's WireGuard never does). Those
   * few that it had joined before it was told not to stay on the current path: rewriting their address would spoil
   * their checksums (the kernel's, tried with 6.18).
   */
  joins: boolean;
}

/** Packets after which the schedule begins again. */
export const cycleLength = (runs: readonly Run[]): number =>
  runs.reduce((sum, { packets }) => sum + packets, 0);

/** `numgen`'s numbers and their marks: `0-1 : 51901, 2 : 51902`. */
function intervals({ runs, paths }: SplitWish): string {
  let from = 0;
  return runs
    .map(({ path, packets }) => {
      const to = from + packets - 1;
      const numbers = packets === 1 ? String(from) : `${from}-${to}`;
      from = to + 1;
      return `${numbers} : ${markOf(paths[path]?.name ?? '')}`;
    })
    .join(', ');
}

/**
 * The table, to be loaded in one transaction, in place of one that is there. A packet that wg0 sends was looked up with
 * wg0's mark already; the new mark makes the kernel look up once more, but its sender's address is still that of the
 * current path, and another proxy could tell by it which that is: so each path puts its own in. What is marked and leaves by
 * anything but a path, whatever became of rules and tables, goes nowhere.
 */
export function splitTable(wish: SplitWish): string {
  const { paths, runs, joins } = wish;
  const whole = joins ? ` meta length <= ${Math.max(...paths.map(({ mtu }) => mtu))}` : '';
  const ours = `meta mark ${FIRST}-${LAST}`;
  return `table inet ${SPLIT}
delete table inet ${SPLIT}
table inet ${SPLIT} {
${paths.map(({ name }) => `	counter ${name} { }`).join('\n')}
	chain output {
		type route hook output priority mangle + 1; policy accept;
		meta nfproto ipv4 meta mark ${WG0_MARK}${whole} meta mark set numgen inc mod ${cycleLength(runs)} map { ${intervals(wish)} }
	}
	chain postrouting {
		type filter hook postrouting priority mangle; policy accept;
		${ours} oifname != "wgnet*" drop
${paths.map(({ name, address }) => `		${ours} oifname "${name}" ip saddr set ${address} counter name "${name}"`).join('\n')}
	}
}
`;
}

/** What is left to itself goes on to count: the table without the chain that marks. */
export const markNoMore = `delete chain inet ${SPLIT} output\n`;

export const deleteTable = `delete table inet ${SPLIT}\n`;

/** Packets by counter, in what `nft -j list counters` printed. */
export function countsIn(json: string): Record<string, number> {
  const { nftables } = JSON.parse(json) as { nftables: { counter?: { name: string; packets: number } }[] };
  return Object.fromEntries(
    nftables.flatMap(({ counter }) => (counter === undefined ? [] : [[counter.name, counter.packets]])),
  );
}

const isOurs = (table: string | undefined): table is string =>
  table !== undefined && Number(table) > FIRST && Number(table) <= LAST;

/**
 * Commands that take rules and tables of a split away, of whichever paths it was: rules first. From what
 * `ip -j rule show pref 99` and `ip -j route show table all` printed.
 */
export function clearCommands(rules: string, routes: string): string[] {
  const tables = (json: string): string[] => {
    const list: { table?: string }[] = json.trim() === '' ? [] : JSON.parse(json);
    return list.map(({ table }) => table).filter(isOurs);
  };
  return [
    ...tables(rules).map((table) => `rule delete pref ${PREFERENCE} lookup ${table}`),
    ...[...new Set(tables(routes))].map((table) => `route flush table ${table}`),
  ];
}

/** The device wg0 in what `ip -j -d link show dev wg0` printed. */
export interface Wg0 {
  /** Whether it may hand over several packets joined to one. */
  joins: boolean;
  /** The most that it joins now, and may at all. */
  now: number;
  most: number;
}

/** Undefined where there is no wg0. */
export function wg0In(json: string): Wg0 | undefined {
  const [link] = JSON.parse(json) as {
    linkinfo?: { info_kind?: string };
    gso_max_segs?: number;
    tso_max_segs?: number;
  }[];
  if (link === undefined) return undefined;
  const most = link.tso_max_segs ?? 65_535;
  return { joins: link.linkinfo?.info_kind !== 'wireguard', now: link.gso_max_segs ?? most, most };
}

/** The command by which wg0 hands over packets one by one, or joined again. */
export const joinAtMost = (packets: number): string => `link set dev wg0 gso_max_segs ${packets}`;
