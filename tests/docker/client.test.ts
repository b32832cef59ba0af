import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { capture, leakFilter } from '../../scripts/lib/lab/capture.ts';
import { until } from '../../scripts/lib/lab/poll.ts';
import { goodSetup } from '../lab/fixture.ts';
import { useEngine } from './fixture.ts';

const SITE = '203.0.113.80';

const { lab, engine } = useEngine('wgclient', { vpn: 3 });

/** A folder of this file's own beside the lab's files. */
const scratch = (name: string): string => {
  const folder = join(lab().directory, name);
  mkdirSync(folder, { recursive: true });
  return folder;
};

/** docker-compose in client/, as its users type it; `files` is where wgnet-setup wrote. */
const compose = (words: string[], files = lab().clientDirectory) =>
  engine().exec(['env', '-C', 'client', `COMPS_FILES=${files}`, 'docker-compose', ...words]);

const goodCompose = async (...words: string[]): Promise<string> => {
  const { code, stdout, stderr } = await compose(words);
  assert.equal(code, 0, stdout + stderr);
  return stdout + stderr;
};

/** A shell line in the container, whatever it ends with. */
const trySh = (line: string) => engine().exec(['docker', 'exec', 'wgclient', 'sh', '-c', line]);
const sh = async (line: string): Promise<string> => {
  const { code, stdout, stderr } = await trySh(line);
  assert.equal(code, 0, `${line}\n${stdout}${stderr}`);
  return stdout.trim();
};

const inspect = async (format: string): Promise<string> =>
  (await engine().exec(['docker', 'inspect', '--format', format, 'wgclient'])).stdout.trim();
const healthy = () => until(60_000, async () => (await inspect('{{.State.Health.Status}}')) === 'healthy');
const logs = async (): Promise<string> => {
  const { stdout, stderr } = await engine().exec(['docker', 'logs', 'wgclient']);
  return stdout + stderr;
};

/** Everything that a program may try to reach the world by, Docker's own resolver among it; over and over, until told. */
const PROBE = [
  `ping -c 1 -W 1 ${SITE}`,
  `ping -c 1 -W 1 -I eth0 ${SITE}`,
  'ping -6 -c 1 -W 1 ff02::1%eth0',
  'getent hosts www.example.org',
  'curl -sS -m 1 http://www.example.org/ip',
  `curl -sS -m 1 --interface eth0 http://${SITE}/ip`,
  'curl -sS -m 1 http://198.51.100.11:22/',
  `node -e "const r = new (require('dns').Resolver)({ timeout: 500, tries: 1 }); r.setServers(['127.0.0.11']); r.resolve4('www.example.org', () => {})"`,
].join(' & ');

/**
 * Does something while programs in the container try to get out, whatever state it is in; packets past the tunnels: on
 * the engine's way out, and, where it is there all the time, on the container's own bridge.
 */
async function leaksDuring(name: string, work: () => Promise<unknown>, bridge?: string): Promise<number> {
  const leaks = await capture(lab(), name, leakFilter(lab()), { role: 'engine' });
  const nearer = bridge ? await capture(lab(), `${name}-bridge`, leakFilter(lab()), { bridge }) : undefined;
  const done = new AbortController();
  const probes = (async () => {
    while (!done.signal.aborted) await trySh(`(${PROBE} & wait) >/dev/null 2>&1`);
  })();
  try {
    await work();
  } finally {
    done.abort();
    await probes;
  }
  const counts = [await leaks.stop(), (await nearer?.stop()) ?? 0];
  return (counts[0] ?? 0) + (counts[1] ?? 0);
}

test('no client files yet: one line with the next command, no loop, and closed meanwhile', async () => {
  const files = scratch('none-yet');
  const leaked = await leaksDuring('no-files', async () => {
    const { code, stderr } = await compose(['up', '-d'], files);
    assert.equal(code, 0, stderr);
    assert.ok(await until(20_000, async () => (await logs()) !== ''));
    assert.match(await trySh('comps-health').then(({ stdout }) => stdout), /no client files yet/);
    await trySh(`(${PROBE} & wait) >/dev/null 2>&1`);
  });
  assert.equal(leaked, 0);
  assert.match(await logs(), /^wgclient: no client files .*; next: npx zx scripts\/wgnet-setup\.ts[^\n]*\n$/);
  assert.equal(await inspect('{{.RestartCount}} {{.State.Running}}'), '0 true');
  // They come, and it goes on by itself.
  await goodSetup(lab());
  cpSync(lab().clientDirectory, files, { recursive: true });
  assert.ok(await healthy(), await logs());
  assert.equal(await inspect('{{.RestartCount}}'), '0');
  await compose(['down', '-t', '1'], files);
});

test('no /dev/net/tun and no WireGuard in the kernel: one line with the next command, no loop', async () => {
  const folder = scratch('no-tun');
  const override = join(folder, 'override.yml');
  writeFileSync(override, `services: {wgclient: {volumes: ["${scratch('no-tun/empty')}:/dev/net"]}}\n`);
  const both = ['-f', 'docker-compose.yml', '-f', override];
  await goodCompose(...both, 'up', '-d');
  assert.ok(await until(20_000, async () => (await logs()) !== ''));
  assert.match(
    await logs(),
    /^wgclient: no WireGuard in the kernel, and no \/dev\/net\/tun[^\n]*next, on the host: [^\n]*\n$/,
  );
  assert.equal(await inspect('{{.RestartCount}} {{.State.Running}}'), '0 true');
  await goodCompose(...both, 'down', '-t', '1');
});

test('without the right to configure its network it says so, and does not loop', async () => {
  await engine().exec(['docker', 'run', '-d', '--name', 'wgclient', '--network', 'none', 'comps-client']);
  assert.ok(await until(20_000, async () => (await logs()) !== ''));
  assert.match(await logs(), /^wgclient: may not configure its network; next: [^\n]*\n$/m);
  assert.equal(await inspect('{{.RestartCount}} {{.State.Running}}'), '0 true');
  await engine().exec(['docker', 'rm', '-f', 'wgclient']);
});

test('a folder of client files that is not there: refused by docker-compose itself, nothing runs', async () => {
  const { code, stderr } = await compose(['up', '-d'], '/nowhere/at/all');
  assert.notEqual(code, 0);
  assert.match(stderr, /nowhere/);
  await compose(['down'], '/nowhere/at/all');
});

test('up: healthy; the site answers and sees the comp server, by name too; nothing past the tunnels', async () => {
  const leaked = await leaksDuring('up', async () => {
    await goodCompose('up', '-d');
    assert.ok(await healthy(), await logs());
    assert.equal(await sh('curl -sS -m 10 http://www.example.org/ip'), lab().addressOf('comp1'));
  });
  assert.equal(leaked, 0);
  assert.match(await logs(), /up; all traffic goes through the tunnels/);
});

test('not privileged: the capability, and mounts of the project that cannot be written', async () => {
  assert.equal(await inspect('{{.HostConfig.Privileged}} {{.HostConfig.CapAdd}}'), 'false [NET_ADMIN]');
  for (const file of ['/comps/x', '/etc/wireguard/x'])
    assert.notEqual((await trySh(`touch ${file}`)).code, 0);
  assert.notEqual((await trySh('mount -t tmpfs none /mnt')).code, 0);
  assert.match(await sh('grep ^root: /etc/shadow'), /^root:[*!]/);
});

test('the commands of the documentation: a shell, the routes by hand', async () => {
  const { code, stdout } = await engine().exec([
    'script',
    '-qec',
    'docker exec -it wgclient /bin/sh -c tty',
    '/dev/null',
  ]);
  assert.equal(code, 0);
  assert.match(stdout, /\/dev\/pts/);
  await sh('ip -4 route replace default dev wgnet1 table 51821');
  await sh('ip -4 route delete 0.0.0.0/0 dev wgnet1 table 51821');
  await sh('ip -4 route add 0.0.0.0/0 dev wgnet2 table 51821');
  assert.match(await sh('ip route show table 51821'), /^default dev wgnet2 scope link/);
  assert.match(
    await sh('ip rule'),
    /fwmark 0xca6d lookup main[\s\S]*fwmark 0xca6c lookup 51821[\s\S]*not from all fwmark 0xca6c lookup 51820/,
  );
});

test('migration by `npx zx`, with its log on standard output: every path carries its share', async () => {
  const bytes = async (): Promise<number[]> =>
    (await sh('cat /sys/class/net/wgnet*/statistics/rx_bytes')).split('\n').map(Number);
  const before = await bytes();
  const migration = trySh('npx zx /comps/migrate.ts --period 0.05 --seed 7 --duration 6');
  await sh(`curl -sS -m 30 --limit-rate 2M -o /dev/null http://${SITE}/10m`);
  const { code, stdout, stderr } = await migration;
  assert.equal(code, 0, stderr);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual([lines[0].seed, lines.at(-1).errors], [7, 0]);
  const carried = (await bytes()).map((after, i) => after - (before[i] ?? 0));
  const sum = carried.reduce((a, b) => a + b);
  for (const share of carried) assert.ok(share / sum > 0.2, carried.join(', '));
});

test('names are asked for through wg0 only: Docker’s own resolver is refused', async () => {
  assert.equal(await sh('cat /etc/resolv.conf'), 'nameserver 203.0.113.53');
  const ask = (server: string) =>
    sh(
      `node -e "const r = new (require('dns').Resolver)({ timeout: 1000, tries: 1 }); r.setServers(['${server}']); r.resolve4('www.example.org', (e, a) => console.log(e ? e.code : a[0]))"`,
    );
  assert.equal(await ask('203.0.113.53'), SITE);
  assert.equal(await ask('127.0.0.11'), 'ECONNREFUSED');
  const asked = readFileSync(join(lab().directory, 'site', 'dns.log'), 'utf8');
  const askers = new Set([...asked.matchAll(/query\[\w+\] \S+ from (\S+)/g)].map(([, asker]) => asker));
  assert.deepEqual([...askers], [lab().addressOf('comp1')]);
});

test('Chromium runs with its sandbox, as a user of its own, through the tunnels', async () => {
  const asBrowser = ['docker', 'exec', '-u', 'browser', 'wgclient'];
  const dump = (url: string) =>
    engine().exec([
      ...asBrowser,
      ...['timeout', '60', 'chromium', '--headless', '--disable-gpu'],
      ...[
        '--no-first-run',
        '--disable-background-networking',
        '--disable-sync',
        '--disable-component-update',
        '--dump-dom',
        url,
      ],
    ]);
  const page = await dump('http://www.example.org/ip');
  assert.match(page.stdout, new RegExp(lab().addressOf('comp1')), page.stderr);
  // Where a page is rendered: in namespaces of its own, and with system calls filtered a second time.
  const flags =
    '--headless --disable-gpu --no-first-run --disable-background-networking --remote-debugging-port=9333';
  const begun = engine().exec([
    ...asBrowser,
    'timeout',
    '30',
    'sh',
    '-c',
    `exec chromium ${flags} about:blank`,
  ]);
  const renderer = "$(pgrep -of 'type=renderer')";
  const isolated = () =>
    trySh(
      `for n in user pid net; do [ "$(readlink /proc/${renderer}/ns/$n)" != "$(readlink /proc/1/ns/$n)" ] || exit 1; done
       grep -c 'Seccomp_filters:.[2-9]' /proc/${renderer}/status`,
    );
  assert.ok(await until(20_000, async () => (await isolated()).stdout === '1\n'), (await isolated()).stderr);
  await trySh('pkill -f [r]emote-debugging-port=9333');
  await begun;
});

test('the captures see a leak: a container of the same network that sends past the tunnels', async () => {
  const bridge = await engine().bridge('client_default');
  const words = ['docker', 'run', '--rm', '--network', 'client_default', 'comps-client'];
  const counted = await leaksDuring(
    'control',
    () => engine().exec([...words, 'curl', '-sS', '-m', '5', `http://${SITE}/ip`]),
    bridge,
  );
  assert.ok(counted > 5, String(counted));
});

/** Those that leave the container's network standing, and with it the bridge to capture on. */
const lifecycles: [string, () => Promise<unknown>][] = [
  ['restart', () => goodCompose('restart', '-t', '1')],
  ['kill, and up', async () => [await goodCompose('kill'), await goodCompose('up', '-d')]],
  ['stop, and start', async () => [await goodCompose('stop', '-t', '1'), await goodCompose('start')]],
  [
    'its first program killed: Docker starts it again',
    async () => {
      // The shell that says so goes with it.
      await trySh('pkill -KILL -x sleep');
      assert.ok(await until(20_000, async () => (await inspect('{{.RestartCount}}')) === '1'));
    },
  ],
];
for (const [what, work] of lifecycles)
  test(`${what}: closed all the time, and healthy again`, async () => {
    const bridge = await engine().bridge('client_default');
    const again = async () => {
      await work();
      assert.ok(await healthy(), await logs());
      assert.equal(await sh(`curl -sS -m 10 http://${SITE}/ip`), lab().addressOf('comp1'));
    };
    assert.equal(await leaksDuring(what.replaceAll(/\W+/g, '-'), again, bridge), 0);
  });

test('down, and up: closed all the time, and healthy again', async () => {
  const leaked = await leaksDuring('down-up', async () => {
    await goodCompose('down', '-t', '1');
    await goodCompose('up', '-d');
    assert.ok(await healthy(), await logs());
    assert.equal(await sh(`curl -sS -m 10 http://${SITE}/ip`), lab().addressOf('comp1'));
  });
  assert.equal(leaked, 0);
});

test('health: a tunnel that is gone is named, and put back by setup.sh', async () => {
  await sh('ip link delete wgnet2');
  const { code, stdout } = await trySh('comps-health');
  assert.deepEqual([code, stdout], [1, 'wgnet2: not up\n']);
  await sh('/etc/wireguard/setup.sh');
  assert.ok(await until(20_000, async () => (await trySh('comps-health')).code === 0));
});

test('a proxy that is dead at the start: unhealthy and named, while the others carry', async () => {
  await lab().stop('vpn2');
  await goodCompose('restart', '-t', '1');
  assert.ok(
    await until(30_000, async () =>
      /^wgnet2: no handshake yet\n$/.test((await trySh('comps-health')).stdout),
    ),
  );
  assert.notEqual(await inspect('{{.State.Health.Status}}'), 'healthy');
  await sh('ip route replace default dev wgnet1 table 51821');
  assert.equal(await sh(`curl -sS -m 10 http://${SITE}/ip`), lab().addressOf('comp1'));
  await lab().start('vpn2');
  // It is a new machine, with a new key.
  await goodSetup(lab());
  await sh('/etc/wireguard/setup.sh');
  assert.ok(await healthy(), (await trySh('comps-health')).stdout);
});

test('up again changes nothing', async () => {
  const id = await inspect('{{.Id}} {{.State.StartedAt}}');
  await goodCompose('up', '-d');
  assert.equal(await inspect('{{.Id}} {{.State.StartedAt}}'), id);
});
