import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../../scripts/lib/poll.ts';
import { attempt } from '../../scripts/lib/transport/local.ts';
import { demoOf, GATE } from './demo.ts';
import { PATIENCE, useEngine } from './fixture.ts';
import { whileProbing } from './probing.ts';

const place = useEngine('wgmlife', { vpn: 1 });
const { lab } = place;
const { compose, docker, leaks, openWebsite, render, sh, tryDocker, up, ...demo } = demoOf(place);

/** Opens the demo’s page until it comes. */
async function pageComes(...words: string[]): Promise<void> {
  let said = '';
  const came = async () => {
    const { code, stdout, stderr } = await openWebsite('www.example.org', '--no-screenshot', ...words);
    said = stdout + stderr;
    return code === 0;
  };
  assert.ok(await until(PATIENCE, came), said);
  assert.match(said, /^title +wg-migrate demo$/m);
}

/** Everything that a program may try, Docker’s own resolver among it. */
const PROBES = [
  ...['ping -c 1 -W 1 10.210.3.80', 'ping -c 1 -W 1 -I eth0 10.210.3.80', 'ping -c 1 -W 1 10.210.1.11'],
  ...['ping -6 -c 1 -W 1 ff02::1%eth0', 'getent hosts www.example.org', 'getent hosts nosuch.example.net'],
  ...['curl -sS -m 2 http://www.example.org/', `curl -sS -m 1 http://${GATE}:4444/`],
  "node -e \"const r = new (require('dns').Resolver)({ timeout: 500, tries: 1 }); r.setServers(['127.0.0.11']); r.resolve4('a.example.net', () => {})\"",
];

/** While something is done, programs in the client try to get out, in whatever state it is: packets past the tunnels. */
async function leaksDuring(name: string, work: () => Promise<unknown>): Promise<number> {
  const past = await leaks(name);
  await whileProbing(PROBES, (line) => tryDocker('exec', 'wg_client', 'sh', '-c', line), work);
  return past.stop();
}

test('the capture sees a leak, of the probes too: an unprotected client sends past the tunnels', async () => {
  await render();
  await up();
  await pageComes();
  const packets = async () => {
    const file = join(lab().directory, 'control.pcap');
    return (await attempt(['tcpdump', '-n', '-r', file, 'icmp and dst host 10.210.3.80'])).stdout;
  };
  const leaked = await leaksDuring('control', async () => {
    // Else it would bring its tunnels back.
    await sh('pkill -STOP -x comps-client && /etc/wireguard/setup.sh down');
    assert.ok(await until(PATIENCE, async () => (await packets()) !== ''));
    await sh('/etc/wireguard/setup.sh && pkill -CONT -x comps-client');
  });
  assert.ok(leaked > 0);
});

/** Docker starts it again. */
async function killFirstProgram(): Promise<void> {
  const started = () => docker('inspect', '--format', '{{.State.StartedAt}}', 'wg_client');
  const before = await started();
  await tryDocker('exec', 'wg_client', 'pkill', '-KILL', '-x', 'comps-client');
  assert.ok(await until(PATIENCE, async () => (await started()) !== before));
}

const lifecycles: [string, () => Promise<unknown>][] = [
  ['restart', () => compose('restart')],
  ['kill, and up', async () => [await compose('kill'), await compose('up', '-d', '--no-build')]],
  ['stop, and start', async () => [await compose('stop'), await compose('start')]],
  ['restart of the client alone: the browser follows', () => docker('restart', 'wg_client')],
  ['the client’s first program killed', killFirstProgram],
  ['restart of a proxy and the comp server', () => docker('restart', 'wgnet1', 'wg0')],
];
for (const [what, work] of lifecycles)
  test(`${what}: nothing past the tunnels meanwhile, healthy again, and a page comes`, async () => {
    const leaked = await leaksDuring(what.replaceAll(/\W+/g, '-'), async () => {
      await work();
      await demo.allHealthy();
      await pageComes();
    });
    assert.equal(leaked, 0);
  });

test('rendered anew while it is up: the next `up` makes all machines anew, with the new keys', async () => {
  const key = () => docker('exec', 'wg_client', 'wg', 'show', 'wg0', 'public-key');
  const before = await key();
  assert.doesNotMatch(await render(), /remove-orphans/);
  await up();
  assert.notEqual(await key(), before);
  await pageComes();
});

test('three paths, another subnet and port while it is up: it says what to type first; each path carries its share', async () => {
  const said = await render('--paths', '3', '--subnet', '172.30.0.0/16', '--port', '4455');
  const typed = /first: docker-compose (.*)/.exec(said)?.[1]?.split(' ') ?? [];
  assert.deepEqual(typed, ['down', '--remove-orphans']);
  await compose(...typed);
  assert.equal(await demo.states(), '');
  assert.equal(await docker('network', 'ls', '--quiet', '--filter', 'type=custom'), '');
  await up(8);
  assert.equal(await sh('curl -sS -m 60 http://www.example.org/ip'), '172.30.3.200');
  const shares = await demo.sharesDuring(['0.05'], 0.2, async () => {
    await pageComes('--webdriver', 'http://127.0.0.1:4455');
    await sh('curl -sS -m 300 --limit-rate 2M -o /dev/null http://www.example.org/10m');
  });
  assert.equal(shares.length, 3);
  for (const share of shares) assert.ok(share > 0.2, `shares of ${shares.join(', ')}`);
  assert.match(await render(), /the one before had .*wgnet3.*172\.30\.1\.0\/24.*first: /);
  await compose('down', '--remove-orphans');
});

test('--internet: the comp server is the way out, for names as well, and the only one', async () => {
  await render('--internet');
  await up();
  // The lab’s own site.
  assert.equal(await sh('curl -sS -m 60 http://203.0.113.80/ip'), lab().addressOf('engine'));
  await sh('getent hosts asked.example.net || true');
  const asked = `query[A] asked.example.net from ${lab().addressOf('engine')}`;
  const log = () => readFileSync(join(lab().directory, 'site', 'dns.log'), 'utf8');
  assert.ok(await until(PATIENCE, () => log().includes(asked)), log());
  await pageComes();
  await demo.reachNothing('wgnet1', 'site');
  await compose('down');
});

test('no /dev/net/tun and no WireGuard in the kernel: a machine says so, and does not loop', async () => {
  await render();
  const empty = join(lab().directory, 'empty');
  mkdirSync(empty);
  const override = join(lab().directory, 'no-tun.yml');
  writeFileSync(override, `services: {wgnet1: {volumes: ["${empty}:/dev/net"]}}\n`);
  const files = ['-f', 'docker-compose.yml', '-f', override];
  await compose(...files, 'up', '-d', '--no-build', 'wgnet1');
  const said = () => demo.logs('wgnet1');
  assert.ok(await until(PATIENCE, async () => /next, on the host/.test(await said())), await said());
  const format = '{{.RestartCount}} {{.State.Running}}';
  assert.equal(await docker('inspect', '--format', format, 'wgnet1'), '0 true');
  await compose('down');
});
