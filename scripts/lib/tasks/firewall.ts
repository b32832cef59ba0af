/** Whether a firewall that somebody else set up on a server closes what the network needs. */

/** What stands in the way: rules of other programs that drop what no rule takes. */
interface Firewall {
  /** The first chain that closes a hook, by hook: `chain INPUT of table ip filter`. */
  closed: Map<string, string>;
  /** What is let in, as nftables or iptables say it: `udp dport { 53, 51820 } accept`. */
  ports: string[];
  /** Some rule takes what comes from or goes to wg0. */
  forwards: boolean;
  /** Who wrote them, where that is known. */
  owner: 'ufw' | 'firewalld' | 'docker' | undefined;
}

/**
 * Base chains of input and forward that drop by policy or by their last rule, and the rules that let WireGuard through.
 * iptables is asked only where there is no nft, which shows its rules too.
 */
export const FIREWALL_PROBE = `
rules=$(
  if command -v nft >/dev/null; then
    nft -s list ruleset 2>/dev/null | awk '
      /^table / { table = $2 " " $3; skip = $3 == "comps" || ($2 != "ip" && $2 != "inet") }
      skip { next }
      $1 == "chain" { chain = $2; hook = ""; next }
      /type filter hook (input|forward) / { hook = $4; drops = /policy drop/; last = ""; next }
      $1 == "}" && hook != "" {
        if (drops || last ~ /^(counter )?(drop|reject)/) print "closed", hook, "chain " chain " of table " table
        hook = ""
      }
      { last = $0; sub(/^[ \\t]+/, "", last) }
      /udp dport/ && /accept/ { print "port", last }
      /"wg[0*]"/ && /accept/ { print "forwards" }'
  elif command -v iptables >/dev/null; then
    iptables -S 2>/dev/null | awk '
      /^-P (INPUT|FORWARD) DROP/ || /^-A (INPUT|FORWARD) -j (DROP|REJECT)/ { print "closed", tolower($2), "chain " $2 " of iptables" }
      /-p udp/ && /--dport/ && /-j ACCEPT/ { print "port", $0 }
      /-[io] wg[0+]/ && /-j ACCEPT/ { print "forwards" }'
  fi
)
case $rules in *closed*) ;; *) exit 0 ;; esac
printf '%s\\n' "$rules"
if grep -q '^ENABLED=yes' /etc/ufw/ufw.conf 2>/dev/null; then echo owner ufw
elif systemctl is-active -q firewalld; then echo owner firewalld
elif [ -e /run/docker.sock ]; then echo owner docker
fi`;

function read(seen: string): Firewall {
  const found: Firewall = { closed: new Map(), ports: [], forwards: false, owner: undefined };
  for (const line of seen.split('\n')) {
    const [kind, first = '', ...rest] = line.trim().split(' ');
    if (kind === 'closed' && !found.closed.has(first)) found.closed.set(first, rest.join(' '));
    if (kind === 'port') found.ports.push([first, ...rest].join(' '));
    if (kind === 'forwards') found.forwards = true;
    if (kind === 'owner') found.owner = first as Firewall['owner'];
  }
  return found;
}

/** Whether a rule names the port: alone, in a list, in a range, or in a set that only the firewall itself knows. */
function opens(rule: string, port: number): boolean {
  const named = /dports? (?:\{([^}]*)\}|(\S+))/.exec(rule);
  const words = (named?.[1] ?? named?.[2] ?? '').split(',').map((word) => word.trim());
  return words.some((word) => {
    const [from = '', to = from] = word.split(/[-:]/);
    return word.startsWith('@') || (Number(from) <= port && port <= Number(to));
  });
}

const COMMANDS = {
  ufw: { input: (port: number) => `ufw allow ${port}/udp`, forward: 'ufw route allow in on wg0' },
  firewalld: {
    input: (port: number) => `firewall-cmd --permanent --add-port=${port}/udp && firewall-cmd --reload`,
    forward: 'firewall-cmd --permanent --zone=trusted --add-interface=wg0 && firewall-cmd --reload',
  },
  docker: {
    input: (port: number) => `iptables -I INPUT -p udp --dport ${port} -j ACCEPT`,
    forward: 'iptables -I DOCKER-USER -i wg0 -j ACCEPT && iptables -I DOCKER-USER -o wg0 -j ACCEPT',
  },
  other: {
    input: (port: number) => `let UDP port ${port} in, in that chain`,
    forward: 'accept what comes from wg0, and what goes to wg0, in that chain',
  },
};

/** What a person is told of a firewall in the way; nothing where there is none. `seen`: what {@link FIREWALL_PROBE} printed. */
export function firewallNotices(seen: string, port: number): string[] {
  const { closed, ports, forwards, owner } = read(seen);
  const commands = COMMANDS[owner ?? 'other'];
  const [input, forward] = [closed.get('input'), closed.get('forward')];
  return [
    ...(input === undefined || ports.some((rule) => opens(rule, port))
      ? []
      : [
          `its firewall (${owner ?? input}) seems to let no UDP in at port ${port}: no client would reach it\nnext: there: ${commands.input(port)}`,
        ]),
    ...(forward === undefined || forwards
      ? []
      : [
          `its firewall (${owner ?? forward}) seems to forward nothing from wg0: what comes out of the tunnel would end there\nnext: there: ${commands.forward}`,
        ]),
  ];
}
