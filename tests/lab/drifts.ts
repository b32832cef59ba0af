/** What somebody does by hand on a server that is set up. */
interface Drift {
  does: string;
  /** As root there. */
  line: string;
  /** All that the next set-up changes there: `TASK: LINE`, a line each. */
  said: RegExp;
}

/** Rounds of a drift each on vpn1, vpn2 and comp1; the next set-up finds just these and mends them. */
export const DRIFTS: Drift[][] = [
  [
    {
      does: 'peer removed',
      line: 'wg set wg0 peer "$(wg show wg0 peers)" remove',
      said: /^running wg0: add peer \S+ \S+$/,
    },
    {
      does: 'forwarding off',
      line: 'echo 0 >/proc/sys/net/ipv4/ip_forward',
      said: /^forwarding now: set net\.ipv4\.ip_forward to 1$/,
    },
    {
      does: 'service stopped and off',
      line: 'systemctl disable -q --now wg-quick@wg0',
      said: /^service wg-quick@wg0: enable and start wg-quick@wg0$/,
    },
  ],
  [
    {
      does: 'address replaced',
      line: 'ip address flush dev wg0; ip address add 10.45.0.9/32 dev wg0',
      said: /^running wg0: add address 10\.45\.0\.2\/32\nrunning wg0: remove address 10\.45\.0\.9\/32\nrunning wg0: route \S+ into wg0$/,
    },
    {
      does: 'route of an older network',
      line: 'ip route add 10.99.0.5/32 dev wg0',
      said: /^running wg0: remove route 10\.99\.0\.5\/32$/,
    },
    {
      does: 'interface raised by hand',
      line: 'systemctl stop wg-quick@wg0; wg-quick up wg0',
      said: /^service wg-quick@wg0: start wg-quick@wg0$/,
    },
  ],
  [
    {
      does: 'interface deleted',
      line: 'ip link delete wg0',
      said: /^service wg-quick@wg0: restart wg-quick@wg0, its interface is gone$/,
    },
    {
      does: 'file edited',
      line: 'echo "# mine" >>/etc/wireguard/wg0.conf',
      said: /^wg0\.conf: rewrite \/etc\/wireguard\/wg0\.conf$/,
    },
    {
      does: 'NAT flushed',
      line: 'nft delete table ip comps',
      said: /^running NAT: masquerade 10\.45\.0\.0\/24 on ens3$/,
    },
  ],
  [
    {
      does: 'key changed',
      line: 'wg genkey >/tmp/key; wg set wg0 private-key /tmp/key',
      said: /^running wg0: set the private key$/,
    },
    {
      does: 'key file open to all',
      line: 'chmod 644 /etc/wireguard/wg0.key',
      said: /^key pair: set mode 600 on \S+$/,
    },
    {
      does: 'link down',
      line: 'ip link set wg0 down',
      said: /^running wg0: bring wg0 up\nrunning wg0: route 10\.45\.0\.100\/32 into wg0$/,
    },
  ],
  [
    {
      does: 'service not at boot, and a preshared key and a firewall mark set',
      line: 'systemctl disable -q wg-quick@wg0; wg genpsk >/tmp/psk; wg set wg0 fwmark 0x1 peer "$(wg show wg0 peers)" preshared-key /tmp/psk',
      said: /^service wg-quick@wg0: enable wg-quick@wg0\nrunning wg0: remove the firewall mark 0x1\nrunning wg0: remove the preshared key of peer \S+ which the client does not have$/,
    },
    {
      does: 'key file lost',
      line: 'rm /etc/wireguard/wg0.key',
      said: /^key pair: keep the running interface's key pair$/,
    },
    {
      does: 'sysctl file gone, folder open to all, and a rule added to the NAT',
      line: 'rm /etc/sysctl.d/99-comps.conf; chmod 755 /etc/wireguard; nft add rule ip comps postrouting counter drop',
      said: /^forwarding at boot: write \S+\nkey pair: set mode 700 and owner root on \S+\nrunning NAT: take out what does not belong into the table ip comps$/,
    },
  ],
];
