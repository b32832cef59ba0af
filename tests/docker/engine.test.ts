import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capture } from '../../scripts/lib/lab/capture.ts';
import type { Where } from '../../scripts/lib/lab/capture-spot.ts';
import { engineOf, startEngine } from '../../scripts/lib/lab/engine.ts';
import { storeHere, withStore } from '../../scripts/lib/lab/engine-store.ts';
import { until } from '../../scripts/lib/poll.ts';
import { attempt, run } from '../../scripts/lib/transport/local.ts';
import { PATIENCE, useEngine } from './fixture.ts';

const SITE = '203.0.113.80';
const BASE = 'node:24-trixie-slim';

const { lab, engine } = useEngine('engine', { vpn: 1 });

/** docker, in the engine that runs now. */
const tryDocker = async (...words: string[]) => {
  const running = await engineOf(lab());
  assert.ok(running, 'an engine runs');
  return running.exec(['docker', ...words]);
};
async function docker(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await tryDocker(...words);
  assert.equal(code, 0, `docker ${words.join(' ')}: ${stderr}`);
  return stdout.trim();
}
const command = (...words: string[]) => attempt(['node', '--import=tsx', 'scripts/lab.ts', ...words]);

/** What a lab's engine has on this computer: processes, what they mounted, cgroups. */
async function traces(): Promise<string[]> {
  const name = lab().namespaceOf('engine');
  const processes = (await attempt(['pgrep', '-af', `/run/${name}/`])).stdout;
  const mounts = (
    await attempt(['grep', '-hE', `${name}/|${storeHere().data}`, '/proc/1/mounts', '/proc/self/mounts'])
  ).stdout;
  const cgroups = await run(['find', '/sys/fs/cgroup', '-type', 'd', '-path', `*/${name}*`]);
  return [processes, mounts, cgroups].flatMap((text) => text.split('\n').filter(Boolean));
}

/** A network with a volume and a container that is to be started again: what a run that is cut off leaves. */
async function leaveThings(): Promise<void> {
  await docker('network', 'create', 'left');
  const flags = '--detach --init --restart always --network left --volume left:/left --name left'.split(' ');
  await docker('run', ...flags, BASE, 'sleep', '1000');
}

async function assertNothingLeft(): Promise<void> {
  assert.equal(await docker('ps', '--all', '--quiet'), '');
  assert.equal(await docker('volume', 'ls', '--quiet'), '');
  assert.equal(await docker('network', 'ls', '--quiet', '--filter', 'type=custom'), '');
}

test('docker answers, of an engine with its own cgroup; `status` shows it', async () => {
  assert.match(
    await docker('info', '--format', '{{.Driver}} {{.CgroupDriver}} {{.DockerRootDir}}'),
    /^\S+ cgroupfs .*comps-lab\/engine/,
  );
  assert.match(
    (await command('status', '--name', lab().name)).stdout,
    /^ {2}engine +192\.0\.2\.3 +up +\d+$/m,
  );
});

test('`lab.ts exec engine`: docker means this engine, the folder is kept, exit codes are passed on', async () => {
  const inside = (...words: string[]) => command('exec', '--name', lab().name, 'engine', '--', ...words);
  const { stdout } = await inside('sh', '-c', 'pwd; docker images --format "{{.Repository}}"');
  assert.equal(stdout.split('\n')[0], process.cwd());
  for (const image of ['node', 'comps-client', 'comps-far-end'])
    assert.match(stdout, new RegExp(`^${image}$`, 'm'));
  assert.equal((await inside('docker', 'run', '--rm', BASE, 'sh', '-c', 'exit 7')).code, 7);
});

test('the base image is what its name says: Node and npm of the major version, the user, the entry point', async () => {
  const seen = await docker('run', '--rm', BASE, '-p', 'process.version');
  assert.match(seen, /^v24\./);
  const inside = await docker(
    'run',
    '--rm',
    '--user',
    'node',
    BASE,
    'sh',
    '-c',
    '. /etc/os-release; id -u; pwd; npm --version; npx --version; echo $VERSION_CODENAME $NODE_VERSION; npm config get registry',
  );
  assert.match(
    inside,
    new RegExp(`^1000\n/\n11\\.[\\d.]+\n11\\.[\\d.]+\ntrixie ${seen.slice(1).replaceAll('.', '\\.')}\n`),
  );
  assert.equal(inside.split('\n').at(-1), (await run(['npm', 'config', 'get', 'registry'])).trim());
});

const FETCH = `fetch('http://' + process.argv[1], { signal: AbortSignal.timeout(60000) }).then((r) => r.text()).then((t) => console.log(t.trim()), (e) => console.log(e.cause?.code ?? e.name))`;
const fetched = (url: string, ...flags: string[]) =>
  docker('run', '--rm', ...flags, BASE, 'node', '-e', FETCH, url);

test('a container reaches the site, by address and by name, and the site sees the engine', async () => {
  assert.equal(await fetched(`${SITE}/ip`), lab().addressOf('engine'));
  assert.equal(await fetched('www.example.org/ip'), lab().addressOf('engine'));
  await docker('network', 'create', 'own');
  assert.equal(await fetched('www.example.org/ip', '--network', 'own'), lab().addressOf('engine'));
  await docker('network', 'rm', 'own');
});

test('a container reaches nothing outside the lab, not in the network of the engine itself either', async () => {
  for (const flags of [[], ['--network', 'host']])
    assert.match(await fetched('192.31.196.1/', ...flags), /^(ENETUNREACH|EHOSTUNREACH|ECONNREFUSED)$/);
  const [device] =
    (await attempt(['ip', '-4', 'route', 'show', 'default'])).stdout.match(/(?<=dev )\S+/) ?? [];
  const [own] =
    (await attempt(['ip', '-4', 'addr', 'show', 'dev', device ?? 'lo'])).stdout.match(/(?<=inet )[\d.]+/) ??
    [];
  // This computer may have an address that is also one of the lab's.
  if (own !== undefined && !own.startsWith('192.0.2.')) assert.match(await fetched(`${own}/`), /^[A-Z]+$/);
});

test('what Docker does to the network, it does in the namespace of the engine', async () => {
  await docker('network', 'create', 'own');
  const bridge = await engine().bridge('own');
  assert.equal((await attempt(['ip', 'link', 'show', bridge])).code, 1);
  assert.equal((await engine().exec(['ip', 'link', 'show', bridge])).code, 0);
  assert.match(
    (await engine().exec(['iptables', '-t', 'nat', '-S'])).stdout,
    new RegExp(`! -o ${bridge} -j MASQUERADE`),
  );
  assert.doesNotMatch((await attempt(['iptables', '-t', 'nat', '-S'])).stdout, new RegExp(bridge));
  await docker('network', 'rm', 'own');
});

/** Packets of a capture while a container runs a line, on a network of its own. */
async function counted(where: (bridge: string) => Where, line: string): Promise<number> {
  const seen = await capture(lab(), 'seen', 'udp', where(await engine().bridge('seen')));
  await docker('exec', 'sender', 'bash', '-c', line);
  return seen.stop();
}

test('captures see what a container sends: on the engine’s cable, and on the bridge, also after a restart', async () => {
  await docker('network', 'create', 'seen');
  await docker('run', '--detach', '--name', 'sender', '--network', 'seen', BASE, 'sleep', '1000');
  const [cable, bridge] = [
    (): Where => ({ role: 'engine' }),
    (device: string): Where => ({ bridge: device }),
  ];
  // The site answers each: what comes back to the container is not what it sends.
  const send = `for i in 1 2 3; do echo x >/dev/udp/${SITE}/9; done`;
  for (const where of [cable, bridge]) assert.equal(await counted(where, send), 3);
  // What no router passes on is seen on the bridge only.
  const local = 'echo x >/dev/udp/224.0.0.251/9';
  assert.equal(await counted(bridge, local), 1);
  assert.equal(await counted(cable, local), 0);
  // What the engine sends to the container is nobody's leak.
  const device = await engine().bridge('seen');
  const address = await docker(
    'inspect',
    '--format',
    '{{.NetworkSettings.Networks.seen.IPAddress}}',
    'sender',
  );
  const sent = await capture(lab(), 'seen', 'udp', { bridge: device });
  await engine().exec(['bash', '-c', `echo x >/dev/udp/${address}/9`]);
  assert.equal(await sent.stop(), 0);
  const over = await capture(lab(), 'seen', 'udp', { bridge: device });
  await docker('restart', '--time', '0', 'sender');
  await docker('exec', 'sender', 'bash', '-c', send);
  await docker('rm', '--force', 'sender');
  assert.equal(await over.stop(), 3);
  await docker('network', 'rm', 'seen');
});

test('another engine waits for the images, and says so once', async (t) => {
  const said = t.mock.method(console, 'log', () => {});
  let come = false;
  const second = withStore(storeHere(), async () => {
    come = true;
  });
  assert.ok(await until(PATIENCE, () => said.mock.callCount() === 1));
  assert.match(
    String(said.mock.calls[0]?.arguments[0]),
    new RegExp(`the lab "${lab().name}".* down --name ${lab().name}`),
  );
  assert.equal(come, false);
  await leaveThings();
  await engine().stop();
  await second;
  assert.equal(said.mock.callCount(), 1);
});

test('stopped: nothing of it is left, the lab stands, and the next command is named', async () => {
  assert.deepEqual(await traces(), []);
  const { code, stderr } = await command('exec', '--name', lab().name, 'engine', '--', 'docker', 'ps');
  assert.equal(code, 1);
  assert.match(
    stderr,
    new RegExp(
      `no Docker engine.*\\n {2}next: npx zx scripts/lab\\.ts up --name ${lab().name} --vpn 1 --engine$`,
      'm',
    ),
  );
  const { stdout } = await command('status', '--name', lab().name);
  assert.match(stdout, /is up\.$/m);
  assert.doesNotMatch(stdout, /^ {2}engine/m);
});

test('started again: images are there, containers, networks and volumes of earlier are not', async () => {
  // Two commands at once for one lab: both get the one engine.
  const [one, two] = await Promise.all([startEngine(lab()), startEngine(lab())]);
  assert.equal(one.leader, two.leader);
  await assertNothingLeft();
  assert.notEqual(await docker('images', '--quiet', 'comps-client'), '');
});

test('killed outright with containers: no process, mount or cgroup is left; `up` starts it again, as new', async () => {
  await leaveThings();
  const { leader } = (await engineOf(lab())) ?? assert.fail('no engine');
  process.kill(leader, 'SIGKILL');
  assert.ok(await until(PATIENCE, async () => (await traces()).length === 0), (await traces()).join('\n'));
  assert.match(
    (await command('status', '--name', lab().name)).stdout,
    /up in part[\s\S]*engine +192\.0\.2\.3 +down/,
  );
  const { code, stdout, stderr } = await command('up', '--name', lab().name, '--vpn', '1');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /Docker engine is up/);
  await assertNothingLeft();
  assert.equal(await fetched(`${SITE}/ip`), lab().addressOf('engine'));
  assert.match(
    (await command('up', '--name', lab().name, '--vpn', '1', '--engine')).stdout,
    /nothing changed/,
  );
});

test('`down` takes an engine with its containers away', async () => {
  await leaveThings();
  assert.match((await command('down', '--name', lab().name)).stdout, /is gone \(4 machines, 7 namespaces\)/);
  assert.deepEqual(await traces(), []);
});
