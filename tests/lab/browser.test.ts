import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readText } from '../../scripts/lib/files.ts';
import { clientRun } from '../../scripts/lib/lab/client.ts';
import { labUp } from '../../scripts/lib/lab/lab.ts';
import { labStatus } from '../../scripts/lib/lab/status.ts';
import { until } from '../../scripts/lib/poll.ts';
import { useLab } from './fixture.ts';
import { startNasty } from './nasty.ts';

const lab = useLab('browser', { vpn: 1, browser: true });

/** As an ordinary user, with nothing that would take its sandbox away. */
const AS_BROWSER = ['setpriv', '--reuid', 'browser', '--regid', 'browser', '--init-groups', '--reset-env'];
const QUIET = ['--headless', '--disable-gpu', '--no-first-run', '--disable-background-networking'];

const chromium = (...words: string[]): string[] => [
  ...AS_BROWSER,
  'timeout',
  '120',
  'chromium',
  ...QUIET,
  ...words,
];
const dump = (url: string): Promise<string> => clientRun(lab(), ...chromium('--dump-dom', url));

/** A program in the client's Node that has playwright-core's chromium; what it prints, as JSON. */
async function played(program: string): Promise<unknown> {
  const text = `
    import { chromium } from 'playwright-core';
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', chromiumSandbox: true });
    const page = await browser.newPage();
    const result = await (async () => { ${program} })();
    console.log(JSON.stringify(result));
    await browser.close();`;
  // In /, where the packages are.
  const words = ['env', '-C', '/', ...AS_BROWSER, 'node', '--input-type=module', '-e', text];
  return JSON.parse(await clientRun(lab(), ...words));
}

test('Chromium runs as an ordinary user, where a page is rendered in namespaces and a filter of its own', async () => {
  const begun = lab().exec('client', chromium('--remote-debugging-port=9333', 'about:blank'));
  const renderer = "$(pgrep -o -u browser -f '[t]ype=renderer')";
  const isolated = `
    for n in user pid net; do [ "$(readlink /proc/${renderer}/ns/$n)" != "$(readlink /proc/1/ns/$n)" ] || exit 1; done
    grep -q '^Seccomp:.2$' /proc/${renderer}/status && ! pgrep -f '[-]-no-sandbox'`;
  const isIsolated = async () => (await lab().exec('client', ['sh', '-c', isolated])).code === 0;
  try {
    assert.ok(await until(60_000, isIsolated));
  } finally {
    await lab().exec('client', ['pkill', '-u', 'browser', '-f', 'remote-debugging-port=9333']);
    await begun;
  }
});

test('each site comes whole over HTTPS and HTTP/2, with a certificate that Chromium verifies', async () => {
  for (const [name, parts] of [
    ['www', 1],
    ['small', 2],
    ['many', 61],
    ['large', 2],
  ] as const) {
    const found = (await played(`
      const seen = [];
      page.on('response', (r) => seen.push(r));
      const main = await page.goto('https://${name}.example.org/', { waitUntil: 'load' });
      await page.waitForLoadState('networkidle');
      const of = () => performance.getEntriesByType('navigation')[0].nextHopProtocol;
      const broken = await page.evaluate(() => [...document.images].filter((i) => i.naturalWidth === 0).length);
      const security = await main.securityDetails();
      return {
        status: main.status(), broken, issuer: security?.issuer, protocol: await page.evaluate(of),
        all: seen.filter((r) => r.url().startsWith('https:')).map((r) => r.status()),
      };`)) as { status: number; broken: number; issuer: string; protocol: string; all: number[] };
    assert.deepEqual(found, {
      status: 200,
      broken: 0,
      issuer: 'CoMPS lab',
      protocol: 'h2',
      all: Array.from({ length: parts }, () => 200),
    });
  }
});

test('sites over plain HTTP as before, and curl trusts them too', async () => {
  assert.match(await dump('http://www.example.org/ip'), />192\.0\.2\.2\n</);
  for (const name of ['small', 'many', 'large'])
    for (const scheme of ['http', 'https'])
      assert.match(await clientRun(lab(), 'curl', '-sSf', `${scheme}://${name}.example.org/`), /<title>/);
});

test('nothing asks for news or the time: the policies are in force, and npx asks no registry', async () => {
  await clientRun(lab(), 'npx', 'zx', '--version');
  const policies = await clientRun(lab(), 'sh', '-c', 'cat /etc/chromium/policies/managed/*.json');
  for (const key of ['DefaultSearchProviderEnabled', 'BrowserNetworkTimeQueriesEnabled', 'CACertificates'])
    assert.ok(policies.includes(key), key);
  const asked = readText(`${lab().directory}/site/dns.log`);
  assert.doesNotMatch(asked, /www\.google\.com|clients2\.google\.com|registry/);
});

test('nasty pages: those that answer do, by HTTP and by HTTPS that nobody trusts', async () => {
  const { http, https } = await startNasty(lab());
  const status = async (url: string, seconds: number, ...flags: string[]): Promise<string> => {
    const words = [
      'curl',
      '-s',
      '-m',
      String(seconds),
      '-o',
      '/dev/null',
      '-w',
      '%{http_code} %{errormsg}',
      ...flags,
      url,
    ];
    return (await lab().exec('client', words)).stdout;
  };
  for (const [path, wanted] of [
    ['/', /^200/],
    ['/blank-204', /^204/],
    ['/404', /^404/],
    ['/500', /^500/],
    ['/auth', /^401/],
    ['/redirect-away', /^302/],
    ['/botwall?kind=cloudflare', /^403/],
    ['/botwall?kind=cloudflare&status=200', /^200/],
    ['/captcha?kind=recaptcha', /^200/],
    ['/login', /^200/],
    ['/slow?ms=200', /^200/],
    ['/endless', /^200 Operation timed out/],
    ['/endless?fast', /^200 Operation timed out/],
    ['/hang', /^000 Operation timed out/],
    ['/reset', /^000 .*reset/],
    ['/close', /^000 Empty reply/],
    ['/truncated', /^200 .*bytes missing/],
    ['/nonsense', /^000 .*HTTP\/0\.9/],
  ] as const)
    assert.match(await status(http + path, wanted.source.includes('timed out') ? 2 : 60), wanted, path);
  assert.match(await status(`${http}/loop`, 60, '-L'), /^302 Maximum/);
  assert.match(await status(`${https}/`, 60), /^000 SSL/);
  assert.match(await status(`${https}/`, 60, '-k'), /^200/);
});

test('a client that is started again has Chromium still; so has it after an `up` that does not ask for it', async () => {
  const has = async () => (await lab().exec('client', ['test', '-x', '/usr/bin/chromium'])).code === 0;
  await lab().stop('client');
  assert.equal((await labStatus(lab().name)).up, false);
  await lab().start('client');
  assert.ok(await has());
  await labUp({ name: lab().name, vpn: 1 });
  assert.ok(await has());
  assert.equal((await labStatus(lab().name)).up, true);
});

const plain = useLab('plain', { vpn: 1 });

test('in a lab without it, `browser` starts the client anew, and no other machine', async () => {
  const pids = async () =>
    new Map((await labStatus(plain().name)).machines.map(({ role, pid }) => [role, pid]));
  const before = await pids();
  assert.notEqual((await plain().exec('client', ['test', '-e', '/usr/bin/chromium'])).code, 0);
  const again = await labUp({ name: plain().name, vpn: 1, browser: true });
  assert.equal((await again.exec('client', ['test', '-x', '/usr/bin/chromium'])).code, 0);
  const after = await pids();
  for (const role of plain().roles)
    assert.equal(after.get(role) === before.get(role), role !== 'client', role);
});
