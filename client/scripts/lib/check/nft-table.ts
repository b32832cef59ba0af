/** The nftables table in `nft -j list table inet comps`, and what its rules demand. Pure. */

type Json = { [key: string]: Json } | Json[] | string | number | null;

interface Match {
  op: string;
  left: Record<string, unknown>;
  right: unknown;
}

interface Chain {
  name: string;
  type?: string;
  hook?: string;
  policy?: string;
}

export interface RuleOf {
  chain: string;
  handle: number;
  expr: Record<string, unknown>[];
}

export interface Door {
  /** Of the table: with `dormant` none of its chains is asked. */
  flags: string[];
  chains: Chain[];
  rules: RuleOf[];
  /** Packets by the name of a counter. */
  counters: ReadonlyMap<string, number>;
}

/** The chains, rules and counters in nft's JSON. */
export function doorIn(json: string): Door {
  const { nftables } = JSON.parse(json) as { nftables: Record<string, Json>[] };
  const of = <T>(kind: string): T[] => nftables.flatMap((each) => (kind in each ? [each[kind] as T] : []));
  const flags = of<{ flags?: string | string[] }>('table').flatMap(({ flags = [] }) => flags);
  const counters = of<{ name: string; packets: number }>('counter');
  return {
    ...{ flags, chains: of<Chain>('chain'), rules: of<RuleOf>('rule') },
    counters: new Map(counters.map(({ name, packets }) => [name, packets])),
  };
}

const matchesOf = ({ expr }: RuleOf): Match[] =>
  expr.flatMap((each) => ('match' in each ? [each.match as Match] : []));

type Test = (left: Record<string, unknown>) => boolean;

/** What is demanded of a field of the packet or of its `meta`, as words; undefined where nothing is, or not with `==`. */
export const wantedOf = (rule: RuleOf, test: Test): string[] | undefined => rightOf(rule, ['==', 'in'], test);

/** What a field may not be, as words; undefined where nothing is said of that. */
export const unwantedOf = (rule: RuleOf, test: Test): string[] | undefined => rightOf(rule, ['!='], test);

function rightOf(rule: RuleOf, ops: readonly string[], test: Test): string[] | undefined {
  const match = matchesOf(rule).find(({ op, left }) => ops.includes(op) && test(left));
  if (match === undefined) return undefined;
  const set = (match.right as { set?: unknown[] } | null)?.set;
  return (set ?? [match.right]).map(String);
}

export const meta =
  (key: string): Test =>
  (left) =>
    (left.meta as { key?: string } | undefined)?.key === key;
export const payload =
  (...names: string[]): Test =>
  (left) => {
    const { protocol, field } = (left.payload ?? {}) as { protocol?: string; field?: string };
    return names.includes(`${protocol} ${field}`);
  };
export const ct =
  (key: string): Test =>
  (left) =>
    (left.ct as { key?: string } | undefined)?.key === key;

/** By their number, where a machine has no /etc/protocols. */
const TRANSPORTS: Record<string, string> = { 1: 'icmp', 6: 'tcp', 17: 'udp' };

/** The transports that a rule is about: `tcp`, `udp`, …; undefined where it is about all. */
export const transportsOf = (rule: RuleOf): string[] | undefined =>
  wantedOf(rule, (left) => meta('l4proto')(left) || payload('ip protocol')(left))?.map(
    (name) => TRANSPORTS[name] ?? name,
  );

/** The interfaces that a rule is about; undefined where it is about all. */
export const outOf = (rule: RuleOf): string[] | undefined =>
  wantedOf(rule, meta('oifname')) ?? wantedOf(rule, meta('oif'));

/** Whether a rule lets a packet pass, or asks other rules whether to. */
export const lets = ({ expr }: RuleOf): boolean =>
  expr.some((each) => 'accept' in each || 'jump' in each || 'goto' in each || 'vmap' in each);
