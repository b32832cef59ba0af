import type { Change, Task } from '../runner/task.ts';
import type { HostFacts } from './facts.ts';

/** The nftables file that wg0 loads when it comes up. */
export const NAT_FILE = '/etc/wireguard/wg0.nft';

const PROBE = `
[ -d /sys/class/net/wg0 ] && command -v nft >/dev/null || { echo later; exit 0; }
nft list table ip comps 2>/dev/null || echo absent
nft list table ip6 comps 2>/dev/null || true`;

/** Where clients' addresses come from: `10.45.0.0/24`, and `fd00:10:45::/64` where IPv6 is carried too. */
export interface NatWish {
  network: string;
  network6?: string | undefined;
}

const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** What comes out of the tunnel is masqueraded at the host's real way out, now. */
export const liveNat = ({ network, network6 }: NatWish): Task<HostFacts> => ({
  name: 'running NAT',
  tags: ['nat'],
  probe: PROBE,
  judge: (seen, { egress, egress6 }) => {
    const lines = seen.split('\n').map((line) => line.trim());
    // wg0 is not up: it loads the file itself when it comes.
    if (lines[0] === 'later') return { changes: [] };
    const changes: Change[] = [];
    const here = lines.filter((line) => line.endsWith(' masquerade'));
    const want = (rule: string, line: string): void => {
      if (lines.includes(rule)) return;
      const before = here.filter((one) => one.split(' ')[0] === rule.split(' ')[0]);
      changes.push({
        line,
        shell: `nft -f ${NAT_FILE}`,
        diff: { path: 'NAT (running)', before: textOf(before), after: textOf([rule]) },
      });
    };
    want(`ip saddr ${network} oifname "${egress}" masquerade`, `masquerade ${network} on ${egress}`);
    if (network6 !== undefined)
      want(`ip6 saddr ${network6} oifname "${egress6}" masquerade`, `masquerade ${network6} on ${egress6}`);
    else if (lines.includes('table ip6 comps {'))
      changes.push({
        line: 'masquerade no IPv6 any more',
        // Gone already where the service was restarted before this.
        shell: 'nft delete table ip6 comps 2>/dev/null || true',
      });
    return { changes };
  },
});
