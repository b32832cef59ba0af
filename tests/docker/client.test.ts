import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../../scripts/lib/poll.ts';
import { attempt } from '../../scripts/lib/transport/local.ts';
import { goodSetup } from '../lab/fixture.ts';
import { PATIENCE, useEngine } from './fixture.ts';
import { SITE, wgclient } from './wgclient.ts';

const { lab, engine } = useEngine('wgclient', { vpn: 2 }, (lab) => goodSetup(lab));
const { ask, goodCompose, healthy, inspect, leaksDuring, logs, sh, trustSites, trySh, underMigration } =
  wgclient(lab, engine);

test('up: healthy; the site answers and sees the comp server, by name too; nothing past the tunnels', async () => {
  const leaked = await leaksDuring('up', async () => {
    await goodCompose('up', '-d');
    assert.ok(await healthy(), await logs());
    assert.equal(await sh('curl -sS -m 60 http://www.example.org/ip'), lab().addressOf('comp1'));
  });
  assert.equal(leaked, 0);
  assert.match(await logs(), /up; all traffic goes through the tunnels/);
});

test('not privileged: the capability, and mounts of the project that cannot be written', async () => {
  assert.equal(await inspect('{{.HostConfig.Privileged}} {{.HostConfig.CapAdd}}'), 'false [NET_ADMIN]');
  for (const file of ['/comps/x', '/etc/wireguard/x'])
    assert.notEqual((await trySh(`touch ${file}`)).code, 0);
  // But for the folder of runs, which Docker made.
  await sh('mkdir /runs/one && echo whole >/runs/one/record');
  assert.equal(readFileSync(join(lab().directory, 'runs', 'one', 'record'), 'utf8'), 'whole\n');
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
  const carried = async () => (await bytes()).map((after, i) => after - (before[i] ?? 0));
  const sum = (list: number[]) => list.reduce((a, b) => a + b);
  const least = (list: number[]) => Math.min(...list) / sum(list);
  // More than once where the machine stood still for a while, and so on one path.
  const log = await underMigration('--period 0.05 --seed 7', async () => {
    for (let times = 0; times === 0 || (times < 5 && least(await carried()) <= 0.2); times++)
      await sh(`curl -sS -m 300 --limit-rate 2M -o /dev/null http://${SITE}/10m`);
  });
  const lines = log.split('\n').map((line) => JSON.parse(line));
  assert.deepEqual([lines[0].seed, lines.at(-1).reason, lines.at(-1).errors], [7, 'SIGTERM', 0]);
  const all = await carried();
  assert.ok(least(all) > 0.2, all.join(', '));
});

test('names are asked for through wg0 only: Docker’s own resolver is refused', async () => {
  assert.equal(await sh('grep -v ^# /etc/resolv.conf'), 'nameserver 203.0.113.53');
  assert.equal(await ask('203.0.113.53'), SITE);
  assert.equal(await ask('127.0.0.11'), 'ECONNREFUSED');
  const asked = readFileSync(join(lab().directory, 'site', 'dns.log'), 'utf8');
  assert.doesNotMatch(asked, /registry/, 'npx asked for news');
  const askers = new Set([...asked.matchAll(/query\[\w+\] \S+ from (\S+)/g)].map(([, asker]) => asker));
  assert.deepEqual([...askers], [lab().addressOf('comp1')]);
});

test('Chromium runs with its sandbox, as a user of its own, through the tunnels', async () => {
  const asBrowser = ['docker', 'exec', '-u', 'browser', 'wgclient'];
  const dump = (url: string) =>
    engine().exec([
      ...asBrowser,
      ...['timeout', '180', 'chromium', '--headless', '--disable-gpu'],
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
    '180',
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
  assert.ok(
    await until(PATIENCE, async () => (await isolated()).stdout === '1\n'),
    (await isolated()).stderr,
  );
  await trySh('pkill -f [r]emote-debugging-port=9333');
  await begun;
});

test('playwright-core drives that Chromium to a page over HTTPS, under migration; its policies are in the image', async () => {
  await trustSites();
  assert.equal(
    await sh('cat /etc/chromium/policies/managed/comps.json'),
    readFileSync('client/policies/comps.json', 'utf8').trim(),
  );
  const program = `
    import { chromium } from 'playwright-core';
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', chromiumSandbox: true });
    const page = await browser.newPage();
    let parts = 0;
    page.on('requestfinished', () => parts++);
    const main = await page.goto('https://many.example.org/', { waitUntil: 'load' });
    console.log(JSON.stringify([main.status(), (await main.securityDetails()).issuer, parts >= 61]));
    await browser.close();`;
  const node = ['node', '--input-type=module', '-e', program];
  await underMigration('--period 0.1 --strategy wr --seed 42', async () => {
    const { stdout, stderr } = await engine().exec(['docker', 'exec', '-u', 'browser', 'wgclient', ...node]);
    assert.equal(stdout.trim(), '[200,"CoMPS lab",true]', stderr);
  });
});

test('the captures see leaks of each kind: a container of the same network that sends past the tunnels', async () => {
  const bridge = await engine().bridge('client_default');
  const words = [
    'docker',
    'run',
    '--rm',
    '--network',
    'client_default',
    '--dns',
    '203.0.113.53',
    'comps-client',
  ];
  const line = `ping -c 1 -W 1 ${SITE}; getent ahosts www.example.org; curl -sS -m 60 http://${SITE}/ip`;
  await leaksDuring('control', () => engine().exec([...words, 'sh', '-c', line]), bridge);
  for (const file of ['control', 'control-bridge'])
    for (const kind of ['icmp', 'udp port 53', 'tcp port 80']) {
      const { stdout } = await attempt(['tcpdump', '-n', '-r', join(lab().directory, `${file}.pcap`), kind]);
      assert.notEqual(stdout, '', `${file}: ${kind}`);
    }
});

/** Those that leave the container's network standing, and with it the bridge to capture on. */
const lifecycles: [string, () => Promise<unknown>][] = [
  ['restart', () => goodCompose('restart', '-t', '1')],
  ['kill, and up', async () => [await goodCompose('kill'), await goodCompose('up', '-d')]],
  ['stop, and start', async () => [await goodCompose('stop', '-t', '1'), await goodCompose('start')]],
  [
    'its first program killed: Docker starts it again',
    async () => {
      const restarts = () => inspect('{{.RestartCount}}');
      const before = await restarts();
      await trySh('pkill -KILL -x comps-client');
      assert.ok(await until(PATIENCE, async () => (await restarts()) !== before));
    },
  ],
];
for (const [what, work] of lifecycles)
  test(`${what}: closed all the time, and healthy again`, async () => {
    const bridge = await engine().bridge('client_default');
    const again = async () => {
      await work();
      assert.ok(await healthy(), await logs());
      assert.equal(await sh(`curl -sS -m 60 http://${SITE}/ip`), lab().addressOf('comp1'));
    };
    assert.equal(await leaksDuring(what.replaceAll(/\W+/g, '-'), again, bridge), 0);
  });

test('down, and up: closed all the time, and healthy again', async () => {
  const leaked = await leaksDuring('down-up', async () => {
    await goodCompose('down', '-t', '1');
    await goodCompose('up', '-d');
    assert.ok(await healthy(), await logs());
    assert.equal(await sh(`curl -sS -m 60 http://${SITE}/ip`), lab().addressOf('comp1'));
  });
  assert.equal(leaked, 0);
});

test('a tunnel that is gone is named, and comes back by itself; so do all of them; closed meanwhile', async () => {
  const bridge = await engine().bridge('client_default');
  const leaked = await leaksDuring(
    'killed',
    async () => {
      // Where the container is quicker than the question, it is taken away once more.
      let named = '';
      const isNamed = async () => {
        named = (await trySh('ip link delete wgnet2; comps-health')).stdout;
        return /^wgnet2: not up\n/.test(named);
      };
      assert.ok(await until(PATIENCE, isNamed), named);
      assert.ok(await until(PATIENCE, async () => (await trySh('comps-health')).code === 0));
      const seen = async () => (await logs()).match(/a tunnel is gone/g)?.length;
      const before = await seen();
      await trySh('pkill -KILL wireguard-go');
      assert.ok(await until(PATIENCE, async () => (await seen()) !== before));
      assert.ok(await until(PATIENCE, async () => (await trySh('comps-health')).code === 0));
      assert.equal(await sh(`curl -sS -m 60 http://${SITE}/ip`), lab().addressOf('comp1'));
    },
    bridge,
  );
  assert.equal(leaked, 0);
  assert.match(
    await logs(),
    /a tunnel is gone; closed until it is back\n.*all traffic goes through the tunnels\n/,
  );
});

test('health: a handshake of more than three minutes ago is none, on every tunnel, wg0 among them', async () => {
  // What wg would say of a peer that was last heard of so many seconds ago.
  const health = async (name: string, ago: number) => {
    const fake = `#!/bin/sh\nn=$(date +%s); [ "$2" = ${name} ] && n=$((n - ${ago})); printf 'key\\t%s\\n' $n\n`;
    await sh(
      `mkdir -p /tmp/fake; printf %s '${Buffer.from(fake).toString('base64')}' | base64 -d >/tmp/fake/wg; chmod 755 /tmp/fake/wg`,
    );
    return trySh('PATH=/tmp/fake:$PATH comps-health');
  };
  for (const name of ['wg0', 'wgnet1', 'wgnet2']) {
    assert.equal((await health(name, 170)).code, 0, name);
    // comps-health looks at the clock before it asks: on a busy machine, some seconds before.
    const { code, stdout } = await health(name, 295);
    assert.equal(code, 1, name);
    assert.match(stdout, new RegExp(`^${name}: last handshake 2\\d\\d s ago\\n$`));
  }
});

test('a proxy that is dead at the start: unhealthy and named, while the others carry', async () => {
  await lab().stop('vpn2');
  await goodCompose('restart', '-t', '1');
  assert.ok(
    await until(PATIENCE, async () =>
      /^wgnet2: no handshake yet\n/.test((await trySh('comps-health')).stdout),
    ),
  );
  assert.notEqual(await inspect('{{.State.Health.Status}}'), 'healthy');
  await sh('ip route replace default dev wgnet1 table 51821');
  assert.equal(await sh(`curl -sS -m 60 http://${SITE}/ip`), lab().addressOf('comp1'));
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
