import { EXIT, Fault } from '../cli.ts';
import type { Gather } from '../runner/task.ts';
import { judgeSystem, TRIED_TEXT } from './system.ts';

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
  /** Its system, where nobody has tried that one: `Debian GNU/Linux 11 (bullseye)`. */
  untried?: string | undefined;
  /** Seconds that its clock is before this computer's; negative: behind. */
  ahead?: number | undefined;
}

// The shell itself takes words out of what it reads: each program more is a millisecond on each host.
const PROBE = `
# The interface of the first of these routes that names one.
first_device() {
  IFS='
'
  for route in $1; do
    case $route in
      unreachable*) ;;
      *' dev '*) device=\${route##* dev }; echo "\${device%% *}"; break ;;
    esac
  done
}
if [ -r /etc/os-release ]; then . /etc/os-release; fi
echo "id=\${ID:-}"; echo "like=\${ID_LIKE:-}"; echo "version=\${VERSION_ID:-}"
echo "os=\${PRETTY_NAME:-\${ID:-$(uname -s)}}"
echo "uid=$(id -u)"
command -v apt-get >/dev/null && echo apt=yes
[ -d /run/systemd/system ] && echo systemd=yes
echo "egress=$(first_device "$(ip -4 route show default)")"
six=$(first_device "$(ip -6 route show default 2>/dev/null)")
if [ -n "$six" ] && [ -n "$(ip -6 -o address show dev "$six" scope global)" ]; then
  echo "egress6=$six"
  echo "accept_ra=$(cat "/proc/sys/net/ipv6/conf/$six/accept_ra")"
fi
read -r release </proc/sys/kernel/osrelease
if [ -d /sys/module/wireguard ] || { [ -d "/lib/modules/$release" ] && modprobe -n -q wireguard 2>/dev/null; }; then echo wireguard=yes; fi
echo "clock=$(date +%s)"
`;

const refuse = (what: string, next: string): Fault => new Fault({ what, next, code: EXIT.failed });

/** Refuses a host on which the tasks cannot work, before anything is changed there. */
export const hostFacts: Gather<HostFacts> = {
  probe: PROBE,
  read: (seen) => {
    const said = new Map(
      seen.split('\n').map((line) => [line.split('=')[0] ?? '', line.slice(line.indexOf('=') + 1)]),
    );
    const word = (key: string): string => (said.get(key) ?? '').trim();
    const os = word('os') || 'this system';
    if (word('uid') !== '0')
      throw refuse(
        'the login is not root, and changes need root',
        'set ansible_user=root for this host in hosts.ini, or a user who may use sudo',
      );
    const verdict = judgeSystem({ id: word('id'), like: word('like'), version: word('version') });
    if (verdict === 'foreign')
      throw refuse(`its system is ${os}, and set-up knows only Debian's kind`, `use ${TRIED_TEXT} there`);
    if (word('apt') !== 'yes') throw refuse(`its system (${os}) has no apt-get`, `use ${TRIED_TEXT} there`);
    if (word('systemd') !== 'yes')
      throw refuse(
        `its system (${os}) does not run systemd`,
        `use ${TRIED_TEXT} there, as a machine or virtual machine`,
      );
    const egress = word('egress');
    // An interface's name goes into rules, so nothing odd may be in it.
    const isName = (name: string): boolean => /^[\w.@-]{1,15}$/.test(name);
    if (!isName(egress))
      throw refuse(
        'it has no IPv4 default route, so no way to the Internet',
        'see `ip -4 route` on that host',
      );
    const egress6 = word('egress6');
    const clock = word('clock');
    return {
      egress,
      ...(isName(egress6) ? { egress6, acceptRa: word('accept_ra') } : {}),
      kernelWireguard: word('wireguard') === 'yes',
      ...(verdict === 'untried' ? { untried: os } : {}),
      ...(/^\d+$/.test(clock) ? { ahead: Number(clock) - Math.round(Date.now() / 1000) } : {}),
    };
  },
};
