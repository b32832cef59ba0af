/** Paths that are left out, and come back: with what `wg` says made up, and with proxies that really die. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { capture, leakFilter } from '../../scripts/lib/lab/capture.ts';
import { clientRun } from '../../scripts/lib/lab/client.ts';
import { goodSetup, nothingIn, useLab } from './fixture.ts';
import { inClient, inNamespace, killAll, type Line, Migrator, until } from './migrator.ts';

const SITE = '203.0.113.80';
const NAMESPACE = `comps-health-${process.pid}`;
const TUNNELS = ['wgnet1', 'wgnet2', 'wgnet3'];

const lab = useLab('health', { vpn: 2 }, goodSetup);
const sh = async (line: string): Promise<string> => (await clientRun(lab(), 'sh', '-c', line)).trim();

const folder = mkdtempSync(join(tmpdir(), 'comps-health-'));
const which = (tool: string): string => execFileSync('which', [tool], { encoding: 'utf8' }).trim();
const ip = (...words: string[]): string => execFileSync('ip', words, { encoding: 'utf8', stdio: 'pipe' });
const current = (): string | undefined =>
  /^default dev (\S+) scope link $/m.exec(ip('-n', NAMESPACE, 'route', 'show', 'table', '51821'))?.[1];

/** Empty of a process that has ended meanwhile. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** What `wg` says from now on: for each tunnel the age of its handshake in seconds, or nothing. */
function say(ages: readonly (number | null)[]): void {
  const now = Math.floor(Date.now() / 1000);
  const rows = (cells: (age: number) => string): string =>
    ages.map((age, i) => (age === null ? '' : `wgnet${i + 1}\tKEY=\t${cells(age)}\n`)).join('');
  writeFileSync(
    join(folder, 'latest-handshakes'),
    rows((age) => String(now - age)),
  );
  writeFileSync(
    join(folder, 'transfer'),
    rows(() => '1000\t1000'),
  );
}

/** A migrate.ts over interfaces of which this `wg` tells. */
const watched = (...words: string[]): Migrator =>
  new Migrator(['env', `PATH=${folder}:${process.env.PATH}`, ...inNamespace(NAMESPACE, words)]);

before(() => {
  writeFileSync(join(folder, 'wg'), `#!/bin/sh\nexec cat ${folder}/"$3"\n`);
  chmodSync(join(folder, 'wg'), 0o755);
  ip('netns', 'add', NAMESPACE);
  for (const name of TUNNELS) {
    ip('-n', NAMESPACE, 'link', 'add', name, 'type', 'veth', 'peer', 'name', name.replace('wgnet', 'peer'));
    ip('-n', NAMESPACE, 'link', 'set', name, 'up');
    ip('-n', NAMESPACE, 'link', 'set', name.replace('wgnet', 'peer'), 'up');
  }
});
afterEach(killAll);
after(() => {
  ip('netns', 'delete', NAMESPACE);
  rmSync(folder, { recursive: true });
});

const health = (out: string[], back: string[]) => (line: Line) =>
  line.event === 'health' && String(line.out) === String(out) && String(line.back) === String(back);

test('a path without a fresh handshake is left out from entry 0 on, and comes back; the drawn schedule stays', async () => {
  say([10, 500, 10]);
  const words = ['--strategy', 'ur', '--seed', '3', '--period', '0.02'];
  const plan = new Migrator(inNamespace(NAMESPACE, [...words, '--plan', '3000']));
  await plan.ended;
  const migrator = watched(...words);
  const out = await migrator.line('wgnet2 left out', health(['wgnet2'], []));
  assert.deepEqual(out.healthy, ['wgnet1', 'wgnet3']);
  await migrator.line('a detour', ({ planned }) => planned === 'wgnet2');
  say([10, 10, 10]);
  const { time } = await migrator.line('wgnet2 back', health([], ['wgnet2']));
  await migrator.line('wgnet2', (line) => line.event === 'switch' && line.path === 'wgnet2');
  assert.equal(await migrator.stop(), 0);
  const paths = plan.of('entry').map(({ path }) => path);
  for (const line of migrator.of('switch')) {
    assert.equal(line.planned ?? line.path, paths[line.n as number]);
    if (line.time < time) assert.notEqual(line.path, 'wgnet2');
  }
  assert.match(
    migrator.stderr,
    /^wgnet2: no handshake for 180 s; left out until it answers\nwgnet2: is back\n$/,
  );
});

test('none, and long periods: the path in force is left at once; where none is fresh the route stays, and it is said', async () => {
  say([10, 10, 10]);
  const migrator = watched('--strategy', 'none', '--first', '2', '--period', '3600');
  await migrator.line('its path', ({ path }) => path === 'wgnet2');
  say([10, null, 10]);
  await migrator.line('another path', ({ event, path }) => event === 'detour' && path === 'wgnet3');
  assert.equal(current(), 'wgnet3');
  say([null, null, null]);
  await migrator.line('none left', health(['wgnet1', 'wgnet3'], []));
  assert.match(migrator.stderr, /\nno path has a fresh handshake; nothing gets out until one does/);
  assert.equal(current(), 'wgnet3');
  say([null, 1, null]);
  await migrator.line('its own path again', ({ event, path }) => event === 'detour' && path === 'wgnet2');
  assert.equal(current(), 'wgnet2');
  assert.equal(await migrator.stop(), 0);
});

test('an interface that is down is left out, one made anew comes back; --no-health leaves none out', async () => {
  say([10, 10, 10]);
  const migrator = watched('--strategy', 'rr', '--period', '0.05');
  await migrator.line('a switch', ({ event }) => event === 'switch');
  ip('-n', NAMESPACE, 'link', 'set', 'wgnet1', 'down');
  await migrator.line('wgnet1 left out', health(['wgnet1'], []));
  ip('-n', NAMESPACE, 'link', 'set', 'wgnet1', 'up');
  await migrator.line('wgnet1 back', health([], ['wgnet1']));
  assert.equal(await migrator.stop(), 0);
  say([500, 500, 500]);
  const careless = watched('--strategy', 'rr', '--period', '0.05', '--switches', '20', '--no-health');
  assert.equal(await careless.ended, 0);
  assert.deepEqual(careless.of('health'), []);
  assert.equal(careless.stderr, '');
});

test('without wg it says so once and goes on', async () => {
  // All that it calls, but wg.
  const only = join(folder, 'only');
  mkdirSync(only);
  for (const tool of ['ip', 'nft', 'sh', 'sed', 'timeout', 'setpriv'])
    symlinkSync(which(tool), join(only, tool));
  const [, ...words] = inNamespace(NAMESPACE, ['--strategy', 'rr', '--period', '0.05', '--switches', '40']);
  const migrator = new Migrator(['env', `PATH=${only}`, which('ip'), ...words]);
  assert.equal(await migrator.ended, 0, migrator.stderr);
  assert.match(
    migrator.stderr,
    /^wg is missing, so no path is left out .*next: apt-get install wireguard-tools\n$/,
  );
  assert.equal(migrator.of('switch').length + Number(migrator.lines.at(-1)?.skipped), 41);
});

test('the shell that asks is replaced where it is killed, and its questions go on', async () => {
  say([10, 10, 10]);
  const migrator = watched('--strategy', 'rr', '--period', '0.05');
  await migrator.line('a switch', ({ event }) => event === 'switch');
  const shell = await until('its shell', () =>
    migrator.children.find((pid) => commandOf(pid).startsWith('sh\0')),
  );
  process.kill(shell, 'SIGKILL');
  say([10, null, 10]);
  await migrator.line('wgnet2 left out', health(['wgnet2'], []));
  assert.equal(await migrator.stop(), 0);
  assert.match(migrator.stderr, /^the shell that asks .* is started again\nwgnet2: wg gets no answer/);
});

test('a proxy dies: left out, nothing waits for it, back when it answers; all die: closed, and it recovers by itself', async () => {
  const block = (role: 'vpn1' | 'vpn2') =>
    lab().exec(role, [
      'nft',
      'table inet dead { chain in { type filter hook input priority -10; udp dport 51820 drop; }; chain out { type filter hook output priority -10; udp sport 51820 drop; }; }',
    ]);
  const unblock = (role: 'vpn1' | 'vpn2') => lab().exec(role, ['nft', 'delete table inet dead']);
  await sh('/etc/wireguard/setup.sh up');
  await sh(`ping -c 1 -w 60 ${SITE}`);
  const leaks = await capture(lab(), 'health', leakFilter(lab()));
  const migrator = new Migrator(inClient(lab(), ['--strategy', 'rr', '--period', '0.1']));
  await migrator.line('a switch', ({ event }) => event === 'switch');
  // Something to answer on every path, all the time.
  const pings = lab().exec('client', ['sh', '-c', `ping -i 0.1 -W 1 ${SITE} >/tmp/pings`]);
  await block('vpn2');
  await migrator.line('wgnet2 left out', health(['wgnet2'], []));
  const answers = async (): Promise<boolean> =>
    (await lab().exec('client', ['ping', '-q', '-c', '20', '-i', '0.05', '-W', '10', SITE])).stdout.includes(
      ' 0% packet loss',
    );
  assert.ok(await answers(), 'no packet waits for the dead one');
  await unblock('vpn2');
  await migrator.line('wgnet2 back', health([], ['wgnet2']));
  await migrator.line(
    'wgnet2',
    (line) => line.event === 'switch' && line.path === 'wgnet2' && line.planned === undefined,
  );
  assert.ok(await answers());
  await Promise.all([block('vpn1'), block('vpn2')]);
  await migrator.line('none left', ({ event, healthy }) => event === 'health' && String(healthy) === '');
  assert.equal(await answers(), false);
  await Promise.all([unblock('vpn1'), unblock('vpn2')]);
  await until('both back', () => {
    const last = migrator.lines.filter(({ event }) => event === 'health').at(-1);
    return String(last?.healthy) === 'wgnet1,wgnet2';
  });
  assert.ok(await answers());
  await nothingIn(leaks);
  await sh('pkill -INT -f "[m]igrate.ts"; pkill -INT ping');
  await pings;
  assert.equal(await migrator.ended, 0, migrator.stderr);
  assert.match(migrator.stderr, /no path has a fresh handshake; nothing gets out until one does/);
});
