/** A server's running wg0: how it is asked, and how the answer is read. */
import { isIPv6 } from 'node:net';
import { SERVER_KEY } from './key-pair.ts';

/** The running wg0, as the probe found it; the private key is compared on the host and not told. */
export interface LiveInterface {
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
export const PROBE = `
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
export const withLength = (address: string): string =>
  address.includes('/') ? address : `${address}/${isIPv6(address) ? 128 : 32}`;

/** Reads what {@link PROBE} printed; undefined where there is no wg0. */
export function readLive(seen: string): LiveInterface | undefined {
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
