/** Mode quic: one address on every path, so that a connection keeps its own when the path changes. Pure. */
import type { Link } from './machine.ts';
import { bad, type Finding, good, SET_UP } from './verdict.ts';

const ID = 'address';
const WHAT = 'address inside, the same by every path';

const ownOf = (links: readonly Link[], name: string): string[] =>
  links
    .filter(({ ifname }) => ifname === name)
    .flatMap(({ addr_info }) => addr_info)
    .filter(({ family }) => family === 'inet')
    .map(({ local }) => local);

/** What mode quic has no use for; nothing where it is not there. */
export const judgeNoWg0 = (links: readonly Link[]): Finding[] =>
  links.some(({ ifname }) => ifname === 'wg0')
    ? [bad('tunnel-wg0', 'tunnel wg0', 'there is one', 'mode quic has none: it is left over', SET_UP)]
    : [];

/** The IPv4 addresses of the paths that are there; one that is missing is told of by itself. */
export function judgeAddresses(paths: readonly string[], links: readonly Link[]): Finding {
  const there = paths.filter((path) => links.some(({ ifname }) => ifname === path));
  const own = there.map((path) => [path, ownOf(links, path).join(' ')] as const);
  const [, first = ''] = own[0] ?? [];
  if (first !== '' && !first.includes(' ') && own.every(([, address]) => address === first))
    return good(ID, WHAT, first);
  const found = own.map(([path, address]) => `${path} ${address || 'none'}`).join(', ') || 'none';
  return bad(
    ID,
    WHAT,
    found,
    'a connection’s source address would change with the path: Chromium, curl and ngtcp2’s client lose theirs then',
    SET_UP,
  );
}
