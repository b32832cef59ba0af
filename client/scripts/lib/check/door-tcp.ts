/** Mode quic: what the nftables table says of TCP. Pure. */

import { intoPaths } from './door-into.ts';
import { type Door, lets, meta, type RuleOf, transportsOf, wantedOf } from './nft-table.ts';
import { stickyOf } from './numbers.ts';
import { bad, type Finding, good, SET_UP } from './verdict.ts';

/** The counter of refused TCP packets. */
export const REFUSED_TCP = 'refused_tcp';

const ID = 'door-tcp';
const WHAT = 'TCP in table inet comps';

const aboutTcp = (rule: RuleOf): boolean => transportsOf(rule)?.includes('tcp') ?? true;
const refuses = (rule: RuleOf): boolean =>
  transportsOf(rule)?.join() === 'tcp' && rule.expr.some((each) => 'reject' in each);

/** TCP into a wgnetN is refused there, so that a program knows it at once. */
function judgeRefusing(door: Door): Finding {
  const chains = new Set(door.chains.filter(({ hook }) => hook === 'output').map(({ name }) => name));
  const into = door.rules.filter((rule) => chains.has(rule.chain) && intoPaths(rule) && aboutTcp(rule));
  const open = into.find(lets);
  const refusal = into.findIndex(refuses);
  if (refusal === -1)
    return bad(
      ID,
      WHAT,
      'no rule that refuses it',
      'a program would wait for its connection instead of being told that there is none',
      SET_UP,
    );
  if (open !== undefined && into.indexOf(open) < refusal)
    return bad(
      ID,
      WHAT,
      `a rule of its chain ${open.chain} (handle ${open.handle}) lets it out`,
      'each switch would break a connection: its packets come from another proxy then',
      `nft delete rule inet comps ${open.chain} handle ${open.handle}`,
    );
  return good(ID, WHAT, 'refused at once');
}

interface Mangle {
  key: Record<string, { key?: string }>;
  value: unknown;
}

const manglesOf = ({ expr }: RuleOf): Mangle[] =>
  expr.flatMap((each) => ('mangle' in each ? [each.mangle as Mangle] : []));

/** What a rule writes into the connection's mark: a number, or by interface. */
function marksGiven(rule: RuleOf): Map<string, number> {
  const given = manglesOf(rule).find(({ key }) => key.ct?.key === 'mark')?.value;
  if (typeof given === 'number')
    return new Map((wantedOf(rule, meta('oifname')) ?? []).map((name) => [name, given]));
  const pairs = (given as { map?: { data?: { set?: [string, number][] } } } | undefined)?.map?.data?.set;
  return new Map(pairs ?? []);
}

/** Whether a rule gives a packet its connection's mark. */
const carriesMark = (rule: RuleOf): boolean =>
  manglesOf(rule).some(
    ({ key, value }) =>
      key.meta?.key === 'mark' && (value as { ct?: { key?: string } } | null)?.ct?.key === 'mark',
  );

/** Whether what was marked is looked at once more: the chain `output` still knows the interface of before. */
function keepsIn(door: Door): boolean {
  const last = new Set(door.chains.filter(({ hook }) => hook === 'postrouting').map(({ name }) => name));
  return door.rules.some(
    (rule) =>
      last.has(rule.chain) &&
      wantedOf(rule, meta('mark')) !== undefined &&
      rule.expr.some((each) => 'drop' in each),
  );
}

/** A chain there marks each connection by its first path, and each packet by its connection. */
function judgeMarking(door: Door, paths: readonly string[]): Finding {
  const routing = new Set(
    door.chains.filter(({ type, hook }) => type === 'route' && hook === 'output').map(({ name }) => name),
  );
  const rules = door.rules.filter(({ chain }) => routing.has(chain));
  const given = new Map(rules.flatMap((rule) => [...marksGiven(rule)]));
  const lacking = paths.filter((path) => given.get(path) !== stickyOf(path));
  const reason = 'a connection would not be kept on its path, and each switch would break it';
  if (lacking.length > 0)
    return bad(ID, WHAT, `no mark for connections by ${lacking.join(', ')}`, reason, SET_UP);
  if (!rules.some(carriesMark))
    return bad(ID, WHAT, 'packets do not get their connection’s mark', reason, SET_UP);
  if (!keepsIn(door))
    return bad(
      ID,
      WHAT,
      'its last look is missing',
      'a mark sets a packet’s way anew, and nothing says that this is a tunnel',
      SET_UP,
    );
  return good(ID, WHAT, `marked by its path: ${paths.map((path) => given.get(path)).join(', ')}`);
}

/** What becomes of TCP by the table; undefined for one that is not there, which is told of elsewhere. */
export function judgeDoorTcp(
  door: Door | undefined,
  sticky: boolean,
  paths: readonly string[],
): Finding | undefined {
  if (door === undefined) return undefined;
  return sticky ? judgeMarking(door, paths) : judgeRefusing(door);
}
