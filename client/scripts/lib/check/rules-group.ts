/** Rules, tables, the door, settings and the resolver of this machine. */
import { askIp } from '../ip.ts';
import { doorUnknown, judgeDoor, judgeEndpoints } from './door.ts';
import { guardedIn, judgeGuard } from './guard.ts';
import type { Machine } from './machine.ts';
import { judgeRules, judgeTable, splitTables, WG0, WGNET } from './rules.ts';
import { resolverAnswers } from './sockets.ts';
import { judgeResolver, judgeResolverWay, judgeSysctls, nameserversIn } from './system.ts';
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

function judgeTables({ paths, routes, rules, ipv6 }: Machine): Finding[] {
  const leads = { through: paths, leads: true, standbys: paths };
  const found = [
    judgeTable({ id: `table-${WGNET}`, family: 4, table: WGNET, ...leads }, routes[4]),
    judgeTable(
      { id: `table-${WG0}`, family: 4, table: WG0, through: ['wg0'], leads: true, standbys: [] },
      routes[4],
    ),
    ...splitTables(rules[4]).map((table) =>
      judgeTable({ id: `table-${table}`, family: 4, table, ...leads, standbys: [] }, routes[4]),
    ),
  ];
  const six = [WGNET, WG0].map((table) => {
    const id = `table-${table}-ipv6`;
    if (!ipv6) return leftOut(id, `table ${table}, IPv6`, 'this kernel has no IPv6');
    const through = table === WG0 ? ['wg0'] : [];
    return judgeTable({ id, family: 6, table, through, leads: false, standbys: [] }, routes[6]);
  });
  return [...found, ...six];
}

function judgeNft(machine: Machine): Finding[] {
  if (askIfAny('nft', '--version') === undefined) return [doorUnknown(installLine('nft'))];
  return [judgeDoor(machine.door), judgeEndpoints(machine.door, pathEndpoints(machine))];
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
  const file = judgeResolver(nameserversIn(machine.resolvConf), machine.setUp.resolver);
  if (resolver === undefined) return [file];
  const way = askIfAny('ip', 'route', 'get', resolver);
  const dev = /\bdev (\S+)/.exec(way ?? '')?.[1];
  return [file, judgeResolverWay(resolver, dev, await resolverAnswers(resolver))];
}

/** The first group. */
export async function rulesGroup(machine: Machine): Promise<Finding[]> {
  const { rules, ipv6, sysctls } = machine;
  return [
    judgeRules(4, rules[4]),
    ipv6 ? judgeRules(6, rules[6]) : leftOut('rules-ipv6', 'rules, IPv6', 'this kernel has no IPv6'),
    ...judgeTables(machine),
    ...judgeNft(machine),
    judgeDevices(machine),
    ...judgeSysctls(sysctls),
    ...(await judgeNames(machine)),
  ];
}
