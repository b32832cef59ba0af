/** The ends of a change of keys that does not go well, as far as they need no tunnel. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { EXIT, type Fault } from '../../scripts/lib/cli.ts';
import type { Mode } from '../../scripts/lib/config.ts';
import { hearLines } from '../../scripts/lib/progress.ts';
import { rotate } from '../../scripts/lib/steps/rotating.ts';
import { clientInUse } from '../../scripts/lib/steps/rotation-client.ts';
import { aloneIn } from '../../scripts/lib/steps/rotation-lock.ts';
import { inDoubt, whileKeysStay } from '../../scripts/lib/steps/rotation-settling.ts';
import type { Member } from '../../scripts/lib/steps/set-up-servers.ts';
import { changeOfKeys } from '../../scripts/lib/tasks/rotation.ts';
import { attempt } from '../../scripts/lib/transport/local.ts';
import { newPrivateKey, publicKeyOf } from '../../scripts/lib/wireguard/key.ts';
import { clientKeys, keyFileOf } from '../../scripts/lib/wireguard/key-store.ts';
import { dropNext, dropOrphans, nextClientKey, writeNext } from '../../scripts/lib/wireguard/next-keys.ts';
import { topologyOf } from '../../scripts/lib/wireguard/topology.ts';

const directory = mkdtempSync(join(tmpdir(), 'comps-rotation-ends-'));
after(() => rmSync(directory, { recursive: true }));
const newKey = (): string => publicKeyOf(newPrivateKey());
const [old, next, server, nextServer] = [newKey(), newKey(), newKey(), newKey()];
const rotation = {
  client: { old, next },
  server: { old: server, next: nextServer },
  allowedIps: ['10.45.0.0/24'],
};

test('where the disk is full nothing live is changed; a failure at the very end gives the old keys back', async () => {
  const place = mkdtempSync(join(directory, 'server-'));
  const [log, conf] = [join(place, 'log'), join(place, 'wg0.conf')];
  const program = (name: string, text: string) =>
    writeFileSync(join(place, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  // A wg that has heard of the client and shaken hands with it, each time later than before.
  program(
    'wg',
    `case "$*" in
      pubkey) echo '${nextServer}' ;; genpsk) echo psk ;;
      'show wg0 transfer') echo '${next} 148 92' ;;
      'show wg0 latest-handshakes') echo "${next} $(wc -l <${log})" ;;
      set*) echo "$*" >>${log} ;;
    esac`,
  );
  const play = async (i: 0 | 1) => {
    const [piece] = [changeOfKeys(rotation).judge(`${server} ${server} ${old}`, undefined).changes[i]];
    const input = `set -e\n${piece?.shell.replaceAll('/etc/wireguard', place)}`;
    const env = { ...process.env, PATH: `${place}:${process.env.PATH}` };
    return attempt(['sh', '-s'], { input, env });
  };
  const text = `PublicKey = ${old}\n`;
  for (const [name, content] of [
    ['log', ''],
    ['wg0.conf', text],
    ['wg0.key', 'old'],
    ['wg0.key.next', 'next'],
  ] as const)
    writeFileSync(join(place, name), content);

  program('sed', 'exit 4');
  const full = await play(0);
  assert.equal(full.code, 1);
  assert.match(full.stderr, /cannot write .*wg0\.conf: is the disk full\?; nothing was changed; next: /);
  assert.equal(readFileSync(log, 'utf8'), '');
  rmSync(join(place, 'sed'));

  program('mv', 'exit 1');
  assert.equal((await play(0)).code, 0);
  const failed = await play(1);
  assert.deepEqual(
    [failed.code, failed.stderr.trim()],
    [1, 'the new files could not be put in their places, so the old keys are back'],
  );
  assert.match(readFileSync(log, 'utf8').trim().split('\n').at(-1) ?? '', /wg0\.key peer .* remove peer /);
  assert.deepEqual([readFileSync(conf, 'utf8'), readFileSync(join(place, 'wg0.key'), 'utf8')], [text, 'old']);
  rmSync(join(place, 'mv'));

  assert.deepEqual(
    [(await play(0)).code, (await play(1)).code, readFileSync(conf, 'utf8').includes(next)],
    [0, 0, true],
  );
  assert.equal(readFileSync(join(place, 'wg0.key'), 'utf8'), 'next');
  assert.deepEqual(
    readdirSync(place).filter((name) => /next|new/.test(name)),
    [],
  );
});

test('what an undone change left at the client goes, and halves of changes; what is under way stays', () => {
  const directory = mkdtempSync(join(tmpdir(), 'comps-rotation-ends-'));
  after(() => rmSync(directory, { recursive: true }));
  const names = () =>
    [...readdirSync(directory), ...readdirSync(join(directory, 'keys'))]
      .filter((name) => name.endsWith('.next'))
      .sort();
  const file = (name: string, privateKey: string) =>
    writeNext(directory, { name, text: `PrivateKey = ${privateKey}\nPublicKey = ${server}\n`, mode: 0o600 });
  clientKeys(directory, ['a', 'b', 'c'], true);
  for (const name of ['a', 'b'])
    file(`wgnet${name === 'a' ? 7 : 8}.conf`, nextClientKey(directory, name).privateKey);
  nextClientKey(directory, 'c');
  file('wgnet9.conf', newPrivateKey());
  dropNext(directory, 'a');
  assert.deepEqual(names(), ['b.key.next', 'c.key.next', 'wgnet8.conf.next', 'wgnet9.conf.next']);
  dropOrphans(directory);
  assert.deepEqual(names(), ['b.key.next', 'wgnet8.conf.next']);
  dropNext(directory, 'b');
});

test('flags that a change of keys does not follow are refused by name, before anything is read', async () => {
  const options = {
    inventory: '/none',
    config: '/none',
    out: '/none',
    check: false,
    timeout: 1,
    acceptNew: false,
  };
  for (const [flag, more] of [
    ['--list-hosts', { listHosts: true }],
    ['--tags', { tags: ['keys'] }],
    ['--skip-tags', { skipTags: ['keys'] }],
    ['--start-at-task', { startAtTask: 'key pair' }],
    ['--forks', { forks: 1 }],
    ['--diff', { diff: true }],
    ['--json', { json: true }],
  ] as const)
    await assert.rejects(rotate({ ...options, ...more }), (error: Fault) => {
      assert.ok(error.message.startsWith(`${flag}: `), error.message);
      return error.code === EXIT.refused;
    });
});

test('a set-up does nothing to a server whose keys another run changes meanwhile', () => {
  const out = join(directory, 'client');
  const member = { name: 's', key: clientKeys(out, ['s'], true).get('s') } as Member;
  const [task] = whileKeysStay([{ name: 't', probe: '', judge: () => ({ changes: [] }) }], member, out);
  const judge = () => task?.judge('', undefined).changes;
  assert.deepEqual([judge(), inDoubt([member], out)], [[], []]);
  const { privateKey } = nextClientKey(out, 's');
  writeNext(out, {
    name: 'wg0.conf',
    text: `PrivateKey = ${privateKey}\nPublicKey = ${server}\n`,
    mode: 0o600,
  });
  assert.throws(judge, /was begun and not ended/);
  assert.equal(inDoubt([member], out).length, 1);
  writeFileSync(keyFileOf(out, 's'), privateKey);
  dropNext(out, 's');
  assert.throws(judge, /another run has changed its keys meanwhile; next: this again/);
});

const topologyIn = (mode: Mode) =>
  topologyOf({
    proxies: [{ name: 'p', address: '198.51.100.11' }],
    comp: mode === 'quic' ? undefined : { name: 'c', address: '198.51.100.201' },
    port: 51820,
    pathAddress: () => '10.45.0.5',
    compAddress: '10.45.0.100',
  });

test('a client that is down is told from one that is not there, half up, or in another mode', async () => {
  const out = mkdtempSync(join(directory, 'down-'));
  for (const name of ['wg0.conf', 'wgnet1.conf', 'setup.sh']) writeFileSync(join(out, name), 'rekey() {\n');
  const path = process.env.PATH;
  process.env.PATH = `${out}:${path}`;
  const program = (name: string, line: string) =>
    writeFileSync(join(out, name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  const rules = {
    quic: '101: not from all fwmark 0xca6d lookup 51821',
    wireguard: '102: not from all fwmark 0xca6c lookup 51820 ',
  };
  try {
    for (const mode of ['wireguard', 'quic'] as const) {
      program('ip', `echo '${rules[mode]}'`);
      const place = async (wg: string) => {
        program('wg', wg);
        return clientInUse(
          { here: true, inventory: 'hosts.ini', config: 'config.cfg' },
          out,
          topologyIn(mode),
        );
      };
      const none = '[ "$2" = interfaces ]';
      assert.equal(await place(none), 'down');
      assert.equal(await place(`${none} && echo wg7 wgnet1`), undefined);
      const up = `[ "$2" = ${mode === 'quic' ? 'wgnet1' : 'wg0'} ]`;
      assert.deepEqual(await place(up), { place: { kind: 'here', named: true }, directory: out });
      program('ip', `echo '${rules[mode === 'quic' ? 'wireguard' : 'quic']}'`);
      await assert.rejects(place(up), new RegExp(`its files are of mode ${mode} by now`));
    }
  } finally {
    process.env.PATH = path;
  }
});

test('a second run in one client folder waits and says so, under whatever name it has the folder', async () => {
  const link = join(directory, 'link');
  symlinkSync(directory, link);
  let heard: (line: string) => void = () => {};
  const told = new Promise<string>((resolve) => {
    heard = resolve;
  });
  const endHearing = hearLines((line) => heard(line));
  const order: string[] = [];
  let second: Promise<unknown> = Promise.resolve();
  await aloneIn(join(directory, 'out'), async () => {
    second = aloneIn(join(link, 'out'), async (waited) => order.push(`second, waited: ${waited}`));
    assert.match(await told, /waiting: another run changes keys, .* in .*\/out right now/);
    order.push('first');
  });
  await second;
  endHearing();
  assert.deepEqual(order, ['first', 'second, waited: true']);
});
