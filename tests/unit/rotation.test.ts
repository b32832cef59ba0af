/** What a change of keys does and leaves, as far as it needs no tunnel. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readLook } from '../../client/scripts/lib/health.ts';
import {
  CLIENTS_TURN,
  changeOfKeys,
  halfDone,
  nextKeyPair,
  tunnelInUse,
} from '../../scripts/lib/tasks/rotation.ts';
import { run } from '../../scripts/lib/transport/local.ts';
import { newPrivateKey, publicKeyOf } from '../../scripts/lib/wireguard/key.ts';
import { clientKeys } from '../../scripts/lib/wireguard/key-store.ts';
import { nextClientKey, promote, underWay, writeNext } from '../../scripts/lib/wireguard/next-keys.ts';
import { topologyOf } from '../../scripts/lib/wireguard/topology.ts';
import { retiredIn } from '../../scripts/lib/wireguard/write-client.ts';

const directory = mkdtempSync(join(tmpdir(), 'comps-rotation-'));
after(() => rmSync(directory, { recursive: true }));

const [old, next, server, nextServer] = Array.from({ length: 4 }, () => publicKeyOf(newPrivateKey())) as [
  string,
  string,
  string,
  string,
];
const rotation = {
  client: { old, next },
  server: { old: server, next: nextServer },
  allowedIps: ['10.45.0.0/24'],
};
const lines = (task: ReturnType<typeof changeOfKeys>, seen: string): string[] =>
  task.judge(seen, undefined).changes.map(({ line }) => line);

test('a server that has changed already, as a run before was cut off, is left as it is', () => {
  const task = changeOfKeys(rotation);
  assert.deepEqual(lines(task, `${nextServer} ${nextServer} ${next}\n`), []);
  for (const peers of [old, `${old} ${next}`, `${next} ${old}`])
    assert.deepEqual(lines(task, `${server} ${server} ${peers}\n`), [
      'expect the client’s next key',
      CLIENTS_TURN,
    ]);
});

test('a server that another run has changed meanwhile is not touched, nor one that is to have what it has', () => {
  for (const seen of [
    '',
    // The running key is the next one, the file's is not.
    `${nextServer} ${server} ${next}\n`,
    `${nextServer} ${nextServer} ${old} ${next}\n`,
    `${server} ${server} ${next}\n`,
    `${server} ${server}\n`,
  ])
    assert.throws(() => lines(changeOfKeys(rotation), seen), /changed by another run meanwhile/, seen);
  for (const same of [
    { ...rotation, client: { old, next: old } },
    { ...rotation, server: { old: server, next: server } },
  ])
    assert.throws(() => lines(changeOfKeys(same), `${server} ${server} ${old}\n`), /another run/);
});

test('the shell of both changes is one that sh can read', async () => {
  for (const { shell } of [
    ...changeOfKeys(rotation).judge(`${server} ${server} ${old}`, undefined).changes,
    ...nextKeyPair().judge('none', undefined).changes,
  ])
    await run(['sh', '-n'], { input: shell });
});

test('a key pair that was made and not taken yet is taken', () => {
  const verdict = nextKeyPair().judge(`${nextServer}\n`, undefined);
  assert.deepEqual([verdict.changes, verdict.value?.([])], [[], nextServer]);
  assert.equal(
    nextKeyPair()
      .judge('none\n', undefined)
      .value?.([`${server}\n`]),
    server,
  );
  assert.throws(() => nextKeyPair().judge('none\n', undefined).value?.(['wg: not found']), /public key/);
});

test('keys are changed only where a set-up left everything right', () => {
  const task = tunnelInUse(old, server);
  assert.equal(task.judge(`${server} ${server} ${old}\nyes\n`, undefined).value?.([]), 'yes');
  assert.equal(task.judge(`${server} ${server} ${old}\nno\n`, undefined).value?.([]), 'no');
  for (const seen of [
    '',
    `${server} ${server}\n`,
    `${server} ${server} ${old} ${next}\nyes\n`,
    `${server} ${nextServer} ${old}\n`,
  ])
    assert.throws(() => task.judge(seen, undefined), /run wgnet-setup\.ts without --rotate-keys first/);
});

test('a change that was cut off counts as done once the server’s key file and wg0.conf have both new keys', () => {
  const told = (seen: string) => halfDone(next, nextServer).judge(seen, undefined).value?.([]);
  assert.equal(told(`${nextServer}\npeer ${next}\n`), 'done');
  for (const seen of [
    '',
    `${nextServer}\npeer ${old}\n`,
    `${server}\npeer ${next}\n`,
    `none\npeer ${next}\n`,
  ])
    assert.equal(told(seen), 'undone');
  const left = (seen: string) => halfDone(next, nextServer).judge(seen, undefined).changes.length;
  assert.deepEqual(
    [`${server}\npeer ${old}\n`, `${server}\npeer ${old}\nleft\n`, `${nextServer}\npeer ${next}\nleft\n`].map(
      left,
    ),
    [0, 1, 0],
  );
});

test('the client’s next key is kept beside the present one until it is in force', () => {
  const present = clientKeys(directory, ['p/1'], true).get('p/1');
  const conf = join(directory, 'wgnet1.conf');
  writeFileSync(conf, `PrivateKey = ${present?.privateKey}\nPublicKey = ${server}\n`, { mode: 0o600 });
  assert.equal(underWay(directory, 'p/1'), undefined);
  const key = nextClientKey(directory, 'p/1');
  assert.deepEqual(nextClientKey(directory, 'p/1'), key);
  assert.equal(underWay(directory, 'p/1'), undefined, 'nobody has heard of it yet');
  writeNext(directory, {
    name: 'wgnet1.conf',
    text: `PrivateKey = ${key.privateKey}\nPublicKey = ${nextServer}\n`,
    mode: 0o600,
  });
  assert.deepEqual(underWay(directory, 'p/1'), {
    clientKey: key,
    serverPublicKey: nextServer,
    file: `${conf}.next`,
  });
  assert.deepEqual(
    clientKeys(directory, ['p/1'], true).get('p/1'),
    present,
    'a set-up still has the present one',
  );
  promote(directory, 'p/1', key);
  // Another run may have been first.
  promote(directory, 'p/1', key);
  assert.deepEqual(clientKeys(directory, ['p/1'], true).get('p/1'), key);
  assert.match(readFileSync(conf, 'utf8'), new RegExp(nextServer.replaceAll('+', '\\+')));
  assert.equal(statSync(conf).mode & 0o777, 0o600);
  assert.deepEqual(
    [...readdirSync(directory), ...readdirSync(join(directory, 'keys'))].filter((name) =>
      name.endsWith('.next'),
    ),
    [],
  );
});

test('where the tunnels were numbered anew meanwhile, another’s file is not overwritten', () => {
  const key = nextClientKey(directory, 'p/1');
  writeNext(directory, {
    name: 'wgnet1.conf',
    text: `PrivateKey = ${key.privateKey}\nPublicKey = ${server}\n`,
    mode: 0o600,
  });
  const others = `PrivateKey = ${newPrivateKey()}\nPublicKey = ${old}\n`;
  writeFileSync(join(directory, 'wgnet1.conf'), others);
  promote(directory, 'p/1', key);
  assert.equal(readFileSync(join(directory, 'wgnet1.conf'), 'utf8'), others);
  assert.equal(clientKeys(directory, ['p/1'], true).get('p/1')?.privateKey, key.privateKey);
  assert.equal(underWay(directory, 'p/1'), undefined);
});

test('a server that the client’s files name, and hosts.ini does not any more, is told of', () => {
  const topology = (...proxies: string[]) =>
    topologyOf({
      proxies: proxies.map((address) => ({ name: `p${address.at(-1)}`, address })),
      comp: { name: 'c', address: '198.51.100.201' },
      port: 51820,
      pathAddress: (k) => `10.45.0.${4 + k}`,
      compAddress: '10.45.0.100',
    });
  writeFileSync(
    join(directory, 'wgnet1.conf'),
    '# wgnet1: proxy p1. Written by scripts/wgnet-setup.ts; …\nEndpoint = 198.51.100.11:51820\n',
  );
  writeFileSync(
    join(directory, 'wgnet2.conf'),
    '# wgnet2: proxy p2. Written by scripts/wgnet-setup.ts; …\nEndpoint = [2001:db8::12]:51820\n',
  );
  assert.deepEqual(retiredIn(directory, topology('198.51.100.11', '2001:db8::12')), []);
  // Numbered anew, not gone.
  assert.deepEqual(retiredIn(directory, topology('2001:db8::12', '198.51.100.11')), []);
  assert.deepEqual(retiredIn(directory, topology('198.51.100.11')), [
    { name: 'p2', address: '2001:db8::12' },
  ]);
  // Moved: a droplet made anew, whose former address is somebody else's by now.
  assert.deepEqual(retiredIn(directory, topology('198.51.100.11', '198.51.100.32')), []);
});

test('a proxy takes all of the tunnels’ network, whatever its number', () => {
  const topology = topologyOf({
    proxies: [{ name: 'p', address: '198.51.100.11' }],
    comp: { name: 'c', address: '198.51.100.201' },
    port: 51820,
    pathAddress: () => '10.45.0.5',
    compAddress: '10.45.0.100',
  });
  assert.deepEqual(topology.paths[0]?.allowedIps, ['10.45.0.0/24']);
  assert.deepEqual(topology.comp.allowedIps, ['10.45.0.100']);
});

test('a tunnel that has two peers for a moment, told in any order, is judged by both', () => {
  const links = '7: wgnet1: <UP>\n=\n';
  for (const rows of [
    `wgnet1\tA\t100\nwgnet1\tB\t0\n=\nwgnet1\tB\t148\t92\nwgnet1\tA\t5000\t7000\n`,
    `wgnet1\tB\t0\nwgnet1\tA\t100\n=\nwgnet1\tA\t5000\t7000\nwgnet1\tB\t148\t92\n`,
  ])
    assert.deepEqual(readLook(links + rows, ['wgnet1']).get('wgnet1'), {
      up: true,
      wg: { handshake: 100, received: 5148, sent: 7092 },
    });
});
