import { isIPv6 } from 'node:net';
import type { Change, Diff, Task } from '../runner/task.ts';
import { quote } from '../shell.ts';
import { SERVER_KEY } from './key-pair.ts';

/** What the running wg0 of a server is to be; the file it was started from is another task. */
export interface InterfaceWish {
  /** With prefix length: `10.45.0.2/32`, and perhaps `fd00:10:45::2/128`. */
  addresses: readonly string[];
  port: number;
  /** Bytes. */
  mtu: number;
  peer: { publicKey: string; allowedIps: readonly string[] };
}

/** The running wg0, as the probe found it; the private key is compared on the host and not told. */
interface LiveInterface {
  sameKey: boolean;
  up: boolean;
  port: string;
  mtu: string;
  addresses: string[];
  /** Allowed IPs by public key. */
  peers: Map<string, string[]>;
  /** Public keys of those that have a preshared key too; which one is not told. */
  preshared: string[];
  /** Of its own UDP packets, as wg shows it: `0x1`, `off`. */
  mark: string;
  /** Destinations routed into wg0. */
  routes: string[];
}

// The first column of dump's first line is the private key, the second of the others a preshared one: they do not leave
// the host. The shell itself
// takes the lines apart: each program more is a millisecond on each host.
const PROBE = `
[ -d /sys/class/net/wg0 ] && command -v wg >/dev/null || exit 0
set -f
tab='\t'
lines='
'
same() {
  # Where the file is lost, the interface's key is kept and becomes the file's.
  [ -s ${SERVER_KEY} ] || { [ "$2" != '(none)' ]; return; }
  # One line and nothing behind it, the same key: wg need not be asked.
  { IFS= read -r own && ! IFS= read -r more && [ -z "$more" ] && [ "$own" = "$1" ] && [ "$2" != '(none)' ]; } <${SERVER_KEY} ||
    [ "$(wg pubkey <${SERVER_KEY})" = "$2" ]
}
first=yes
IFS=$lines
for line in $(wg show wg0 dump); do
  IFS=$tab
  set -- $line
  if [ $first ]; then
    same "$1" "$2" && echo 'key same'
    echo "port $3"; echo "mark $4"
  else
    echo "peer $1 $4"
    [ "$2" = '(none)' ] || echo "preshared $1"
  fi
  first=
done
IFS=$lines
for line in $(ip address show dev wg0); do
  IFS=' '
  set -- $line
  case $line in
    *' inet '*) echo "address $2" ;;
    *' inet6 '*' scope global'*) echo "address $2" ;;
    *' mtu '*)
      flags=\${3#?}
      case ,\${flags%?}, in *,UP,*) echo up ;; esac
      mtu=\${line#* mtu }
      echo "mtu \${mtu%% *}" ;;
  esac
done
IFS=$lines
for line in $(ip -4 route show dev wg0); do echo "route \${line%% *}"; done
for line in $(ip -6 route show dev wg0 2>/dev/null); do
  case $line in *' proto kernel'*) ;; *) echo "route \${line%% *}" ;; esac
done
echo present`;

/** `1.2.3.4` and `1.2.3.4/32` are one address, and tools print either. */
const withLength = (address: string): string =>
  address.includes('/') ? address : `${address}/${isIPv6(address) ? 128 : 32}`;

function read(seen: string): LiveInterface | undefined {
  const live: LiveInterface = {
    sameKey: false,
    up: false,
    port: '',
    mtu: '',
    addresses: [],
    peers: new Map(),
    preshared: [],
    mark: 'off',
    routes: [],
  };
  let present = false;
  for (const [word, first = '', second = ''] of seen.split('\n').map((line) => line.split(' '))) {
    if (word === 'present') present = true;
    if (word === 'key') live.sameKey = true;
    if (word === 'up') live.up = true;
    if (word === 'port') live.port = first;
    if (word === 'mark') live.mark = first;
    if (word === 'preshared') live.preshared.push(first);
    if (word === 'mtu') live.mtu = first;
    if (word === 'address') live.addresses.push(withLength(first));
    if (word === 'route') live.routes.push(withLength(first));
    if (word === 'peer') live.peers.set(first, second === '(none)' ? [] : second.split(','));
  }
  return present ? live : undefined;
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
    const live = read(seen);
    // Not running: the service task starts it from the file, and it is right then.
    if (live === undefined) return { changes: [] };
    const [first, ...rest] = changesOf(live, wish);
    // One picture of all of them.
    return { changes: first === undefined ? [] : [{ ...first, diff: diffOf(live, wish) }, ...rest] };
  },
});
