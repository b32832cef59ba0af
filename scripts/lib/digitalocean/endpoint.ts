/** Where the API is: never a place that would see the token in clear. */
import { isIPv4 } from 'node:net';
import { Fault } from '../cli.ts';
import { show } from '../text.ts';

export const DIGITALOCEAN = 'https://api.digitalocean.com/v2';

export interface Endpoint {
  /** Ends in /v2. */
  url: string;
  /** On this machine: no proxy is asked. */
  loopback: boolean;
}

const onThisMachine = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'));

function refuse(at: string, what: string): never {
  throw new Fault({
    at: `--api-url ${at}`.trim(),
    what,
    next: `use ${DIGITALOCEAN}, or http on 127.0.0.1 for a local API (--api-url, DIGITALOCEAN_API_URL)`,
  });
}

/** Reads an address as a user writes it, with or without `/v2`; a Fault where the token must not be sent there. */
export function endpointOf(text: string): Endpoint {
  if (!URL.canParse(text)) refuse('', `${show(text)} is no address`);
  const { protocol, host, hostname, pathname, username, password, search, hash } = new URL(text);
  const shown = `${protocol}//${host}`;
  // An address with a name and password would send those instead of the token.
  if (username !== '' || password !== '' || search !== '' || hash !== '')
    refuse(shown, 'an address of nothing but host and path is expected');
  const loopback = onThisMachine(hostname);
  if (protocol === 'http:' && !loopback) refuse(shown, 'this would send the token in clear over the network');
  if (protocol !== 'http:' && protocol !== 'https:') refuse(shown, 'https is expected');
  const path = pathname.replace(/\/+$/, '');
  return { url: `${shown}${path.endsWith('/v2') ? path : `${path}/v2`}`, loopback };
}
