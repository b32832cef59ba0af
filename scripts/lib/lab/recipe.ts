/** What the lab's image is made of. Its hash names the image, so a changed recipe is a new image. */
import { createHash } from 'node:crypto';
import { RESOLVER } from './roles.ts';

const SUITE = 'trixie';
/** Of droplets with Python: the newest Python that Ansible and Mitogen of Debian 12 can work with. */
const PYTHON_SUITE = 'bookworm';

/** A small cloud droplet as it is handed over: systemd, SSH, no Python. */
const DROPLET = ['systemd-sysv', 'openssh-server', 'iproute2', 'procps', 'kmod', 'iputils-ping', 'sudo'];

/** What a droplet must install before it can be a proxy; `bare` has it as packages only. */
export const WIREGUARD = ['wireguard-tools', 'wireguard-go', 'nftables'];

/** The client, and the far end of the network. */
const WORLD = [
  ...WIREGUARD,
  ...['iproute2', 'procps', 'iputils-ping', 'tcpdump', 'curl', 'openssl', 'less', 'bind9-dnsutils'],
  ...['nodejs', 'nginx-light', 'dnsmasq-base'],
  // HTTP/3 that follows a client whose address moves, and a second client beside Chromium (curl has HTTP/3 too). The server
  // reads /etc/mime.types.
  ...['ngtcp2-server', 'ngtcp2-client', 'media-types'],
];

/** What a client that drives Chromium has in addition; Debian's own package keeps the sandbox. */
const BROWSER = ['chromium', 'fonts-dejavu-core', 'passwd'];

/** Where a droplet's own package folder is. */
export const POOL = '/opt/packages';

// Runs while the system is made: WireGuard's packages, and what they need that is not there yet.
const FETCH_POOL = [
  'export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"',
  'apt-get clean',
  `apt-get install --download-only --no-install-recommends --yes ${WIREGUARD.join(' ')}`,
  `mkdir -p "$1${POOL}"`,
  `mv "$1"/var/cache/apt/archives/*.deb "$1${POOL}/"`,
].join(' && ');

const LINK_NPM =
  'ln -s /opt/npm/bin/npm-cli.js "$1/usr/local/bin/npm" && ln -s /opt/npm/bin/npx-cli.js "$1/usr/local/bin/npx"';

// Chromium never runs as root: it would have no sandbox. The same user as in client/Dockerfile.
const ADD_USER = 'chroot "$1" useradd --create-home --shell /usr/sbin/nologin browser';

/** What Ansible needs on a droplet, for those who compare with it; WireGuard's packages are there. */
const PYTHON = [...DROPLET, ...WIREGUARD, 'python3', 'python3-apt'];

interface System {
  packages: string[];
  hook: string;
  suite?: string;
}

const SYSTEMS = {
  bare: { packages: DROPLET, hook: FETCH_POOL },
  world: { packages: WORLD, hook: LINK_NPM },
  browser: { packages: [...WORLD, ...BROWSER], hook: `${LINK_NPM} && ${ADD_USER}` },
  python: { packages: PYTHON, hook: 'true', suite: PYTHON_SUITE },
} satisfies Record<string, System>;

/** A system made from packages. */
export type SystemName = keyof typeof SYSTEMS;

/** Files written into every system. */
export const FILES: Record<string, string> = {
  // Empty: each boot makes its own.
  '/etc/machine-id': '',
  '/etc/resolv.conf': `nameserver ${RESOLVER}\n`,
  // Masked: nobody logs in on a console or is asked for a password there, and each costs of the kernel's 128 inotify instances.
  '/etc/systemd/system/console-getty.service': '',
  '/etc/systemd/system/getty@.service': '',
  '/etc/systemd/system/systemd-ask-password-console.path': '',
  '/etc/systemd/system/systemd-ask-password-wall.path': '',
  '/etc/apt/sources.list': `deb [trusted=yes] file:${POOL} ./\n`,
};

/** Paths removed from every system: what all machines would share, what names this computer, what wakes by itself. */
export const REMOVED = [
  '/etc/hostname',
  ...['apt-daily', 'apt-daily-upgrade'].map(
    (name) => `/etc/systemd/system/timers.target.wants/${name}.timer`,
  ),
  ...['rsa', 'ecdsa', 'ed25519'].flatMap((kind) => [
    `/etc/ssh/ssh_host_${kind}_key`,
    `/etc/ssh/ssh_host_${kind}_key.pub`,
  ]),
];

/** mmdebstrap's command line for one system. */
export function debianWords(name: SystemName, tree: string, mirror: string): string[] {
  const { packages, hook, suite = SUITE }: System = SYSTEMS[name];
  const without = ['doc', 'man', 'locale', 'info'].map(
    (folder) => `--dpkgopt=path-exclude=/usr/share/${folder}/*`,
  );
  return [
    'mmdebstrap',
    ...['--mode=root', '--variant=apt', `--include=${packages.join(',')}`],
    ...without,
    '--aptopt=Acquire::Languages "none"',
    `--customize-hook=${hook}`,
    ...[suite, tree, mirror],
  ];
}

const hashOf = (recipe: unknown): string =>
  createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 12);

/** The image's name. */
export const recipeHash = (): string =>
  hashOf([debianWords('bare', '', ''), debianWords('world', '', ''), FILES, REMOVED]);

/** The name of the system with Chromium, which stands beside the image. */
export const browserHash = (): string =>
  `browser-${hashOf([debianWords('browser', '', ''), FILES, REMOVED])}`;

/** The name of the system with Python. */
export const pythonHash = (): string => `python-${hashOf([debianWords('python', '', ''), FILES, REMOVED])}`;
