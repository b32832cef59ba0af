import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { logFile, openLog } from '../../scripts/lib/runner/log.ts';
import { hideKeys, hideSecrets, keepSecret, withoutKeys } from '../../scripts/lib/runner/secrets.ts';
import { flagsOf } from '../../scripts/lib/steps/set-up-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-log-'));
after(() => rmSync(folder, { recursive: true }));

test('a log begins when its run does, holds what came before, and keeps 30 in all', () => {
  const place = join(folder, '.comps', 'log');
  mkdirSync(place, { recursive: true });
  const old = Array.from({ length: 35 }, (_, i) => `2020-01-01T00-00-${10 + i}.000Z-main.log`);
  for (const name of [...old, 'notes.txt']) writeFileSync(join(place, name), '');
  const file = logFile(join(folder, 'hosts.ini'), 'wgnet-setup');
  assert.ok(file);
  const log = openLog(file, assert.fail);
  log.line('before');
  assert.deepEqual([log.file, readdirSync(place).length], [undefined, 36]);
  log.begin();
  log.line('\u001b[31mred\u001b[39m PrivateKey = abc');
  assert.match(readFileSync(file, 'utf8'), /^\S+ before\n\S+ red PrivateKey = \(hidden\)\n$/);
  const left = readdirSync(place);
  assert.deepEqual(
    [left.length, left.includes(old[34] ?? ''), left.includes(old[5] ?? '')],
    [31, true, false],
  );
});

test('COMPS_LOG names another file, or none; a log that cannot be written is told once and stops nothing', () => {
  assert.equal(logFile('hosts.ini', 'main', 'off'), undefined);
  assert.equal(logFile('hosts.ini', 'main', '/x/y.log'), '/x/y.log');
  const told: string[] = [];
  const log = openLog(join(folder, 'no', 'such', 'folder.log'), (text) => told.push(text));
  log.begin();
  log.line('a');
  log.line('b');
  assert.equal(log.file, undefined);
  assert.equal(told.length, 1);
  assert.match(told[0] ?? '', /no log of this run any more: .*folder\.log: cannot add to: no such file/);
  assert.ok(dirname(folder));
});

test('secrets are hidden: named ones, known ones, and whatever looks like a key in what a program complained of', () => {
  const key = 'yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=';
  keepSecret('correct horse');
  assert.equal(
    hideSecrets(`PresharedKey=${key} ansible_become_password=x correct horse`),
    'PresharedKey=(hidden) ansible_become_password=(hidden) (hidden)',
  );
  assert.equal(hideSecrets(`PublicKey = ${key}`), `PublicKey = ${key}`);
  for (const text of [
    `{"ansible_become_password":"hunter 2","x":1}`,
    'ansible_become_password: hunter2',
    `{'token' : 'hunter 2'}`,
    `ansible_become_pass="hunter 2" x`,
    '{"password":hunter2}',
  ]) {
    assert.doesNotMatch(hideSecrets(text), /hunter|2"|2'/, text);
    assert.match(hideSecrets(text), /[}x]$|: \(hidden\)$/, text);
  }
  assert.equal(
    hideSecrets('config.cfg: token: a text was expected'),
    'config.cfg: token: a text was expected',
  );
  assert.equal(
    withoutKeys(
      `PublicKey = ${key} # was ${key}\n# ${key}\nPostUp = wg set wg0 private-key <(echo ${key})\n${key}`,
    ),
    `PublicKey = ${key} # was (hidden)\n# (hidden)\nPostUp = wg set wg0 private-key <(echo (hidden))\n(hidden)`,
  );
  assert.equal(withoutKeys(`600:root ${key}`, true), `600:root ${key}`);
  assert.equal(hideKeys(`bad key '${key}'`), "bad key '(a key, hidden)'");
  assert.equal(
    flagsOf(['-C', '-e', 'a=b', '--extra-vars=token=x', '-ek=v', '--limit', 'vpn']),
    "-C -e '(hidden)' '--extra-vars=(hidden)' '-e(hidden)' --limit vpn",
  );
  assert.equal(
    flagsOf(['-CDe', '{"ansible_become_password":"x"}', '-vbek=v', '-lvpne', '-fe']),
    "-CDe '(hidden)' '-vbe(hidden)' -lvpne -fe",
  );
});
