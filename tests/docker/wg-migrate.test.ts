import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Capture, capture } from '../../scripts/lib/lab/capture.ts';
import { until } from '../../scripts/lib/lab/poll.ts';
import { attempt } from '../../scripts/lib/transport/local.ts';
import { useEngine } from './fixture.ts';

const { lab, engine } = useEngine('wgmigrate', { vpn: 1 });

/** The demo, rendered beside the lab's files. */
const demo = (): string => join(lab().directory, 'wg migrate');
const GATE = '10.210.1.3';
const COMP = '10.210.3.200';

const render = async (...flags: string[]): Promise<string> => {
  const words = ['node', '--import=tsx', 'scripts/wg-migrate.ts', '-o', demo(), ...flags];
  const { code, stdout, stderr } = await engine().exec(words);
  assert.equal(code, 0, stderr);
  return stdout;
};
const tryCompose = (...words: string[]) =>
  engine().exec(['env', '-C', demo(), 'docker-compose', '-p', 'wg-migrate', ...words]);
async function compose(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await tryCompose(...words);
  assert.equal(code, 0, stdout + stderr);
  return stdout + stderr;
}
const docker = async (...words: string[]): Promise<string> => {
  const { code, stdout, stderr } = await engine().exec(['docker', ...words]);
  assert.equal(code, 0, `docker ${words.join(' ')}: ${stderr}`);
  return stdout.trim();
};
const sh = (line: string, machine = 'wg_client') => docker('exec', machine, 'sh', '-c', line);

/** The states of all machines; good where every one is healthy. */
const states = async (): Promise<string> =>
  docker('ps', '-a', '--filter', 'label=comps.rendering', '--format', '{{.Names}} {{.Status}}');
async function allHealthy(machines = 7): Promise<void> {
  const good = async () => (await states()).match(/\(healthy\)/g)?.length === machines;
  assert.ok(await until(60_000, good), await states());
}
const up = async (...flags: string[]): Promise<void> => {
  await compose('up', '-d', '--no-build', ...flags);
  await allHealthy();
};

/** A project's command on the computer that the engine is on. */
const command = (script: string, ...words: string[]) =>
  engine().exec(['node', '--import=tsx', script, ...words]);
const openWebsite = (...words: string[]) => command('client/scripts/open_website.ts', ...words);
async function title(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await openWebsite(
    'www.example.org',
    '--json',
    '--no-screenshot',
    ...words,
  );
  assert.equal(code, 0, stderr);
  return (JSON.parse(stdout) as { title: string }).title;
}

/** Bytes that each path has brought, in the order of the paths. */
const received = async (): Promise<number[]> =>
  (await sh('for f in /sys/class/net/wgnet*/statistics/rx_bytes; do cat $f; done')).split('\n').map(Number);

/** What the client may send into its network: the tunnels' UDP to the proxies, and the WebDriver's answers. */
async function leaks(name: string, paths = 2): Promise<Capture> {
  const mac = await docker(
    'inspect',
    '--format',
    '{{range .NetworkSettings.Networks}}{{.MacAddress}}{{end}}',
    'wg_client',
  );
  const proxies = Array.from({ length: paths }, (_, i) => `dst host 10.210.1.${11 + i}`).join(' or ');
  const allowed = `(udp dst port 51820 and (${proxies})) or (tcp src port 4444 and dst host ${GATE})`;
  const bridge = await engine().bridge('wg-migrate_access');
  return capture(lab(), name, `ether src ${mac} and not (${allowed})`, { bridge });
}

const migrating = async (): Promise<boolean> =>
  (await engine().exec(['docker', 'exec', 'wg_client', 'pgrep', '-f', 'migrate.ts'])).code === 0;
async function stopMigration(): Promise<void> {
  await sh('pkill -TERM -f migrate.ts');
  assert.ok(await until(10_000, async () => !(await migrating())));
}

test('it is rendered, and docker-compose brings it up: every machine healthy', async () => {
  await render();
  await up();
  assert.equal(await sh('curl -sS -m 10 http://www.example.org/ip'), COMP);
  assert.equal(
    await sh('curl -sS -m 10 --cacert /etc/wireguard/authority.crt https://www.example.org/ip'),
    COMP,
  );
});

test('nothing is privileged: one capability where WireGuard is, none in the browser and the gate', async () => {
  for (const name of (await states()).split('\n').map((line) => line.split(' ')[0] ?? '')) {
    const format = '{{.HostConfig.Privileged}} {{.HostConfig.CapAdd}} {{.HostConfig.Devices}}';
    const adds = name.startsWith('wg') ? '[NET_ADMIN]' : '[]';
    assert.equal(await docker('inspect', '--format', format, name), `false ${adds} []`, name);
  }
  for (const name of ['browser', 'gate'])
    assert.match(await sh('cat /proc/1/status', name), /^CapBnd:\t0+$/m, name);
  assert.match(await sh('ps -o user= -C chromedriver', 'browser'), /^browser$/);
});

test('a page over HTTPS, under `migrate.sh 0.1`: each path carries its share, nothing goes past the tunnels', async () => {
  const past = await leaks('page');
  const before = await received();
  await docker('exec', '-d', 'wg_client', '/etc/wireguard/migrate.sh', '0.1', '--log', '/tmp/log');
  assert.ok(await until(10_000, migrating));
  const shot = join(lab().directory, 'page.png');
  const { code, stdout, stderr } = await openWebsite('www.example.org', '--json', '--screenshot', shot);
  assert.equal(code, 0, stderr);
  const page = JSON.parse(stdout) as Record<string, unknown> & { timing: Record<string, number> };
  assert.deepEqual(
    [page.title, page.url, page.status, page.protocol, page.address, page.screenshot],
    ['wg-migrate demo', 'https://www.example.org/', 200, 'h2', '10.210.3.80', shot],
  );
  assert.ok((page.timing.tls ?? 0) > 0 && (page.timing.load ?? 0) > 0);
  assert.equal(readFileSync(shot).subarray(1, 4).toString(), 'PNG');
  await sh('curl -sS -m 60 --limit-rate 4M -o /dev/null http://www.example.org/10m');
  await stopMigration();
  const carried = (await received()).map((bytes, i) => bytes - (before[i] ?? 0));
  const sum = carried.reduce((a, b) => a + b);
  for (const share of carried) assert.ok(share / sum > 0.3, `shares of ${carried.join(', ')}`);
  const lines = (await sh('cat /tmp/log')).split('\n').map((line) => JSON.parse(line));
  assert.deepEqual([lines.at(-1).event, lines.at(-1).errors, lines.at(-1).reason], ['end', 0, 'SIGTERM']);
  assert.equal(await past.stop(), 0);
});

test('the capture sees a leak: an unprotected client sends past the tunnels', async () => {
  const past = await leaks('control');
  await sh('/etc/wireguard/setup.sh down; ping -c 1 -W 1 10.210.1.11; true');
  await sh('/etc/wireguard/setup.sh');
  assert.ok((await past.stop()) > 0);
});

/** Everything that a program may try, Docker’s own resolver among it. */
const PROBES = [
  ...['ping -c 1 -W 1 10.210.3.80', 'ping -c 1 -W 1 -I eth0 10.210.3.80', 'ping -c 1 -W 1 10.210.1.11'],
  ...['ping -6 -c 1 -W 1 ff02::1%eth0', 'getent hosts www.example.org', 'getent hosts nosuch.example.net'],
  ...['curl -sS -m 2 http://www.example.org/', `curl -sS -m 1 http://${GATE}:4444/`],
  'node -e "const r = new (require(`dns`).Resolver)({ timeout: 500, tries: 1 }); r.setServers([`127.0.0.11`]); r.resolve4(`a.example.net`, () => {})"',
].map((probe) => `${probe} >/dev/null 2>&1 &`);
/** While something is done, programs in the client try to get out, in whatever state it is. */
async function leaksDuring(name: string, work: () => Promise<unknown>): Promise<number> {
  const past = await leaks(name);
  const done = new AbortController();
  const probing = (async () => {
    while (!done.signal.aborted)
      await engine().exec(['docker', 'exec', 'wg_client', 'sh', '-c', `${PROBES.join('\n')}\nwait`]);
  })();
  try {
    await work();
  } finally {
    done.abort();
    await probing;
  }
  return past.stop();
}

test('names are asked for through wg0 only, by whatever program, and Docker’s resolver is refused', async () => {
  assert.equal(await sh('cat /etc/resolv.conf'), 'nameserver 10.210.3.80');
  assert.equal(await sh('cat /etc/resolv.conf', 'browser'), 'nameserver 10.210.3.80');
  const ask = (server: string, name: string) =>
    sh(
      `node -e "const r = new (require('dns').Resolver)({ timeout: 1000, tries: 1 }); r.setServers(['${server}']); r.resolve4('${name}', (e, a) => console.log(e ? e.code : a[0]))"`,
    );
  assert.equal(await ask('127.0.0.11', 'site'), 'ECONNREFUSED');
  assert.equal(await ask('10.210.3.80', 'www.example.org'), '10.210.3.80');
  assert.match(await ask('10.210.3.80', 'nosuch.example.net'), /EREFUSED/);
  const { stdout, stderr } = await engine().exec(['docker', 'logs', 'site']);
  const askers = [...(stdout + stderr).matchAll(/query\[\w+\] \S+ from (\S+)/g)].map(([, asker]) => asker);
  assert.ok(askers.length > 2);
  assert.deepEqual([...new Set(askers)], [COMP]);
});

test('the site saw nobody but the comp server', async () => {
  const log = await docker('logs', 'site');
  const seen = [...log.matchAll(/^[\d.]+ (\S+) https? GET/gm)].map(([, address]) => address);
  assert.ok(seen.length > 3);
  assert.deepEqual([...new Set(seen)], [COMP]);
});

test('Chromium’s sandbox is on: its own namespaces and a filter of its own around every page', async () => {
  const open = openWebsite('http://www.example.org/100m', '--no-screenshot', '--timeout', '30');
  const renderer = "$(pgrep -of 'type=renderer')";
  const isolated = `for n in user pid net; do [ "$(readlink /proc/${renderer}/ns/$n)" != "$(readlink /proc/self/ns/$n)" ] || exit 1; done
    grep -c 'Seccomp_filters:.[2-9]' /proc/${renderer}/status; pgrep -fc -- --no-sandbox`;
  let seen = '';
  const look = async () => {
    const { stdout } = await engine().exec(['docker', 'exec', 'browser', 'sh', '-c', isolated]);
    seen = stdout;
    return /^1\n/.test(stdout);
  };
  assert.ok(await until(20_000, look), seen);
  // The shell that looks has that word in its own command line.
  assert.match(seen, /^1\n[01]\n$/);
  await open;
});

test('open_website: what cannot be had, in one line with the next command', async () => {
  for (const [words, exit, said] of [
    [['http://www.example.org/nowhere'], 2, /^$/],
    [['nosuch.example.net'], 2, /ERR_NAME_NOT_RESOLVED\n {2}next: /],
    [['https://10.210.3.80'], 2, /ERR_CERT_COMMON_NAME_INVALID\n {2}next: /],
    [['http://www.example.org:81'], 2, /ERR_CONNECTION_REFUSED\n {2}next: /],
    [
      ['www.example.org', '--webdriver', 'http://127.0.0.1:4445'],
      4,
      /does not answer: ECONNREFUSED\n {2}next: /,
    ],
  ] as [string[], number, RegExp][]) {
    const { code, stdout, stderr } = await openWebsite(...words, '--no-screenshot');
    assert.equal(code, exit, `${words[0]}: ${stdout}${stderr}`);
    assert.match(stderr, said);
    assert.doesNotMatch(stderr, /^ +at /m);
  }
  const plain = await openWebsite('http://www.example.org/nowhere', '--no-screenshot');
  assert.match(plain.stdout, /^title +404 Not Found\npage +http:\/\/www\.example\.org\/nowhere\nstatus +404/);
  assert.equal(await sh('pgrep -c chromium || true', 'browser'), '0', 'no browser is left');
});

test('where Chromium may not make its sandbox, it says so and how to go without', async () => {
  const flags = [
    '--user',
    'browser',
    '--cap-drop',
    'ALL',
    '--network',
    'wg-migrate_outside',
    '-p',
    '127.0.0.1:4447:4444',
  ];
  await docker(
    'run',
    '-d',
    '--name',
    'strict',
    ...flags,
    'comps-client',
    'chromedriver',
    '--port=4444',
    '--allowed-ips=',
  );
  const words = ['www.example.org', '--no-screenshot', '--webdriver', 'http://127.0.0.1:4447'];
  assert.ok(await until(10_000, async () => (await openWebsite(...words)).code === 2));
  const { stderr } = await openWebsite(...words);
  assert.match(stderr, /Chromium ended at its start .*sandbox.*\n {2}next: .*--no-sandbox/);
  // Its network has no resolver that knows the name; but the browser started.
  assert.match((await openWebsite(...words, '--no-sandbox')).stderr, /ERR_/);
  await docker('rm', '-f', 'strict');
});

test('the WebDriver answers on this computer’s own address only', async () => {
  assert.equal(await docker('port', 'gate'), '4444/tcp -> 127.0.0.1:4444');
  const { code } = await engine().exec([
    'curl',
    '-sS',
    '-m',
    '2',
    `http://${lab().addressOf('engine')}:4444/status`,
  ]);
  assert.notEqual(code, 0);
});

/** Those that leave the client's network standing. */
const lifecycles: [string, () => Promise<unknown>][] = [
  ['restart', () => compose('restart')],
  ['kill, and up', async () => [await compose('kill'), await compose('up', '-d', '--no-build')]],
  ['stop, and start', async () => [await compose('stop'), await compose('start')]],
  ['restart of the client alone: the browser follows', () => docker('restart', 'wg_client')],
  ['the client’s first program killed', () => sh('pkill -KILL -x sleep')],
  ['restart of a proxy and the comp server', () => docker('restart', 'wgnet1', 'wg0')],
];
for (const [what, work] of lifecycles)
  test(`${what}: nothing past the tunnels meanwhile, healthy again, and a page comes`, async () => {
    const leaked = await leaksDuring(what.replaceAll(/\W+/g, '-'), async () => {
      await work();
      await allHealthy();
      const came = async () => (await openWebsite('www.example.org', '--no-screenshot')).code === 0;
      assert.ok(await until(30_000, came));
    });
    assert.equal(leaked, 0);
  });

test('perf: a table, and the client is left as it was found', async () => {
  await sh('ip -4 route replace default dev wgnet2 table 51821');
  const file = join(lab().directory, 'perf.json');
  const flags = ['--sizes', '1', '--periods', '0.1,0.01', '--repeat', '1', '--json', file];
  const { code, stdout, stderr } = await command('scripts/wg-migrate.ts', 'perf', ...flags);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^ {2}1 MiB +none .* 1\.00$/m);
  assert.match(stdout, /^ +every 0\.01 s +[\d.]+ s/m);
  const { rows } = JSON.parse(readFileSync(file, 'utf8')) as { rows: { bytes: number }[] };
  assert.equal(rows.length, 3);
  assert.match(await sh('ip route show table 51821'), /^default dev wgnet2 scope link ?\n/);
  assert.equal(await sh('ls /tmp/perf* 2>/dev/null || true'), '');
});

test('perf: refuses beside another migration; Ctrl-C leaves none running', async () => {
  await docker('exec', '-d', 'wg_client', '/etc/wireguard/migrate.sh', '0.1');
  assert.ok(await until(10_000, migrating));
  const beside = await command('scripts/wg-migrate.ts', 'perf');
  assert.equal(beside.code, 1);
  assert.match(beside.stderr, /a migration is running already \(process \d+.*\n {2}next: docker exec/);
  await stopMigration();
  const marked = [
    'env',
    'PERF_TEST=1',
    'node',
    '--import=tsx',
    'scripts/wg-migrate.ts',
    'perf',
    '--sizes',
    '100',
  ];
  const perf = engine().exec(marked);
  assert.ok(await until(30_000, migrating));
  await attempt(['pkill', '-INT', '-f', '^node --import=tsx scripts/wg-migrate.ts perf --sizes 100']);
  assert.equal((await perf).code, 99);
  assert.equal(await migrating(), false);
});

test('status: machines, and bytes a path', async () => {
  const { code, stdout } = await command('scripts/wg-migrate.ts', 'status');
  assert.equal(code, 0);
  assert.match(stdout, /^ {2}wg_client +Up .*\(healthy\)$/m);
  assert.match(stdout, /^ {2}wgnet2 +\d+ % +down .* MB +up .* MB +the current path$/m);
});

test('rendered anew while it is up: the next `up` makes all machines anew, with the new keys', async () => {
  const before = await docker('exec', 'wg_client', 'wg', 'show', 'wg0', 'public-key');
  await render();
  await up();
  assert.notEqual(await docker('exec', 'wg_client', 'wg', 'show', 'wg0', 'public-key'), before);
  assert.equal(await title(), 'wg-migrate demo');
});

test('down leaves nothing; another subnet, port and number of paths come up, each path carries its share', async () => {
  await compose('down');
  assert.equal(await states(), '');
  assert.equal(await docker('network', 'ls', '--quiet', '--filter', 'type=custom'), '');
  await render('--paths', '3', '--subnet', '172.30.0.0/16', '--port', '4455');
  await compose('up', '-d', '--no-build');
  await allHealthy(8);
  assert.equal(await sh('curl -sS -m 10 http://www.example.org/ip'), '172.30.3.200');
  const before = await received();
  await docker('exec', '-d', 'wg_client', '/etc/wireguard/migrate.sh', '0.05');
  assert.ok(await until(10_000, migrating));
  assert.equal(await title('--webdriver', 'http://127.0.0.1:4455'), 'wg-migrate demo');
  await sh('curl -sS -m 60 --limit-rate 4M -o /dev/null http://www.example.org/10m');
  await stopMigration();
  const carried = (await received()).map((bytes, i) => bytes - (before[i] ?? 0));
  assert.equal(carried.length, 3);
  const sum = carried.reduce((a, b) => a + b);
  for (const share of carried) assert.ok(share / sum > 0.2, `shares of ${carried.join(', ')}`);
  await compose('down');
});

test('closed: not even the gate’s own network is a way out of the demo for the client', async () => {
  await render();
  await up();
  // The lab’s site, which the engine reaches.
  const reach = 'curl -sS -m 3 -o /dev/null http://203.0.113.80/';
  assert.equal((await engine().exec(['sh', '-c', reach])).code, 0);
  for (const machine of ['wg_client', 'wgnet1', 'wg0', 'site'])
    assert.notEqual((await engine().exec(['docker', 'exec', machine, 'sh', '-c', reach])).code, 0, machine);
  await compose('down');
});

test('--internet: the comp server is the way out, for names as well, and the only one', async () => {
  await render('--internet');
  await up();
  // The lab is its Internet: that site sees the engine, behind which the comp server is.
  assert.equal(await sh('curl -sS -m 10 http://203.0.113.80/ip'), lab().addressOf('engine'));
  await sh('getent hosts asked.example.net || true');
  assert.match(
    readFileSync(join(lab().directory, 'site', 'dns.log'), 'utf8'),
    new RegExp(`query\\[A\\] asked\\.example\\.net from ${lab().addressOf('engine')}`),
  );
  assert.equal(await title(), 'wg-migrate demo');
  const reach = 'curl -sS -m 3 -o /dev/null http://203.0.113.80/';
  for (const machine of ['wgnet1', 'site'])
    assert.notEqual((await engine().exec(['docker', 'exec', machine, 'sh', '-c', reach])).code, 0, machine);
  await compose('down');
});

test('no /dev/net/tun and no WireGuard in the kernel: each machine says so, and none loops', async () => {
  const override = join(lab().directory, 'no-tun.yml');
  const services = ['wgnet1', 'wg0'].map((name) => `  ${name}: {volumes: ["/tmp:/dev/net"]}`);
  writeFileSync(override, `services:\n${services.join('\n')}\n`);
  await render();
  await tryCompose('-f', 'docker-compose.yml', '-f', override, 'up', '-d', '--no-build', 'wgnet1');
  const said = async () => {
    const { stdout, stderr } = await engine().exec(['docker', 'logs', 'wgnet1']);
    return stdout + stderr;
  };
  assert.ok(await until(20_000, async () => /next, on the host/.test(await said())), await said());
  assert.equal(
    await docker('inspect', '--format', '{{.RestartCount}} {{.State.Running}}', 'wgnet1'),
    '0 true',
  );
  await compose('down');
});
