/** What setup.sh does with /etc/resolv.conf, by its own functions on a file of the test's. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fromTemplate } from '../../scripts/lib/template.ts';
import { attempt } from '../../scripts/lib/transport/local.ts';

const OWN = 'nameserver 192.168.1.1\n';
const OURS = /^# Written by CoMPS's setup\.sh; .*\nnameserver 203\.0\.113\.53\n$/;

let folder: string;
let file: string;
let saved: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'comps-resolver-'));
  file = join(folder, 'resolv.conf');
  saved = `${file}.before-comps`;
});
afterEach(() => rmSync(folder, { recursive: true }));

const now = (): string => readFileSync(file, 'utf8');
const leftOver = (): boolean => existsSync(saved) || existsSync(`${saved}.half`);

/** Runs functions of setup.sh, and before them lines that stand in for what goes wrong. */
const inSetup = (line: string) =>
  attempt(['bash'], {
    input: `set -euo pipefail
      RESOLV=${file} SAVED_RESOLV=${saved} RESOLVER=203.0.113.53 HERE=/etc/wireguard
      ${fromTemplate('setup/resolver.sh', {})}
      ${line}`,
  });
async function good(line: string): Promise<void> {
  const { code, stderr } = await inSetup(line);
  assert.deepEqual([code, stderr], [0, '']);
}
async function bad(line: string, message: RegExp): Promise<void> {
  const { code, stderr } = await inSetup(line);
  assert.equal(code, 1);
  assert.match(stderr, message);
}

test('put aside and put back, with its mode; for every user to read meanwhile, whatever the umask is', async () => {
  writeFileSync(file, OWN, { mode: 0o640 });
  await good('umask 077; use_resolver; use_resolver');
  assert.match(now(), OURS);
  assert.equal(statSync(file).mode & 0o777, 0o644);
  await good('restore_resolver; restore_resolver');
  assert.deepEqual([now(), statSync(file).mode & 0o777, leftOver()], [OWN, 0o640, false]);
});

test('where none was, none is left behind; so of a link to nothing, which is a link again', async () => {
  await good('umask 077; use_resolver');
  assert.match(now(), OURS);
  assert.equal(statSync(file).mode & 0o777, 0o644);
  await good('use_resolver; restore_resolver');
  assert.deepEqual([existsSync(file), leftOver()], [false, false]);
  symlinkSync('nowhere', file);
  await good('use_resolver');
  assert.match(now(), OURS);
  await good('use_resolver; restore_resolver');
  assert.equal(readlinkSync(file), 'nowhere');
});

test('another network’s, written over ours, counts: at the next `up` it is put aside, at `down` it stays', async () => {
  const newer = 'nameserver 10.9.9.9\n';
  for (const line of ['use_resolver; restore_resolver', 'restore_resolver']) {
    writeFileSync(file, OWN);
    await good('use_resolver');
    writeFileSync(file, newer);
    await good(line);
    assert.deepEqual([now(), leftOver()], [newer, false], line);
  }
});

test('a link is the setting itself, whatever a DHCP client wrote in its place meanwhile', async () => {
  writeFileSync(join(folder, 'stub'), 'nameserver 127.0.0.53\n');
  for (const line of ['restore_resolver', 'use_resolver; restore_resolver']) {
    rmSync(file, { force: true });
    symlinkSync('stub', file);
    await good('use_resolver');
    writeFileSync(file, 'nameserver 10.9.9.9\n');
    await good(line);
    assert.deepEqual([readlinkSync(file), leftOver()], ['stub', false], line);
  }
});

test('one of an earlier version, without a mark, is still known as ours', async () => {
  writeFileSync(saved, OWN);
  writeFileSync(file, 'nameserver 203.0.113.53\n', { mode: 0o600 });
  await good('use_resolver; restore_resolver');
  assert.equal(now(), OWN);
});

test('a full disk at `up`: what cannot be put aside is not written over', async () => {
  writeFileSync(file, OWN);
  const full = `cp() { : >"$3"; echo 'cp: No space left on device' >&2; return 1; }`;
  await bad(
    `${full}; use_resolver`,
    /left as it was.*\(cp: No space left on device\); next: .*\/etc\/wireguard\/setup\.sh up\n$/,
  );
  assert.deepEqual([now(), leftOver()], [OWN, false]);
});

test('a mount, as in a container, is written in place; a full disk at `down` loses nothing', async () => {
  writeFileSync(file, OWN);
  await good('use_resolver');
  const { ino } = statSync(file);
  const mount = 'mv() { return 1; }; rm() { [ "$1" != "$RESOLV" ] && command rm "$@"; }';
  const full = `cat() { command cat "$@" | head -c 5; [ "$1" != "$SAVED_RESOLV" ] || { echo 'No space left' >&2; return 1; }; }`;
  await bad(
    `${mount}; ${full}; restore_resolver`,
    /not put back.*\(No space left\); next: .*\/etc\/wireguard\/setup\.sh down\n$/,
  );
  assert.equal(readFileSync(saved, 'utf8'), OWN);
  await good(`${mount}; restore_resolver`);
  assert.deepEqual([now(), leftOver(), statSync(file).ino], [OWN, false, ino]);
});
