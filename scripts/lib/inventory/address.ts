import { isIP, isIPv4, isIPv6 } from 'node:net';

const LABEL = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';
const NAME = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*\\.?$`);
/** A last part that resolvers read as a number, so that the whole is taken for an IPv4 address. */
const NUMBER_LIKE = /(?:^|\.)(?:\d+|0x[\da-f]*)\.?$/i;

/** What is wrong with an address to connect to; undefined where it is an IPv4 or IPv6 address or a DNS name. */
export function addressProblem(address: string): string | undefined {
  if (isIPv4(address)) return undefined;
  if (isIPv6(address))
    return address.includes('%') ? 'a link-local address with a zone is no address of a server' : undefined;
  if (/^\[.*\]$/.test(address)) return 'an IPv6 address stands without brackets here';
  if (!NAME.test(address)) return 'an IPv4 address, an IPv6 address or a DNS name was expected';
  return NUMBER_LIKE.test(address)
    ? 'an IPv4 address has four numbers from 0 to 255, without leading zeros'
    : undefined;
}

/** One spelling for all that mean the same address. */
export function canonicalAddress(address: string): string {
  if (isIP(address) === 6) return new URL(`http://[${address}]`).hostname.slice(1, -1);
  return address.toLowerCase().replace(/\.$/, '');
}
