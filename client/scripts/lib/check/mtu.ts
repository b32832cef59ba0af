/** Packet sizes: what passes whole by each tunnel, and what the way to its proxy takes. */
import { isIPv6 } from 'node:net';
import { WGNET } from './numbers.ts';
import { type Leak, leakText } from './packets.ts';
import { askIfAny, ping } from './tools.ts';
import { bad, type Finding, good, leftOut, MEND_SERVERS, SET_UP } from './verdict.ts';

/** Bytes that a WireGuard hop adds, by what carries it: IP, UDP 8, WireGuard 32. */
const HOP = { 4: 60, 6: 80 } as const;
export const hopOf = (host: string): number => HOP[isIPv6(host) ? 6 : 4];

/** IP and ICMP headers. */
const HEADERS = 28;
/** What every host takes (RFC 791), and the search begins at. */
const LEAST = 576;

/** The least that `wireguard_mtu` takes. */
const LEAST_CONFIGURED = 1280;
/** Bytes of a packet that a path must carry in mode quic: QUIC sends 1200 of payload at least (RFC 9000, 14). */
export const LEAST_FOR_QUIC = 1280;

/** The largest number from `least` to `most` for which `passes` holds, if it holds for all below; undefined where for none. */
export async function largest(
  least: number,
  most: number,
  passes: (size: number) => Promise<boolean>,
): Promise<number | undefined> {
  if (await passes(most)) return most;
  if (!(await passes(least))) return undefined;
  let [low, high] = [least, most];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (await passes(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** Bytes of the largest packet that passes a tunnel whole, its interface's MTU at most; undefined where none does. */
export const largestInside = (name: string, inside: string, mtu: number): Promise<number | undefined> =>
  largest(Math.min(LEAST, mtu), mtu, async (size) => {
    const data = String(size - HEADERS);
    const { good: whole } = await ping(
      '-c',
      '1',
      '-i',
      '0.2',
      '-w',
      '1',
      '-M',
      'do',
      '-s',
      data,
      '-I',
      name,
      inside,
    );
    return whole;
  });

/** Bytes that the way to a host takes at most, in what `ip route get` printed: what the kernel learned, else its interface's. */
export function pathMtuIn(text: string, mtuOf: (dev: string) => number | undefined): number | undefined {
  const learned = /\bmtu (?:lock )?(\d+)/.exec(text)?.[1];
  const dev = /\bdev (\S+)/.exec(text)?.[1];
  const own = dev === undefined ? undefined : mtuOf(dev);
  if (learned === undefined) return own;
  return Math.min(Number(learned), own ?? Number.POSITIVE_INFINITY);
}

/** As {@link pathMtuIn}, of this machine, for a tunnel's own packets. */
export const pathMtu = (host: string, mtuOf: (dev: string) => number | undefined): number | undefined =>
  pathMtuIn(askIfAny('ip', 'route', 'get', host, 'mark', String(WGNET)) ?? '', mtuOf);

export interface Size {
  name: string;
  /** The interface's; undefined where it is not there. */
  mtu: number | undefined;
  /** Largest that passed whole. */
  whole: number | undefined;
  /** Of what it travels in: the way to the proxy, or for wg0 the smallest wgnetN. */
  below: number | undefined;
  /** Bytes that its hop adds. */
  hop: number;
  /** What it must carry. */
  least?: number | undefined;
}

/** A tunnel that carries too little for what is to go through it. Pure. */
function tooNarrow({ name, mtu = 0, whole = 0, below, hop, least = 0 }: Size): Finding | undefined {
  const carries = Math.min(mtu, whole);
  if (carries >= least) return undefined;
  return bad(
    `mtu-${name}`,
    `MTU of ${name}`,
    `${mtu}; ${whole} of it passes whole`,
    `QUIC needs 1200 bytes in each datagram, so a path has to carry packets of ${least}`,
    // Where the way takes more, the interface's own MTU is at fault.
    mtu < least && below !== undefined && below - hop >= least
      ? SET_UP
      : `another network for this machine, or ${name}’s proxy out of hosts.ini, then ${MEND_SERVERS}; then here: ${SET_UP}`,
  );
}

/** The `wireguard_mtu` with which all that was measured comes through, never above what there is. Pure. */
export function fitting(measured: readonly Size[]): number {
  // What config.cfg has is the wgnetN's; wg0's is that without its hop.
  const sizes = measured.flatMap(({ name, mtu, whole, hop }) => {
    const least = mtu === undefined ? undefined : Math.min(mtu, whole ?? mtu);
    return least === undefined ? [] : [least + (name === 'wg0' ? hop : 0)];
  });
  return Math.min(...sizes);
}

/** Pure. `fits`: as {@link fitting} has it. */
export function judgeSize(size: Size, fits: number): Finding {
  const { name, mtu, whole, below, hop } = size;
  const belowText = name === 'wg0' ? 'the smallest wgnetN' : 'the way to its proxy';
  const id = `mtu-${name}`;
  const what = `MTU of ${name}`;
  if (mtu === undefined) return leftOut(id, what, 'there is no such interface');
  const found = `${mtu}; ${whole ?? 'nothing'} of it passes whole; ${belowText} takes ${below ?? 'nobody knows how much'}`;
  if (below !== undefined && mtu + hop > below)
    return bad(
      id,
      what,
      found,
      `with the ${hop} bytes of its hop a full packet is ${mtu + hop} bytes, and ${belowText} takes ${below}: it goes in pieces`,
      SET_UP,
    );
  if (whole === undefined) return leftOut(id, what, `${mtu}; nothing answers by it`);
  const narrow = tooNarrow(size);
  if (narrow !== undefined) return narrow;
  if (whole < mtu)
    return bad(
      id,
      what,
      found,
      `packets of more than ${whole} bytes do not come through, and nobody on the way says so`,
      fits < LEAST_CONFIGURED
        ? `another network for this machine: wireguard_mtu takes ${LEAST_CONFIGURED} at least`
        : `wireguard_mtu: ${fits} in config.cfg, then ${MEND_SERVERS}; then here: ${SET_UP}`,
    );
  return good(id, what, found);
}

/** Whether the tunnels' own packets left in pieces. Pure. */
export function judgeFragments(fragments: readonly Leak[], blind: string | undefined): Finding {
  const id = 'fragments';
  const what = 'tunnels’ packets in pieces';
  const [first] = fragments;
  if (first === undefined)
    return blind === undefined ? good(id, what, 'none') : leftOut(id, what, 'the capture is blind');
  const found = `${fragments.length}, as ${leakText(first)}`;
  const reason = 'packets of a path that go in pieces look like no others, and distort traces';
  return bad(id, what, found, reason, SET_UP);
}
