/** How the lab's Docker daemons are set up and started; nothing here runs anything. */
import type { Seat } from './engine-place.ts';
import { RESOLVER } from './roles.ts';

/** Which network namespace a daemon runs in: this computer's own, one with nothing in it, or one by name. */
export type Net = 'host' | 'none' | { namespace: string };

/** Overlaps neither the lab's networks nor those of the tunnels (10.45) and the wg-migrate demo (10.210). */
const BRIDGES = {
  bip: '10.201.0.1/24',
  'default-address-pools': [{ base: '10.202.0.0/16', size: 24 }],
  dns: [RESOLVER],
} as const;

/** In this computer's own namespace nothing may touch its interfaces and its firewall. */
const NO_BRIDGES = { bridge: 'none', iptables: false, ip6tables: false, 'ip-forward': false } as const;

/** The text of daemon.json. Nothing of an engine that the user may run is used, read or met. */
export function daemonJson(seat: Seat, data: string, net: Net): string {
  const settings = {
    'data-root': data,
    'exec-root': `${seat.folder}/exec`,
    pidfile: `${seat.folder}/pid`,
    hosts: [`unix://${seat.socket}`],
    'cgroup-parent': seat.cgroup,
    // The same on every computer: with systemd's, cgroup-parent would have to be a slice.
    'exec-opts': ['native.cgroupdriver=cgroupfs'],
    ...(typeof net === 'object' ? BRIDGES : NO_BRIDGES),
  };
  return JSON.stringify(settings, null, 2) + '\n';
}

// Folders of this computer that Docker writes to whatever its settings say; what is written there is gone with it.
const PRIVATE =
  'for folder in /etc/docker /run/containerd; do mkdir -p $folder; mount -t tmpfs none $folder; done';

/** Removes the cgroups below `$0`, which stay when their processes are killed; the kernel may need a moment. */
export const REMOVE_CGROUPS = `for try in $(seq 50); do
  find /sys/fs/cgroup -depth -type d -path "*$0*" -exec rmdir {} \\;
  [ -n "$(find /sys/fs/cgroup -type d -path "*$0*" -print -quit)" ] || break
  sleep 0.1
done 2>/dev/null`;

const enter = (net: Net): string[] => {
  if (net === 'host') return [];
  return net === 'none' ? ['unshare', '--net'] : ['nsenter', `--net=/run/netns/${net.namespace}`];
};

/**
 * The command that runs a daemon. The lock, and with it the data folder, is the daemon's for as long as it lives. To kill
 * any of these processes takes all away: daemon, shims, containers, mounts.
 */
export const daemonWords = (seat: Seat, lock: string, net: Net): string[] => [
  // Stands outside, and cleans up where the daemon is killed.
  ...['sh', '-c', `"$@"; ${REMOVE_CGROUPS}`, seat.cgroup, 'setpriv', '--pdeathsig', 'KILL'],
  ...['flock', '--nonblock', '--close', lock, 'setpriv', '--pdeathsig', 'KILL'],
  ...enter(net),
  ...['unshare', '--pid', '--mount', '--mount-proc', '--fork', '--kill-child'],
  ...['sh', '-c', `${PRIVATE}; exec "$@"`, 'sh'],
  // Process 1, as the shims of containers that end are nobody's children.
  ...['docker-init', '--', 'dockerd', '--config-file', seat.settings],
];

/** Whether a command line is that of a process of this daemon: the daemon, its process 1, or what holds them. */
export function isOfDaemon(commandLine: string, seat: Seat): boolean {
  const words = commandLine.split('\0');
  const at = words.indexOf(seat.settings);
  return at > 0 && words[at - 1] === '--config-file' && words[at - 2] === 'dockerd';
}

/** The name of the daemon that holds a lock, read from a command line; undefined for any other command. */
export function holderIn(commandLine: string, lock: string): string | undefined {
  const words = commandLine.split('\0');
  if (words[0] !== 'flock' || !words.includes(lock)) return undefined;
  return /^\/run\/([^/]+)\/daemon\.json$/.exec(words.findLast((word) => word !== '') ?? '')?.[1];
}
