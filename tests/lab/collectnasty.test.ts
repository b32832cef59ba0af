/** Pages that no visit expects: each a record that says what happened, and never a hang. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FailureKind } from '../../client/scripts/lib/trace/record.ts';
import { readText } from '../../scripts/lib/files.ts';
import { capture, leakFilter } from '../../scripts/lib/lab/capture.ts';
import { attemptsOf, fetchRun, ready, recordsOf, summariesOf } from './collector.ts';
import { nothingIn, useLab } from './fixture.ts';
import { NASTY, startNasty } from './nasty.ts';
import { collector, NEEDS, nothingLies, nothingRuns, wasTooSlow } from './sabotage.ts';

const lab = useLab('nasty', NEEDS, async (made) => {
  await ready(made);
  await startNasty(made);
});

/** An address from which nothing ever comes back, not even a refusal. */
const BLACK_HOLE = '203.0.113.98';

const SITE = 'http://203.0.113.80';
const WALLS = ['akamai', 'human', 'datadome', 'traffic'];
const CAPTCHAS = ['hcaptcha', 'recaptcha', 'turnstile'];

/** What each page comes to: `success`, or the kind of its failure with what is said of it. */
const PAGES: [string, 'success' | FailureKind, RegExp?][] = [
  ['/', 'success'],
  ['/endless', 'timeout', /^not loaded within 1 s$/],
  ['/endless?fast', 'timeout'],
  ['/hang', 'timeout'],
  ['/hang-part', 'timeout'],
  ['/hang-fetch', 'success'],
  ['/slow?ms=500', 'success'],
  ['/slow?ms=9000', 'timeout'],
  ['/slow-part?ms=500', 'success'],
  ['/download', 'download'],
  ['/download-later', 'download', /a\.zip$/],
  ['/binary', 'download'],
  ['/text', 'success'],
  ['/redirect-away', 'success'],
  ['/script-away', 'success'],
  ['/redirect-nowhere', 'network', /^ERR_NAME_NOT_RESOLVED$/],
  ['/shadow', 'success'],
  ['/styled', 'success'],
  ['/unstyled', 'empty'],
  ['/plane-crashed', 'network', /^ERR_EMPTY_RESPONSE$/],
  ['/loop', 'network', /^ERR_TOO_MANY_REDIRECTS$/],
  ['/meta-refresh', 'success'],
  ['/meta-refresh?self', 'timeout'],
  ['/dialog', 'dialog', /alert "a"$/],
  ['/dialog?kind=confirm', 'dialog', /confirm "c"$/],
  ['/dialog?kind=prompt', 'dialog', /prompt "p"$/],
  ['/dialog?kind=print', 'success'],
  ['/beforeunload', 'success'],
  ['/popup', 'success'],
  ['/auth', 'http-status', /^status 401$/],
  ['/empty', 'empty'],
  ['/empty-body', 'empty'],
  ['/blank-204', 'network', /no page$/],
  ['/404', 'http-status', /^status 404$/],
  ['/500', 'http-status', /^status 500$/],
  ...CAPTCHAS.map((kind): [string, FailureKind] => [`/captcha?kind=${kind}`, 'bot-wall']),
  ['/botwall?kind=cloudflare', 'bot-wall', /Cloudflare/],
  ['/botwall?kind=cloudflare&status=200', 'bot-wall', /Cloudflare/],
  ...WALLS.map((kind): [string, FailureKind] => [`/botwall?kind=${kind}`, 'bot-wall']),
  ['/login', 'success'],
  ['/article', 'success'],
  ['/busy', 'timeout'],
  ['/websocket', 'success'],
  ['/bad-charset', 'success'],
  ['/bad-charset?unknown', 'success'],
  ['/unicode', 'success'],
  ['/lone-surrogate', 'success'],
  ['/big-dom', 'success'],
  ['/reset', 'network', /^ERR_CONNECTION_RESET$/],
  ['/close', 'network', /^ERR_EMPTY_RESPONSE$/],
  ['/truncated', 'timeout'],
  ['/nonsense', 'network', /^ERR_INVALID_HTTP_RESPONSE$/],
  ['/iframe-cross', 'success'],
  ['/workers', 'success'],
  ['/push-state', 'success'],
  ['/cookie', 'success'],
  ['/cookie?again', 'success'],
  [`${NASTY.https}/`, 'network', /^ERR_CERT_AUTHORITY_INVALID$/],
  ['https://203.0.113.80/', 'network', /^ERR_CERT_COMMON_NAME_INVALID$/],
  [`${SITE}:81/`, 'network', /^ERR_CONNECTION_REFUSED$/],
  [`${SITE}:22/`, 'network', /^ERR_UNSAFE_PORT$/],
  [`http://${BLACK_HOLE}/`, 'timeout'],
  ['http://nowhere.example.org/', 'network', /^ERR_NAME_NOT_RESOLVED$/],
  ['http://[2001:db8::1]/', 'network', /^ERR_ADDRESS_UNREACHABLE$/],
  ['http://localhost/', 'network', /^ERR_CONNECTION_REFUSED$/],
];

const urlOf = (path: string): string => (path.startsWith('/') ? NASTY.http + path : path);

/** Names that the pages themselves ask for. */
const ASKED = new Set([
  ...['www.example.org', 'many.example.org', 'nowhere.example.org', 'newassets.hcaptcha.com'],
  ...['www.google.com', 'challenges.cloudflare.com', 'geo.captcha-delivery.com'],
]);

/** Seconds: pages that never load need no more; what else a page comes to has time on a busy machine too. */
const TIMEOUTS = { endless: '1', other: '60' };
const hasEnd = ([, expected]: (typeof PAGES)[number]): boolean => expected !== 'timeout';

/**
 * A run over pages, one attempt each, in their order: what the visits came to, against what they must come to. Those for
 * which this machine was too slow have a run of their own once more. All runs' folders.
 */
async function visit(name: string, pages: typeof PAGES, timeout: string, tries = 5): Promise<string[]> {
  const urls = pages.map(([path]) => urlOf(path));
  const flags = ['--run', `/tmp/run-${name}`, '--retries', '0', '--timeout', timeout];
  const { code, stderr } = await collector(lab(), urls, ...flags);
  await nothingRuns(lab());
  await nothingLies(lab());
  const run = await fetchRun(lab(), `/tmp/run-${name}`);
  const all = summariesOf(run);
  const slow = all.filter((each) => tries > 1 && wasTooSlow(each));
  const visits = all.filter((each) => !slow.includes(each));
  const wrong = visits
    .map(({ status, failure, label, leaked }) => [pages[label], status, failure, leaked] as const)
    .filter(([page, status, failure, leaked]) => {
      const [, expected = '', said = /^/] = page ?? [];
      const good = ['success', 'timeout'].includes(expected) ? status === expected : status === 'failure';
      const kind = failure?.kind ?? 'success';
      return !good || kind !== expected || !said.test(failure?.message ?? '') || leaked !== 0;
    });
  assert.deepEqual(wrong, []);
  assert.deepEqual(
    all.map(({ url, attempt }) => [url, attempt]),
    urls.map((url) => [url, 1]),
  );
  const failures = all.filter(({ status }) => status !== 'success').length;
  assert.match(stderr, new RegExp(`^${pages.length} visits in .*, ${failures} failed;`, 'm'));
  assert.equal(code, failures > 0 ? 2 : 0, stderr);
  if (slow.length === 0) return [run];
  const again = slow.flatMap(({ label }) => pages.slice(label, label + 1));
  return [run, ...(await visit(`${name}-again`, again, timeout, tries - 1))];
}

test('each nasty page is a record that says what happened; nothing leaves past the tunnels, nothing else is asked for', {
  timeout: 900_000,
}, async () => {
  await lab().exec('net', ['ip', 'route', 'add', 'blackhole', BLACK_HOLE]);
  const leaks = await capture(lab(), 'nasty', leakFilter(lab()));
  const endless = await visit(
    'endless',
    PAGES.filter((page) => !hasEnd(page)),
    TIMEOUTS.endless,
  );
  const runs = await visit('nasty', PAGES.filter(hasEnd), TIMEOUTS.other);
  await nothingIn(leaks);
  const visits = runs.flatMap(summariesOf).filter((each) => !wasTooSlow(each));

  const of = (path: string) => {
    const found = visits.find(({ url }) => url === urlOf(path));
    assert.ok(found, path);
    return found;
  };
  // Some paths have a packet or two only, and a slow machine leaves switches out: that is noted as well.
  const notesOf = (path: string) =>
    of(path).notes.filter((note) => !/, and so no record$|left out: this machine/.test(note));
  for (const path of ['/redirect-away', '/script-away']) {
    assert.equal(of(path).final_url, 'http://www.example.org/');
    assert.deepEqual(notesOf(path), ['redirected to www.example.org']);
  }
  assert.equal(of('/meta-refresh').final_url, urlOf('/unicode'));
  assert.equal(of('/push-state').final_url, urlOf('/elsewhere'));
  assert.deepEqual(notesOf('/popup'), [`a window that the page opened was closed: ${urlOf('/unicode')}`]);
  assert.equal(of('/unicode').title, 'Zeilen\u2028trenner 🦆');
  assert.equal(of('/lone-surrogate').title, 'half \ud83e');
  // No visit knows what an earlier one was given.
  assert.deepEqual([of('/cookie').title, of('/cookie?again').title], ['Unknown', 'Unknown']);

  for (const { status, packets, http_trace } of [...endless, ...runs].flatMap(recordsOf)) {
    assert.equal(status === 'success', packets !== '');
    assert.equal(status === 'success', http_trace.length > 0);
  }
  for (const folder of [...endless, ...runs])
    for (const attempt of attemptsOf(folder))
      assert.match(
        readFileSync(join(folder, 'visits', attempt, 'records.jsonl'), 'latin1'),
        // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
        /^[\x00-\x7f]*$/,
      );

  const asked = readText(join(lab().directory, 'site', 'dns.log')).matchAll(/query\[\w+\] (\S+) from/g);
  const names = new Set([...asked].map(([, name = '']) => name));
  assert.deepEqual(
    [...names].filter((name) => !ASKED.has(name)),
    [],
  );
});

test('a page that leads on to one that does not come is a failure, whatever its own answer was', async () => {
  const urls = ['/script-dead', '/script-nowhere'].map(urlOf);
  const flags = ['--run', '/tmp/run-dead', '--retries', '0', '--linger', '1.5', '--period', '60'];
  const { code, stderr } = await collector(lab(), urls, ...flags);
  assert.equal(code, 2, stderr);
  const visits = summariesOf(await fetchRun(lab(), '/tmp/run-dead')).filter((each) => !wasTooSlow(each));
  assert.deepEqual(
    visits.map(({ status, failure }) => [status, failure?.kind, failure?.message]),
    urls.map(() => ['failure', 'network', 'it leads on to a page that does not come']),
  );
});

test('a browser that stays on a page for long asks for nothing of its own', async () => {
  const log = join(lab().directory, 'site', 'dns.log');
  const before = readText(log).length;
  const { code, stderr } = await collector(
    lab(),
    ['https://small.example.org/'],
    ...['--run', '/tmp/run-long', '--linger', '8'],
  );
  assert.equal(code, 0, stderr);
  const asked = [
    ...readText(log)
      .slice(before)
      .matchAll(/query\[\w+\] (\S+) from/g),
  ].map(([, name]) => name);
  assert.deepEqual([...new Set(asked)], ['small.example.org']);
});
