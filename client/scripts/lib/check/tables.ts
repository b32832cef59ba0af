/** Routing tables of network.md, held against what `ip -j route show table all` printed. Pure. */
import { isSplitTable, isSticky, WGNET } from './numbers.ts';
import { bad, END_SPLIT, type Finding, good, SET_UP } from './verdict.ts';

export interface Route {
  /** Unicast where it is not said. */
  type?: string;
  dst: string;
  dev?: string;
  gateway?: string;
  table?: string;
  metric?: number;
}

export type Family = 4 | 6;

const metricOf = ({ metric = 0 }: Route): number => metric;
const routeText = ({ type, dst, gateway, dev, metric }: Route): string =>
  [
    ...(type === undefined ? [] : [type]),
    dst,
    ...(gateway === undefined ? [] : [`via ${gateway}`]),
    // The kernel's own notation of an IPv6 route that leads nowhere.
    ...(dev === undefined || type === 'unreachable' ? [] : [`dev ${dev}`]),
    ...(metric === undefined ? [] : [`metric ${metric}`]),
  ].join(' ');

/** The path that the tables lead by; undefined where there is none. */
export const currentPath = (routes: readonly Route[]): string | undefined =>
  routes.find(({ table, metric = 0, type }) => table === String(WGNET) && metric === 0 && type === undefined)
    ?.dev;

/** What a table must have before its `unreachable`. */
export interface TableWish {
  id: string;
  family: Family;
  table: number;
  /** Interfaces that it may lead to. */
  through: readonly string[];
  /** It has to lead to one of them. */
  leads: boolean;
  /** Each of them as a standby as well. */
  standbys: readonly string[];
}

/** One table out of `ip -j route show table all`. */
export function judgeTable(
  { id, family, table, through, leads, standbys }: TableWish,
  all: readonly Route[],
): Finding {
  const what = `table ${table}, IPv${family}`;
  const mend = isSplitTable(table) ? END_SPLIT : SET_UP;
  const routes = all
    .filter((route) => route.table === String(table))
    .sort((a, b) => metricOf(a) - metricOf(b));
  const found = routes.map(routeText).join('; ') || 'empty';
  const ends = ({ type, dst }: Route): boolean => type === 'unreachable' && dst === 'default';
  const unreachable = routes.find(ends);
  if (unreachable === undefined)
    return bad(
      id,
      what,
      found,
      isSticky(table)
        ? 'it has no "unreachable default": while its path is down, its connections would go by another, and break'
        : 'it has no "unreachable default": what finds no route falls through to main',
      mend,
    );
  const ways = routes.filter((route) => route !== unreachable);
  const stranger = ways.find(
    ({ type, dst, gateway, dev }) =>
      type !== undefined || dst !== 'default' || gateway !== undefined || !through.includes(dev ?? ''),
  );
  const ip = `ip ${family === 6 ? '-6 ' : ''}route`;
  if (stranger !== undefined)
    return bad(
      id,
      what,
      found,
      `"${routeText(stranger)}" leads elsewhere`,
      `${ip} delete ${routeText(stranger)} table ${table}; ${mend}`,
    );
  const behind = ways.find((route) => metricOf(route) >= metricOf(unreachable));
  if (behind !== undefined)
    return bad(
      id,
      what,
      found,
      '"unreachable default" is not the last',
      `${ip} delete ${routeText(unreachable)} table ${table}; ${mend}`,
    );
  if (leads && !ways.some((route) => metricOf(route) === 0))
    return bad(id, what, found, `it leads to no ${through.length === 1 ? through[0] : 'current path'}`, mend);
  const waiting = ways.filter((route) => metricOf(route) > 0).map(({ dev }) => dev);
  const lacking = standbys.filter((name) => !waiting.includes(name));
  if (lacking.length > 0)
    return bad(
      id,
      what,
      found,
      `no standby route over ${lacking.join(', ')}: a switch by hand would lose packets`,
      mend,
    );
  const current = ways.filter((route) => metricOf(route) === 0 || family === 6).map(({ dev }) => dev);
  const layers = [
    ...current,
    ...(standbys.length > 0 ? [`standbys ${standbys.join(' ')}`] : []),
    'unreachable',
  ];
  return good(id, what, layers.join(', then '));
}
