import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { EXIT, Fault } from '../cli.ts';

/**
 * The numeric address of a host, IPv4 where it has one: WireGuard on the client must not ask a resolver that lies
 * behind the very tunnel it is about to build. A name that does not resolve is an unreachable Fault; `at` is where it stands.
 */
export async function resolveAddress(address: string, at: string): Promise<string> {
  if (isIP(address) !== 0) return address;
  for (const family of [4, 6]) {
    const found = await lookup(address, { family }).catch(() => undefined);
    if (found !== undefined) return found.address;
  }
  throw new Fault({
    at,
    what: `the name ${address} does not resolve`,
    next: 'correct it there, or write the address',
    code: EXIT.unreachable,
  });
}
