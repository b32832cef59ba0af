/** Captures on the router's end of the client's cable: nothing that the client sends can miss it. */
import { join } from 'node:path';
import { EXIT, Fault } from '../cli.ts';
import { readTextIfAny, remove } from '../files.ts';
import { attempt, spawnDetached } from '../transport/local.ts';
import type { Lab } from './open.ts';
import { until } from './poll.ts';
import { dropletsIn } from './roles.ts';

/** WireGuard's port on the lab's droplets. */
const PORT = 51820;

/** Milliseconds that tcpdump may take to begin, and to end. */
const PATIENCE = 10_000;

/**
 * What the client may never send: all but the tunnels' own UDP to the proxies (and ARP, which {@link capture} does
 * not count). For pcap-filter(7).
 */
export function leakFilter({ shape, addressOf }: Pick<Lab, 'shape' | 'addressOf'>): string {
  const proxies = dropletsIn(shape, 'vpn').map((role) => `dst host ${addressOf(role)}`);
  return `not (udp dst port ${PORT} and (${proxies.join(' or ')}))`;
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

/** An address of the client's network that nobody has. */
const NOBODY = '192.0.2.250';

/**
 * Waits until all that the client has sent is in the file: makes its kernel ask for an address that nobody has, and
 * waits for that question. What was sent before it is there by then.
 */
async function drain(lab: Lab, file: string): Promise<void> {
  const neighbour = (...words: string[]) =>
    attempt(['ip', '-n', lab.namespaceOf('client'), 'neigh', ...words, NOBODY, 'dev', 'eth0']);
  const asked = async (): Promise<boolean> => {
    await neighbour('del');
    await attempt(['ip', '-n', lab.namespaceOf('client'), 'neigh', 'add', NOBODY, 'dev', 'eth0', 'use']);
    return (await count(file, `arp host ${NOBODY}`)) > 0;
  };
  if (await until(PATIENCE, asked)) return;
  throw new Fault({ at: file, what: 'the capture does not see what the client sends', code: EXIT.failed });
}

/** Starts a capture of what the client sends, ARP aside, and returns when it really captures. */
export async function capture(lab: Lab, name: string, filter: string): Promise<Capture> {
  const file = join(lab.directory, `${name}.pcap`);
  const log = join(lab.directory, 'log', `${name}.log`);
  remove(log);
  // On the router's end of the cable, what the client sends comes in. (Not by `inbound` in the filter: on a bridge's
  // port that misses packets.) Written packet by packet, not in blocks.
  const tcpdump = [
    'tcpdump',
    '-n',
    '-i',
    'client',
    '-Q',
    'in',
    '--immediate-mode',
    '-U',
    '-Z',
    'root',
    '-w',
    file,
  ];
  const pid = spawnDetached(lab.words('net', [...tcpdump, `arp or (${filter})`]), log);
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
        await drain(lab, file);
      } finally {
        await attempt(['kill', '-INT', String(pid)]);
        await until(PATIENCE, () => gone(pid));
      }
      return count(file, 'not arp');
    },
  };
}
