/** Captures on the router's end of a machine's cable: nothing that the machine sends can miss it. */
import { join } from 'node:path';
import { EXIT, Fault } from '../cli.ts';
import { readTextIfAny, remove } from '../files.ts';
import { attempt, run, spawnDetached } from '../transport/local.ts';
import type { Lab } from './open.ts';
import { until } from './poll.ts';
import { dropletsIn, type Role } from './roles.ts';

/** WireGuard's port on the lab's droplets. */
const PORT = 51820;

/** Milliseconds that tcpdump may take to begin, and to end. */
const PATIENCE = 10_000;

/**
 * What the client may never send: all but ARP and the tunnels' own UDP to the proxies. For pcap-filter(7); only
 * packets from the client count, on its cable these are the ones that come in.
 */
export function leakFilter({ shape, addressOf }: Pick<Lab, 'shape' | 'addressOf'>): string {
  const proxies = dropletsIn(shape, 'vpn').map((role) => `dst host ${addressOf(role)}`);
  return `inbound and not arp and not (udp dst port ${PORT} and (${proxies.join(' or ')}))`;
}

export interface Capture {
  /** The pcap file. */
  file: string;
  /** Ends the capture; how many packets it holds. */
  stop(): Promise<number>;
}

const gone = async (pid: number): Promise<boolean> => (await attempt(['kill', '-0', String(pid)])).code !== 0;

/** Starts a capture of what comes from a role, and returns when it really captures. */
export async function capture(
  lab: Lab,
  role: Exclude<Role, 'net'>,
  name: string,
  filter: string,
): Promise<Capture> {
  const file = join(lab.directory, `${name}.pcap`);
  const log = join(lab.directory, 'log', `${name}.log`);
  remove(log);
  // Every packet is written as it comes; otherwise the last second's would be lost.
  const tcpdump = ['tcpdump', '-n', '-i', role, '--immediate-mode', '-U', '-Z', 'root', '-w', file, filter];
  const pid = spawnDetached(lab.words('net', tcpdump), log);
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
      await attempt(['kill', '-INT', String(pid)]);
      await until(PATIENCE, () => gone(pid));
      const listing = await run(['tcpdump', '-n', '-r', file]);
      return listing.split('\n').filter((line) => line !== '').length;
    },
  };
}
