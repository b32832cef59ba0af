import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { EXIT, Fault } from '../cli.ts';

/**
 * The numeric address of a host: WireGuard on the client must not ask a resolver that lies behind the
 * very tunnel it is about to build. A name that does not resolve is an unreachable Fault.
 */
export async function resolveAddress(address: string): Promise<string> {
  if (isIP(address) !== 0) return address;
  try {
    return (await lookup(address)).address;
  } catch {
    throw new Fault({
      at: address,
      what: 'this name does not resolve',
      next: 'correct it in hosts.ini, or write the address',
      code: EXIT.unreachable,
    });
  }
}
