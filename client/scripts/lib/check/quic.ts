/** Mode quic: whether a QUIC packet of a program gets into a path. */
import { isIPv4 } from 'node:net';
import { askIp } from '../ip.ts';
import type { Machine } from './machine.ts';
import { pause } from './moment.ts';
import { countsText } from './probe-verdict.ts';
import { type Sent, sendUdp } from './sockets.ts';
import { currentPath } from './tables.ts';
import { tunnelStates } from './tunnels.ts';
import { bad, type Finding, good, leftOut, SET_UP } from './verdict.ts';

const ID = 'quic';
const WHAT = 'QUIC, UDP to port 443';
const PORT = 443;
/** Milliseconds. */
const PATIENCE = 2000;
/** Seconds that WireGuard keeps one without a handshake. */
const SESSION = 180;
/** What the kernel says of a packet for which no route leads anywhere: that is told of elsewhere. */
const NO_WAY = new Set(['ENETUNREACH', 'EHOSTUNREACH']);

interface Counted {
  ifname: string;
  stats64?: { tx?: { packets?: number } };
}

/** Packets that went into the wgnetN so far, in `ip -s -j link show`: of all, as the path may move meanwhile. Pure. */
export const packetsInto = (json: string, paths: readonly string[]): number =>
  (JSON.parse(json) as Counted[])
    .filter(({ ifname }) => paths.includes(ifname))
    .reduce((sum, { stats64 }) => sum + (stats64?.tx?.packets ?? 0), 0);

export interface Tried {
  /** What the kernel said. */
  results: readonly Sent[];
  /** Packets that went into the paths meanwhile, those of others too. */
  went: number;
  /** Whether the current path's tunnel has a session: without one its packets may wait, uncounted. */
  live: boolean;
}

/** Pure. */
export function judgeQuic({ results, went, live }: Tried): Finding {
  const counts = countsText(results);
  if (results.length === 0 || results.every((result) => NO_WAY.has(result)))
    return leftOut(ID, WHAT, `there is no way for it (${counts || 'no IPv4 target'})`);
  const stopped = results.some((result) => result !== 'sent' && result !== 'answered');
  if (!stopped && went >= results.length) return good(ID, WHAT, `goes into the path (${counts})`);
  if (!stopped && !live) return leftOut(ID, WHAT, `the current path’s tunnel has no session (${counts})`);
  return bad(
    ID,
    WHAT,
    stopped ? `stopped in this machine (${counts})` : `${counts}, but into no path`,
    'a rule of nftables or tc holds it up, so no QUIC connection comes about',
    `${SET_UP}; where that is not it: nft -a list ruleset, and delete the rule of another table that stops it`,
  );
}

/** One datagram to each target, as any program sends one. `targets`: addresses that nobody has. */
export async function quicFinding(
  { paths, links, routes }: Machine,
  targets: readonly string[],
): Promise<Finding> {
  const intoNow = (): number => packetsInto(askIp('-s', '-j', 'link', 'show'), paths);
  const before = intoNow();
  const four = targets.filter((target) => isIPv4(target));
  const results = await Promise.all(four.map((to) => sendUdp({ to, port: PORT })));
  let went = intoNow() - before;
  // Counted when WireGuard takes it, which is a moment later.
  const passed = results.every((result) => result === 'sent' || result === 'answered');
  for (const end = performance.now() + PATIENCE; passed && went < results.length; went = intoNow() - before) {
    if (performance.now() > end) break;
    await pause(20);
  }
  const [state] = tunnelStates([currentPath(routes[4]) ?? ''], links);
  return judgeQuic({ results, went, live: state?.age !== undefined && state.age <= SESSION });
}
