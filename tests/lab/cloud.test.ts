import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { askCloud, dropletNames } from '../../scripts/lib/lab/cloud-ask.ts';
import { cloudPid } from '../../scripts/lib/lab/cloud-seat.ts';
import { type Lab, labDown, openLab } from '../../scripts/lib/lab/lab.ts';
import { placeOf } from '../../scripts/lib/lab/place.ts';
import { runningIn } from '../../scripts/lib/lab/processes.ts';
import { until } from '../../scripts/lib/poll.ts';
import { attempt, run } from '../../scripts/lib/transport/local.ts';
import { deadImage } from './dead-image.ts';
import { sweep } from './sweep.ts';

const [one, two] = ['cloud', 'cloudtwo'].map((name) => `t-${name}-${process.pid}`) as [string, string];
/** Of a user who has an account of their own. */
const environment: NodeJS.ProcessEnv = {
  ...process.env,
  ...{ DO_TOKEN: 'own', SSH_KEY_ID: 'own', DIGITALOCEAN_ACCESS_TOKEN: 'own' },
};
const command = (...words: string[]) =>
  attempt(['node', '--import=tsx', 'scripts/lab.ts', ...words], { env: environment });

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
  assert.match((await command('cloud', '--name', one)).stdout, /running already[\s\S]*scripts\/main\.ts -i/);
  // The account is the environment of whoever works in the controller, and in nobody's command line.
  const token =
    /^LAB_DO_TOKEN=(\S+)$/m.exec(readFileSync(join(directory, 'cloud.env'), 'utf8'))?.[1] ?? 'none';
  const inside = await command('exec', '--name', one, '--', 'printenv', 'LAB_DO_TOKEN', 'COMPS_LAB_EXEC');
  assert.equal(inside.stdout, `${token}\nnpx zx scripts/lab.ts exec --name ${one} --\n`);
  assert.equal((await controller(['printenv', 'LAB_DO_TOKEN'])).stdout.trim(), token);
  assert.equal((await attempt(['pgrep', '-f', token])).code, 1);
  assert.equal((await openLab(one).exec('client', ['printenv', 'LAB_DO_TOKEN'])).code, 1);
});

test("a user's own account is no part of the lab; outside it the lab's files stop at a token that is not set", async () => {
  for (const variable of ['DO_TOKEN', 'SSH_KEY_ID', 'DIGITALOCEAN_ACCESS_TOKEN']) {
    assert.equal(environment[variable], 'own');
    assert.equal((await command('exec', '--name', one, '--', 'printenv', variable)).code, 1, variable);
  }
  const api = readFileSync(`/proc/${cloudPid(placeOf(one))}/environ`, 'utf8');
  assert.match(api, /(^|\0)PATH=/);
  assert.doesNotMatch(api, /=own/);
  const { inventory, settings } = { inventory: `.lab-${one}/cloud.ini`, settings: `.lab-${one}/cloud.cfg` };
  const words = ['node', '--import=tsx', 'scripts/teardown.ts', '-i', inventory, '-c', settings, '--yes'];
  const outside = await attempt(words, { env: environment });
  assert.equal(outside.code, 1);
  assert.match(outside.stderr, /\$LAB_DO_TOKEN: .*not set/);
});

test('flags that nothing can come of are refused before anything is started or ended', async () => {
  const pid = cloudPid(placeOf(one));
  for (const [words, says] of [
    [['--spec', 'package.json'], /package\.json: is not the OpenAPI document/],
    [['--spec', 'nowhere.json'], /nowhere\.json/],
    [['--fault', '429:POST /droplets'], /no request POST \/droplets/],
  ] as const) {
    const { code, stderr } = await command('cloud', '--name', one, ...words);
    assert.equal(code, 1, stderr);
    assert.match(stderr, says);
    assert.doesNotMatch(stderr, /\n\s+at /);
  }
  assert.equal(cloudPid(placeOf(one)), pid);
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
  assert.ok(await until(60_000, () => cloudPid(placeOf(one)) === undefined));
  const inside = await command('exec', '--name', one, '--', 'printenv', 'LAB_DO_TOKEN');
  assert.equal(inside.code, 1);
  assert.match(inside.stderr, /cloud of this lab does not run; npx zx scripts\/lab\.ts cloud --name/);
  await command('cloud', '--name', one, '--delay', '0.3');
  assert.match((await command('cloud', '--name', one, '--stop')).stdout, /has ended; its droplets stay/);
  assert.match((await command('cloud', '--name', one, '--stop')).stdout, /does not run/);
  await command('cloud', '--name', one);
  // One that runs takes flags, too.
  const anew = await command('cloud', '--name', one, '--delay', '0.3', '--fault', '503:GET /v2/regions:1');
  assert.match(anew.stdout, /was started anew with these flags; its droplets stay/);
  assert.equal((await askCloud(lab, 'GET', '/regions')).status, 503);
  assert.equal((await dropletNames(lab, 't')).length, 2);
  const [first] = lab.droplets();
  assert.ok(first);
  assert.equal((await askCloud(lab, 'DELETE', `/droplets/${first.id}`)).status, 204);
  assert.ok(await until(60_000, async () => (await look(lab, first.id)) === undefined));
  assert.deepEqual(
    lab.droplets().map(({ role }) => role),
    ['droplet2'],
  );
  assert.ok(!(await traces(one)).some((line) => line.includes('droplet1')));
  // The place that is free is taken again, by a machine with a key of its own.
  assert.equal(await arrive(lab, await order(lab, { name: 'next' })), first.address);
});

test('a droplet whose power is cut is down; `lab.ts cloud` brings it back as new, with its keys', async () => {
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
  const { stderr } = await command('exec', '--name', one, droplet.name, '--', 'true');
  assert.match(stderr, /machine is down\n {2}next: npx zx scripts\/lab\.ts cloud --name \S+ starts it again/);
  const { stdout } = await command('cloud', '--name', one);
  assert.match(stdout, new RegExp(`started ${droplet.name} again`));
  assert.equal(await inDroplet(lab, droplet.address, 'hostname'), droplet.name);
  assert.equal(await key(), before);
});

test('a droplet is switched off and on by its actions', async () => {
  const lab = openLab(one);
  const [droplet] = lab.droplets();
  assert.ok(droplet);
  const act = async (type: string, wanted: string): Promise<void> => {
    const { status, body } = await askCloud(lab, 'POST', `/droplets/${droplet.id}/actions`, { type });
    assert.equal(status, 201, JSON.stringify(body));
    assert.ok(await until(60_000, async () => (await look(lab, droplet.id))?.status === wanted));
  };
  const runs = () => runningIn(placeOf(one)).has(droplet.role);
  await act('power_off', 'off');
  assert.equal(runs(), false);
  await act('power_on', 'active');
  assert.equal(runs(), true);
});

test('a machine that dies as it comes up: the action errors, the log says why, and nothing of it is left', async () => {
  const lab = openLab(one);
  const file = join(lab.directory, 'state.json');
  const state = readFileSync(file, 'utf8');
  const there = await traces(one);
  const dead = await deadImage(JSON.parse(state).image);
  try {
    writeFileSync(file, JSON.stringify({ ...JSON.parse(state), image: dead.folder }));
    const id = await order(lab, { name: 'dead' });
    const actions = async () =>
      (await askCloud(lab, 'GET', `/droplets/${id}/actions`)).body as { actions: { status: string }[] };
    let came = '';
    await until(60_000, async () => {
      came = (await actions()).actions[0]?.status ?? '';
      return came !== 'in-progress';
    });
    assert.equal(came, 'errored');
    assert.equal((await look(lab, id))?.status, 'new');
    const log = readFileSync(join(lab.directory, 'log', 'cloud.log'), 'utf8');
    assert.match(log, /\(dead\): error: droplet\d+ .*did not start[\s\S]*fs\.inotify\.max_user_instances/);
    assert.equal(lab.droplets().length, 2);
    assert.deepEqual(await traces(one), there);
    assert.equal((await askCloud(lab, 'DELETE', `/droplets/${id}`)).status, 204);
  } finally {
    writeFileSync(file, state);
    dead.remove();
  }
});

test('two labs have a cloud each; `down` of one in the midst of an order leaves nothing of it, and all of the other', async () => {
  assert.equal((await command('cloud', '--name', two)).code, 0);
  const [first, second] = [openLab(one), openLab(two)];
  assert.equal((await dropletNames(second, 't')).length, 0);
  const there = await traces(one);
  await Promise.all(Array.from({ length: 4 }, (_, i) => order(second, { name: `d${i}` })));
  const { code, stderr } = await command('down', '--name', two);
  assert.equal(code, 0, stderr);
  assert.deepEqual(await traces(two), []);
  assert.deepEqual(await traces(one), there);
  assert.equal((await dropletNames(first, 't')).length, 2);
});

test('`down` killed in the midst: another one clears the rest, droplets too', async () => {
  const cut = spawn('node', ['--import=tsx', 'scripts/lab.ts', 'down', '--name', one], { stdio: 'ignore' });
  const place = placeOf(one);
  assert.ok(await until(60_000, () => cloudPid(place) === undefined));
  cut.kill('SIGKILL');
  assert.ok(await until(60_000, () => cut.exitCode !== null || cut.signalCode !== null));
  assert.equal((await command('down', '--name', one)).code, 0);
  assert.deepEqual(await traces(one), []);
});
