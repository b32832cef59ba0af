/** Which path the server's bytes came by, and whether it was the one in force. */
import { join } from 'node:path';
import { type Spell, spells } from '../../client/scripts/lib/collect/in-force.ts';
import type { Switch } from '../../client/scripts/lib/trace/record.ts';
import { EXIT, Fault } from '../../scripts/lib/cli.ts';
import { readTextIfAny, remove } from '../../scripts/lib/files.ts';
import type { Lab } from '../../scripts/lib/lab/lab.ts';
import { QUIC_SITE } from '../../scripts/lib/lab/roles.ts';
import { until } from '../../scripts/lib/poll.ts';
import { attempt, spawnDetached } from '../../scripts/lib/transport/local.ts';

const PATIENCE = 20_000;
/** Bytes of a packet that are kept: those of Ethernet, IPv4 and UDP. */
const HEADERS = 42;

/** A packet to the client, or to a proxy. */
export interface Arrival {
  /** Seconds since 1970. */
  time: number;
  from: string;
  to: string;
  bytes: number;
}

export interface Downlink {
  /** Bytes a path that came to the client. */
  bytes: Record<string, number>;
  /**
   * Share of the bytes that went by the path in force, null where there were no switches: when the server sent them, and when
   * they came to the client, behind all queues and delays of the way.
   */
  followed: number | null;
  in_force: number | null;
  /** Switches while the server sent. */
  switches: number;
  /** Packets that the captures lost. */
  missed: number;
}

/** Bytes of a packet that more is to follow; those of a handshake and of mere answers are smaller, or come first. */
const FULL = 1000;

/** Reads the lines of `tcpdump -n -q -tt`. Pure. */
export const arrivalsIn = (text: string): Arrival[] =>
  [...text.matchAll(/^(\d+\.\d+) IP (\d+(?:\.\d+){3})\.\d+ > (\d+(?:\.\d+){3})\.\d+: .*length (\d+)$/gm)].map(
    ([, time, from = '', to = '', bytes]) => ({ time: Number(time), from, to, bytes: Number(bytes) }),
  );

/** Reads the switches in the log of migrate.ts; its last line may still be in the making. Pure. */
export const switchesIn = (log: string): Switch[] =>
  log
    .slice(0, log.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => /"event":"(switch|detour)"/.test(line))
    .map((line) => JSON.parse(line) as Switch);

/** Bytes a path, and the share of them that went by the one in force. */
interface Course {
  bytes: Record<string, number>;
  share: number | null;
}

/** `paths`: by the proxy's address. What came before the first switch is of no path in force, and does not count. Pure. */
export function courseOf(
  arrivals: readonly Arrival[],
  switches: readonly Switch[],
  paths: ReadonlyMap<string, string>,
): Course {
  const bytes: Record<string, number> = Object.fromEntries([...paths.values()].map((path) => [path, 0]));
  const all = spells(switches, Number.POSITIVE_INFINITY);
  let [at, followed, counted] = [0, 0, 0];
  for (const arrival of [...arrivals].sort((a, b) => a.time - b.time)) {
    const path = paths.get(arrival.from) ?? paths.get(arrival.to);
    if (path === undefined) continue;
    bytes[path] = (bytes[path] ?? 0) + arrival.bytes;
    while (at + 1 < all.length && (all[at + 1] as Spell).from <= arrival.time) at++;
    const [now, before] = [all[at], all[at - 1]];
    if (now === undefined || arrival.time < now.from) continue;
    counted += arrival.bytes;
    // While a switch is being made, both are.
    const inForce = now.path === path || (before?.path === path && arrival.time <= before.to);
    if (inForce) followed += arrival.bytes;
  }
  return { bytes, share: counted === 0 ? null : followed / counted };
}

/** Switches between the first and the last full packet. Pure. */
export function switchesWithin(arrivals: readonly Arrival[], switches: readonly Switch[]): number {
  const times = arrivals.filter(({ bytes }) => bytes >= FULL).map(({ time }) => time);
  const [from, to] = times.reduce(
    ([least, most], time) => [Math.min(least, time), Math.max(most, time)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  return switches.filter(({ time }) => time >= from && time <= to).length;
}

interface Spot {
  /** The port of the router, and which way packets go there. */
  device: string;
  way: 'in' | 'out';
  filter: string;
}

/** As they leave the server; and as they leave for the client, behind the line's queue. */
const SPOTS = {
  sent: { device: 'inet', way: 'in', filter: `src host ${QUIC_SITE} and udp src port 443` },
  came: { device: 'client', way: 'out', filter: 'udp src port 51820' },
} as const satisfies Record<string, Spot>;

interface Watch {
  /** Ends it: the packets, and how many tcpdump lost. */
  stop(): Promise<{ arrivals: Arrival[]; missed: number }>;
}

async function watch(lab: Lab, name: keyof typeof SPOTS): Promise<Watch> {
  const { device, way, filter } = SPOTS[name];
  const file = join(lab.directory, `${name}.pcap`);
  const log = join(lab.directory, 'log', `${name}.log`);
  remove(file);
  remove(log);
  const said = (): string => readTextIfAny(log) ?? '';
  const flags = ['-Q', way, '-s', String(HEADERS), '-B', '16384', '-Z', 'root', '-w', file];
  const pid = spawnDetached(lab.words('net', ['tcpdump', '-n', '-i', device, ...flags, filter]), log);
  if (!(await until(PATIENCE, () => said().includes('listening on'))))
    throw new Fault({ at: log, what: `tcpdump does not capture: ${said().trim()}`, code: EXIT.failed });
  return {
    stop: async () => {
      await attempt(['kill', '-INT', String(pid)]);
      if (!(await until(PATIENCE, () => /dropped by kernel/.test(said()))))
        throw new Fault({ at: log, what: 'tcpdump does not end', code: EXIT.failed });
      const { stdout } = await attempt(['tcpdump', '-n', '-q', '-tt', '-r', file]);
      remove(file);
      return { arrivals: arrivalsIn(stdout), missed: Number(/(\d+) packets dropped/.exec(said())?.[1] ?? 0) };
    },
  };
}

export interface DownlinkWatch {
  /** Ends it; what it saw under these switches, and how many packets it lost. */
  stop(switches: readonly Switch[], paths: ReadonlyMap<string, string>): Promise<Downlink>;
}

/** Watches what the server sends, and what of it comes to the client, from now on. */
export async function watchDownlink(lab: Lab): Promise<DownlinkWatch> {
  const [sent, came] = [await watch(lab, 'sent'), await watch(lab, 'came')];
  return {
    stop: async (switches, paths) => {
      const [out, back] = [await sent.stop(), await came.stop()];
      const { bytes, share } = courseOf(back.arrivals, switches, paths);
      const followed = courseOf(out.arrivals, switches, paths).share;
      return {
        ...{ bytes, followed, in_force: share, switches: switchesWithin(out.arrivals, switches) },
        missed: out.missed + back.missed,
      };
    },
  };
}
