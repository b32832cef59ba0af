import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { attempt, run } from '../../scripts/lib/transport/local.ts';
import { migrateScript } from '../../scripts/lib/wg-migrate/texts.ts';
import { runHere } from '../command.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-wg-migrate-'));
after(() => rmSync(folder, { recursive: true }));

/** No engine answers here, whatever this computer has. */
process.env.DOCKER_HOST = `unix://${folder}/no.sock`;
const command = (words: string[]) => runHere('scripts/wg-migrate.ts', words);
const started = (words: string[], env: NodeJS.ProcessEnv) =>
  attempt(['node', '--import=tsx', 'scripts/wg-migrate.ts', ...words], { env });

const table: [string[], number, RegExp][] = [
  [['--paths', '0'], 1, /--paths: "0" is not a whole number from 1 to 32/],
  [['--paths', '33'], 1, /--paths/],
  [['--port', '70000'], 1, /--port: "70000"/],
  [['--subnet', '10.45.0.0/16'], 1, /--subnet 10\.45\.0\.0\/16: the tunnels[\s\S]*next: /],
  [['prf'], 1, /too many arguments/],
  [['-o', 'scripts'], 1, /scripts: holds other files than the demo’s[\s\S]*next: /],
  [['-o', 'package.json/demo'], 1, /package\.json\/demo: cannot create/],
  [['-o', '/proc/x'], 1, /\/proc\/x: cannot create/],
  [['perf', '--sizes', '5'], 1, /--sizes: "5" is none of the site’s files/],
  [['perf', '--periods', '1,,2'], 1, /--periods: ""/],
  [['perf', '--repeat', '0'], 1, /--repeat: "0"/],
  [['perf'], 4, /the Docker engine does not answer: .*\n {2}next: /],
  [['status'], 4, /the Docker engine does not answer: .*\n {2}next: /],
];
for (const [words, exit, said] of table)
  test(`refused with exit ${exit} and the next command: wg-migrate.ts ${words.join(' ')}`, async () => {
    const { code, stderr } = await command(words);
    assert.equal(code, exit, stderr);
    assert.match(stderr, said);
    assert.doesNotMatch(stderr, /^ +at /m, 'no stack trace');
  });

test('a rendering says what to type next; that no engine answers is a notice there', async () => {
  const out = join(folder, 'demo');
  const { code, stdout } = await command(['-o', out, '--port', '4555']);
  assert.equal(code, 0);
  assert.match(stdout, /✓ the demo is in .*, with new keys/);
  assert.match(stdout, /--webdriver http:\/\/127\.0\.0\.1:4555/);
  assert.match(stdout, /notice: the Docker engine does not answer/);
  const again = await command(['-o', out, '--subnet', '10.211.0.0/16']);
  assert.match(again.stdout, /notice: the one before had 10\.210\..*down --remove-orphans/);
});

/** A PATH with these programs alone. */
async function pathOf(...names: string[]): Promise<NodeJS.ProcessEnv> {
  const bin = mkdtempSync(join(folder, 'bin-'));
  for (const name of names) symlinkSync((await run(['which', name])).trim(), join(bin, name));
  return { ...process.env, PATH: bin };
}

test('without openssl nothing is written; without docker both that are missing are named', async () => {
  const out = join(folder, 'none');
  const bare = await started(['-o', out], await pathOf('node', 'sh', 'bash', 'cat'));
  assert.equal(bare.code, 1);
  assert.match(bare.stderr, /openssl is missing[\s\S]*next: sudo apt-get install openssl/);
  assert.equal(existsSync(out), false);
  const { code, stdout } = await started(['-o', out], await pathOf('node', 'sh', 'bash', 'cat', 'openssl'));
  assert.equal(code, 0);
  assert.match(stdout, /notice: docker is missing\n {2}next: .*\nnotice: docker-compose is missing/);
});

/** migrate.sh with a node that only tells its arguments. */
const told = mkdtempSync(join(folder, 'told-'));
writeFileSync(join(told, 'migrate.sh'), migrateScript());
writeFileSync(join(told, 'node'), '#!/bin/sh\necho "$@" >"$(dirname "$0")/arguments"\n');
chmodSync(join(told, 'node'), 0o755);
const migrate = (...words: string[]) =>
  attempt(['sh', join(told, 'migrate.sh'), ...words], {
    env: { ...process.env, PATH: `${told}${delimiter}${dirname('/bin/sh')}` },
  });

for (const [words, said] of [
  [[], /the seconds between two switches are missing/],
  [[''], /missing/],
  [['abc'], /abc is not a number of seconds/],
  [['0'], /0: the seconds between two switches are more than 0/],
  [['0.0'], /more than 0/],
  [['1.2.3'], /1\.2\.3 is not a number/],
  [['.'], /not a number/],
  [['--strategy', 'wr'], /come first, not --strategy/],
  [['1; reboot'], /not a number/],
] as [string[], RegExp][])
  test(`migrate.sh refuses with the next command: ${words.join(' ') || 'nothing'}`, async () => {
    const { code, stderr } = await migrate(...words);
    assert.equal(code, 1);
    assert.match(stderr, said);
    assert.match(stderr, /^migrate\.sh: .*\n {2}next: \/etc\/wireguard\/migrate\.sh 0\.1 &\n$/);
  });

test('migrate.sh is the engine by turns, and passes further flags on', async () => {
  assert.equal((await migrate('0.1', '--seed', '4 2')).code, 0);
  assert.equal(
    readFileSync(join(told, 'arguments'), 'utf8'),
    '/comps/migrate.ts --strategy rr --period 0.1 --seed 4 2\n',
  );
  assert.equal((await migrate('.5')).code, 0);
});
