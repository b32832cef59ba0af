/** The policy rules of network.md, held against what `ip -j rule` printed. Pure. */
import type { Mode, Tcp } from '../mode.ts';
import { isSplitTable, isSticky, STICKY_PREFERENCE, stickyOf, WG0, WGNET } from './numbers.ts';
import type { Family } from './tables.ts';
import { bad, type Finding, good, SET_UP } from './verdict.ts';

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

/** What the rules should be for. */
export interface RulesWish {
  mode: Mode;
  tcp: Tcp;
  /** The wgnetN. */
  paths: readonly string[];
}

const hex = (mark: number): string => `0x${mark.toString(16)}`;

const markText = (mark: string): string => `fwmark ${Number(mark) || mark}`;

/** The words of a rule, as `ip rule` has them. */
function ruleText({ priority, not, src, fwmark, table, ...others }: Rule): string {
  const more = Object.entries(others)
    .filter(([key]) => key !== 'protocol')
    .map(([key, value]) => (value === null ? key : `${key} ${value}`));
  return [
    `${priority}:`,
    ...(not === undefined ? [] : ['not']),
    `from ${src}`,
    ...(fwmark === undefined ? [] : [markText(fwmark)]),
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

const OWN: Wanted = { fwmark: hex(WGNET), table: 'main' };
/** Each mode's, in this order. */
const WANTED: Record<Mode, readonly Wanted[]> = {
  wireguard: [
    OWN,
    { fwmark: hex(WG0), table: String(WGNET) },
    { not: null, fwmark: hex(WG0), table: String(WG0) },
  ],
  quic: [OWN, { not: null, fwmark: hex(WGNET), table: String(WGNET) }],
};
const MODES = Object.entries(WANTED) as [Mode, readonly Wanted[]][];

const wantedText = ({ not, fwmark = '', table }: Wanted): string =>
  `${not === undefined ? '' : 'not '}${markText(fwmark)} lookup ${table}`;

const isOneOf = (rule: Rule, wanted: readonly Wanted[]): boolean => wanted.some((each) => says(rule, each));

/** Whether any of ours is there: setup.sh brought this client up, and nobody took it down. */
export const isUp = (rules: readonly Rule[]): boolean =>
  rules.some((rule) => MODES.some(([, wanted]) => isOneOf(rule, wanted)));

/** The mode that rules make; undefined where they make none. */
export const modeOfRules = (rules: readonly Rule[]): Mode | undefined =>
  (['quic', 'wireguard'] as const).find((mode) => rules.some((rule) => isOneOf(rule, WANTED[mode].slice(1))));

/** Whether a rule sends what bears a table's mark to that table: at a preference, of tables that `of` knows. */
const isMarked = (rule: Rule, preference: number, of: (table: number) => boolean): boolean =>
  rule.priority === preference &&
  of(Number(rule.fwmark)) &&
  says(rule, { fwmark: hex(Number(rule.fwmark)), table: String(Number(rule.fwmark)) });

const isSplit = (rule: Rule): boolean => isMarked(rule, SPLIT_PREFERENCE, isSplitTable);
const isPinned = (rule: Rule): boolean => isMarked(rule, STICKY_PREFERENCE, isSticky);

/** Tables of a kernel split that rules lead to: 51901, … */
export const splitTables = (rules: readonly Rule[]): number[] =>
  rules.filter(isSplit).map(({ table }) => Number(table));

/** Path K's rule of sticky TCP. */
const pinOf = (path: string): Wanted => {
  const mark = stickyOf(path);
  return { fwmark: hex(mark), table: String(mark) };
};

/** Whose a rule is that this client should not have; undefined where it is none of ours. */
function leftBy(rule: Rule, { mode }: RulesWish): string | undefined {
  if (isPinned(rule)) return 'sticky TCP';
  if (mode === 'quic' && isSplit(rule)) return 'a kernel split';
  const other = MODES.find(([, wanted]) => isOneOf(rule, wanted))?.[0];
  return other === undefined ? undefined : `mode ${other}`;
}

/** What takes a rule away, and no other. */
function removal(family: Family, rule: Rule, all: readonly Rule[]): string {
  const ip = `ip ${family === 6 ? '-6 ' : ''}rule delete pref ${rule.priority}`;
  const alone = all.filter(({ priority }) => priority === rule.priority).length === 1;
  const plain = rule.src === 'all' && Object.keys(rule).every((key) => KNOWN.has(key));
  return alone || !plain ? ip : `${ip} ${ruleText(rule).replace(/^\d+: /, '')}`;
}

/** The rules of a family: ours in their order, nothing before them that looks elsewhere, and none of another mode's. */
export function judgeRules(family: Family, rules: readonly Rule[], wish: RulesWish): Finding {
  const id = `rules-ipv${family}`;
  const what = `rules, IPv${family}`;
  const main = WANTED[wish.mode];
  const pins = family === 4 && wish.mode === 'quic' && wish.tcp === 'sticky' ? wish.paths.map(pinOf) : [];
  const split = wish.mode === 'wireguard' ? rules.filter(isSplit) : [];
  const pinned = rules.filter((rule) => isPinned(rule) && isOneOf(rule, pins));
  const ordered = [...rules]
    .sort((a, b) => a.priority - b.priority)
    .filter((rule) => !says(rule, { table: 'local' }) && !split.includes(rule) && !pinned.includes(rule));
  const missing = [
    ...pins.filter((pin) => !pinned.some((rule) => says(rule, pin))),
    ...main.filter((wanted) => !ordered.some((rule) => says(rule, wanted))),
  ];
  const last = ordered.findLastIndex((rule) => isOneOf(rule, main));
  const found = ordered
    .slice(0, Math.max(last + 1, 1))
    .map(ruleText)
    .join('; ');
  if (missing.length > 0)
    return bad(id, what, found, `missing: ${missing.map(wantedText).join('; ')}`, SET_UP);
  const left = ordered.filter((rule) => !isOneOf(rule, main) && leftBy(rule, wish) !== undefined);
  const [first] = left;
  if (first !== undefined)
    return bad(
      id,
      what,
      found,
      `left over from ${leftBy(first, wish)}: ${left.map((rule) => `"${ruleText(rule)}"`).join(', ')}`,
      left.map((rule) => removal(family, rule, rules)).join('; '),
    );
  const stranger = ordered.slice(0, last + 1).find((rule) => !isOneOf(rule, main));
  if (stranger !== undefined)
    return bad(
      id,
      what,
      found,
      `"${ruleText(stranger)}" stands before ours and looks elsewhere`,
      removal(family, stranger, rules),
    );
  const misplaced = ordered.find((rule, i) => i < main.length && !says(rule, main[i] as Wanted));
  if (misplaced !== undefined)
    return bad(
      id,
      what,
      found,
      `"${ruleText(misplaced)}" is not in its place`,
      `ip ${family === 6 ? '-6 ' : ''}rule delete pref ${misplaced.priority}; ${SET_UP}`,
    );
  const more = [
    ...(split.length === 0 ? [] : [`kernel split over ${split.length} paths before them`]),
    ...(pins.length === 0 ? [] : [`TCP on ${pins.length} paths before them`]),
  ];
  return good(id, what, [...main.map(wantedText), ...more].join('; '));
}
