/** Neighbours that the kernel is still asking for. */
import { pause } from './moment.ts';
import { askIfAny } from './tools.ts';

/** Milliseconds: it asks three times, a second apart (mcast_solicit and retrans_time_ms of `arp(7)`), and a little. */
const PATIENCE = 5000;

interface Neighbour {
  dst: string;
  dev: string;
}

/** Those on real interfaces, of what `ip -j neigh show nud incomplete` printed. Pure. */
export const pendingIn = (json: string, devices: readonly string[]): string[] =>
  (JSON.parse(json || '[]') as Neighbour[])
    .filter(({ dev }) => devices.includes(dev))
    .map(({ dst, dev }) => `${dst} ${dev}`);

const pendingNow = (devices: readonly string[]): string[] =>
  pendingIn(askIfAny('ip', '-j', 'neigh', 'show', 'nud', 'incomplete') ?? '', devices);

/**
 * Waits until the kernel is done with the questions that something of before set off, such as a check that found a hole which
 * is closed by now: they would be taken for packets of this check's own time. Those that begin meanwhile are not waited for.
 */
export async function untilAsked(devices: readonly string[]): Promise<void> {
  const before = new Set(pendingNow(devices));
  const end = performance.now() + PATIENCE;
  while (performance.now() < end && pendingNow(devices).some((one) => before.has(one))) await pause(100);
}
