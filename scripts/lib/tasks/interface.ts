import type { Change, Diff, Task } from '../runner/task.ts';
import { quote } from '../shell.ts';
import { SERVER_KEY } from './key-pair.ts';
import { type LiveInterface, PROBE, readLive, withLength } from './live-interface.ts';

/** What the running wg0 of a server is to be; the file it was started from is another task. */
export interface InterfaceWish {
  /** With prefix length: `10.45.0.2/32`, and perhaps `fd00:10:45::2/128`. */
  addresses: readonly string[];
  port: number;
  /** Bytes. */
  mtu: number;
  peer: { publicKey: string; allowedIps: readonly string[] };
}

const same = (a: readonly string[], b: readonly string[]): boolean =>
  JSON.stringify([...a].sort()) === JSON.stringify([...b].sort());

/** What stands in a check for a key that is not made yet is words. */
const short = (key: string): string => (key.includes(' ') ? key : `${key.slice(0, 8)}…`);

function peerChanges(live: LiveInterface, { publicKey, allowedIps }: InterfaceWish['peer']): Change[] {
  const strangers = [...live.peers.keys()].filter((key) => key !== publicKey);
  const changes = strangers.map((key) => ({
    line: `remove peer ${short(key)}`,
    shell: `wg set wg0 peer ${quote(key)} remove`,
  }));
  const is = live.peers.get(publicKey);
  const more = is?.every((one) => allowedIps.includes(one))
    ? 'add allowed IPs to peer'
    : 'set allowed IPs of peer';
  if (is === undefined || !same(is, allowedIps))
    changes.push({
      line: `${is === undefined ? 'add peer' : more} ${short(publicKey)} (${allowedIps.join(', ')})`,
      shell: `wg set wg0 peer ${quote(publicKey)} allowed-ips ${allowedIps.join(',')}`,
    });
  if (live.preshared.includes(publicKey))
    changes.push({
      line: `remove the preshared key of peer ${short(publicKey)}, which the client does not have`,
      shell: `wg set wg0 peer ${quote(publicKey)} preshared-key /dev/null`,
    });
  return changes;
}

function addressChanges(live: LiveInterface, wanted: readonly string[]): Change[] {
  const lacking = wanted.filter((address) => !live.addresses.includes(address));
  const extra = live.addresses.filter((address) => !wanted.includes(address));
  return [
    ...lacking.map((address) => ({
      line: `add address ${address}`,
      shell: `ip address replace ${address} dev wg0`,
    })),
    ...extra.map((address) => ({
      line: `remove address ${address}`,
      // Gone already where the service was restarted before this.
      shell: `ip address delete ${quote(address)} dev wg0 2>/dev/null || true`,
    })),
  ];
}

/** `-4` or `-6`: a default route does not show it. */
const familyOf = (route: string): string => (route.includes(':') ? '-6' : '-4');

function changesOf(live: LiveInterface, wish: InterfaceWish): Change[] {
  const { port, mtu } = wish;
  const routes = wish.peer.allowedIps.map(withLength);
  return [
    ...(live.sameKey ? [] : [{ line: 'set the private key', shell: `wg set wg0 private-key ${SERVER_KEY}` }]),
    ...(live.port === String(port)
      ? []
      : [{ line: `listen on port ${port}`, shell: `wg set wg0 listen-port ${port}` }]),
    ...(live.mark === 'off'
      ? []
      : [{ line: `remove the firewall mark ${live.mark}`, shell: 'wg set wg0 fwmark 0' }]),
    ...peerChanges(live, wish.peer),
    ...(live.mtu === String(mtu) ? [] : [{ line: `set MTU ${mtu}`, shell: `ip link set wg0 mtu ${mtu}` }]),
    // Its routes went with the link, and come back behind it.
    ...(live.up ? [] : [{ line: 'bring wg0 up', shell: 'ip link set wg0 up' }]),
    ...addressChanges(live, wish.addresses.map(withLength)),
    ...routes
      .filter((route) => !live.routes.includes(route))
      .map((route) => ({
        line: `route ${route} into wg0`,
        shell: `ip ${familyOf(route)} route replace ${route} dev wg0`,
      })),
    ...live.routes
      .filter((route) => !routes.includes(route))
      .map((route) => ({
        line: `remove route ${route}`,
        // Gone already where the service was restarted before this.
        shell: `ip ${familyOf(route)} route delete ${quote(route)} dev wg0 2>/dev/null || true`,
      })),
  ];
}

/** The interface as lines for a person; keys of peers are public. */
const linesOf = ({
  sameKey,
  up,
  port,
  mtu,
  addresses,
  peers,
  preshared,
  mark,
  routes,
}: LiveInterface): string =>
  [
    `private key: ${sameKey ? 'that of the key file' : 'another than that of the key file'}`,
    `link: ${up ? 'up' : 'down'}`,
    `port: ${port}`,
    `MTU: ${mtu}`,
    `firewall mark: ${mark}`,
    ...addresses.toSorted().map((address) => `address: ${address}`),
    ...[...peers].map(([key, ips]) => `peer: ${key} ${ips.toSorted().join(', ')}`),
    ...preshared.map((key) => `preshared key: with ${key}`),
    ...routes.toSorted().map((route) => `route: ${route}`),
    '',
  ].join('\n');

const diffOf = (live: LiveInterface, { addresses, port, mtu, peer }: InterfaceWish): Diff => ({
  path: 'wg0 (running)',
  before: linesOf(live),
  after: linesOf({
    sameKey: true,
    up: true,
    port: String(port),
    mtu: String(mtu),
    addresses: addresses.map(withLength),
    peers: new Map([[peer.publicKey, [...peer.allowedIps]]]),
    preshared: [],
    mark: 'off',
    routes: peer.allowedIps.map(withLength),
  }),
});

/** The running wg0 is as wished; only what differs is set, so no session of another peer is cut. */
export const liveInterface = <F>(wish: InterfaceWish): Task<F> => ({
  name: 'running wg0',
  tags: ['interface'],
  probe: PROBE,
  judge: (seen) => {
    const live = readLive(seen);
    // Not running: the service task starts it from the file, and it is right then.
    if (live === undefined) return { changes: [] };
    const [first, ...rest] = changesOf(live, wish);
    // One picture of all of them.
    return { changes: first === undefined ? [] : [{ ...first, diff: diffOf(live, wish) }, ...rest] };
  },
});
