/** Mode quic: what the nftables table lets into the paths. Pure. */
import {
  type Door,
  lets,
  meta,
  outOf,
  type RuleOf,
  transportsOf,
  unwantedOf,
  wantedOf,
} from './nft-table.ts';
import { isSticky, WGNET } from './numbers.ts';

/** What programs may send into a path, beside TCP where that is sticky. */
const TRANSPORTS = ['icmp', 'udp'];

/** Whether a rule is about what leaves by a wgnetN, and says so. */
export const intoPaths = (rule: RuleOf): boolean =>
  outOf(rule)?.some((name) => /^wgnet(\*|\d+)$/.test(name)) ?? false;

/** The transports of IPv4 that a rule lets into a path as setup.sh does; undefined where it lets in more. */
function letInBy(rule: RuleOf, sticky: boolean): string[] | undefined {
  const ipv4 = wantedOf(rule, meta('nfproto'))?.join() === 'ipv4';
  const transports = transportsOf(rule);
  if (!ipv4 || transports === undefined || !rule.expr.some((each) => 'accept' in each)) return undefined;
  const marked = wantedOf(rule, meta('mark'));
  // Of a connection that is kept on its path.
  if (sticky && marked?.every((mark) => isSticky(Number(mark))))
    return transports.join() === 'tcp' ? transports : undefined;
  // The tunnels' own would go round and round.
  const unmarked = unwantedOf(rule, meta('mark'))?.includes(String(WGNET));
  return unmarked && transports.every((name) => TRANSPORTS.includes(name)) ? transports : undefined;
}

/** Whether a rule that accepts into a path is setup.sh's, or lets in less than that. */
export const letsAsOurs = (rule: RuleOf, sticky: boolean): boolean => letInBy(rule, sticky) !== undefined;

/** Conditions of setup.sh's own rule: interface, mark, IPv4, transport. More would let in less. */
const CONDITIONS = 4;

/** What programs need and the table does not let in, of all paths: `icmp`, `udp`, with sticky TCP `tcp`. */
export function notLetIn({ chains, rules }: Door, sticky: boolean): string[] {
  const asked = new Set(chains.filter(({ hook }) => hook === 'output').map(({ name }) => name));
  const letIn = rules
    .filter((rule) => asked.has(rule.chain) && lets(rule) && outOf(rule)?.join() === 'wgnet*')
    .filter(({ expr }) => expr.filter((each) => 'match' in each).length <= CONDITIONS)
    .flatMap((rule) => letInBy(rule, sticky) ?? []);
  return [...TRANSPORTS, ...(sticky ? ['tcp'] : [])].filter((name) => !letIn.includes(name));
}
