import { single, type Task } from '../runner/task.ts';
import type { HostFacts } from './facts.ts';

/** The nftables file that wg0 loads when it comes up. */
export const NAT_FILE = '/etc/wireguard/wg0.nft';

const PROBE = `
[ -d /sys/class/net/wg0 ] && command -v nft >/dev/null || { echo later; exit 0; }
nft list table ip comps 2>/dev/null || echo absent`;

/** What comes out of the tunnel is masqueraded at the host's real way out, now. `network`: `10.45.0.0/24`. */
export const liveNat = (network: string): Task<HostFacts> => ({
  name: 'running NAT',
  probe: PROBE,
  judge: (seen, { egress }) => {
    const wanted = `ip saddr ${network} oifname "${egress}" masquerade`;
    const lines = seen.split('\n').map((line) => line.trim());
    // wg0 is not up: it loads the file itself when it comes.
    if (lines[0] === 'later' || lines.includes(wanted)) return single(undefined);
    return single({ line: `masquerade ${network} on ${egress}`, shell: `nft -f ${NAT_FILE}` });
  },
});
