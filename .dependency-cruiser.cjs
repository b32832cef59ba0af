/** Imports only run downward, never in a circle, and each kind of effect has one door. */
const lib = (names) => `^scripts/lib/(${names})`;
const BASE =
  'cli\\.ts|ask\\.ts|files(/|\\.ts)|shell\\.ts|template\\.ts|progress\\.ts|text\\.ts|lock\\.ts|poll\\.ts|trace-schema\\.ts|config|inventory';

const only = (name, comment, path, from) => ({
  name,
  comment,
  severity: 'error',
  from: { path: '^(scripts|client/scripts)/', pathNot: from },
  to: { path, dependencyTypesNot: ['type-only'] },
});

module.exports = {
  forbidden: [
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    // What a bench runs inside the client finds the client's scripts where they are there.
    {
      name: 'no-unknown',
      severity: 'error',
      from: { pathNot: '^bench/.*\\.mjs$' },
      to: { couldNotResolve: true },
    },
    {
      name: 'commands-are-the-top',
      comment: 'A command is never imported.',
      severity: 'error',
      from: {},
      to: { path: '^(scripts|client/scripts)/[^/]+\\.ts$' },
    },
    {
      name: 'domains-do-not-meet',
      comment: 'wireguard, digitalocean, lab, tasks, dataset and report meet in a step or a command.',
      severity: 'error',
      from: { path: '^scripts/lib/(wireguard|digitalocean|lab|tasks|dataset|report)/' },
      to: {
        path: '^scripts/lib/(wireguard|digitalocean|lab|tasks|dataset|report)/',
        pathNot: '^scripts/lib/$1/',
      },
    },
    {
      name: 'wg-migrate-is-above',
      comment: 'It is made of domains, and none of them knows it.',
      severity: 'error',
      from: { path: '^scripts/lib/', pathNot: lib('wg-migrate/') },
      to: { path: lib('wg-migrate/') },
    },
    {
      name: 'steps-are-above',
      comment: 'Steps are made of domains, and only commands know them; wg-migrate is beside them.',
      severity: 'error',
      from: { path: '^scripts/lib/', pathNot: lib('steps/') },
      to: { path: lib('steps/') },
    },
    {
      name: 'runner-knows-no-domain',
      severity: 'error',
      from: { path: lib('runner/|transport/') },
      to: { path: '^scripts/', pathNot: lib(`runner/|transport/|${BASE}`) },
    },
    {
      name: 'tls-knows-no-domain',
      severity: 'error',
      from: { path: lib('tls/') },
      to: { path: '^scripts/', pathNot: lib(`tls/|transport/|${BASE}`) },
    },
    {
      name: 'base-knows-nothing-above',
      severity: 'error',
      from: { path: lib(BASE) },
      to: { path: '^scripts/', pathNot: lib(BASE) },
    },
    {
      name: 'client-stands-alone',
      comment: 'Only client/scripts is mounted in the client.',
      severity: 'error',
      from: { path: '^client/scripts/' },
      to: { path: '^(scripts|tests|bench)/' },
    },
    {
      name: 'nothing-imports-tests',
      severity: 'error',
      from: { path: '^(scripts|client/scripts)/' },
      to: { path: '^(tests|bench)/' },
    },
    only(
      'door-files',
      'The file system is files.ts and files/.',
      '^(node:)?fs(/promises)?$',
      '^(scripts/lib/files(/|\\.ts)|client/scripts/lib/(files|folders)\\.ts)',
    ),
    only(
      'door-processes',
      'Processes are local.ts (and the spinner).',
      '^((node:)?child_process$|node_modules/zx/)',
      '^(scripts/lib/(transport/local|progress)|client/scripts/lib/(ip|process))\\.ts',
    ),
    only('door-questions', 'A person is asked by ask.ts.', '^(node:)?readline(/promises)?$', lib('ask\\.ts')),
    only('door-ssh', 'ssh2 is transport/.', 'node_modules/ssh2/', lib('transport/')),
    only(
      'door-cloud',
      "DigitalOcean's API is digitalocean/.",
      'node_modules/dots-wrapper/',
      lib('digitalocean/'),
    ),
    only(
      'door-yaml',
      "YAML is config, and a droplet's user data.",
      'node_modules/yaml/',
      lib('config|lab/cloud/user-data\\.ts'),
    ),
    only(
      'door-openapi',
      'The official document is held against by document.ts, in tests.',
      'node_modules/openapi-backend/',
      lib('lab/cloud/document\\.ts'),
    ),
    only('door-ini', 'INI is the inventory.', 'node_modules/ini/', lib('inventory')),
    only(
      'door-browsers',
      'A browser of the demo is webdriver.ts, one of a visit collect/browser.ts.',
      'node_modules/(selenium-webdriver|playwright-core)/',
      '^client/scripts/lib/(webdriver|collect/browser)\\.ts',
    ),
    only(
      'door-archives',
      'Zip and Parquet are dataset/.',
      'node_modules/(yazl|hyparquet-writer)/',
      lib('dataset/'),
    ),
    only('door-mustache', 'Templates are template.ts.', 'node_modules/mustache/', lib('template\\.ts')),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.cjs', '.mjs', '.json'] },
  },
};
