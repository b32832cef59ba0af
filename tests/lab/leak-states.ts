/** What can become of a client's network while programs go on sending: each a shell line that brings it about. */
import { CONNECT_IPV6, FRAMES } from './prober.ts';

export interface State {
  name: string;
  enter: string;
  /** What ends it, before `setup.sh up` mends the rest. */
  leave?: string;
  /** What the layers that are left cannot know of, for pcap-filter(7). */
  except?: string;
}

const PATHS = 'wgnet1 wgnet2 wgnet3';
const LINK = { deleted: 'link delete', down: 'link set down' } as const;

const eachLink = (what: keyof typeof LINK, names: string): string =>
  `for i in ${names}; do ip ${LINK[what]} $i; done`;

const links = (...tunnels: string[]): State[] =>
  (['deleted', 'down'] as const).flatMap((what) => [
    ...tunnels.map((name) => ({ name: `${name} ${what}`, enter: eachLink(what, name) })),
    { name: `all wgnetN ${what}`, enter: eachLink(what, PATHS) },
  ]);
const allLinks: State[] = (['deleted', 'down'] as const).map((what) => ({
  name: `all tunnels ${what}`,
  enter: eachLink(what, `wg0 ${PATHS}`),
}));

const flush = (family: string, ...tables: number[]): string =>
  tables.map((table) => `ip ${family} route flush table ${table}`).join('; ');
// A flush of IPv6 leaves `unreachable` standing.
const flush6 = (...tables: number[]): string =>
  tables
    .map(
      (table) =>
        `ip -6 route flush table ${table}; ip -6 route delete unreachable default table ${table} 2>/dev/null || true`,
    )
    .join('; ');
const noRules = (preferences: readonly number[]): string =>
  `for p in ${preferences.join(' ')}; do ip rule delete pref $p; ip -6 rule delete pref $p; done`;
/** Preferences of setup.sh's rules, by mode. */
const WIREGUARD_RULES = [100, 101, 102];
const QUIC_RULES = [100, 101];
const NO_ROUTES = `${flush('-4', 51820, 51821)}; ${flush6(51820, 51821)}`;
const NO_NFT = 'nft flush ruleset';
const NO_TC = 'tc qdisc delete dev eth0 clsact';
const ETH0_AGAIN = `ip link set eth0 down; ip link set eth0 up; ip route replace default via 192.0.2.1 dev eth0; ${CONNECT_IPV6}`;
const CLIENT = '192.0.2.2';

const tables: State[] = [
  { name: 'table 51820 flushed', enter: flush('-4', 51820) },
  { name: 'both tables flushed', enter: flush('-4', 51820, 51821) },
  { name: 'IPv6’s table 51820 flushed', enter: flush6(51820) },
];

/** `rules`: the preferences of those that there are. */
const byHand = (rules: readonly number[]): State[] => [
  { name: 'the current path’s route deleted', enter: 'ip route delete default dev wgnet1 table 51821' },
  { name: 'table 51821 flushed', enter: flush('-4', 51821) },
  { name: 'IPv6’s table 51821 flushed', enter: flush6(51821) },
  { name: 'all four tables flushed', enter: NO_ROUTES },
  ...rules.map((preference) => ({
    name: `rule ${preference} deleted`,
    enter: noRules([preference]),
  })),
  { name: 'all rules deleted', enter: noRules(rules) },
  { name: 'all rules and tables gone', enter: `${noRules(rules)}; ${NO_ROUTES}` },
  { name: 'the nftables table deleted', enter: 'nft delete table inet comps' },
  { name: 'nft flush ruleset', enter: NO_NFT },
  {
    name: 'nftables’ policies set to accept',
    enter:
      "nft 'chain inet comps output { policy accept; }; chain inet comps forward { policy accept; }; flush chain inet comps output'",
  },
  { name: 'tc’s programs gone', enter: NO_TC, except: FRAMES },
  { name: 'tc’s programs and all rules gone', enter: `${NO_TC}; ${noRules(rules)}`, except: FRAMES },
  { name: 'nftables, rules and tables gone', enter: `${NO_NFT}; ${noRules(rules)}; ${NO_ROUTES}` },
  { name: 'nft flush ruleset, eth0 down and up', enter: `${NO_NFT}; ${ETH0_AGAIN}` },
  {
    name: 'a tunnel sent to another host',
    enter: 'wg set wgnet1 peer "$(wg show wgnet1 peers)" endpoint 203.0.113.80:51820',
  },
  {
    name: 'the original’s delete and add, from a shell',
    enter: `for k in $(seq 30); do for i in 1 2 3; do ip route delete default dev wgnet$i table 51821; ip route add default dev wgnet$((i % 3 + 1)) table 51821; done; done; ip route replace default dev wgnet1 table 51821`,
  },
];

const marksOff: State[] = [
  {
    name: 'the tunnels’ marks taken off',
    enter: `for i in wg0 ${PATHS}; do wg set $i fwmark 0; done`,
    // Twice: wg0 was in wg0, and a reply that is still on its way from there takes its endpoint inside once more.
    leave: '/etc/wireguard/setup.sh up; sleep 0.2',
  },
];

/** The project's migrate.ts as one file, see leak-cuts.ts. */
export const MIGRATOR = '/etc/wireguard/migrate.mjs';
const SPLIT = `node ${MIGRATOR} --strategy packet --seed 1 --detach >/run/split.log`;
const NO_SPLIT = `node ${MIGRATOR} --stop >/run/split.log`;

const splits: State[] = [
  {
    name: 'a kernel split, its migrator killed',
    enter: `node ${MIGRATOR} --strategy packet --seed 1 >/run/split.log & pid=$!
      for k in $(seq 300); do grep -q '"split"' /run/split.log && break; sleep 0.05; done
      kill -9 $pid; nft list table inet comps_split >/dev/null`,
  },
  {
    name: 'a kernel split, its rules deleted',
    enter: `${SPLIT}; ip rule delete pref 99; while ip rule delete pref 99 2>/dev/null; do :; done`,
  },
  {
    name: 'a kernel split, its tables flushed',
    enter: `${SPLIT}; for i in 1 2 3; do ip route flush table 5190$i; done`,
  },
  {
    name: 'a kernel split, its rules and tables gone',
    enter: `${SPLIT}; for i in 1 2 3; do ip rule delete pref 99; ip route flush table 5190$i; done`,
  },
  { name: 'a kernel split, all wgnetN deleted', enter: `${SPLIT}; ${eachLink('deleted', PATHS)}` },
  {
    name: 'a kernel split, all its rules and setup.sh’s deleted',
    enter: `${SPLIT}; for i in 1 2 3; do ip rule delete pref 99; done; ${noRules(WIREGUARD_RULES)}`,
  },
].map((state) => ({ ...state, leave: NO_SPLIT }));

const aroundIt: State[] = [
  { name: 'every wireguard-go killed', enter: 'pkill -KILL wireguard-go' },
  {
    name: 'IPv6 off and on',
    enter: `sysctl -qw net.ipv6.conf.all.disable_ipv6=1; sleep 0.05; sysctl -qw net.ipv6.conf.all.disable_ipv6=0; ${CONNECT_IPV6}`,
  },
  {
    name: '`up` with IPv6 off, and then it is on',
    enter: `sysctl -qw net.ipv6.conf.all.disable_ipv6=1; /etc/wireguard/setup.sh up && sysctl -qw net.ipv6.conf.all.disable_ipv6=0 && { ${CONNECT_IPV6}; }`,
  },
  { name: 'eth0 down and up', enter: ETH0_AGAIN },
  {
    name: 'eth0 with another address, as DHCP renews it',
    enter:
      'ip addr flush dev eth0; ip addr add 192.0.2.3/24 dev eth0; ip route replace default via 192.0.2.1 dev eth0',
    leave: `ip addr flush dev eth0; ip addr add ${CLIENT}/24 dev eth0; ip route replace default via 192.0.2.1 dev eth0; ${CONNECT_IPV6}`,
  },
  {
    name: 'no default route',
    enter: 'ip route delete default; ip -6 route delete default',
    leave: `ip route replace default via 192.0.2.1 dev eth0; ${CONNECT_IPV6}`,
  },
  {
    name: 'another default route',
    enter: 'ip route replace default dev eth0; ip -6 route replace default dev eth0',
    leave: `ip route replace default via 192.0.2.1 dev eth0; ip -6 route flush root default; ${CONNECT_IPV6}`,
  },
  {
    name: 'narrower routes than the default’s, as a DHCP server may give them',
    enter: 'for net in 0.0.0.0/1 128.0.0.0/1 203.0.113.0/24; do ip route add $net via 192.0.2.1; done',
    leave: 'for net in 0.0.0.0/1 128.0.0.0/1 203.0.113.0/24; do ip route delete $net; done',
  },
];

const asItIs: State[] = [
  { name: 'up', enter: 'true' },
  { name: '`up` again while it is up', enter: 'for k in 1 2; do /etc/wireguard/setup.sh up; done' },
];

/** Those that end with `setup.sh up`, after which a ping must come back. */
export const STATES: readonly State[] = [
  ...asItIs,
  ...links('wg0', 'wgnet1', 'wgnet2', 'wgnet3'),
  ...allLinks,
  ...tables,
  ...byHand(WIREGUARD_RULES),
  ...marksOff,
  ...splits,
  { name: 'wg0’s wireguard-go killed', enter: 'kill -9 $(pgrep -f "^wireguard-go wg0")' },
  ...aroundIt,
];

/** The same of mode quic, which has no wg0. */
export const QUIC_STATES: readonly State[] = [
  ...asItIs,
  ...links('wgnet1'),
  ...byHand(QUIC_RULES),
  {
    name: 'the tunnels’ marks taken off',
    enter: `for i in ${PATHS}; do wg set $i fwmark 0; done`,
  },
  ...aroundIt,
];

const STICKY = 'for i in 1 2 3';

/** Those of sticky TCP's own rules and tables. */
export const STICKY_STATES: readonly State[] = [
  { name: 'sticky TCP, up', enter: 'true' },
  { name: 'sticky TCP, its rules deleted', enter: `${STICKY}; do ip rule delete pref 98; done` },
  { name: 'sticky TCP, its tables flushed', enter: `${STICKY}; do ip route flush table 5200$i; done` },
  {
    name: 'sticky TCP, its tables flushed and all other rules deleted',
    enter: `${STICKY}; do ip route flush table 5200$i; done; ${noRules(QUIC_RULES)}`,
  },
  {
    name: 'sticky TCP, its tables out of the real interface',
    enter: `${STICKY}; do ip route replace default via 192.0.2.1 dev eth0 table 5200$i; done`,
  },
  {
    name: 'sticky TCP, its tables out of the real interface, tc’s programs gone',
    enter: `${NO_TC}; ${STICKY}; do ip route replace default via 192.0.2.1 dev eth0 table 5200$i; done`,
    except: FRAMES,
  },
  { name: 'sticky TCP, wgnet1 deleted', enter: eachLink('deleted', 'wgnet1') },
  { name: 'sticky TCP, all wgnetN deleted', enter: eachLink('deleted', PATHS) },
  {
    name: 'sticky TCP, the nftables table and all rules deleted',
    enter: `nft delete table inet comps; ${STICKY}; do ip rule delete pref 98; done; ${noRules(QUIC_RULES)}`,
  },
];
