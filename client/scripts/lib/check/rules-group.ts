/** Rules, tables, the door, settings and the resolver of this machine. */
import { askIp } from '../ip.ts';
import { doorUnknown, judgeDoor, judgeEndpoints } from './door.ts';
import { judgeDoorTcp } from './door-tcp.ts';
import { guardedIn, judgeGuard } from './guard.ts';
import { entrances, type Machine, rulesNow, splitNow, wg0Now } from './machine.ts';
import { judgeMode } from './mode-verdict.ts';
import { stickyOf, WG0, WGNET } from './numbers.ts';
import { quicFinding } from './quic.ts';
import { judgeRules, splitTables } from './rules.ts';
import { resolverAnswers } from './sockets.ts';
import { judgeSplit } from './split.ts';
import { judgeNeighbours, judgeResolver, judgeResolverWay, judgeSysctls, nameserversIn } from './system.ts';
import { judgeTable, type TableWish } from './tables.ts';
import { tcpFinding } from './tcp.ts';
import { askIfAny, installLine } from './tools.ts';
import { type Finding, leftOut } from './verdict.ts';

/** The resolver that programs ask. */
export const resolverOf = ({
  setUp,
  resolvConf,
}: Pick<Machine, 'setUp' | 'resolvConf'>): string | undefined =>
  setUp.resolver ?? nameserversIn(resolvConf)[0];

/** The endpoints of the wgnetN alone. */
export const pathEndpoints = ({ endpoints }: Pick<Machine, 'endpoints'>): Map<string, string> =>
  new Map([...endpoints].filter(([name]) => name !== 'wg0'));

/** The tables that programs' IPv4 packets go through beside the paths' own. */
function furtherTables({
  mode,
  tcp,
  paths,
  rules,
}: Machine): Omit<TableWish, 'id' | 'family' | 'standbys'>[] {
  if (mode === 'wireguard')
    return [
      { table: WG0, through: ['wg0'], leads: true },
      ...splitTables(rules[4]).map((table) => ({ table, through: paths, leads: true })),
    ];
  const pinned = tcp === 'sticky' ? paths : [];
  return [
    // For nobody, but closed.
    { table: WG0, through: [], leads: false },
    ...pinned.map((path) => ({ table: stickyOf(path), through: [path], leads: true })),
  ];
}

function judgeTables(machine: Machine): Finding[] {
  const { mode, paths, routes, ipv6 } = machine;
  const of = (wish: Omit<TableWish, 'id' | 'family'>): Finding =>
    judgeTable({ id: `table-${wish.table}`, family: 4, ...wish }, routes[4]);
  const found = [
    of({ table: WGNET, through: paths, leads: true, standbys: paths }),
    ...furtherTables(machine).map((wish) => of({ ...wish, standbys: [] })),
  ];
  const six = [WGNET, WG0].map((table) => {
    const id = `table-${table}-ipv6`;
    if (!ipv6) return leftOut(id, `table ${table}, IPv6`, 'this kernel has no IPv6');
    const through = table === WG0 && mode === 'wireguard' ? ['wg0'] : [];
    return judgeTable({ id, family: 6, table, through, leads: false, standbys: [] }, routes[6]);
  });
  return [...found, ...six];
}

function judgeSplitNow({ mode, split, rules }: Machine): Finding[] {
  if (mode === 'quic' || split.length === 0) return [];
  const found = judgeSplit(split, rules[4], wg0Now());
  if (found.every(({ ok }) => ok)) return found;
  // One that ends meanwhile marks no more by now.
  const [rulesThen, wg0Then] = [rulesNow()[4], wg0Now()];
  return judgeSplit(splitNow(), rulesThen, wg0Then);
}

function judgeNft(machine: Machine): Finding[] {
  if (askIfAny('nft', '--version') === undefined) return [doorUnknown(installLine('nft'))];
  const { door, mode, tcp, paths } = machine;
  const about = mode === 'quic' ? judgeDoorTcp(door, tcp === 'sticky', paths) : undefined;
  return [
    judgeDoor(door, mode === 'quic' ? tcp : undefined),
    judgeEndpoints(door, pathEndpoints(machine)),
    ...(about === undefined ? [] : [about]),
  ];
}

function judgeDevices({ setUp }: Machine): Finding {
  if (askIfAny('tc', '-V') === undefined) return judgeGuard(setUp.guards, undefined);
  const filters = guardedIn(askIp('-d', '-j', 'link', 'show')).map(
    // One that is gone by now has none.
    (name) => [name, askIfAny('tc', 'filter', 'show', 'dev', name, 'egress') ?? ''] as const,
  );
  return judgeGuard(setUp.guards, new Map(filters));
}

async function judgeNames(machine: Machine): Promise<Finding[]> {
  const resolver = resolverOf(machine);
  const file = judgeResolver(
    nameserversIn(machine.resolvConf),
    machine.setUp.resolver,
    machine.resolvConfOpen,
  );
  if (resolver === undefined) return [file];
  const way = askIfAny('ip', 'route', 'get', resolver);
  const dev = /\bdev (\S+)/.exec(way ?? '')?.[1];
  return [file, judgeResolverWay(resolver, dev, await resolverAnswers(resolver), entrances(machine))];
}

/** The first group. `targets`: addresses that nobody has. */
export async function rulesGroup(machine: Machine, targets: readonly string[]): Promise<Finding[]> {
  const { setUp, mode, rules, ipv6, sysctls } = machine;
  return [
    judgeMode(setUp.mode, rules[4]),
    judgeRules(4, rules[4], machine),
    ipv6 ? judgeRules(6, rules[6], machine) : leftOut('rules-ipv6', 'rules, IPv6', 'this kernel has no IPv6'),
    ...judgeTables(machine),
    ...judgeSplitNow(machine),
    ...judgeNft(machine),
    judgeDevices(machine),
    ...judgeSysctls(sysctls),
    ...(askIfAny('nft', '--version') === undefined ? [] : [judgeNeighbours(machine.arp)]),
    ...(await judgeNames(machine)),
    ...(mode === 'quic' ? [await tcpFinding(machine, targets), await quicFinding(machine, targets)] : []),
  ];
}
