/** The command lines that start the lab's machines; nothing here runs anything. */
import { basename, join } from 'node:path';
import { FIRST_BOOT } from './droplet-boot.ts';
import { folderOf } from './droplet-record.ts';
import { H3_LISTENS, h3ServerLine } from './h3-server.ts';
import { nameOf, type Place } from './place.ts';
import { type CloudRole, isDroplet, isOfCloud, type Role } from './roles.ts';
import { resolverWords } from './sites.ts';

/** systemd-nspawn's environment: /proc/sys/net can be written, many machines share one read-only tree. */
export const NSPAWN_ENVIRONMENT = { SYSTEMD_NSPAWN_API_VFS_WRITABLE: 'network', SYSTEMD_NSPAWN_LOCK: '0' };

export interface MachineParts {
  /** The folder with the file system that the machine starts from; its writes stay in memory. */
  tree: string;
  /** npm's own folder on this computer. */
  npm: string;
  /** The tree has Chromium. */
  browser: boolean;
  /** The lab has IPv6. */
  ipv6?: boolean;
  hostname: string;
}

const escaped = (path: string): string => path.replaceAll('\\', '\\\\').replaceAll(':', '\\:');
const readOnly = (path: string, inside: string): string => `--bind-ro=${escaped(path)}:${inside}`;

const HOST_KEY = '/etc/ssh/ssh_host_ed25519_key';
const AUTHORIZED_KEYS = '/root/.ssh/authorized_keys';

/** Read by systemd itself as it comes up, so all of it is there before SSH answers. */
function credentialWords(place: Place, role: CloudRole): string[] {
  const load = (id: string, file: string): string =>
    `--load-credential=${id}:${join(folderOf(place, role), file)}`;
  return [
    load(`systemd.extra-unit.${FIRST_BOOT}`, FIRST_BOOT),
    load('systemd.unit-dropin.sysinit.target', 'wants.conf'),
  ];
}

// Boot messages go to the log.
const dropletWords = (place: Place, role: Role): string[] => [
  '--boot',
  '--console=read-only',
  ...(isOfCloud(role)
    ? [
        readOnly(join(folderOf(place, role), 'host_key'), HOST_KEY),
        // No credential: now and then systemd makes no file of that one.
        readOnly(join(folderOf(place, role), 'authorized_keys'), AUTHORIZED_KEYS),
        ...credentialWords(place, role),
      ]
    : [readOnly(join(place.directory, 'keys', role), HOST_KEY)]),
];

/** What the machine's own starter runs in. A droplet's is in the droplet's namespace, as its cloud's may end any time. */
const starterWords = (place: Place, role: Role): string[] =>
  isOfCloud(role) ? ['nsenter', `--net=/run/netns/${nameOf(place, role)}`] : [];

/** Chromium's policies, each a file of its own: the container's, and that it trusts the lab's sites. */
const policyWords = (place: Place): string[] =>
  [join(place.project, 'client', 'policies', 'comps.json'), join(place.directory, 'site-ca.json')].map(
    (path) => readOnly(path, `/etc/chromium/policies/managed/${basename(path)}`),
  );

const clientWords = (place: Place, { npm, browser }: MachineParts): string[] => [
  readOnly(join(place.project, 'client', 'scripts'), '/comps'),
  readOnly(join(place.project, 'node_modules'), '/node_modules'),
  readOnly(join(place.project, '.npmrc'), '/.npmrc'),
  readOnly(npm, '/opt/npm'),
  readOnly(place.clientDirectory, '/etc/wireguard'),
  // As in the container: runs that are collected there outlive the machine, and are this computer's files.
  `--bind=${escaped(join(place.directory, 'runs'))}:/runs`,
  // By this curl trusts the lab's sites.
  readOnly(join(place.directory, 'site-ca.pem'), '/etc/ssl/certs/ca-certificates.crt'),
  ...(browser ? policyWords(place) : []),
  '--console=pipe',
  '--as-pid2',
  'sleep',
  'infinity',
];

/** Web sites, by TCP and by HTTP/3, and resolver in one machine; if one of them ends, the machine does. */
function inetWords(place: Place, { ipv6 }: MachineParts): string[] {
  return [
    `--bind=${escaped(join(place.directory, 'site'))}:/site`,
    '--console=pipe',
    '--as-pid2',
    'bash',
    '-c',
    `${h3ServerLine()} & ${H3_LISTENS}; nginx -c /site/nginx.conf & ${resolverWords(ipv6).join(' ')} & wait -n`,
  ];
}

/** The command that starts a role's machine. */
export function machineWords(place: Place, role: Role, parts: MachineParts): string[] {
  return [
    ...starterWords(place, role),
    'systemd-nspawn',
    '-q',
    `--directory=${parts.tree}`,
    '--volatile=overlay',
    `--machine=${nameOf(place, role)}`,
    `--hostname=${parts.hostname}`,
    `--network-namespace-path=/run/netns/${nameOf(place, role)}`,
    '--capability=CAP_NET_ADMIN',
    '--bind=/dev/net/tun',
    '--register=no',
    '--keep-unit',
    '--resolv-conf=off',
    '--timezone=off',
    '--link-journal=no',
    ...(isDroplet(role)
      ? dropletWords(place, role)
      : role === 'inet'
        ? inetWords(place, parts)
        : clientWords(place, parts)),
  ];
}

/** The environment that a command inside a machine gets, in place of this computer's. */
const INSIDE = [
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  'HOME=/root',
  'LANG=C.UTF-8',
  // As in the container: else npx asks the registry for news, in the midst of a measurement.
  'npm_config_update_notifier=false',
];

/**
 * The command that runs `words` inside the machine with this leader. It ends (SIGTERM) when its starter
 * does, and reacts to Ctrl-C by itself.
 */
export const insideWords = (leader: number, words: readonly string[], terminal = 'dumb'): string[] => [
  ...['sh', '-c', 'trap "" INT; exec "$@"', 'sh', 'nsenter', '-t', String(leader), '-a'],
  ...['setpriv', '--pdeathsig', 'TERM', 'env', '-i', '--default-signal=INT', ...INSIDE, `TERM=${terminal}`],
  ...words,
];
