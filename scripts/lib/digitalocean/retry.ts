/** What becomes of a reply, and when a request is sent again: pure. */
import { LONGEST_RESET } from './limiter.ts';
import { CERTIFICATE, ownError, type Reply } from './wire.ts';

export type Verb = 'GET' | 'POST' | 'DELETE';

/**
 * `good`: to be read. `missing`: there is no such thing. `again`: may be sent again. `doubt`: a create that may have
 * happened. `refused`, `unreachable`, `nonsense`: the end.
 */
export type Verdict = 'good' | 'missing' | 'again' | 'doubt' | 'refused' | 'unreachable' | 'nonsense';

/** Errors that another try does not heal: certificates, proxies' addresses, what speaks no HTTP or no TLS. */
const LASTING = /^(EPROTO|ERR_INVALID_URL|ERR_BAD_OPTION.*|ERR_NOT_SUPPORT|HPE_.*)$/;

const PENDING = /pending event/i;

/** What a reply means. Only a create must not be sent again when it may have arrived. */
export function verdictOf(verb: Verb, reply: Reply): Verdict {
  const shaky = verb === 'POST' ? 'doubt' : 'again';
  if (reply.kind === 'broken') {
    if (reply.sent && verb === 'POST') return 'doubt';
    return LASTING.test(reply.code) || CERTIFICATE.test(reply.code) ? 'unreachable' : 'again';
  }
  const { status, body } = reply;
  const own = ownError(body);
  if (status >= 200 && status < 300) return 'good';
  if (status === 429) return 'again';
  if (status === 408 || status >= 500) return shaky;
  // A server that is not DigitalOcean's knows nothing of what there is.
  if (status === 404) return own === undefined ? 'nonsense' : 'missing';
  // Refused until another event of the same droplet has ended.
  if (verb === 'DELETE' && own !== undefined && PENDING.test(own)) return 'again';
  if (status >= 400) return 'refused';
  return verb === 'POST' ? 'doubt' : 'nonsense';
}

const SHORTEST = 1000;
const LONGEST = 30_000;

/** Milliseconds before another try: from 1 s, twice as long each time, to 30 s; `random` from 0 to 1. */
export const backOff = (tries: number, random: number): number =>
  Math.max(SHORTEST, Math.min(LONGEST, SHORTEST * 2 ** tries) * (0.5 + random / 2));

/** What a rate limit's reply says of when it ends, in ms, bounded; undefined for all other replies. */
const resetOf = (reply: Reply): number | undefined =>
  reply.kind === 'answer' && reply.status === 429 && reply.limits.resetIn !== undefined
    ? Math.min(reply.limits.resetIn, LONGEST_RESET)
    : undefined;

/**
 * Milliseconds until the next try, after `tries` of them, with `left` ms to the end of patience; undefined where it is
 * given up. What the server asks for is waited in full; any other wait is cut, so that the last try is at the end.
 */
export function waitBefore(reply: Reply, tries: number, left: number, random: number): number | undefined {
  const asked = reply.kind === 'answer' ? reply.limits.retryAfter : undefined;
  const wait = Math.max(SHORTEST, asked ?? resetOf(reply) ?? backOff(tries, random));
  if (left < SHORTEST || (asked !== undefined && wait > left)) return undefined;
  return Math.min(wait, left);
}
