/** The status: what is read, and what is made of it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXIT, type Fault } from '../../scripts/lib/cli.ts';
import { CLIENT_PROBE, clientIn } from '../../scripts/lib/status/client.ts';
import { ENDS, endsIn } from '../../scripts/lib/status/ends.ts';
import { judgeFiles } from '../../scripts/lib/status/files.ts';
import type { Status } from '../../scripts/lib/status/status.ts';
import { clientPlace, placeText } from '../../scripts/lib/steps/in-client.ts';
import { attempt } from '../../scripts/lib/transport/local.ts';
import { clientFiles } from '../../scripts/lib/wireguard/client-files.ts';
import { newPrivateKey, publicKeyOf } from '../../scripts/lib/wireguard/key.ts';
import { judged } from '../status-cases.ts';
import { statusOf, topology, tunnels } from '../status-seen.ts';

const kinds = ({ troubles }: Status): string[] => troubles.map(({ kind, tunnel }) => `${tunnel}: ${kind}`);
test('wg’s dump: no secret leaves the machine, ages are of its own clock', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'comps-status-'));
  try {
    const dump = [
      'wgnet1\tPRIVATE=\tOWN=\t51820\t0xca6d',
      'wgnet1\tPEER=\tSHARED=\t[2001:db8::7]:51820\t0.0.0.0/0,::/0\t900\t5000000000\t7\t25',
      'wgnet2\tPRIVATE=\tOWN2=\t51820\toff',
      'wgnet2\tPEER2=\t(none)\t(none)\t(none)\t0\t0\t0\toff',
    ];
    writeFileSync(join(folder, 'wg'), `#!/bin/sh\nprintf '%s\\n' '${dump.join("' '")}'\n`, { mode: 0o755 });
    writeFileSync(join(folder, 'date'), '#!/bin/sh\necho 1000\n', { mode: 0o755 });
    const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
    const { stdout, stderr } = await attempt(['sh', '-s'], { input: ENDS, env });
    assert.equal(stderr, '');
    assert.doesNotMatch(stdout, /PRIVATE|SHARED/);
    const ends = endsIn(stdout);
    assert.deepEqual(ends.get('wgnet1'), {
      interface: 'wgnet1',
      publicKey: 'OWN=',
      peers: [
        {
          publicKey: 'PEER=',
          endpoint: '[2001:db8::7]:51820',
          handshakeAge: 100,
          received: 5_000_000_000,
          sent: 7,
        },
      ],
    });
    const [never] = ends.get('wgnet2')?.peers ?? [];
    assert.deepEqual([never?.endpoint, never?.handshakeAge], [null, null]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the client’s answer: links, the first route, who migrates; half an answer is none', () => {
  const said =
    'link wgnet1 POINTOPOINT,NOARP,UP,LOWER_UP\nlink wg0 POINTOPOINT,NOARP\ninterface wgnet1 K= 1\n';
  const { links, path, migration, ends } = clientIn(`${said}path wgnet3\nmigration time\nwhole\n`, 'c');
  assert.deepEqual(
    [...links],
    [
      ['wgnet1', { up: true }],
      ['wg0', { up: false }],
    ],
  );
  assert.deepEqual([path, migration, ends.size], ['wgnet3', 'time', 1]);
  assert.equal(clientIn('migration packet\nmigration time\nwhole', 'c').migration, 'packet');
  assert.throws(() => clientIn(said, 'c'), /c: its answer broke off/);
  assert.throws(
    () => clientIn('trouble root\n', 'c'),
    (error: Fault) => /root alone/.test(error.message) && error.code === EXIT.unreachable,
  );
});

test('the client’s probe is whole in a network without any tunnel', async () => {
  const { stdout } = await attempt(['unshare', '-n', 'sh', '-s'], { input: CLIENT_PROBE });
  const { links, path, migration } = clientIn(stdout, 'c');
  assert.deepEqual([links.size, path, migration], [0, null, 'none']);
});

test('all is well', () => {
  const status = statusOf();
  assert.deepEqual([status.well, status.exitCode, status.troubles], [true, EXIT.ok, []]);
  assert.deepEqual(
    status.tunnels.map(({ current }) => current),
    [false, true, null],
  );
  assert.ok(status.tunnels.every(({ keysMatch, well, files }) => keysMatch && well && files === 'current'));
});

for (const [name, seen, expected, code, next] of judged)
  test(`judged: ${name}`, () => {
    const status = statusOf(seen);
    assert.deepEqual([kinds(status), status.exitCode], [expected, code]);
    if (next !== undefined) assert.equal(status.troubles[0]?.next, next);
  });

test('the client’s files: each against what would be written now, by name of setting and never by value', () => {
  const keys = new Map(
    tunnels.map((tunnel) => [
      tunnel.interface,
      { privateKey: newPrivateKey(), serverPublicKey: publicKeyOf(newPrivateKey()) },
    ]),
  );
  const keyed = (name: string) => keys.get(name) ?? { privateKey: '', serverPublicKey: '' };
  const settings = { dns: '9.9.9.9', published: [] };
  const texts = new Map(
    clientFiles(topology, (tunnel) => keyed(tunnel.interface), settings).map(({ name, text }) => [
      name,
      text,
    ]),
  );
  const textOf = (name: string) => texts.get(name);
  const all = judgeFiles(topology, keys, settings, textOf);
  assert.deepEqual(
    [...all.values()].map((file) => file?.is),
    Array(4).fill('current'),
  );
  texts.set(
    'wgnet1.conf',
    (texts.get('wgnet1.conf') ?? '').replace(/PublicKey = .*/, 'PublicKey = X').replace('51820', '51999'),
  );
  texts.delete('wgnet2.conf');
  const { privateKey } = keyed('wg0');
  keys.set('wg0', { ...keyed('wg0'), privateKey: newPrivateKey() });
  const now = judgeFiles(topology, keys, settings, textOf);
  assert.deepEqual(now.get('wgnet1'), { is: 'older', what: 'PublicKey, Endpoint' });
  assert.deepEqual(now.get('wgnet2'), { is: 'missing' });
  assert.deepEqual(now.get('wg0'), { is: 'older', what: 'PrivateKey' });
  assert.ok(!JSON.stringify([...now]).includes(privateKey));
  // Of a server that does not answer nobody knows the key.
  keys.delete('wg0');
  assert.equal(judgeFiles(topology, keys, settings, textOf).get('wg0'), undefined);
  assert.equal(
    judgeFiles(topology, keys, { ...settings, dns: '1.1.1.1' }, textOf).get('setup.sh')?.is,
    'older',
  );
});

test('where the client is: as named, where it usually is, or in the lab that this runs in', () => {
  assert.deepEqual(clientPlace({}, {}), { kind: 'container', name: 'wgclient', named: false });
  const inLab = { COMPS_LAB_EXEC: 'npx zx scripts/lab.ts exec --name two --' };
  assert.deepEqual(clientPlace({}, inLab), { kind: 'lab', name: 'two', named: false });
  assert.deepEqual(clientPlace({ lab: true }, inLab), { kind: 'lab', name: 'two', named: true });
  assert.deepEqual(clientPlace({ lab: true }, {}), { kind: 'lab', name: 'lab', named: true });
  assert.equal(clientPlace({ client: false }, inLab), undefined);
  assert.equal(placeText({ kind: 'here', named: true }), 'this machine');
  assert.throws(() => clientPlace({ here: true, container: 'x' }, {}), /--container: contradicts --here/);
});
