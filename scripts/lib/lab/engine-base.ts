/** What the base image of client/Dockerfile is made of, where no image registry is asked; nothing here runs anything. */
import { createHash } from 'node:crypto';
import { Fault } from '../cli.ts';

/** npm's major version in the image; Node 24's own. */
export const NPM = '11';

export interface Base {
  /** `node:24-trixie-slim`. */
  tag: string;
  /** Node's major version, and Debian's name. */
  node: string;
  suite: string;
}

/** The image that a Dockerfile begins with. */
export function baseIn(dockerfile: string, at: string): Base {
  const tag = /^FROM\s+(?:--\S+\s+)*(\S+)/im.exec(dockerfile)?.[1] ?? 'nothing';
  const [, node, suite] = /^node:(\d+)-([a-z]+)-slim$/.exec(tag) ?? [];
  if (node !== undefined && suite !== undefined) return { tag, node, suite };
  throw new Fault({
    at,
    what: `it begins with \`FROM ${tag}\`; the lab can make node:MAJOR-SUITE-slim only, as node:24-trixie-slim`,
  });
}

/** What of this computer's npm settings the image needs to reach the same packages. */
export interface NpmSettings {
  registry: string;
  /** The text of `cafile`; undefined where none is set. */
  certificates: string | undefined;
}

const CERTIFICATES = '/usr/local/share/ca-certificates/npm-cafile.crt';

/** The entry point of the image's namesake: what is no command is for node. */
const ENTRY = `#!/bin/sh
set -e
if [ "\${1#-}" != "\${1}" ] || [ -z "$(command -v "\${1}")" ] || { [ -f "\${1}" ] && ! [ -x "\${1}" ]; }; then
  set -- node "$@"
fi
exec "$@"
`;

const CLEAN =
  'rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true';

/** Files of the image, beside Debian's and Node's own: as in Debian's image, and this computer's npm settings. */
export const filesOf = ({
  registry,
  certificates,
}: NpmSettings): { path: string; text: string; mode: number }[] => [
  { path: '/usr/local/bin/docker-entrypoint.sh', text: ENTRY, mode: 0o755 },
  { path: '/usr/sbin/policy-rc.d', text: '#!/bin/sh\nexit 101\n', mode: 0o755 },
  {
    path: '/etc/apt/apt.conf.d/docker-clean',
    text: [
      `DPkg::Post-Invoke { "${CLEAN}"; };`,
      `APT::Update::Post-Invoke { "${CLEAN}"; };`,
      'Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";',
      'Acquire::GzipIndexes "true";',
      'Apt::AutoRemove::SuggestsImportant "false";',
      '',
    ].join('\n'),
    mode: 0o644,
  },
  {
    path: '/usr/local/etc/npmrc',
    text: `registry=${registry}\n${certificates === undefined ? '' : `cafile=${CERTIFICATES}\n`}`,
    mode: 0o644,
  },
  ...(certificates === undefined ? [] : [{ path: CERTIFICATES, text: certificates, mode: 0o644 }]),
];

/** mmdebstrap's command line for the Debian below it: minimal, without manuals and translations. */
export const debianWords = (suite: string, tree: string, mirror: string): string[] => [
  ...['mmdebstrap', '--mode=root', '--variant=minbase', '--dpkgopt=force-unsafe-io'],
  ...['doc', 'groff', 'info', 'linda', 'lintian', 'locale', 'man'].map(
    (folder) => `--dpkgopt=path-exclude=/usr/share/${folder}/*`,
  ),
  ...['doc/*/copyright', 'locale/locale.alias'].map((path) => `--dpkgopt=path-include=/usr/share/${path}`),
  '--aptopt=Acquire::Languages "none"',
  ...[suite, tree, mirror],
];

/** Runs in the folder with the tree: Node and npm into /usr/local, the user that the image's namesake has. */
export const INSTALL = `set -eu
node=$1 npm=$2 local=tree/usr/local
tar -xzf "$node" -C $local --strip-components=1 --no-same-owner
mkdir -p $local/lib/node_modules/npm $local/etc
tar -xzf "$npm" -C $local/lib/node_modules/npm --strip-components=1 --no-same-owner
chmod 755 $local/bin/node $local/lib/node_modules/npm/bin/*-cli.js
ln -s node $local/bin/nodejs
for name in npm npx; do ln -s ../lib/node_modules/npm/bin/$name-cli.js $local/bin/$name; done
chroot tree groupadd --gid 1000 node
chroot tree useradd --uid 1000 --gid node --shell /bin/bash --create-home node
rm -f $local/package.json tree/etc/hostname tree/etc/resolv.conf`;

/** Packs the tree; this computer's devices are no part of an image. */
export const PACK = "tar -C tree --numeric-owner --exclude='./dev/*' -cf base.tar .";

const RECIPE = 'comps.recipe';

/** Names what an image was made of; a base image with another one is made anew. */
export const recipeOf = (base: Base, settings: NpmSettings): string =>
  createHash('sha256')
    .update(JSON.stringify([base, NPM, filesOf(settings), debianWords(base.suite, '', ''), INSTALL, PACK]))
    .digest('hex')
    .slice(0, 12);

/** For `docker image inspect`: the recipe of an image. */
export const RECIPE_FORMAT = `{{index .Config.Labels "${RECIPE}"}}`;

/** `docker import`'s words for the packed tree. */
export function importWords(tag: string, version: string, recipe: string, settings: NpmSettings): string[] {
  const changes = [
    'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    `ENV NODE_VERSION=${version}`,
    ...(settings.certificates === undefined ? [] : [`ENV NODE_EXTRA_CA_CERTS=${CERTIFICATES}`]),
    'ENTRYPOINT ["docker-entrypoint.sh"]',
    'CMD ["node"]',
    `LABEL ${RECIPE}=${recipe}`,
  ];
  return ['import', ...changes.flatMap((change) => ['--change', change]), 'base.tar', tag];
}
