/** The nftables table that stands beside the routes. Pure. */
import type { Tcp } from '../mode.ts';
import { intoPaths, letsAsOurs, notLetIn } from './door-into.ts';
import { ct, type Door, lets, meta, outOf, payload, type RuleOf, wantedOf } from './nft-table.ts';
import { bad, type Finding, good, SET_UP } from './verdict.ts';

const TUNNEL_OR_LOOP = /^(lo|wg0|wgnet(\*|\d+))$/;
const MARK = '51821';

/** The proxy that a rule lets the tunnels' own UDP out to, as `wg` prints it; undefined where it is no such rule. */
function endpointOf(rule: RuleOf): string | undefined {
  const [address, ...others] = wantedOf(rule, payload('ip daddr', 'ip6 daddr')) ?? [];
  const [port, ...ports] = wantedOf(rule, payload('udp dport')) ?? [];
  const marked = wantedOf(rule, meta('mark'))?.join() === MARK;
  if (!marked || address === undefined || port === undefined || others.length + ports.length > 0)
    return undefined;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** DHCP's question, of either family: to whom, from which port, to which. */
const DHCP = ['255.255.255.255 68 67', 'ff02::1:2 546 547'];

const isDhcp = (rule: RuleOf): boolean => {
  const fields = [payload('ip daddr', 'ip6 daddr'), payload('udp sport'), payload('udp dport')];
  return DHCP.includes(fields.map((field) => wantedOf(rule, field)?.join()).join(' '));
};

/**
 * Whether a rule that accepts is one that setup.sh makes: into a tunnel, or answers of published ports, or neighbours, or
 * DHCP's question.
 */
function isOurs(rule: RuleOf, tcp: Tcp | undefined): boolean {
  if (tcp !== undefined && intoPaths(rule)) return letsAsOurs(rule, tcp === 'sticky');
  if (outOf(rule)?.every((name) => TUNNEL_OR_LOOP.test(name))) return true;
  if (wantedOf(rule, ct('direction'))?.join() === 'reply' && wantedOf(rule, meta('mark'))?.join() === MARK)
    return true;
  const kinds = wantedOf(rule, payload('icmpv6 type'));
  if (kinds?.every((kind) => /^nd-(neighbor-(solicit|advert)|router-solicit)$/.test(kind))) return true;
  return isDhcp(rule) || endpointOf(rule) !== undefined;
}

const ID = 'door';
const WHAT = 'nftables table inet comps';
const ENDPOINTS_ID = 'door-endpoints';
const ENDPOINTS = 'proxies that it lets out to';

/** Flags that say who may change a table, not whether it is asked. */
const HARMLESS = new Set(['owner', 'persist']);

/** Where there is no nft to ask: then nobody knows whether the second layer is there. */
export const doorUnknown = (remedy: string): Finding =>
  bad(
    ID,
    WHAT,
    'not judged',
    'nft is missing, so nobody can say whether the second layer is in force',
    remedy,
  );

/** The table itself; undefined for one that is not there. `tcp`: what becomes of TCP in mode quic; undefined in the other. */
export function judgeDoor(door: Door | undefined, tcp?: Tcp): Finding {
  if (door === undefined)
    return bad(ID, WHAT, 'none', 'the second layer is gone: only routes keep packets in', SET_UP);
  // Old nfts print `dormant` as other words.
  if (door.flags.some((flag) => !HARMLESS.has(flag)))
    return bad(ID, WHAT, 'dormant', 'it is switched off: none of its chains is asked', SET_UP);
  const policies = (['output', 'forward'] as const).map((hook) => {
    // One of another type only looks, or marks.
    const chains = door.chains.filter((chain) => chain.hook === hook && chain.type === 'filter');
    return [hook, chains.length > 0 && chains.every(({ policy }) => policy === 'drop')] as const;
  });
  const found = door.chains
    .filter(({ hook, type }) => hook !== undefined && type === 'filter')
    .map(({ name, policy }) => `${name}: policy ${policy}`)
    .join(', ');
  const open = policies.filter(([, closed]) => !closed).map(([hook]) => hook);
  if (open.length > 0)
    return bad(
      ID,
      WHAT,
      found || 'empty',
      `its ${open.join(' and ')} chain does not drop what it does not know`,
      SET_UP,
    );
  const guarded = door.chains
    .filter(({ hook }) => hook === 'output' || hook === 'forward')
    .filter(({ policy }) => policy === 'drop')
    .map(({ name }) => name);
  const hole = door.rules.find((rule) => guarded.includes(rule.chain) && lets(rule) && !isOurs(rule, tcp));
  if (hole !== undefined)
    return bad(
      ID,
      WHAT,
      found,
      `a rule of its chain ${hole.chain} (handle ${hole.handle}) lets out more than the tunnels' own`,
      `nft delete rule inet comps ${hole.chain} handle ${hole.handle}`,
    );
  const shut = tcp === undefined ? [] : notLetIn(door, tcp === 'sticky');
  if (shut.length > 0)
    return bad(
      ID,
      WHAT,
      found,
      `no rule of its chain output lets ${shut.join(' and ')} into the tunnels: nothing of it goes out by any path`,
      SET_UP,
    );
  return good(ID, WHAT, 'output and forward drop all but the tunnels’ own');
}

/** The proxies in it are those of the tunnels. `endpoints`: by interface, as `wg show all endpoints` has them. */
export function judgeEndpoints(door: Door | undefined, endpoints: ReadonlyMap<string, string>): Finding {
  if (door === undefined) return bad(ENDPOINTS_ID, ENDPOINTS, 'none', 'there is no table inet comps', SET_UP);
  const named = [
    ...new Set(door.rules.flatMap((rule) => (lets(rule) ? [endpointOf(rule) ?? []] : [])).flat()),
  ];
  const found = named.join(', ') || 'none';
  const shut = [...endpoints].filter(([, endpoint]) => !named.includes(endpoint));
  if (shut.length > 0) {
    const list = shut.map(([name, endpoint]) => `${name} (${endpoint})`).join(', ');
    return bad(ENDPOINTS_ID, ENDPOINTS, found, `it does not let out ${list}`, SET_UP);
  }
  const own = new Set(endpoints.values());
  const foreign = named.filter((endpoint) => !own.has(endpoint));
  if (foreign.length > 0)
    return bad(ENDPOINTS_ID, ENDPOINTS, found, `${foreign.join(', ')} is no peer of a wgnetN`, SET_UP);
  return good(ENDPOINTS_ID, ENDPOINTS, found);
}
