/** Each tunnel: up, its handshake, its bytes, its server's answer, its MTU. */

import { endpointsNow, fieldsIn, type Link, marksIn } from './machine.ts';
import { realTimeNow } from './moment.ts';
import { WG0, WGNET } from './numbers.ts';
import { askIfAny, ping, untilAnswer } from './tools.ts';
import { bad, type Finding, good, leftOut, MEND_SERVERS, SET_UP } from './verdict.ts';

/** Seconds after which WireGuard itself forgets a session: REJECT_AFTER_TIME. */
const FRESH = 180;

/** An address of which only the way there is asked (RFC 5737). */
const ANYWHERE = '192.0.2.1';

export interface TunnelState {
  name: string;
  there: boolean;
  up: boolean;
  endpoint: string | undefined;
  /** What its own packets bear; 0 for none, undefined where nobody says. */
  mark: number | undefined;
  /** Seconds since the last handshake; undefined where there was none. */
  age: number | undefined;
  received: number;
  sent: number;
}

/** Bytes in words: `1.2 MB`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

/** Pure. */
export function judgeTunnel({ name, there, up, endpoint, mark, age, received, sent }: TunnelState): Finding {
  const id = `tunnel-${name}`;
  const what = `tunnel ${name}`;
  if (!there) return bad(id, what, 'none', 'there is no such interface', SET_UP);
  if (!up) return bad(id, what, 'down', 'the interface is down', SET_UP);
  if (endpoint === undefined)
    return bad(id, what, 'up, without a peer', 'it has no peer with an address', SET_UP);
  const wanted = name === 'wg0' ? WG0 : WGNET;
  if (mark !== wanted)
    return bad(
      id,
      what,
      `up, its packets with ${mark ? `mark ${mark}` : 'no mark'}`,
      `by mark ${wanted} they find their way; else they go into a tunnel again, or nowhere`,
      SET_UP,
    );
  const bytes = `${bytesText(received)} in, ${bytesText(sent)} out`;
  if (age === undefined)
    return bad(
      id,
      what,
      `up, to ${endpoint}, ${bytes}`,
      'there never was a handshake with its server',
      MEND_SERVERS,
    );
  const found = `up, to ${endpoint}, handshake ${age} s ago, ${bytes}`;
  if (age > FRESH)
    return bad(
      id,
      what,
      found,
      `a live tunnel has a handshake at least every ${FRESH} s: its server does not answer`,
      MEND_SERVERS,
    );
  return good(id, what, found);
}

/** The tunnels as `ip` and `wg` have them now. */
export function tunnelStates(names: readonly string[], links: readonly Link[]): TunnelState[] {
  const handshakes = fieldsIn(askIfAny('wg', 'show', 'all', 'latest-handshakes') ?? '');
  const transfers = fieldsIn(askIfAny('wg', 'show', 'all', 'transfer') ?? '');
  const endpoints = endpointsNow();
  const marks = marksIn(askIfAny('wg', 'show', 'all', 'fwmark') ?? '');
  const now = Math.floor(realTimeNow());
  return names.map((name) => {
    const link = links.find(({ ifname }) => ifname === name);
    const last = Number(handshakes.get(name)?.[0] ?? 0);
    const [received = 0, sent = 0] = (transfers.get(name) ?? []).map(Number);
    return {
      name,
      there: link !== undefined,
      up: link?.flags.includes('UP') ?? false,
      endpoint: endpoints.get(name),
      mark: marks.get(name),
      age: last === 0 ? undefined : Math.max(0, now - last),
      received,
      sent,
    };
  });
}

export interface Far {
  /** The server's address inside. */
  inside: string;
  /** Milliseconds. */
  rtt: number | undefined;
}

/**
 * The server at the far end of a tunnel, asked by that tunnel alone; undefined where it does not answer in two seconds. Its
 * address inside is the one that a packet without time to live is refused by.
 */
export async function farEnd(name: string): Promise<Far | undefined> {
  const { text } = await ping(...untilAnswer(2), '-t', '1', '-I', name, ANYWHERE);
  const inside = /From (\S+?):? icmp_seq=\d+ Time to live exceeded/.exec(text)?.[1];
  if (inside === undefined) return undefined;
  const { good: answers, rtt } = await ping(...untilAnswer(2), '-I', name, inside);
  return answers ? { inside, rtt } : undefined;
}

/**
 * Whether an answer by a path can come in: the kernel takes none from where no route leads (rp_filter), and the way of all
 * programs is another tunnel's, or another path.
 */
export const takesAnswers = (): boolean => askIfAny('ip', 'route', 'get', ANYWHERE) !== undefined;

const whatOf = (name: string): string => `${name === 'wg0' ? 'comp server' : 'proxy'}, by ${name} alone`;

export const answerLeftOut = (name: string): Finding =>
  leftOut(`answer-${name}`, whatOf(name), 'no route leads into a tunnel, so no answer would be let in');

/** Whether the server of a tunnel answered. Pure. `own`: what mends the tunnel itself, where it is not as it should be. */
export function judgeAnswer(name: string, far: Far | undefined, own?: string): Finding {
  const id = `answer-${name}`;
  const what = whatOf(name);
  if (far !== undefined)
    return good(id, what, `${far.inside} answers${far.rtt === undefined ? '' : ` in ${far.rtt} ms`}`);
  const why = 'nothing came back in 2 s: its server or the way there is down';
  if (own !== undefined)
    return bad(id, what, 'no answer', 'the tunnel itself, or what lets into it, is not as it should be', own);
  if (name === 'wg0')
    return bad(id, what, 'no answer', why, `${SET_UP}; where that is not it: ${MEND_SERVERS}`);
  return bad(id, what, 'no answer', why, MEND_SERVERS);
}
