import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { after, test } from 'node:test';
import { labDown, labUp, openLab } from '../../scripts/lib/lab/lab.ts';
import { until } from '../../scripts/lib/poll.ts';
import { attempt, run } from '../../scripts/lib/transport/local.ts';

const [one, two] = ['one', 'two'].map((name) => `t-${name}-${process.pid}`) as [string, string];
const lab = (...words: string[]) => attempt(['node', '--import=tsx', 'scripts/lab.ts', ...words]);

const endAll = () => Promise.all([one, two].map((name) => labDown(name)));
after(endAll);

/** What a lab of this name has on this computer: namespaces, machines, its folder. */
async function traces(name: string): Promise<string[]> {
  const namespaces = (await run(['ip', 'netns', 'list']))
    .split('\n')
    .filter((line) => line.includes(`-${name}-`));
  const { stdout } = await attempt(['pgrep', '-af', `machine=comps-${name}-`]);
  const mounts = (await run(['cat', '/proc/mounts']))
    .split('\n')
    .filter((line) => line.includes(`-${name}-`));
  const folder = existsSync(`.lab-${name}`) ? ['folder'] : [];
  return [...namespaces, ...stdout.split('\n').filter((line) => line !== ''), ...mounts, ...folder];
}

test('two labs side by side; `down` of one touches nothing of the other, and leaves nothing of its own', async () => {
  await Promise.all([labUp({ name: one, vpn: 1 }), labUp({ name: two, vpn: 1 })]);
  const before = await traces(two);
  const { code, stdout } = await lab('down', '--name', one);
  assert.equal(code, 0);
  assert.match(stdout, /is gone \(4 machines, 6 namespaces\)/);
  assert.deepEqual(await traces(one), []);
  assert.deepEqual(await traces(two), before);
  assert.match((await lab('down', '--name', one)).stdout, /There is no lab/);
});

test('up again changes nothing; another shape is refused', async () => {
  assert.match((await lab('up', '--name', two, '--vpn', '1')).stdout, /up already; nothing changed/);
  const other = await lab('up', '--name', two, '--vpn', '2');
  assert.equal(other.code, 1);
  assert.match(other.stderr, /down/);
});

test('exec: in the controller, in a machine, exit codes passed on; flags of the command are left alone', async () => {
  const inside = (...words: string[]) => lab('exec', '--name', two, ...words);
  assert.equal((await inside('--', 'sh', '-c', 'exit 7')).code, 7);
  assert.equal((await inside('vpn1', '--', 'hostname')).stdout.trim(), 'vpn1');
  assert.match((await inside('client', 'ip', '-br', 'addr')).stdout, /192\.0\.2\.2/);
  assert.match(
    (await inside('nobody', 'true')).stderr,
    /no such machine; there are net, ctl, inet, client, vpn1, comp1/,
  );
});

test('the controller reaches droplets, and has no way anywhere else', async () => {
  const controller = (line: string) => openLab(two).controller(['sh', '-c', line]);
  assert.equal((await controller('timeout 5 bash -c "</dev/tcp/198.51.100.11/22"')).code, 0);
  assert.equal((await controller('ip route show default; ip -6 route show default')).stdout, '');
  assert.match(
    (await controller('timeout 5 bash -c "</dev/tcp/203.0.113.80/80" 2>&1')).stdout,
    /[Nn]etwork is unreachable/,
  );
  assert.match((await openLab(two).exec('net', ['ip', 'route', 'show', 'default'])).stdout, /^$/);
});

test('a droplet is a machine: systemd, sshd with a key of its own, its own disk, no Python', async () => {
  const there = openLab(two);
  const vpn1 = async (line: string) => (await there.exec('vpn1', ['sh', '-c', line])).stdout.trim();
  assert.match(await vpn1('systemctl is-system-running --wait'), /running|degraded/);
  assert.equal(await vpn1('ps -o comm= 1'), 'systemd');
  assert.equal(await vpn1('command -v python3 || echo none'), 'none');
  await vpn1('echo mine >/root/mine');
  assert.equal((await there.exec('comp1', ['test', '-e', '/root/mine'])).code, 1);
});

test('`up` killed outright in the middle: `down` clears it, and so does the next `up`', async () => {
  await labDown(two);
  for (const heal of ['down', 'up'] as const) {
    const cut = spawn('node', ['--import=tsx', 'scripts/lab.ts', 'up', '--name', one, '--vpn', '1'], {
      stdio: 'ignore',
    });
    // In the middle: there is something of it, and it has not ended.
    assert.ok(await until(60_000, async () => (await traces(one)).length > 3));
    cut.kill('SIGKILL');
    const { code, stderr } = await lab(heal, '--name', one, ...(heal === 'up' ? ['--vpn', '1'] : []));
    assert.equal(code, 0, stderr);
    if (heal === 'down') assert.deepEqual(await traces(one), []);
  }
  assert.equal((await openLab(one).exec('client', ['ping', '-c', '1', '-w', '60', '203.0.113.80'])).code, 0);
  await labDown(one);
  assert.deepEqual(await traces(one), []);
});
