/** Programs in the lab's client that send every kind of packet all the time, and one behind it; see prober.pl. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientRun } from '../../scripts/lib/lab/client.ts';
import type { Lab } from '../../scripts/lib/lab/lab.ts';
import { until } from '../../scripts/lib/poll.ts';

const SITE = '203.0.113.80';
const RESOLVER = '203.0.113.53';
const NEIGHBOUR = '192.0.2.1';
const SITE6 = '2001:db8:b::1';
const BEHIND = '10.9.9.2';

/** What each kind looks like on a wire, for pcap-filter(7). */
export const KINDS: Readonly<Record<string, string>> = {
  udp: 'udp dst port 9101',
  'udp by device': 'udp dst port 9102',
  'udp by address': 'udp dst port 9103',
  'udp to a neighbour': 'udp dst port 9104',
  'udp to a neighbour by device': 'udp dst port 9115',
  'udp to a proxy': 'udp dst port 9105',
  'udp of the tunnels’ port': `dst host ${SITE} and udp dst port 51820`,
  'udp in fragments': `dst host ${SITE} and ip[6:2] & 0x1fff != 0`,
  broadcast: 'udp dst port 9107',
  'broadcast by device': 'udp dst port 9108',
  multicast: 'udp dst port 5353 and dst host 224.0.0.251',
  'multicast by address': 'udp dst port 5354',
  'multicast by device': 'udp dst port 9109',
  dns: `udp dst port 53 and dst host ${RESOLVER}`,
  'dns by device': `udp dst port 53 and dst host ${NEIGHBOUR}`,
  'dns over tcp': 'tcp dst port 53',
  tcp: 'tcp dst port 9110',
  'tcp by device': 'tcp dst port 9111',
  'tcp by address': 'tcp dst port 9112',
  'tcp to a proxy': 'tcp dst port 51820',
  icmp: `icmp[0] = 8 and dst host ${SITE}`,
  'icmp by device': `icmp[0] = 8 and dst host ${NEIGHBOUR}`,
  raw: 'udp dst port 9113',
  frame: 'udp dst port 9114',
  udp6: 'udp dst port 9121',
  'udp6 by device': 'udp dst port 9122',
  tcp6: 'tcp dst port 9123',
  'tcp6 by device': 'tcp dst port 9126',
  icmp6: `icmp6 and dst host ${SITE6}`,
  'link-local': 'udp dst port 9124',
  multicast6: 'udp dst port 5353 and dst host ff02::fb',
  'multicast6 by device': 'udp dst port 9125',
  'icmp6 to all': 'icmp6 and dst host ff02::1',
  igmp: 'igmp',
  mld: 'dst host ff02::16',
  'forwarded udp': 'udp dst port 9131',
  'forwarded tcp': 'tcp dst port 9132',
  'forwarded icmp': `icmp and src host ${BEHIND} and dst host ${SITE}`,
  'forwarded dns': `udp dst port 53 and src host ${BEHIND}`,
  'forwarded udp6': 'udp dst port 9133',
};

/** Kinds that are sent by a packet socket, which nftables and routes never see: tc alone does. */
export const FRAMES = KINDS.frame as string;

/**
 * IPv6 of the real interface, and its neighbours, known for good: so what is sent leaves at once. What takes that away puts it
 * back with this. (That nobody answers there is no matter.)
 */
export const CONNECT_IPV6 = `ip -6 addr replace 2001:db8:a::2/64 dev eth0 nodad
ip -6 route replace default via 2001:db8:a::1 dev eth0
for neighbour in 2001:db8:a::1 fe80::1; do ip neigh replace $neighbour lladdr 02:00:00:00:00:01 dev eth0; done`;

// The client forwards, and behind it is a machine of its own: as where somebody shares the client's network.
const BRING_UP_BEHIND = `${CONNECT_IPV6}
echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
unshare -n sleep infinity >/dev/null 2>&1 & pid=$!
until [ "$(readlink /proc/$pid/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
ip link add behind type veth peer name eth9 netns $pid
ip addr add 10.9.9.1/24 dev behind; ip addr add fd09::1/64 dev behind nodad; ip link set behind up
nsenter -t $pid -n sh -c 'ip link set lo up; ip addr add ${BEHIND}/24 dev eth9; ip addr add fd09::2/64 dev eth9 nodad; ip link set eth9 up
  ip route add default via 10.9.9.1; ip route add default via fd09::1'
echo $pid`;

interface Count {
  rounds: number;
  tried: Record<string, number>;
}

/** How often each kind was tried. */
export type Tried = Readonly<Record<string, number>>;

export interface Probers {
  tried(): Tried;
  /** Waits until each kind has been tried that much more often, from now on. */
  rounds(more: number): Promise<void>;
  /** What a client's shell needs, to wait for that by itself: `rounds 3`. */
  shell: string;
}

/** Starts both, for as long as the lab is up. */
export async function startProbers(lab: Lab): Promise<Probers> {
  const input = readFileSync(new URL('prober.pl', import.meta.url), 'utf8');
  const behind = (await clientRun(lab, 'bash', '-c', BRING_UP_BEHIND)).trim();
  const where = [SITE, RESOLVER, NEIGHBOUR, lab.addressOf('vpn1'), SITE6];
  const ended: string[] = [];
  const start = (name: string, before: string[], device: string, ...last: string[]): void => {
    const words = [...before, 'perl', '-', `/runs/${name}.json`, device, ...where, ...last];
    void lab.exec('client', words, { input }).then(({ stderr }) => ended.push(`${name}: ${stderr}`));
  };
  start('probes', [], 'eth0');
  start('probes-behind', ['nsenter', '-t', behind, '-n'], 'eth9', 'behind');
  const read = (name: string): Count => {
    try {
      return JSON.parse(readFileSync(join(lab.directory, 'runs', `${name}.json`), 'utf8'));
    } catch {
      return { rounds: 0, tried: {} };
    }
  };
  const both = (): [Count, Count] => [read('probes'), read('probes-behind')];
  const rounds = async (more: number): Promise<void> => {
    const before = both().map((count) => count.rounds);
    const reached = () => both().every((count, i) => count.rounds > (before[i] as number) + more);
    assert.ok(await until(60_000, reached), `the probers stand still; ${ended.join('; ')}`);
  };
  await rounds(1);
  return {
    tried: () => Object.assign({}, ...both().map((count) => count.tried)),
    rounds,
    shell: `now() { local count; read -r count </runs/$1.json; count=\${count#*:}; echo \${count%%,*}; }
rounds() { local file end; for file in probes probes-behind; do end=$(($(now $file) + $1)); until [ $(now $file) -gt $end ]; do sleep 0.04; done; done; }
`,
  };
}
