import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { attempt } from '../../scripts/lib/transport/local.ts';
import { runHere } from '../command.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-fetch-test-'));
after(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const GOOD = file('good', 'https://a.example/\n');
const BAD = file(
  'bad',
  '# a list\nhttps://a.example/\nexample.org\nftp://b.example/\nhttps://u:SECRET@c.example/\n',
);
const RUN = join(folder, 'run');
const OUT = join(folder, 'out');

const SCRIPT = 'client/scripts/fetch_websites.ts';
const fetchWebsites = (words: readonly string[], input = '') => runHere(SCRIPT, words, input);
/** As a program of its own, where it comes so far that it asks this machine. */
const started = (words: readonly string[], input = '') =>
  attempt(['node', '--import=tsx', SCRIPT, ...words], { input });

// Words, what must be said, and of what goes to standard input.
const table: [string[], RegExp, string?][] = [
  [['--period', '0', '--urls', GOOD], /^error: --period: "0" is not a number of seconds from 0\.001 to/m],
  [['--seed', '1.5'], /^error: --seed: "1\.5" is not a whole number/m],
  [['--visits', '0'], /^error: --visits: "0" is not a whole number from 1/m],
  [['--timeout', 'soon'], /^error: --timeout: "soon" is not a number of seconds/m],
  [['--linger', '-1'], /^error: --linger: "-1"/m],
  [['--retries', '101'], /^error: --retries: "101"/m],
  [['--min-free', '1e9'], /^error: --min-free: "1e9"/m],
  [['--interfaces', 'eth0'], /^error: --interfaces: "eth0" is not the name of a tunnel/m],
  [['--strategy', 'best'], /--strategy.*best.*none, rr, ur, wr/],
  [['--strategy', 'hywf'], /--strategy.*hywf.*Allowed choices are none, rr, ur, wr, fixed, bwr, packet/],
  [
    ['--weights', '1,2', '--out', OUT],
    /^error: --weights: rr takes none\n {2}next: --strategy fixed or bwr or packet/m,
  ],
  [
    ['--strategy', 'packet', '--period', '1', '--out', OUT],
    /^error: --period: packet counts packets, not seconds/m,
  ],
  [['--no-such-flag'], /unknown option '--no-such-flag'/],
  [['https://a.example/'], /too many arguments/],
  [
    ['--run', RUN, '--out', OUT],
    /^error: --out: a run keeps its records in its folder\n {2}next: .*dataset\.ts merge/m,
  ],
  [
    ['--screenshots', '--out', OUT],
    /^error: --screenshots: has no place .*\n {2}next: --run FOLDER --screenshots/m,
  ],
  [['--keylog', '--out', OUT], /^error: --keylog: .*\n {2}next: /m],
  [['--har'], /^error: --har: .*\n {2}next: /m],
  [['--out', OUT], /^error: standard input: there is no URL\n {2}next: one address a line/m],
  [
    ['--out', OUT],
    /^error: standard input:2: "example\.org" has no scheme; is it https:\/\/example\.org\?\n {2}next: /m,
    'https://a.example/\r\nexample.org',
  ],
  [
    ['--run', RUN, '--urls', BAD],
    /^error: .*\/bad:3: "example\.org" has no scheme.*\n {2}.*\/bad:4: "ftp:.*\n {2}.*\/bad:5: has a user name or password in it\n {2}next: /m,
  ],
  [['--urls', join(folder, 'none')], /^error: --urls: ENOENT.*none/m],
  [['--urls', folder], /^error: --urls: EISDIR/m],
];
for (const [words, said, input] of table)
  test(`refused: fetch_websites.ts ${words.join(' ').replaceAll(folder, 'DIR')}`, async () => {
    const { code, stdout, stderr } = await fetchWebsites(words, input);
    assert.equal(code, 1, stderr);
    assert.match(stderr, said);
    assert.equal(stdout, '');
    assert.doesNotMatch(stderr, /^ +at /m);
    assert.doesNotMatch(stderr, /SECRET/);
    assert.deepEqual([existsSync(RUN), existsSync(OUT)], [false, false]);
  });

test('where nothing is set up the tunnels are missed, or the rights, and nothing is made', async () => {
  const before = readdirSync(folder);
  // A tunnel that no machine has: also where this one has some, nothing begins.
  const words = ['--run', RUN, '--urls', GOOD, '--interfaces', 'wgnet999999'];
  const { code, stdout, stderr } = await started(words);
  assert.equal(code, 1, stderr);
  assert.match(
    stderr,
    /^error: (there is no wgnet interface|changing routes needs root|--interfaces: no interface wgnet999999)/m,
  );
  assert.equal(stdout, '');
  assert.deepEqual(readdirSync(folder), before);
});

test('a URL that is there twice is told, before anything else is missed', async () => {
  const words = ['--run', RUN, '--interfaces', 'wgnet999999'];
  const { stderr } = await started(words, 'https://a.example/\nhttps://a.example/\n');
  assert.match(stderr, /^standard input:2: https:\/\/a\.example\/ is there already \(line 1\)/m);
});

test('--help names every flag, and the exit codes', async () => {
  const { code, stdout } = await fetchWebsites(['--help']);
  assert.equal(code, 0);
  for (const flag of ['urls', 'run', 'out', 'visits', 'strategy', 'period', 'seed', 'interfaces', 'timeout'])
    assert.match(stdout, new RegExp(`--${flag}\\b`));
  for (const flag of [
    'linger',
    'retries',
    'patience',
    'min-free',
    'headers-only',
    'screenshots',
    'keylog',
    'har',
  ])
    assert.match(stdout, new RegExp(`--${flag}\\b`));
  assert.match(stdout, /Exit 0: /);
});
