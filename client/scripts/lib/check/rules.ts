/** The policy rules and routing tables of network.md, held against what `ip -j` printed. Pure. */
import { bad, type Finding, good, SET_UP } from './verdict.ts';

/** Marks and tables of wg0's packets and of the wgnetN's own. */
export const WG0 = 51820;
export const WGNET = 51821;
/** Mark and table of path K of a kernel split: this and K. */
const SPLIT = 51900;
/** The preference of the split's rules, before all others. */
const SPLIT_PREFERENCE = 99;

export interface Rule {
  priority: number;
  src: string;
  table: string;
  fwmark?: string;
  not?: null;
  [selector: string]: unknown;
}

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

const hex = (mark: number): string => `0x${mark.toString(16)}`;

/** The words of a rule, as `ip rule` has them. */
function ruleText({ priority, not, src, fwmark, table, ...others }: Rule): string {
  const more = Object.entries(others)
    .filter(([key]) => key !== 'protocol')
    .map(([key, value]) => (value === null ? key : `${key} ${value}`));
  const mark = fwmark === undefined ? [] : [`fwmark ${Number(fwmark) || fwmark}`];
  return [
    `${priority}:`,
    ...(not === undefined ? [] : ['not']),
    `from ${src}`,
    ...mark,
    ...more,
    `lookup ${table}`,
  ].join(' ');
}

interface Wanted {
  not?: null;
  fwmark?: string;
  table: string;
}

const KNOWN = new Set(['priority', 'src', 'table', 'fwmark', 'not', 'protocol']);

/** Whether a rule says this, and nothing besides. */
const says = (rule: Rule, { not, fwmark, table }: Wanted): boolean =>
  rule.src === 'all' &&
  rule.table === table &&
  rule.fwmark === fwmark &&
  (rule.not === undefined) === (not === undefined) &&
  Object.keys(rule).every((key) => KNOWN.has(key));

/** In this order. */
const WANTED: readonly Wanted[] = [
  { fwmark: hex(WGNET), table: 'main' },
  { fwmark: hex(WG0), table: String(WGNET) },
  { not: null, fwmark: hex(WG0), table: String(WG0) },
];
const wantedText = ({ not, fwmark, table }: Wanted): string =>
  `${not === undefined ? '' : 'not '}fwmark ${Number(fwmark)} lookup ${table}`;

/** Whether any of ours is there: setup.sh brought this client up, and nobody took it down. */
export const isUp = (rules: readonly Rule[]): boolean =>
  rules.some((rule) => WANTED.some((wanted) => says(rule, wanted)));

/** Tables of a kernel split that rules lead to: 51901, … */
export function splitTables(rules: readonly Rule[]): number[] {
  return rules
    .filter(
      (rule) =>
        rule.priority === SPLIT_PREFERENCE &&
        Number(rule.fwmark) > SPLIT &&
        says(rule, { fwmark: hex(Number(rule.fwmark)), table: String(Number(rule.fwmark)) }),
    )
    .map(({ table }) => Number(table));
}

/** The rules of a family: ours in their order, and nothing before them that looks elsewhere. */
export function judgeRules(family: Family, rules: readonly Rule[]): Finding {
  const id = `rules-ipv${family}`;
  const what = `rules, IPv${family}`;
  const split = new Set(splitTables(rules).map(String));
  const ordered = [...rules]
    .sort((a, b) => a.priority - b.priority)
    .filter((rule) => !says(rule, { table: 'local' }))
    .filter((rule) => !(rule.priority === SPLIT_PREFERENCE && split.has(rule.table)));
  const missing = WANTED.filter((wanted) => !ordered.some((rule) => says(rule, wanted)));
  const last = ordered.findLastIndex((rule) => WANTED.some((wanted) => says(rule, wanted)));
  const reach = missing.length === 0 ? last + 1 : ordered.length;
  const found = ordered
    .slice(0, Math.max(last + 1, 1))
    .map(ruleText)
    .join('; ');
  if (missing.length > 0)
    return bad(id, what, found, `missing: ${missing.map(wantedText).join('; ')}`, SET_UP);
  const stranger = ordered.slice(0, reach).find((rule) => !WANTED.some((wanted) => says(rule, wanted)));
  const ip = `ip ${family === 6 ? '-6 ' : ''}rule`;
  if (stranger !== undefined)
    return bad(
      id,
      what,
      found,
      `"${ruleText(stranger)}" stands before ours and looks elsewhere`,
      `${ip} delete pref ${stranger.priority}`,
    );
  const wrong = WANTED.findIndex((wanted, i) => !says(ordered[i] as Rule, wanted));
  if (wrong === -1) {
    const more = split.size === 0 ? '' : `; kernel split over ${split.size} paths before them`;
    return good(id, what, WANTED.map(wantedText).join('; ') + more);
  }
  const misplaced = ordered[wrong] as Rule;
  return bad(
    id,
    what,
    found,
    `"${ruleText(misplaced)}" is not in its place`,
    `${ip} delete pref ${misplaced.priority}; ${SET_UP}`,
  );
}

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
      'it has no "unreachable default": what finds no route falls through to main',
      SET_UP,
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
      `${ip} delete ${routeText(stranger)} table ${table}; ${SET_UP}`,
    );
  const behind = ways.find((route) => metricOf(route) >= metricOf(unreachable));
  if (behind !== undefined)
    return bad(
      id,
      what,
      found,
      '"unreachable default" is not the last',
      `${ip} delete ${routeText(unreachable)} table ${table}; ${SET_UP}`,
    );
  if (leads && !ways.some((route) => metricOf(route) === 0))
    return bad(
      id,
      what,
      found,
      `it leads to no ${through.length === 1 ? through[0] : 'current path'}`,
      SET_UP,
    );
  const waiting = ways.filter((route) => metricOf(route) > 0).map(({ dev }) => dev);
  const lacking = standbys.filter((name) => !waiting.includes(name));
  if (lacking.length > 0)
    return bad(
      id,
      what,
      found,
      `no standby route over ${lacking.join(', ')}: a switch by hand would lose packets`,
      SET_UP,
    );
  const current = ways.filter((route) => metricOf(route) === 0 || family === 6).map(({ dev }) => dev);
  const layers = [
    ...current,
    ...(standbys.length > 0 ? [`standbys ${standbys.join(' ')}`] : []),
    'unreachable',
  ];
  return good(id, what, layers.join(', then '));
}
