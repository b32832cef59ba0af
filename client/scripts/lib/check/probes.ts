/** What a program may try to get out by; each is known again in a capture by its port, or an ICMP echo by its size. */
import { isIPv4, isIPv6 } from 'node:net';
import type { Device } from './machine.ts';
import type { Leak } from './packets.ts';
import { askTcp, askUdp, openTcp, type Sent, sendUdp } from './sockets.ts';
import { Missing, ping, tell } from './tools.ts';

export interface ProbeWish {
  devices: readonly Device[];
  resolver: string | undefined;
  /** Where packets are sent that must not get there past the tunnels: IPv4 and IPv6. */
  targets: readonly string[];
  /** Whether this kernel has IPv6. */
  ipv6: boolean;
  /** UDP port of the tunnels' servers. */
  tunnelPort: number;
}

export interface Probe {
  id: string;
  what: string;
  /** Why it cannot be tried. */
  without?: string;
  send(): Promise<Sent>[];
  /** Whether a packet is this probe's. */
  is(leak: Leak): boolean;
}

/** Ports that nothing else here uses. */
const PORTS = {
  tcp: 42_001,
  udp: 42_002,
  ipv6: 42_003,
  multicast: 42_004,
  broadcast: 42_005,
  device: 42_006,
  address: 42_007,
  neighbour: 42_008,
} as const;
/** Bytes of an ICMP echo's data. */
const SIZES = { icmp: 41, ipv6: 42, multicast: 43, device: 44, address: 45, neighbour: 46 } as const;
const ICMP_HEADER = 8;

/** Of addresses for documentation (RFC 6676). */
const MULTICAST = '233.252.0.1';
const DOCKERS = '127.0.0.11';

const toPort =
  (port: number) =>
  (leak: Leak): boolean =>
    leak.to.endsWith(`.${port}`);
const ofSize =
  (size: number) =>
  (leak: Leak): boolean =>
    leak.protocol.startsWith('ICMP') && leak.text.endsWith(`length ${size + ICMP_HEADER}`);
const either =
  (port: number, size: number) =>
  (leak: Leak): boolean =>
    toPort(port)(leak) || ofSize(size)(leak);

async function echo(size: number, ...words: string[]): Promise<Sent> {
  const { good, text } = await ping('-c', '1', '-W', '0.3', '-s', String(size), ...words);
  const refused = /ping: (?:sendmsg|connect): (.+)/.exec(text)?.[1];
  return good ? 'answered' : (refused ?? 'sent');
}

/** SO_BINDTODEVICE, which Node has not: UDP and the beginning of a connection, to each address. */
const BOUND = `
use Socket qw(:all);
my ($device, $port, @to) = @ARGV;
for my $to (@to) {
  my $six = $to =~ /:/;
  my $name = $six ? pack_sockaddr_in6($port, inet_pton(AF_INET6, $to)) : pack_sockaddr_in($port, inet_aton($to));
  for my $kind (SOCK_DGRAM, SOCK_STREAM) {
    socket(my $s, $six ? AF_INET6 : AF_INET, $kind | 2048, 0) or next;
    setsockopt($s, SOL_SOCKET, 25, "$device\\0") or die "$!\\n";
    $kind == SOCK_DGRAM ? send($s, "comps", 0, $name) : connect($s, $name);
    push @open, $s;
  }
}
select(undef, undef, undef, 0.1);
`;

async function boundTo(device: string, to: readonly string[]): Promise<Sent> {
  const { code, said } = await tell(['perl', '-e', BOUND, device, String(PORTS.device), ...to]);
  return code === 0 ? 'sent' : said.trim();
}

/** All probes of a machine. */
export function probesFor({ devices, resolver, targets, ipv6, tunnelPort }: ProbeWish): Probe[] {
  const four = targets.filter(isIPv4);
  const six = ipv6 ? targets.filter(isIPv6) : [];
  const gateways = devices.flatMap(({ gateway }) => (gateway === undefined ? [] : [gateway]));
  const bound = devices.flatMap(({ address }) => (address === undefined ? [] : [address]));
  const none = ipv6 ? undefined : 'this kernel has no IPv6';
  const noResolver = resolver === undefined ? 'no resolver is known' : undefined;
  const from = (port: number, addresses: readonly string[], to: readonly string[]): Promise<Sent>[] =>
    addresses.flatMap((address) =>
      to.flatMap((target) => [
        sendUdp({ to: target, port, from: address }),
        openTcp({ to: target, port, from: address }),
      ]),
    );
  const plain = (
    id: string,
    what: string,
    is: Probe['is'],
    send: Probe['send'],
    without?: string,
  ): Probe => ({
    ...{ id, what, is, send },
    ...(without === undefined ? {} : { without }),
  });
  const dns = (leak: Leak, protocol: string, to: readonly string[]): boolean =>
    leak.protocol === protocol && to.some((address) => leak.to === `${address}.53`);
  const own = resolver === undefined ? [] : [resolver];
  const isSix = (leak: Leak): boolean => either(PORTS.ipv6, SIZES.ipv6)(leak);
  return [
    plain(
      'dns-udp',
      'DNS over UDP',
      (leak) => dns(leak, 'UDP', own),
      () => own.map((to) => askUdp(to)),
      noResolver,
    ),
    plain(
      'dns-tcp',
      'DNS over TCP',
      (leak) => dns(leak, 'TCP', own),
      () => own.map(askTcp),
      noResolver,
    ),
    plain(
      'dns-other',
      'DNS at another resolver',
      (leak) => dns(leak, 'UDP', targets) || dns(leak, 'TCP', targets),
      () => [...four, ...six].flatMap((to) => [askUdp(to), askTcp(to)]),
    ),
    plain(
      'dns-docker',
      `DNS at ${DOCKERS}`,
      (leak) => leak.to === `${DOCKERS}.53`,
      () => [askUdp(DOCKERS), askTcp(DOCKERS)],
    ),
    plain('tcp', 'TCP', toPort(PORTS.tcp), () => four.map((to) => openTcp({ to, port: PORTS.tcp }))),
    plain('udp', 'UDP', toPort(PORTS.udp), () => four.map((to) => sendUdp({ to, port: PORTS.udp }))),
    plain('icmp', 'ICMP', ofSize(SIZES.icmp), () => four.map((to) => echo(SIZES.icmp, to))),
    plain(
      'ipv6',
      'IPv6: UDP, TCP, ICMP',
      isSix,
      () =>
        six.flatMap((to) => [
          sendUdp({ to, port: PORTS.ipv6 }),
          openTcp({ to, port: PORTS.ipv6 }),
          echo(SIZES.ipv6, '-6', to),
        ]),
      none,
    ),
    plain('multicast', 'multicast', either(PORTS.multicast, SIZES.multicast), () => [
      sendUdp({ to: MULTICAST, port: PORTS.multicast }),
      ...bound.map((address) => sendUdp({ to: MULTICAST, port: PORTS.multicast, from: address })),
      ...(ipv6 ? devices : []).flatMap(({ name }) => [
        sendUdp({ to: `ff02::1%${name}`, port: PORTS.multicast }),
        echo(SIZES.multicast, '-6', `ff02::1%${name}`),
      ]),
    ]),
    plain('broadcast', 'broadcast', toPort(PORTS.broadcast), () =>
      [undefined, ...bound].map((address) =>
        sendUdp({ to: '255.255.255.255', port: PORTS.broadcast, from: address, broadcast: true }),
      ),
    ),
    plain('bound-device', 'a socket bound to the device', either(PORTS.device, SIZES.device), () =>
      devices.flatMap(({ name }) => [
        boundTo(name, [...four, ...six]),
        ...four.map((to) => echo(SIZES.device, '-I', name, to)),
      ]),
    ),
    plain(
      'bound-address',
      'a socket bound to its address',
      either(PORTS.address, SIZES.address),
      () => [
        ...from(PORTS.address, bound, four),
        ...bound.flatMap((address) => four.map((to) => echo(SIZES.address, '-I', address, to))),
      ],
      bound.length === 0 ? 'no real interface has an IPv4 address' : undefined,
    ),
    plain('tunnel-port', `UDP to port ${tunnelPort} of another host`, toPort(tunnelPort), () =>
      four.flatMap((to) =>
        [undefined, ...bound].map((address) => sendUdp({ to, port: tunnelPort, from: address })),
      ),
    ),
    plain(
      'neighbour',
      'a neighbour on the link',
      either(PORTS.neighbour, SIZES.neighbour),
      () =>
        gateways.flatMap((to) => [
          sendUdp({ to, port: PORTS.neighbour }),
          openTcp({ to, port: PORTS.neighbour }),
          echo(SIZES.neighbour, to),
        ]),
      gateways.length === 0 ? 'no gateway is known' : undefined,
    ),
  ];
}

/** What came of a probe's packets: how many of each kind, or the program that it lacks. */
export type Tried = { results: Sent[] } | { missing: string };

async function tryOne(probe: Probe): Promise<Tried> {
  try {
    return { results: await Promise.all(probe.send()) };
  } catch (error) {
    if (error instanceof Missing) return { missing: error.program };
    throw error;
  }
}

/** Sends all probes at once; resolves when each has been answered, refused or waited for. */
export async function sendAll(probes: readonly Probe[]): Promise<Map<string, Tried>> {
  const tried = await Promise.all(
    probes.map(
      async (probe) =>
        [probe.id, probe.without === undefined ? await tryOne(probe) : { results: [] }] as const,
    ),
  );
  return new Map(tried);
}
