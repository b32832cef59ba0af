/** The client as it is now: its tunnels, the current path, and who moves it. Reads, and changes nothing. */

import { MODES, type Mode, type Tcp } from '../../../client/scripts/lib/modes.ts';
import { EXIT, Fault } from '../cli.ts';
import { ENDS, type End, endsIn } from './ends.ts';

/** How the path is moved: by the clock, packet by packet in the kernel, or not at all. */
export type Migration = 'none' | 'time' | 'packet';

export interface ClientSeen {
  /** By interface; those that are up. */
  ends: Map<string, End>;
  /** All wgnetN and wg0 that there are, up or down. */
  links: Map<string, { up: boolean }>;
  /** The interface of table 51821's first route, the one that the next packet takes; null where there is none. */
  path: string | null;
  migration: Migration;
  /** By its rules, whatever its files say; null where it has none of a mode's. */
  mode: Mode | null;
  /** By its rules too; it says something in mode quic alone. */
  tcp?: Tcp;
}

/** Prints `mode quic` or `mode wireguard` by the client's rules, whatever its files say; nothing where it has none. */
export const MODE_PROBE = `ip -4 rule show 2>/dev/null | sed -nE \
  's/.*not from all fwmark 0xca6d lookup 51821 *$/mode quic/p; s/.*not from all fwmark 0xca6c lookup 51820 *$/mode wireguard/p'`;

/** Reads what {@link MODE_PROBE} printed, among other lines. */
export function modeIn(seen: string): Mode | null {
  const mode = /^mode (\w+)$/m.exec(seen)?.[1];
  return MODES.find((one) => one === mode) ?? null;
}

// Asked of ip, not of /sys, which in a namespace may be another's. The lock is migrate.ts's; a check.ts holds it for its
// few seconds too.
export const CLIENT_PROBE = `
LC_ALL=C; PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export LC_ALL PATH
[ "$(id -u)" = 0 ] || { echo 'trouble root'; exit; }
for tool in ip wg; do command -v $tool >/dev/null || { echo "trouble $tool"; exit; }; done
ip -o link show | sed -nE 's/^[0-9]+: (wg0|wgnet[0-9]+)[:@][^<]*<([^>]*)>.*/link \\1 \\2/p'
${ENDS}
ip -4 route show table 51821 2>/dev/null | sed -nE 's/^default dev (wgnet[0-9]+) .*/path \\1/p' | head -n 1
${MODE_PROBE}
ip -4 rule show pref 98 2>/dev/null | grep -q 'lookup 52001 *$' && echo 'tcp sticky'
grep -q '@comps-migrate$' /proc/net/unix && echo 'migration time'
nft list table inet comps_split >/dev/null 2>&1 && echo 'migration packet'
echo whole`;

const TROUBLES: Record<string, { what: string; next: string }> = {
  root: { what: 'its tunnels are shown to root alone', next: 'run this as root (sudo)' },
  ip: { what: 'it has no `ip`', next: 'apt-get install iproute2' },
  wg: { what: 'it has no `wg`', next: 'apt-get install wireguard-tools' },
};

/** Reads what {@link CLIENT_PROBE} printed; a Fault where that is not all of it. `where`: for people. */
export function clientIn(seen: string, where: string): ClientSeen {
  const lines = seen.split('\n').map((line) => line.split(' '));
  const words = (first: string): string[][] =>
    lines.filter(([word]) => word === first).map(([, ...rest]) => rest);
  const trouble = TROUBLES[words('trouble')[0]?.[0] ?? ''];
  if (trouble !== undefined) throw new Fault({ at: where, ...trouble, code: EXIT.unreachable });
  if (words('whole').length === 0)
    throw new Fault({
      at: where,
      what: 'its answer broke off',
      next: 'run this again',
      code: EXIT.unreachable,
    });
  const links = words('link').map(
    ([name = '', flags = '']) => [name, { up: flags.split(',').includes('UP') }] as const,
  );
  const moved = words('migration').flat();
  return {
    ends: endsIn(seen),
    links: new Map(links),
    path: words('path')[0]?.[0] ?? null,
    migration: moved.includes('packet') ? 'packet' : moved.includes('time') ? 'time' : 'none',
    mode: modeIn(seen),
    tcp: words('tcp').length > 0 ? 'sticky' : 'none',
  };
}
