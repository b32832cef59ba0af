import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parse } from 'yaml';
import { attempt } from '../../scripts/lib/transport/local.ts';
import { planOf, type Wishes } from '../../scripts/lib/wg-migrate/plan.ts';
import { renderDemo, requireOwnFolder } from '../../scripts/lib/wg-migrate/render.ts';
import { goneFrom } from '../../scripts/lib/wg-migrate/texts.ts';
import { publicKeyOf } from '../../scripts/lib/wireguard/key.ts';

const root = mkdtempSync(join(tmpdir(), 'comps-wg-migrate-'));
after(() => rmSync(root, { recursive: true }));
let folders = 0;
const newFolder = (): string => join(root, String(++folders));

const wishes: Wishes = { paths: 2, subnet: '10.210.0.0/16', port: 4444, internet: false };
const render = (directory: string, some: Partial<Wishes> = {}, client = '../client'): Promise<void> =>
  renderDemo(planOf({ ...wishes, ...some }), directory, { client });

/** What is looked at in a docker-compose.yml. */
interface Compose {
  services: Record<string, Record<string, unknown>>;
  networks: Record<string, { internal?: boolean }>;
}
const text = (directory: string, ...names: string[]): string =>
  readFileSync(join(directory, ...names), 'utf8');
const compose = (directory: string): Compose =>
  parse(text(directory, 'docker-compose.yml'), { merge: true }) as Compose;

/** Every file below a folder, by its path. */
const filesIn = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();

const KEY = /^[A-Za-z0-9+/]{43}=$/;
const keyIn = (conf: string, name: string): string =>
  new RegExp(`^${name} = (.*)$`, 'm').exec(conf)?.[1] ?? '';

test('keys fit: each end of a tunnel knows the other’s public key, and the compose file holds none', async () => {
  const directory = newFolder();
  await render(directory, { paths: 3 });
  for (const [client, server] of [
    ['wgnet1', 'wgnet1'],
    ['wgnet2', 'wgnet2'],
    ['wgnet3', 'wgnet3'],
    ['wg0', 'wg0'],
  ] as const) {
    const ours = text(directory, 'client', `${client}.conf`);
    const theirs = text(directory, server, 'wg0.conf');
    const serverKey = text(directory, server, 'wg0.key').trim();
    assert.match(serverKey, KEY);
    assert.equal(keyIn(ours, 'PublicKey'), publicKeyOf(serverKey));
    assert.equal(keyIn(theirs, 'PublicKey'), publicKeyOf(keyIn(ours, 'PrivateKey')));
    assert.equal(text(directory, 'docker-compose.yml').includes(serverKey), false);
  }
});

test('files that hold a key are for their owner alone, and so are folders but those that others must enter', async () => {
  const directory = newFolder();
  await render(directory);
  const open = filesIn(directory).filter((name) => (statSync(join(directory, name)).mode & 0o077) !== 0);
  for (const name of open)
    assert.doesNotMatch(text(directory, name), /PrivateKey|PRIVATE KEY|^[A-Za-z0-9+/]{43}=$/m, name);
  for (const folder of ['.', 'client', 'wg0', 'wgnet1', 'wgnet2'])
    assert.equal(statSync(join(directory, folder)).mode & 0o777, 0o700, folder);
  assert.match(text(directory, '.gitignore'), /^\*$/m);
});

test('the authority’s own key is nowhere, its certificate is good for the demo’s names only', async () => {
  const directory = newFolder();
  await render(directory);
  const keys = filesIn(directory).filter((name) => text(directory, name).includes('PRIVATE KEY'));
  assert.deepEqual(keys, ['site/tls/site.key']);
  const authority = join(directory, 'client', 'authority.crt');
  const verify = ['openssl', 'verify', '-CAfile', authority, '-purpose', 'sslserver', '-verify_hostname'];
  const site = join(directory, 'site/tls/site.crt');
  assert.equal((await attempt([...verify, 'www.example.org', site])).code, 0);
  assert.notEqual((await attempt([...verify, 'www.example.com', site])).code, 0);
  const { stdout } = await attempt(['openssl', 'x509', '-in', authority, '-noout', '-text']);
  assert.match(stdout, /Name Constraints: critical\s+Permitted:\s+DNS:www\.example\.org\s+DNS:example\.org/);
  const [trusted] = (
    JSON.parse(text(directory, 'browser/policies/authority.json')) as { CACertificates: string[] }
  ).CACertificates;
  assert.equal(text(directory, 'client/authority.crt').replace(/-----.*-----|\n/g, ''), trusted);
  // As a file of its own beside the image's other policies, for both machines that have Chromium.
  const { services } = compose(directory);
  for (const name of ['wg_client', 'browser']) {
    const volumes = services[name]?.volumes as { target?: string }[];
    const mounts = volumes.filter(({ target }) => target?.startsWith('/etc/chromium'));
    assert.deepEqual(mounts, [
      {
        type: 'bind',
        source: './browser/policies/authority.json',
        target: '/etc/chromium/policies/managed/authority.json',
        read_only: true,
      },
    ]);
    assert.equal(services[name]?.shm_size, '1gb');
  }
});

test('again: other keys, another label on every service, so that compose makes all machines anew', async () => {
  const directory = newFolder();
  const labels = (): Set<unknown> =>
    new Set(Object.values(compose(directory).services).map(({ labels }) => JSON.stringify(labels)));
  await render(directory);
  const before = {
    labels: labels(),
    key: text(directory, 'wg0/wg0.key'),
    tls: text(directory, 'site/tls/site.key'),
  };
  await render(directory);
  assert.equal(before.labels.size, 1);
  assert.equal(labels().size, 1);
  assert.notDeepEqual(labels(), before.labels);
  assert.notEqual(text(directory, 'wg0/wg0.key'), before.key);
  assert.notEqual(text(directory, 'site/tls/site.key'), before.tls);
});

test('fewer paths: what belonged to the others goes away, and is told', async () => {
  const directory = newFolder();
  await render(directory, { paths: 4 });
  const before = text(directory, 'docker-compose.yml');
  await render(directory);
  assert.deepEqual(
    filesIn(directory).filter((name) => /wgnet[34]/.test(name)),
    [],
  );
  assert.equal(existsSync(join(directory, 'wgnet3')), false);
  assert.deepEqual(goneFrom(before, text(directory, 'docker-compose.yml')), ['wgnet3', 'wgnet4']);
  assert.deepEqual(goneFrom('', before), []);
});

test('a folder with other things in it is refused; an empty one and one that was half written are not', async () => {
  const directory = newFolder();
  requireOwnFolder(directory);
  mkdirSync(directory);
  requireOwnFolder(directory);
  await render(directory);
  for (const name of ['docker-compose.yml', 'wgnet1', 'site'])
    rmSync(join(directory, name), { recursive: true });
  requireOwnFolder(directory);
  await render(directory);
  assert.ok(existsSync(join(directory, 'site/www/index.html')));
  writeFileSync(join(directory, '.gitignore'), 'node_modules\n');
  assert.throws(() => requireOwnFolder(directory), { message: /holds other files/, next: /--out/ });
});

test('a rendering that cannot be finished leaves no docker-compose.yml to start, and no key elsewhere', async () => {
  const directory = newFolder();
  await render(directory);
  rmSync(join(directory, 'site'), { recursive: true });
  writeFileSync(join(directory, 'site'), 'in the way');
  await assert.rejects(render(directory), { message: /site: cannot create/ });
  assert.equal(existsSync(join(directory, 'docker-compose.yml')), false);
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.startsWith('.')),
    ['.gitignore'],
  );
});

test('two at the same time: either one whole rendering, or none that could be started', async () => {
  for (let i = 0; i < 5; i++) {
    const directory = newFolder();
    const ended = await Promise.allSettled([render(directory), render(directory, { paths: 3 })]);
    const failed = ended.filter(({ status }) => status === 'rejected');
    assert.equal(existsSync(join(directory, 'docker-compose.yml')), failed.length === 0);
    if (failed.length === 0)
      for (const path of ['wgnet1', 'wgnet2'])
        assert.equal(
          keyIn(text(directory, 'client', `${path}.conf`), 'PublicKey'),
          publicKeyOf(text(directory, path, 'wg0.key').trim()),
        );
  }
});

test('closed networks, no privileges, one machine with an open port, on this computer only', async () => {
  const directory = newFolder();
  await render(directory, { port: 4555 });
  const { services, networks } = compose(directory);
  assert.deepEqual(Object.keys(services).sort(), [
    ...['browser', 'gate', 'site', 'wg0', 'wg_client', 'wgnet1', 'wgnet2'],
  ]);
  for (const [name, { internal }] of Object.entries(networks))
    assert.equal(internal === true, name !== 'outside');
  const inOutside = Object.entries(services).filter(
    ([, { networks }]) => 'outside' in ((networks ?? {}) as object),
  );
  assert.deepEqual(
    inOutside.map(([name]) => name),
    ['gate'],
  );
  for (const [name, service] of Object.entries(services)) {
    assert.equal(service.privileged, undefined);
    assert.ok(service.healthcheck, `${name} has a health check`);
    const { cap_add = [] } = service as { cap_add?: string[] };
    assert.deepEqual(cap_add, name.startsWith('wg') ? ['NET_ADMIN'] : []);
    assert.equal('ports' in service, name === 'gate');
  }
  assert.deepEqual(services.gate?.ports, ['127.0.0.1:4555:4444']);
  assert.deepEqual([services.browser?.cap_drop, services.browser?.user], [['ALL'], 'browser']);
  assert.equal('version' in compose(directory), false);
});

test('--internet: the comp server alone gets an open network, and the resolver an upstream there', async () => {
  const directory = newFolder();
  await render(directory, { internet: true });
  const { services, networks } = compose(directory);
  assert.deepEqual(
    Object.keys(networks).filter((name) => networks[name]?.internal !== true),
    ['outside', 'world'],
  );
  const inWorld = Object.entries(services).filter(
    ([, { networks }]) => 'world' in ((networks ?? {}) as object),
  );
  assert.deepEqual(
    inWorld.map(([name]) => name),
    ['wg0'],
  );
  assert.match(text(directory, 'site/dnsmasq.conf'), /^server=10\.210\.3\.200$/m);
  const closed = newFolder();
  await render(closed);
  assert.doesNotMatch(text(closed, 'site/dnsmasq.conf'), /^server=/m);
  assert.doesNotMatch(text(closed, 'docker-compose.yml'), /world|FORWARD/);
});

test('a project in a folder with blanks, quotes, colons and $ in its name', async () => {
  const directory = newFolder();
  const client = '/home/some one/it\'s: "$HOME" #1/client';
  await render(directory, {}, client);
  const { services } = compose(directory);
  const doubled = client.replaceAll('$', '$$$$');
  assert.deepEqual(services.wg_client?.build, { context: doubled });
  assert.deepEqual(services.browser?.security_opt, [
    'no-new-privileges:true',
    `seccomp=${doubled}/seccomp.json`,
  ]);
  const mounts = services.wg_client?.volumes as { source: string }[] | undefined;
  assert.ok(mounts?.some(({ source }) => source === `${doubled}/scripts`));
});
