import { EXIT, Fault } from '../cli.ts';
import type { Gather } from '../runner/task.ts';

/** What a server is, as far as the tasks ask. */
export interface HostFacts {
  /** The interface that its IPv4 default route leaves by. */
  egress: string;
  /** The interface of its IPv6 default route, if it has one and a global address there. */
  egress6?: string | undefined;
  /** Whether the kernel takes that route from routers' advertisements: `0` no, `1` unless it forwards, `2` always. */
  acceptRa?: string | undefined;
  /** Whether its kernel has WireGuard; otherwise wireguard-go does it. */
  kernelWireguard: boolean;
}

const PROBE = `
. /etc/os-release; echo "os=$ID \${VERSION_ID:-}"
echo "uid=$(id -u)"
command -v apt-get >/dev/null && echo apt=yes
[ -d /run/systemd/system ] && echo systemd=yes
echo "egress=$(ip -4 route show default | sed -n 's/.* dev \\([^ ]*\\).*/\\1/p' | head -n 1)"
six=$(ip -6 route show default 2>/dev/null | sed -n '/^unreachable/d; s/.* dev \\([^ ]*\\).*/\\1/p' | head -n 1)
if [ -n "$six" ] && [ -n "$(ip -6 -o address show dev "$six" scope global)" ]; then
  echo "egress6=$six"
  echo "accept_ra=$(cat "/proc/sys/net/ipv6/conf/$six/accept_ra")"
fi
if [ -d /sys/module/wireguard ] || modprobe -n -q wireguard 2>/dev/null; then echo wireguard=yes; fi
`;

const refuse = (what: string, next: string): Fault => new Fault({ what, next, code: EXIT.failed });

/** Refuses a host on which the tasks cannot work, before anything is changed there. */
export const hostFacts: Gather<HostFacts> = {
  probe: PROBE,
  read: (seen) => {
    const said = new Map(
      seen.split('\n').map((line) => [line.split('=')[0] ?? '', line.slice(line.indexOf('=') + 1)]),
    );
    const os = (said.get('os') ?? '').trim();
    if (said.get('uid') !== '0')
      throw refuse(
        'the login is not root, and changes need root',
        'set ansible_user=root for this host in hosts.ini',
      );
    if (said.get('apt') !== 'yes')
      throw refuse(`this system (${os}) has no apt-get`, 'use Debian or Ubuntu there');
    if (said.get('systemd') !== 'yes')
      throw refuse(`this system (${os}) does not run systemd`, 'use Debian or Ubuntu there');
    const egress = said.get('egress') ?? '';
    // An interface's name goes into rules, so nothing odd may be in it.
    const isName = (name: string): boolean => /^[\w.@-]{1,15}$/.test(name);
    if (!isName(egress))
      throw refuse(
        'it has no IPv4 default route, so no way to the Internet',
        'see `ip -4 route` on that host',
      );
    const egress6 = said.get('egress6') ?? '';
    return {
      egress,
      ...(isName(egress6) ? { egress6, acceptRa: said.get('accept_ra') } : {}),
      kernelWireguard: said.get('wireguard') === 'yes',
    };
  },
};
