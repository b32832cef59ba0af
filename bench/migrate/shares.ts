/** What each path carried, from the client's own counters of its interfaces. */
import { clientRun } from '../../scripts/lib/lab/client.ts';
import type { Lab } from '../../scripts/lib/lab/lab.ts';

/** Packets that were sent into each tunnel, as /proc/net/dev tells. Pure. */
export function sentIn(table: string): Record<string, number> {
  // Behind the name: eight numbers of what was received, then bytes and packets that were sent.
  const rows = table.matchAll(/^\s*(wgnet\d+):(?:\s*\d+){9}\s+(\d+)/gm);
  return Object.fromEntries([...rows].map(([, name = '', packets]) => [name, Number(packets)]));
}

/** The largest distance of a path's share from an equal one. Pure. */
export function unevenness(packets: Record<string, number>): number {
  const counts = Object.values(packets);
  const total = counts.reduce((sum, count) => sum + count, 0);
  return Math.max(...counts.map((count) => Math.abs(count / total - 1 / counts.length)));
}

/** Packets sent into each tunnel, since `before` where that is given. */
export async function packetsSent(
  lab: Lab,
  before: Record<string, number> = {},
): Promise<Record<string, number>> {
  const now = sentIn(await clientRun(lab, 'cat', '/proc/net/dev'));
  return Object.fromEntries(Object.entries(now).map(([name, count]) => [name, count - (before[name] ?? 0)]));
}
