/** The leak matrix's core: what is done to a client, and what heals it. */
import { Migrator } from './guest-migrator.ts';
import { Prober } from './guest-prober.ts';
import { PATHS, SETUP, sh, until } from './guest-tools.ts';
import type { Counts } from './results.ts';

export interface Deed {
  name: string;
  /** A line for bash in the client, or more than that, with what else was tried, by kind. */
  does: string | ((prober: Prober) => Promise<Counts | undefined>);
  /** A line that ends it; setup.sh unless given. */
  heal?: string;
}

/** Where the network needs nothing else, and so is seen to be right behind what was done. */
const CURRENT = 'ip -4 route replace default dev wgnet1 table 51821';

/** Kills migrate.ts outright, each time after another number of switches. */
async function killMigrators(prober: Prober): Promise<undefined> {
  for (const switches of [1, 7, 20]) {
    // Two programs would share the one processor, and this one is slow to start.
    prober.rest();
    const migrator = new Migrator('--period 0.01 --seed 3');
    await migrator.has('switch');
    prober.goOn();
    await migrator.has('switch', switches);
    await migrator.stop('SIGKILL');
    await prober.rounds();
  }
}

/** A split whose process is killed outright, and which then loses its rules and its tables. */
async function breakSplit(prober: Prober): Promise<undefined> {
  prober.rest();
  const migrator = new Migrator('--strategy packet --seed 3');
  await migrator.has('split');
  prober.goOn();
  await prober.rounds();
  await migrator.stop('SIGKILL');
  await prober.rounds();
  await sh('for k in 1 2 3; do ip rule delete pref 99; done');
  await prober.rounds();
  await sh(
    'for k in 1 2 3; do ip rule add pref 99 fwmark 5190$k lookup 5190$k; ip route flush table 5190$k; done',
  );
}

/** The original's loop: for some seconds, as fast as it goes. */
const ORIGINAL = `end=$((SECONDS + 3)); while [ $SECONDS -lt $end ]; do for i in 1 2 3; do
  ip -4 route delete 0.0.0.0/0 dev wgnet$i table 51821; ip -4 route add 0.0.0.0/0 dev wgnet$((i % 3 + 1)) table 51821
done; done 2>/dev/null || true`;

const NO_RULES =
  'for p in 100 101 102; do ip rule delete pref $p; ip -6 rule delete pref $p; done 2>/dev/null || true';

const BEHIND = `ip netns add behind; ip link add behind type veth peer name eth0 netns behind
ip addr add 10.9.9.1/24 dev behind; ip link set behind up
ip -n behind addr add 10.9.9.2/24 dev eth0; ip -n behind link set eth0 up; ip -n behind route add default via 10.9.9.1
echo 1 >/proc/sys/net/ipv4/ip_forward`;

const NOBODY_BEHIND = 'echo 0 >/proc/sys/net/ipv4/ip_forward; ip link delete behind; ip netns delete behind';

/** Somebody behind the client sends through it, which has no rules of its own left. */
async function forward(): Promise<Counts> {
  await sh(`${BEHIND}; ${NO_RULES}`);
  const prober = new Prober('/tmp/behind', ['ip', 'netns', 'exec', 'behind'], true);
  try {
    await until('packets from behind to arrive', async () => {
      const received = await sh('cat /sys/class/net/behind/statistics/rx_packets || true');
      return Number(received) > 0;
    });
    return await prober.during(() => prober.rounds());
  } finally {
    prober.end();
  }
}

/** What shows that the capture sees all of that: nothing protects this client, nor whom it forwards for. */
export const OPEN: Deed = {
  name: 'down',
  does: async () => {
    await sh(`${SETUP} down`);
    return forward();
  },
  heal: NOBODY_BEHIND,
};

export const DEEDS: Deed[] = [
  {
    name: 'all tables flushed by hand',
    does: 'for t in 51820 51821; do ip route flush table $t; ip -6 route flush table $t; done',
  },
  { name: 'rules deleted', does: NO_RULES },
  { name: 'wg0 deleted', does: 'ip link delete wg0' },
  { name: 'wg0 down', does: 'ip link set wg0 down' },
  { name: 'the current path deleted', does: 'ip link delete wgnet1' },
  { name: 'all paths down', does: PATHS.map((path) => `ip link set ${path} down`).join('; ') },
  { name: 'nft flush ruleset', does: 'nft flush ruleset' },
  { name: 'the original’s delete and add', does: ORIGINAL, heal: CURRENT },
  { name: 'migrate.ts killed outright, three times', does: killMigrators, heal: CURRENT },
  {
    name: 'a split by packet, its process killed, its rules and then its tables gone',
    does: breakSplit,
    heal: 'node migrate.mjs --stop',
  },
  {
    name: 'a proxy dead',
    does: 'ip -n net link set vpn1 down',
    heal: `ip -n net link set vpn1 up; ${CURRENT}`,
  },
  {
    name: 'somebody behind the client, and no rules',
    does: forward,
    heal: `${NOBODY_BEHIND}; ${SETUP}`,
  },
];
