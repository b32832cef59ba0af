import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { capture } from '../../scripts/lib/lab/capture.ts';
import { until } from '../../scripts/lib/poll.ts';
import { attempt } from '../../scripts/lib/transport/local.ts';
import { lastRecordsIn } from '../lab/collector.ts';
import { COMP, demoOf, SITE, SWITCH_LOG } from './demo.ts';
import { PATIENCE, useEngine } from './fixture.ts';

const place = useEngine('wgmigrate', { vpn: 1 });
const { lab, engine } = place;
const { command, docker, leaks, logs, migrating, openWebsite, render, sh, sharesDuring, ...demo } =
  demoOf(place);

test('it is rendered, and docker-compose brings it up: every machine healthy, the site sees the comp server', async () => {
  const left = await capture(lab(), 'left', 'ip or ip6', { role: 'engine' });
  await render();
  await demo.up();
  assert.equal(await sh('curl -sS -m 60 http://www.example.org/ip'), COMP);
  const secure = 'curl -sS -m 60 --cacert /etc/wireguard/authority.crt https://www.example.org/ip';
  assert.equal(await sh(secure), COMP);
  assert.equal(await left.stop(), 0, 'not one packet left the computer');
});

test('docker-compose builds both images from the rendered folder', async () => {
  // All of it is there already: what counts is that each finds its Dockerfile, and the same stages.
  const images = () => docker('images', '--quiet', '--filter', 'reference=comps-*');
  const before = await images();
  const said = await demo.compose('build');
  assert.match(said, /Successfully tagged comps-far-end:latest/);
  assert.match(said, /Successfully tagged comps-client:latest/);
  assert.equal(await images(), before);
});

test('closed: no machine of the demo reaches anything outside, the site and the comp server neither', async () => {
  await demo.reachNothing('wg_client', 'wgnet1', 'wg0', 'site');
});

test('nothing is privileged: one capability where WireGuard is, none in the browser and the gate', async () => {
  const format = '{{.HostConfig.Privileged}} {{.HostConfig.CapAdd}} {{.HostConfig.Devices}}';
  for (const name of (await demo.states()).split('\n').map((line) => line.split(' ')[0] ?? '')) {
    const adds = name.startsWith('wg') ? '[NET_ADMIN]' : '[]';
    assert.equal(await docker('inspect', '--format', format, name), `false ${adds} []`, name);
  }
  for (const name of ['browser', 'gate'])
    assert.match(await sh('cat /proc/1/status', name), /^CapBnd:\t0+$/m, name);
  assert.equal(await sh('ps -o user= -C chromedriver', 'browser'), 'browser');
});

test('a page over HTTPS, under `migrate.sh 0.1`: each path carries its share, nothing goes past the tunnels', async () => {
  const past = await leaks('page');
  const shot = join(lab().directory, 'page.png');
  const shares = await sharesDuring(['0.1'], 0.3, async () => {
    const { code, stdout, stderr } = await openWebsite('www.example.org', '--json', '--screenshot', shot);
    assert.equal(code, 0, stderr);
    const page = JSON.parse(stdout) as Record<string, unknown> & { timing: Record<string, number> };
    assert.deepEqual(
      [page.title, page.url, page.status, page.protocol, page.address, page.screenshot],
      ['wg-migrate demo', 'https://www.example.org/', 200, 'h2', SITE, shot],
    );
    assert.ok((page.timing.tls ?? 0) > 0 && (page.timing.load ?? 0) > 0);
    assert.equal(readFileSync(shot).subarray(1, 4).toString(), 'PNG');
    await sh('curl -sS -m 300 --limit-rate 2M -o /dev/null http://www.example.org/10m');
  });
  assert.equal(shares.length, 2);
  for (const share of shares) assert.ok(share > 0.3, `shares of ${shares.join(', ')}`);
  const lines = (await sh(`cat ${SWITCH_LOG}`)).split('\n').map((line) => JSON.parse(line));
  assert.deepEqual([lines.at(-1).event, lines.at(-1).errors, lines.at(-1).reason], ['end', 0, 'SIGTERM']);
  assert.equal(await past.stop(), 0);
});

test('a visit makes no traffic but the page’s own: no other name is asked for', async () => {
  const asked = async () =>
    [...(await logs('site')).matchAll(/query\[\w+\] (\S+) from/g)].map(([, name]) => name);
  const before = (await asked()).length;
  for (let k = 0; k < 2; k++) assert.equal((await openWebsite('www.example.org', '--no-screenshot')).code, 0);
  const names = (await asked()).slice(before);
  assert.ok(names.length > 0);
  assert.deepEqual([...new Set(names)], ['www.example.org']);
});

test('names are asked for through wg0 only, by whatever program, and Docker’s resolver is refused', async () => {
  assert.equal(await sh('grep -v ^# /etc/resolv.conf'), `nameserver ${SITE}`);
  assert.equal(await sh('grep -v ^# /etc/resolv.conf', 'browser'), `nameserver ${SITE}`);
  const ask = (server: string, name: string) =>
    sh(
      `node -e "const r = new (require('dns').Resolver)({ timeout: 10000, tries: 2 }); r.setServers(['${server}']); r.resolve4('${name}', (e, a) => console.log(e ? e.code : a[0]))"`,
    );
  assert.equal(await ask('127.0.0.11', 'site'), 'ECONNREFUSED');
  assert.equal(await ask(SITE, 'www.example.org'), SITE);
  assert.equal(await ask(SITE, 'nosuch.example.net'), 'EREFUSED');
  const askers = [...(await logs('site')).matchAll(/query\[\w+\] \S+ from (\S+)/g)].map(([, asker]) => asker);
  assert.ok(askers.length > 2);
  assert.deepEqual([...new Set(askers)], [COMP]);
});

test('the site saw nobody but the comp server', async () => {
  const seen = [...(await logs('site')).matchAll(/^[\d.]+ (\S+) https? GET/gm)].map(([, address]) => address);
  assert.ok(seen.length > 3);
  assert.deepEqual([...new Set(seen)], [COMP]);
});

test('Chromium’s sandbox is on: namespaces and a filter of its own around every page', async () => {
  let seen = '';
  const renderer = "$(pgrep -of 'type=renderer')";
  const isolated = `for n in user pid net; do [ "$(readlink /proc/${renderer}/ns/$n)" != "$(readlink /proc/self/ns/$n)" ] || exit 1; done
    grep -c 'Seccomp_filters:.[2-9]' /proc/${renderer}/status; xargs -0 -n 1 </proc/${renderer}/cmdline | grep -c sandbox=none`;
  const look = async () => {
    seen = (await demo.tryDocker('exec', 'browser', 'sh', '-c', isolated)).stdout;
    return seen === '1\n0\n';
  };
  // A visit may be over before it is looked at.
  let over = false;
  const visits = (async () => {
    while (!over) await openWebsite('www.example.org', '--no-screenshot');
  })();
  assert.ok(
    await until(PATIENCE, look).finally(() => {
      over = true;
    }),
    seen,
  );
  await visits;
});

test('open_website: what cannot be had, in one line with the next command', async () => {
  for (const [words, exit, said] of [
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
  assert.equal(plain.code, 2);
  assert.match(plain.stdout, /^title +404 Not Found\npage +http:\/\/www\.example\.org\/nowhere\nstatus +404/);
  const none = async () => (await sh('pgrep -c chromium || true', 'browser')) === '0';
  assert.ok(await until(PATIENCE, none), 'a browser is left');
});

test('where Chromium may not make its sandbox, open_website says so, and how to go without', async () => {
  const seat = '--user browser --cap-drop ALL --network wg-migrate_outside --publish 127.0.0.1:4447:4444';
  const driver = ['comps-client', 'chromedriver', '--port=4444', '--allowed-ips='];
  await docker('run', '-d', '--name', 'strict', ...seat.split(' '), ...driver);
  const open = (...flags: string[]) =>
    openWebsite('www.example.org', '--no-screenshot', '--webdriver', 'http://127.0.0.1:4447', ...flags);
  let last = await open();
  const refused = async () => {
    last = await open();
    return last.code === 2;
  };
  assert.ok(await until(PATIENCE, refused), `${last.code}: ${last.stdout}${last.stderr}`);
  assert.match((await open()).stderr, /Chromium ended at its start .*sandbox.*\n {2}next: .*--no-sandbox/);
  // Behind no tunnels it finds no certificate to trust; but the browser started.
  assert.match((await open('--no-sandbox')).stderr, /www\.example\.org\/: ERR_/);
  await docker('rm', '-f', 'strict');
});

test('open_website in a container: one line that says where it belongs', async () => {
  const { code, stderr } = await demo.tryDocker('exec', 'wg_client', 'node', '/comps/open_website.ts', 'x');
  assert.equal(code, 1);
  assert.match(stderr, /^error: the package selenium-webdriver is not here: .*\n {2}next: .*\n$/);
});

test('the WebDriver answers on this computer’s own address only', async () => {
  assert.equal(await docker('port', 'gate'), '4444/tcp -> 127.0.0.1:4444');
  const elsewhere = `http://${lab().addressOf('engine')}:4444/status`;
  assert.notEqual((await engine().exec(['curl', '-sS', '-m', '15', elsewhere])).code, 0);
});

test('perf: a table, and the client is left as it was found', async () => {
  const file = join(lab().directory, 'perf.json');
  const flags = ['--sizes', '1', '--periods', '0.1,0.01', '--repeat', '1', '--json', file];
  let stdout = '';
  // Several times: migration itself ends on the right one of two paths as often as not.
  for (const path of ['wgnet1', 'wgnet2', 'wgnet1', 'wgnet2']) {
    await sh(`ip -4 route replace default dev ${path} table 51821`);
    const perf = await command('scripts/wg-migrate.ts', 'perf', ...flags);
    assert.equal(perf.code, 0, perf.stderr);
    stdout = perf.stdout;
    assert.match(await sh('ip route show table 51821'), new RegExp(`^default dev ${path} scope link ?\\n`));
  }
  assert.match(stdout, /^ {2}1 MiB +none .* 1\.00$/m);
  assert.match(stdout, /^ +every 0\.01 s +[\d.]+ s/m);
  assert.equal((JSON.parse(readFileSync(file, 'utf8')) as { rows: unknown[] }).rows.length, 3);
  assert.equal(await sh('ls /tmp/perf* 2>/dev/null || true'), '');
});

test('perf: refuses beside another migration; Ctrl-C leaves none running', async () => {
  await demo.startMigration('0.1');
  const beside = await command('scripts/wg-migrate.ts', 'perf');
  assert.equal(beside.code, 1);
  assert.match(beside.stderr, /a migration is running already \(process \d+.*\n {2}next: docker exec/);
  await demo.stopMigration();
  const file = join(lab().directory, 'cut-off.json');
  const perf = command('scripts/wg-migrate.ts', 'perf', '--sizes', '100', '--json', file);
  assert.ok(await until(PATIENCE, migrating));
  await attempt(['pkill', '-INT', '-f', `^node --import=tsx scripts/wg-migrate.ts perf .*${file}`]);
  assert.equal((await perf).code, 99);
  assert.ok(await until(PATIENCE, async () => !(await migrating())));
});

test('status: machines, and bytes a path', async () => {
  await sh('ip -4 route replace default dev wgnet2 table 51821');
  const { code, stdout } = await command('scripts/wg-migrate.ts', 'status');
  assert.equal(code, 0);
  assert.match(stdout, /^ {2}wg_client +Up .*\(healthy\)$/m);
  assert.match(stdout, /^ {2}wgnet2 +\d+ % +down .* MB +up .* MB +the current path$/m);
});

test('wg_client has what a browser of its own needs: sandbox, trust in the site, policies', async () => {
  const program = `
    import { chromium } from 'playwright-core';
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', chromiumSandbox: true });
    const page = await browser.newPage();
    const main = await page.goto('https://www.example.org/');
    console.log(JSON.stringify([main.status(), await page.title()]));
    await browser.close();`;
  const user = ['setpriv', '--reuid', 'browser', '--regid', 'browser', '--init-groups', '--reset-env'];
  const words = ['env', '-C', '/', ...user, 'node', '--input-type=module', '-e', program];
  assert.equal(await docker('exec', 'wg_client', ...words), '[200,"wg-migrate demo"]');
  for (const machine of ['wg_client', 'browser'])
    assert.equal(
      await sh('ls /etc/chromium/policies/managed | xargs', machine),
      'authority.json comps.json',
      machine,
    );
});

test('fetch_websites.ts collects in the demo as well: a record a path, HTTPS and all', async () => {
  // A visit for which a busy machine was too slow is made again.
  const flags = ['--seed', '3', '--retries', '6'];
  const words = ['docker', 'exec', '-i', 'wg_client', 'npx', 'zx', '/comps/fetch_websites.ts', ...flags];
  const { code, stdout, stderr } = await engine().exec(words, { input: 'https://www.example.org/\n' });
  assert.equal(code, 0, stderr);
  const records = lastRecordsIn(stdout);
  assert.ok(records.length > 0);
  for (const { status, packets } of records)
    assert.deepEqual([status, packets.length > 32], ['success', true], `${stderr}${stdout.slice(0, 900)}`);
});
