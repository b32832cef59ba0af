/** provision.ts, main.ts and teardown.ts as their users call them, against a local API in this process. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Droplet } from '../scripts/lib/config.ts';
import { type ProvisionOptions, provision } from '../scripts/lib/steps/provisioning.ts';
import { type TearDownOptions, tearDown } from '../scripts/lib/steps/tearing-down.ts';
import { bundleOf } from './bundle.ts';
import { startCloud, type TestCloud, TOKEN } from './cloud-fixture.ts';
import { type Heard, hear } from './in-process.ts';

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
  /** Both, for messages. */
  said: string;
}

export interface Running {
  kill(signal: NodeJS.Signals): void;
  ended: Promise<Ended>;
}

export interface Provisioner extends TestCloud {
  file(name: string): string;
  read(name: string): string;
  /** Writes config.cfg with these droplets, and lines more. */
  configure(lists: { vpns?: Partial<Droplet>[]; comps?: Partial<Droplet>[] }, ...lines: string[]): void;
  /** The step of provision.ts, in this process. */
  provision(more?: Partial<ProvisionOptions>): Promise<Heard>;
  /** The step of `teardown.ts --yes`, in this process. */
  tearDown(more?: Partial<TearDownOptions>): Promise<Heard>;
  /** Adds lines to config.cfg in place of those with the same keys. */
  settings(...lines: string[]): void;
  start(script: string, ...flags: string[]): Running;
  run(script: string, ...flags: string[]): Promise<Ended>;
  /** Names of the droplets that the account has, sorted. */
  names(): string[];
  /** Asserts that hosts.ini has exactly the droplets of these names, each with the address that it has. */
  requireTrue(...names: string[]): void;
  /** hosts.ini's own lines, by section: `wgnet1 ansible_host=…`. */
  lines(): string[];
}

export const VPNS = [
  { name: 'wgnet1', region: 'nyc1' },
  { name: 'wgnet2', region: 'sfo3' },
];
export const COMPS = [{ name: 'comp1', region: 'ams3' }];

const SETTINGS = [
  ...['token: $DO_TOKEN', 'wait_timeout: 60'],
  ...['wireguard_subnet: 10.45.0', 'wireguard_gateway_address: 10.45.0.2/32'],
];

/** How commands of this process know the account, as config.cfg says `$DO_TOKEN`. */
process.env.DO_TOKEN = TOKEN;
delete process.env.SSH_AUTH_SOCK;

/** Everything that could lead a command to this computer's own account, keys or agent is left out. */
const environmentOf = ({ url, token, folder }: TestCloud): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: folder,
  DO_TOKEN: token,
  DIGITALOCEAN_API_URL: url,
  NO_COLOR: '1',
});

/** What Node is to run: provision.ts and teardown.ts as one file each. */
const programOf = (script: string): string[] =>
  script === 'main' ? ['--import=tsx', `scripts/${script}.ts`] : bundleOf(script);

/** An API with a folder for one user of it: hosts.ini with empty groups, config.cfg with three droplets. */
export async function startProvisioner(...options: Parameters<typeof startCloud>): Promise<Provisioner> {
  const cloud = await startCloud(...options);
  const file = (name: string): string => join(cloud.folder, name);
  const read = (name: string): string => (existsSync(file(name)) ? readFileSync(file(name), 'utf8') : '');
  const secrets = [cloud.token, ...cloud.key.privateKey.split('\n').filter((line) => line.length > 40)];

  const secret = (text: string): void => {
    for (const one of secrets) assert.ok(!text.includes(one), `a secret in the output:\n${text}`);
  };

  const start: Provisioner['start'] = (script, ...flags) => {
    const words = [...programOf(script), '-i', file('hosts.ini'), '-c', file('config.cfg')];
    const child = spawn('node', [...words, ...flags], {
      env: environmentOf(cloud),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        said[stream] += text;
      });
    const ended = new Promise<Ended>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        const both = said.stdout + said.stderr;
        secret(both);
        resolve({ code, ...said, said: both });
      });
    });
    return { kill: (signal) => void child.kill(signal), ended };
  };

  const files = { inventory: file('hosts.ini'), config: file('config.cfg'), apiUrl: cloud.url };
  const provisioner: Provisioner = {
    ...cloud,
    file,
    read,
    start,
    provision: (more = {}) =>
      hear(
        async () => (await provision({ ...files, check: false, acceptNew: false, timeout: 5, ...more })).code,
        secret,
      ),
    tearDown: (more = {}) => hear(() => tearDown({ ...files, check: false, yes: true, ...more }), secret),
    run: (script, ...flags) => start(script, ...flags).ended,
    configure: ({ vpns = [], comps = [] }, ...lines) => {
      const list = (name: string, entries: Partial<Droplet>[]): string =>
        `${name}: ${JSON.stringify(entries)}`;
      writeFileSync(
        file('config.cfg'),
        `${[...SETTINGS, `ssh_key_id: ${cloud.key.id}`, list('vpns', vpns), list('comps', comps), ...lines].join('\n')}\n`,
      );
    },
    requireTrue: (...names) => {
      const address = (name: string) => cloud.cloud.droplets().find((one) => one.name === name)?.publicIp;
      const expected = names.map((name) => `${name} ansible_host=${address(name)}`);
      assert.deepEqual(provisioner.lines().sort(), expected.sort());
    },
    settings: (...lines) => {
      const keys = lines.map((line) => line.split(':')[0] ?? '');
      const kept = read('config.cfg')
        .split('\n')
        .filter((line) => !keys.includes(line.split(':')[0] ?? ''));
      writeFileSync(file('config.cfg'), [...lines, ...kept].join('\n'));
    },
    names: () =>
      cloud.cloud
        .droplets()
        .map(({ name }) => name)
        .sort(),
    lines: () =>
      read('hosts.ini')
        .split('\n')
        .filter((line) => / ansible_host=127\.66\./.test(line)),
  };
  provisioner.configure({ vpns: VPNS, comps: COMPS });
  writeFileSync(
    file('hosts.ini'),
    `# mine\n[vpn]\n\n[comp]\n\n[all:vars]\nansible_port=${cloud.machines.port}\nansible_ssh_private_key_file=${cloud.key.file}\n`,
  );
  return provisioner;
}
