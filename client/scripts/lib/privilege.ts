import { Fault } from './fault.ts';
import { readText } from './files.ts';

/** Bit number of CAP_NET_ADMIN, capabilities(7). */
const NET_ADMIN = 12n;

/** Whether the effective capabilities in a `/proc/PID/status` hold CAP_NET_ADMIN. */
export function mayChangeRoutes(status: string): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> NET_ADMIN) & 1n) === 1n;
}

/** Throws a Fault where this process may not change routes. */
export function requireNetAdmin(): void {
  if (mayChangeRoutes(readText('/proc/self/status'))) return;
  throw new Fault({
    what: 'changing routes needs root (CAP_NET_ADMIN), which this process does not have',
    next: 'run the same command as root: sudo …, or docker exec --user root …',
  });
}
