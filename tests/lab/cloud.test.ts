import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { askCloud, dropletCount } from '../../scripts/lib/lab/cloud-ask.ts';
import { cloudPid } from '../../scripts/lib/lab/cloud-seat.ts';
import { type Lab, labDown, openLab } from '../../scripts/lib/lab/lab.ts';
import { placeOf } from '../../scripts/lib/lab/place.ts';
import { until } from '../../scripts/lib/poll.ts';
import { attempt, run } from '../../scripts/lib/transport/local.ts';
import { sweep } from './sweep.ts';

const [one, two] = ['cloud', 'cloudtwo'].map((name) => `t-${name}-${process.pid}`) as [string, string];
const command = (...words: string[]) => attempt(['node', '--import=tsx', 'scripts/lab.ts', ...words]);

before(sweep);
after(() => Promise.all([one, two].map((name) => labDown(name))));

interface Seen {
  id: number;
  status: string;
  networks: { v4: { type: string; ip_address: string }[] };
}

const look = async (lab: Lab, id: number): Promise<Seen | undefined> =>
  ((await askCloud(lab, 'GET', `/droplets/${id}`)).body as { droplet?: Seen }).droplet;

const addressIn = (seen: Seen | undefined): string | undefined =>
  seen?.networks.v4.find(({ type }) => type === 'public')?.ip_address;

async function order(lab: Lab, more: Record<string, unknown>): Promise<number> {
  const { status, body } = await askCloud(lab, 'POST', '/droplets', {
    ...{ region: 'nyc1', size: 's-1vcpu-1gb', image: 'debian-13-x64', ssh_keys: [512190], tags: ['t'] },
    ...more,
  });
  assert.equal(status, 202, JSON.stringify(body));
  return (body as { droplet: Seen }).droplet.id;
}

/** Waits until a droplet is active and has its public address. */
async function arrive(lab: Lab, id: number): Promise<string> {
  let address: string | undefined;
  const up = await until(60_000, async () => {
    const seen = await look(lab, id);
    address = addressIn(seen);
    return seen?.status === 'active' && address !== undefined;
  });
  assert.ok(up && address, `droplet ${id} is active`);
  return address;
}

/** Runs a line in a droplet, by SSH from the controller, as its owner does; waits for it to answer. */
async function inDroplet(lab: Lab, address: string, line: string): Promise<string> {
  const flags = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR'];
  const words = ['ssh', '-i', join(lab.directory, 'id_ed25519'), ...flags.flatMap((flag) => ['-o', flag])];
  let said = { code: 255, stdout: '', stderr: '' };
  await until(60_000, async () => {
    said = await lab.controller([...words, '-o', 'ConnectTimeout=5', `root@${address}`, line]);
    return said.code !== 255;
  });
  assert.equal(said.code, 0, said.stdout + said.stderr);
  return said.stdout.trim();
}

const traces = async (name: string): Promise<string[]> => {
  const namespaces = (await run(['ip', 'netns', 'list'])).split('\n');
  const { stdout } = await attempt(['pgrep', '-af', `machine=comps-${name}-|serve-cloud --name ${name}`]);
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  return [...namespaces, ...stdout.split('\n'), ...mounts].filter((line) => line.includes(`${name}`));
};

test('`lab.ts cloud`: a lab without droplets, and an account in it; again, it runs already', async () => {
  const first = await command('cloud', '--name', one, '--delay', '0.3');
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /scripts\/provision\.ts -i \.lab-\S+\/cloud\.ini -c \.lab-\S+\/cloud\.cfg/);
  const { directory, controller } = openLab(one);
  for (const [name, mode] of Object.entries({ 'cloud.env': 0o600, 'cloud.cfg': 0o644, 'cloud.ini': 0o644 }))
    assert.equal(statSync(join(directory, name)).mode & 0o777, mode, name);
  assert.match((await command('cloud', '--name', one)).stdout, /running already/);
  // The account is the environment of whoever works in the controller, and in nobody's command line.
  const token = /^DO_TOKEN=(\S+)$/m.exec(readFileSync(join(directory, 'cloud.env'), 'utf8'))?.[1] ?? 'none';
  const inside = await command('exec', '--name', one, '--', 'printenv', 'DO_TOKEN');
  assert.equal(inside.stdout.trim(), token);
  assert.equal((await controller(['printenv', 'DO_TOKEN'])).stdout.trim(), token);
  assert.equal((await attempt(['pgrep', '-f', token])).code, 1);
  assert.equal((await openLab(one).exec('client', ['printenv', 'DO_TOKEN'])).code, 1);
});

test("a droplet is a machine with the order's name and keys, and the host key of its user data alone", async () => {
  const lab = openLab(one);
  const key = join(lab.directory, 'given');
  await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const [secret, shown] = [key, `${key}.pub`].map((path) => readFileSync(path, 'utf8').trim());
  const block = secret?.split('\n').map((line) => `    ${line}`);
  const user_data = [
    ...['#cloud-config', 'ssh_deletekeys: true', 'ssh_genkeytypes: []', 'ssh_keys:', '  ed25519_private: |'],
    ...[...(block ?? []), `  ed25519_public: ${shown}`, ''],
  ].join('\n');
  const [given, own] = await Promise.all([
    order(lab, { name: 'given', user_data }),
    order(lab, { name: 'own.example.org', image: 'ubuntu-24-04-x64' }),
  ]);
  const [a, b] = await Promise.all([arrive(lab, given), arrive(lab, own)]);
  assert.notEqual(a, b);
  assert.equal(
    await inDroplet(lab, a, 'hostname; cat /root/.ssh/authorized_keys').then((text) => text.split('\n')[0]),
    'given',
  );
  const admitted = readFileSync(join(lab.directory, 'id_ed25519.pub'), 'utf8').trim();
  assert.equal(await inDroplet(lab, a, 'cat /root/.ssh/authorized_keys'), admitted);
  assert.equal(await inDroplet(lab, a, 'ls /etc/ssh/ssh_host_*'), '/etc/ssh/ssh_host_ed25519_key');
  const scanned = async (address: string) =>
    (await lab.controller(['ssh-keyscan', address])).stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[2]);
  assert.deepEqual(await scanned(a), [shown?.split(' ')[1]]);
  const [others] = [await scanned(b)];
  assert.equal(others.length, 1);
  assert.notDeepEqual(others, await scanned(a));
  // Its private address is its own, and nobody reaches it by that.
  assert.match(await inDroplet(lab, a, 'ip -br -4 addr show ens3'), /10\.110\.0\.\d+/);
  assert.notEqual(
    (await lab.controller(['ping', '-c1', '-W1', a.replace('198.51.100', '10.110.0')])).code,
    0,
  );
});

test('its first boot holds the package lock before SSH answers; only the image that it really is has WireGuard', async () => {
  const lab = openLab(one);
  const called = (name: string) => lab.droplets().find((one) => one.name === name)?.address ?? 'none';
  const show = (unit: string) => `systemctl show -P ActiveEnterTimestampMonotonic ${unit}`;
  const line = `systemctl show -P Result first-boot; ${show('first-boot')}; ${show('ssh')}; command -v wg || echo none`;
  const [result, held, answered, wg] = (await inDroplet(lab, called('given'), line)).split('\n');
  assert.equal(result, 'success');
  assert.ok(Number(held) > 0 && Number(held) < Number(answered), `${held} before ${answered}`);
  assert.equal(wg, '/usr/bin/wg');
  assert.equal(await inDroplet(lab, called('own.example.org'), 'command -v wg || echo none'), 'none');
  const install =
    'apt-get -qq update && apt-get -qqy -o DPkg::Lock::Timeout=60 install wireguard-tools >/dev/null 2>&1; command -v wg';
  assert.equal(await inDroplet(lab, called('own.example.org'), install), '/usr/bin/wg');
});

test('status and exec know droplets by role, address and name', async () => {
  const { stdout } = await command('status', '--name', one);
  assert.match(stdout, /is up\.\n[\s\S]*droplet1 +198\.51\.100\.101 +up +\d+ (given|own)/);
  assert.match(stdout, /its cloud's API runs/);
  const [first] = openLab(one).droplets();
  for (const word of ['droplet1', '198.51.100.101', first?.name ?? ''])
    assert.equal(
      (await command('exec', '--name', one, word, '--', 'hostname')).stdout.trim(),
      first?.name,
      word,
    );
});

test('the API killed or ended: its droplets live on, and it knows them when it is started again', async () => {
  const lab = openLab(one);
  const pid = cloudPid(placeOf(one));
  assert.ok(pid);
  process.kill(pid, 'SIGKILL');
  assert.ok(await until(10_000, () => cloudPid(placeOf(one)) === undefined));
  assert.equal((await command('exec', '--name', one, '--', 'printenv', 'DO_TOKEN')).code, 1);
  await command('cloud', '--name', one, '--delay', '0.3');
  assert.match((await command('cloud', '--name', one, '--stop')).stdout, /has ended; its droplets stay/);
  assert.match((await command('cloud', '--name', one, '--stop')).stdout, /does not run/);
  await command('cloud', '--name', one, '--delay', '0.3', '--fault', '503:GET /v2/regions:1');
  assert.equal((await askCloud(lab, 'GET', '/regions')).status, 503);
  assert.equal(await dropletCount(lab, 't'), 2);
  const [first] = lab.droplets();
  assert.ok(first);
  assert.equal((await askCloud(lab, 'DELETE', `/droplets/${first.id}`)).status, 204);
  assert.ok(await until(30_000, async () => (await look(lab, first.id)) === undefined));
  assert.deepEqual(
    lab.droplets().map(({ role }) => role),
    ['droplet2'],
  );
  assert.ok(!(await traces(one)).some((line) => line.includes('droplet1')));
  // The place that is free is taken again, by a machine with a key of its own.
  assert.equal(await arrive(lab, await order(lab, { name: 'next' })), first.address);
});

test('a droplet whose power is cut is down, and comes back as new, with its keys', async () => {
  const lab = openLab(one);
  const [droplet] = lab.droplets();
  assert.ok(droplet);
  const key = () => lab.controller(['ssh-keyscan', droplet.address]).then(({ stdout }) => stdout);
  await inDroplet(lab, droplet.address, 'true');
  const before = await key();
  await lab.stop(droplet.role);
  assert.match(
    (await command('status', '--name', one)).stdout,
    /is up\.[\s\S]*droplet1 +198\.51\.100\.101 +down/,
  );
  await lab.start(droplet.role);
  assert.equal(await key(), before);
  assert.equal(await inDroplet(lab, droplet.address, 'hostname'), droplet.name);
});

test('two labs have a cloud each; `down` of one in the midst of an order leaves nothing of it, and all of the other', async () => {
  assert.equal((await command('cloud', '--name', two)).code, 0);
  const [first, second] = [openLab(one), openLab(two)];
  assert.equal(await dropletCount(second, 't'), 0);
  const there = await traces(one);
  await Promise.all(Array.from({ length: 4 }, (_, i) => order(second, { name: `d${i}` })));
  const { code, stderr } = await command('down', '--name', two);
  assert.equal(code, 0, stderr);
  assert.deepEqual(await traces(two), []);
  assert.deepEqual(await traces(one), there);
  assert.equal(await dropletCount(first, 't'), 2);
});

test('`down` killed in the midst: another one clears the rest, droplets too', async () => {
  const cut = spawn('node', ['--import=tsx', 'scripts/lab.ts', 'down', '--name', one], { stdio: 'ignore' });
  const place = placeOf(one);
  assert.ok(await until(30_000, () => cloudPid(place) === undefined));
  cut.kill('SIGKILL');
  assert.ok(await until(10_000, () => cut.exitCode !== null || cut.signalCode !== null));
  assert.equal((await command('down', '--name', one)).code, 0);
  assert.deepEqual(await traces(one), []);
});
