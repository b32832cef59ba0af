/** Captures where nothing that a machine, or a container, sends can miss it: at the other end of its cable. */
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { EXIT, Fault } from '../cli.ts';
import { readTextIfAny, remove } from '../files.ts';
import { until } from '../poll.ts';
import { attempt, spawnDetached } from '../transport/local.ts';
import { NOBODY, SENTINEL, type Spot, spotOf, type Where } from './capture-spot.ts';
import type { Lab } from './open.ts';
import { dropletsIn } from './roles.ts';

/** WireGuard's port on the lab's droplets. */
const PORT = 51820;

/** Milliseconds that tcpdump may take to begin, and to end. */
const PATIENCE = 60_000;

/** How a machine finds its next router over IPv6, as ARP does over IPv4: ICMPv6 133, 135, 136. */
const NEIGHBOURS = '(icmp6 and (ip6[40] = 133 or ip6[40] = 135 or ip6[40] = 136))';

/**
 * What a client may never send: all but the tunnels' own UDP to the proxies (and ARP, which {@link capture} does
 * not count). `proxies`: their addresses; one of IPv6 may ask for its router. For pcap-filter(7).
 */
export function leakFilterFor(proxies: readonly string[]): string {
  const tunnels = `(udp dst port ${PORT} and (${proxies.map((address) => `dst host ${address}`).join(' or ')}))`;
  return proxies.some(isIPv6) ? `not (${tunnels} or ${NEIGHBOURS})` : `not ${tunnels}`;
}

/** The same for the proxies that a lab has from its beginning. */
export function leakFilter({ shape, ipv6, addressOf, address6Of }: Lab): string {
  const proxies = dropletsIn(shape, 'vpn');
  return leakFilterFor([...proxies.map(addressOf), ...(ipv6 ? proxies.map(address6Of) : [])]);
}

export interface Capture {
  /** The pcap file. */
  file: string;
  /** Ends the capture; how many packets it holds. */
  stop(): Promise<number>;
}

const gone = async (pid: number): Promise<boolean> => (await attempt(['kill', '-0', String(pid)])).code !== 0;

/** Packets in a capture file that match a filter, its last one perhaps still being written. */
async function count(file: string, filter: string): Promise<number> {
  const { stdout } = await attempt(['tcpdump', '-n', '-r', file, filter]);
  return stdout.split('\n').filter((line) => line !== '').length;
}

/**
 * Waits until all that was sent before is in the file: sends the question for an address that nobody has, and waits
 * for it to be there.
 */
async function drain(file: string, spot: Spot): Promise<void> {
  const asked = async (): Promise<boolean> => {
    await spot.ask();
    return (await count(file, `arp host ${NOBODY}`)) > 0;
  };
  if (await until(PATIENCE, asked)) return;
  throw new Fault({
    at: file,
    what: `the capture does not see what is sent: ${spot.what}`,
    code: EXIT.failed,
  });
}

/** Starts a capture of what the client sends, or others, ARP aside; returns when it really captures. */
export async function capture(
  lab: Lab,
  name: string,
  filter: string,
  where: Where = { role: 'client' },
): Promise<Capture> {
  const spot = spotOf(lab, where);
  const file = join(lab.directory, `${name}.pcap`);
  const log = join(lab.directory, 'log', `${name}.log`);
  remove(log);
  remove(file);
  // `in`, not `inbound` in the filter, which misses packets on a bridge's port. Written packet by packet, not in blocks.
  const flags = ['-Q', 'in', '--immediate-mode', '-U', '-Z', 'root', '-w', file];
  const tcpdump = ['tcpdump', '-n', '-i', spot.device, ...flags, `arp or (${filter})`];
  const pid = spawnDetached(lab.words(spot.role, tcpdump), log);
  const ready = await until(PATIENCE, () => (readTextIfAny(log) ?? '').includes('listening on'));
  if (!ready)
    throw new Fault({
      at: log,
      what: `tcpdump does not capture: ${readTextIfAny(log)?.trim()}`,
      code: EXIT.failed,
    });
  return {
    file,
    stop: async () => {
      try {
        await drain(file, spot);
      } finally {
        await attempt(['kill', '-INT', String(pid)]);
        await until(PATIENCE, () => gone(pid));
      }
      return count(file, `not arp and not ether src ${SENTINEL}`);
    },
  };
}
