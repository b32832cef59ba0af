/** Causes and next steps of what goes wrong on the way to DigitalOcean, and of what it refuses. */
import { clip } from './redact.ts';
import { type Broken, CERTIFICATE } from './wire.ts';

export const PLACE =
  'see that --api-url (or DIGITALOCEAN_API_URL) is the API, and that no proxy answers in its place';
const NETWORK = 'see that this machine is on the network, and what --api-url and HTTPS_PROXY say';

/** Cause and next step of errors of the network, by Node's names. */
const NETWORK_ERRORS: Readonly<Record<string, readonly [what: string, next: string]>> = {
  ECONNREFUSED: ['connection refused: nothing listens there', NETWORK],
  ECONNRESET: ['the connection was reset', NETWORK],
  EPIPE: ['the connection was closed', NETWORK],
  ERR_BAD_RESPONSE: ['the connection broke in the middle of the answer', NETWORK],
  ETIMEDOUT: ['no answer from it', NETWORK],
  ECONNABORTED: ['timed out', NETWORK],
  ERR_CANCELED: ['timed out in the middle of the answer', NETWORK],
  EHOSTUNREACH: ['there is no route to it', NETWORK],
  ENETUNREACH: ['its network is not reachable from here', NETWORK],
  ENOTFOUND: ['its name does not resolve', NETWORK],
  EAI_AGAIN: ['its name cannot be resolved now: no name server answers', NETWORK],
  EPROTO: ['what answers there does not speak TLS as it should', PLACE],
  ERR_INVALID_URL: ['the address of a proxy cannot be read', 'correct HTTPS_PROXY, or unset it'],
};

/** An error of the network in words. */
export function networkError({ code, detail }: Broken): readonly [what: string, next: string] {
  if (CERTIFICATE.test(code))
    return [`its certificate does not hold (${code})`, `see this machine's clock; ${PLACE}`];
  if (code.startsWith('HPE_')) return [`what answers there does not speak HTTP (${code})`, PLACE];
  return NETWORK_ERRORS[code] ?? [`the request failed: ${clip(detail, 120)} (${code})`, NETWORK];
}

const REFUSALS: readonly (readonly [RegExp, string])[] = [
  [/user.?data/i, 'user data may have 64 KiB at most'],
  [/ssh|key identifier/i, 'correct ssh_key_id in config.cfg: a key that is on the account'],
  [/limit/i, 'delete droplets (scripts/teardown.ts), or ask DigitalOcean for a higher limit'],
  [/pending event/i, 'wait a minute, then run the same command again'],
  [/image/i, 'correct the image in config.cfg'],
  [/size/i, 'correct the size in config.cfg, or take another region'],
  [/region/i, 'correct the region in config.cfg'],
  [/tag/i, 'correct the tags in config.cfg'],
  [/name/i, 'correct the name in config.cfg: letters, digits, `.` and `-`'],
];

/** What to do about a 422, by the words that DigitalOcean uses in it; the first that fits. */
export const remedyOf = (message: string): string =>
  REFUSALS.find(([words]) => words.test(message))?.[1] ?? 'correct config.cfg as that says';
