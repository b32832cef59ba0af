import type { Change, Task } from '../runner/task.ts';
import type { HostFacts } from './facts.ts';

/** The nftables file that wg0 loads when it comes up. */
export const NAT_FILE = '/etc/wireguard/wg0.nft';

const PROBE = `
[ -d /sys/class/net/wg0 ] && command -v nft >/dev/null || { echo later; exit 0; }
if rules=$(nft list ruleset 2>/dev/null); then printf '%s\\n' "$rules" | sed -n '/^table ip6* comps {/,/^}/p'
else
  nft list table ip comps 2>/dev/null || true
  nft list table ip6 comps 2>/dev/null || true
fi`;

/** Where clients' addresses come from: `10.45.0.0/24`, and `fd00:10:45::/64` where IPv6 is carried too. */
export interface NatWish {
  network: string;
  network6?: string | undefined;
}

const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** The tables' lines by family, without indents and what nft only notes (`# handle 3`). */
function tablesIn(seen: string): Map<string, string[]> {
  const tables = new Map<string, string[]>();
  let table: string[] = [];
  for (const line of seen.split('\n').map((one) => one.replace(/\s*#.*$/, '').trim())) {
    const family = /^table (ip6?) comps \{$/.exec(line)?.[1];
    if (family !== undefined) {
      table = [];
      tables.set(family, table);
    }
    // Older versions of nft give the number that the name stands for.
    if (line !== '') table.push(line.replace(' priority 100;', ' priority srcnat;'));
  }
  return tables;
}

/** The table as its file makes it. */
const tableOf = (family: string, rule: string): string[] => [
  `table ${family} comps {`,
  'chain postrouting {',
  'type nat hook postrouting priority srcnat; policy accept;',
  rule,
  '}',
  '}',
];

/** What comes out of the tunnel is masqueraded at the host's real way out, now, and the tables hold nothing else. */
export const liveNat = ({ network, network6 }: NatWish): Task<HostFacts> => ({
  name: 'running NAT',
  tags: ['nat'],
  probe: PROBE,
  judge: (seen, { egress, egress6 }) => {
    // wg0 is not up: it loads the file itself when it comes.
    if (seen.trim() === 'later') return { changes: [] };
    const tables = tablesIn(seen);
    const changes: Change[] = [];
    const want = (family: string, from: string, out: string | undefined): void => {
      const rule = `${family} saddr ${from} oifname "${out}" masquerade`;
      const is = tables.get(family) ?? [];
      const wanted = tableOf(family, rule);
      if (textOf(is) === textOf(wanted)) return;
      changes.push({
        line: is.includes(rule)
          ? `take out what does not belong into the table ${family} comps`
          : `masquerade ${from} on ${out}`,
        shell: `nft -f ${NAT_FILE}`,
        diff: { path: 'NAT (running)', before: textOf(is), after: textOf(wanted) },
      });
    };
    want('ip', network, egress);
    if (network6 !== undefined) want('ip6', network6, egress6);
    else if (tables.has('ip6'))
      changes.push({
        line: 'masquerade no IPv6 any more',
        // Gone already where the service was restarted before this.
        shell: 'nft delete table ip6 comps 2>/dev/null || true',
      });
    return { changes };
  },
});
