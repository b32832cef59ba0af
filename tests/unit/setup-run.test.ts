import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { EXIT } from '../../scripts/lib/cli.ts';
import type { RunDocument } from '../../scripts/lib/steps/set-up-json.ts';
import { asRun } from '../../scripts/lib/steps/set-up-run.ts';
import { type SetUpOptions, setUp } from '../../scripts/lib/steps/setting-up.ts';
import { type FakeNetwork, fakeNetwork } from '../fake-hosts.ts';
import { type Heard, hear } from '../in-process.ts';

let network: FakeNetwork;
beforeEach(async () => {
  network = await fakeNetwork(2);
  // Neither the developer's own ~/.ssh/config nor their agent has a say.
  process.env.HOME = join(network.folder, 'home');
  delete process.env.SSH_AUTH_SOCK;
  delete process.env.COMPS_LOG;
  // Nobody looks for Docker then.
  process.env.COMPS_LAB_EXEC = 'lab exec --';
});
afterEach(() => network.close());

/** Everything that a run printed, in any form. */
let shown = '';

function run(options: Partial<SetUpOptions> = {}): Promise<Heard> {
  const { inventory, config, out } = network;
  const all = { inventory, config, out, check: false, timeout: 5, acceptNew: false, ...options };
  return hear(
    () => asRun('wgnet-setup', all, (one) => setUp(all, one)),
    (text) => {
      shown += text;
    },
  );
}

const scripts = (): number[] => network.hosts.map((host) => host.scripts.length);
const forget = (): void => {
  for (const host of network.hosts) Object.assign(host, { scripts: [], logins: 0 });
};
const logFolder = (): string => join(network.folder, '.comps', 'log');
const logs = (): string =>
  readdirSync(logFolder())
    .map((name) => readFileSync(join(logFolder(), name), 'utf8'))
    .join('');
const clientFiles = (): Record<string, string> =>
  Object.fromEntries(
    readdirSync(network.out)
      .filter((name) => /\.(?:conf|sh)$/.test(name))
      .map((name) => [name, readFileSync(join(network.out, name), 'utf8')]),
  );
const documentIn = (said: string): RunDocument => JSON.parse(said.slice(said.indexOf('\n{\n') + 1));

test('check mode on fresh hosts sends probes alone, makes nothing here, and says what is not known yet', async () => {
  const { code, said } = await run({ check: true, diff: true });
  assert.equal(code, EXIT.ok, said);
  assert.deepEqual(scripts(), [1, 1, 1]);
  for (const { scripts: sent } of network.hosts) assert.doesNotMatch(sent[0] ?? '', /flock -n -x|wg genkey/);
  assert.ok(!existsSync(network.out));
  assert.match(said, /would change: \[vpn2\] key pair: make a key pair/);
  assert.match(said, /\+PublicKey = \(a new key\)/);
  assert.match(said, /would change: \[client\] write .*wgnet2\.conf/);
});

test('a fresh network takes two round trips a host; the document tells them, and no private key is in it or in the log', async () => {
  const { code, said } = await run({ json: true, diff: true });
  assert.equal(code, EXIT.ok, said);
  assert.deepEqual(scripts(), [2, 2, 2]);
  const document = documentIn(said);
  assert.equal(document.rounds, 6);
  assert.deepEqual(
    document.hosts.map(({ name, interface: at, status, rounds }) => [name, at, status, rounds]),
    [
      ['vpn1', 'wgnet1', 'changed', 2],
      ['vpn2', 'wgnet2', 'changed', 2],
      ['comp1', 'wg0', 'changed', 2],
    ],
  );
  assert.equal(document.exitCode, EXIT.ok);
  assert.deepEqual(
    document.client.written.map((path) => path.replace(/^.*\//, '')),
    ['wg0.conf', 'wgnet1.conf', 'wgnet2.conf', 'setup.sh'],
  );
  assert.match(said, /\+PrivateKey = \(hidden\)/);
  const keys = Object.values(clientFiles()).flatMap((text) => /^PrivateKey = (\S+)$/m.exec(text)?.[1] ?? []);
  assert.equal(keys.length, 3);
  for (const key of keys) assert.ok(!`${said}${logs()}`.includes(key));
  assert.match(logs(), /\[vpn1\] round trip: apply of \d+ pieces/);
  assert.equal(statSync(logFolder()).mode & 0o777, 0o700);
  assert.equal(statSync(join(logFolder(), readdirSync(logFolder())[0] ?? '')).mode & 0o777, 0o600);
});

test('--limit leaves the others alone, and the client’s files are right all the same', async () => {
  await run();
  const before = clientFiles();
  forget();
  const limited = await run({ limit: 'vpn1' });
  assert.equal(limited.code, EXIT.ok, limited.said);
  assert.deepEqual(
    [scripts(), network.hosts.map(({ logins }) => logins)],
    [
      [2, 0, 0],
      [1, 0, 0],
    ],
  );
  assert.deepEqual(clientFiles(), before);

  // A key that the files do not hold is asked for, and nothing else: here vpn2's, which has one by now.
  rmSync(join(network.out, 'wgnet2.conf'));
  forget();
  const [, vpn2] = network.hosts;
  assert.ok(vpn2);
  vpn2.answering = (piece) =>
    piece.includes('echo none') ? { out: `600:root ${vpn2.publicKey}` } : undefined;
  assert.equal((await run({ limit: 'vpn1' })).code, EXIT.ok);
  assert.deepEqual(scripts(), [2, 1, 0]);
  assert.deepEqual(clientFiles(), before);

  // Where that one is down, the files stay as they are.
  rmSync(join(network.out, 'wgnet2.conf'));
  vpn2.close();
  const { code, said } = await run({ limit: 'vpn1', timeout: 1 });
  assert.equal(code, EXIT.unreachable);
  assert.match(said, /client files left as they are: .*vpn2: .*refused/);
  assert.ok(!existsSync(join(network.out, 'wgnet2.conf')));
});

test('--tags does only these tasks, and the keys that the client’s files need are read all the same', async () => {
  await run();
  const before = clientFiles();
  forget();
  for (const host of network.hosts)
    host.answering = (piece) =>
      piece.includes('echo none') ? { out: `600:root ${host.publicKey}` } : undefined;
  const { code, said } = await run({ tags: ['forwarding,client'] });
  assert.equal(code, EXIT.ok, said);
  assert.deepEqual(clientFiles(), before);
  for (const { scripts: sent } of network.hosts) {
    assert.match(sent[1] ?? '', /ip_forward/);
    assert.doesNotMatch(sent[1] ?? '', /apt-get|wg0\.conf/);
  }
  const wrong = await run({ tags: ['forward'] });
  assert.equal(wrong.code, EXIT.refused);
  assert.match(wrong.said, /--tags forward: no task has this tag; there are: forwarding, /);
});

test('a connection that is lost in the middle is made again, and what was done before is told', async () => {
  const [vpn1] = network.hosts;
  assert.ok(vpn1);
  let cuts = 0;
  vpn1.answering = (piece, kind) =>
    kind === 'apply' && piece.includes('wg0.nft') && cuts++ === 0 ? 'cut' : undefined;
  const { code, said } = await run({ json: true });
  assert.equal(code, EXIT.ok, said);
  assert.equal(vpn1.logins, 2);
  assert.match(said, /retrying: \[vpn1\] .*; again in 1 s/);
  const made = documentIn(said).hosts[0]?.tasks.find(({ name }) => name === 'key pair')?.changes.length;
  // Made by the lost try, and again by the second, as this host forgets.
  assert.equal(made, 2);
});

test('no secret of any input comes to the screen or into the log, whatever a failed program repeats', async () => {
  const password = 'open-sesame-1234';
  const hostKey = 'aGVyZSBpcyBhIHByaXZhdGUga2V5IG9mIGEgaG9zdCE=';
  writeFileSync(join(network.folder, 'password'), `${password}\n`);
  const [vpn1] = network.hosts;
  assert.ok(vpn1);
  vpn1.answering = (piece, kind) =>
    kind === 'apply' && piece.includes('wg genkey')
      ? { code: 1, err: `wg: not a key: '${hostKey}' PrivateKey=abc ${password}` }
      : undefined;
  shown = '';
  const { code, said } = await run({
    becomePasswordFile: join(network.folder, 'password'),
    extraVars: ['token=dop_v1_0123456789abcdef'],
    diff: true,
    verbose: 2,
    json: true,
  });
  assert.equal(code, EXIT.failed);
  assert.match(said, /failed: \[vpn1\] key pair: make a key pair: wg: not a key: '\(a key, hidden\)'/);
  assert.match(said, /log: +\S+\.log/);
  assert.match(logs(), /\[vpn1\] {3}key pair: make a key pair: exit 1/);
  for (const secret of [password, hostKey, 'PrivateKey=abc', 'dop_v1_0123456789abcdef'])
    for (const text of [shown, said, logs()]) assert.ok(!text.includes(secret), secret);
});

test('the command line beats both files, and what nothing knows is refused with the nearest name', async () => {
  const set = await run({ check: true, diff: true, extraVars: ['wireguard_port=51900'] });
  assert.match(set.said, /\+ListenPort = 51900/);
  const wrong = await run({ extraVars: ['wiregard_port=1'] });
  assert.equal(wrong.code, EXIT.refused);
  assert.match(wrong.said, /did you mean wireguard_port\?/);
  const port = await run({ extraVars: ['{"ansible_port": 1}'], timeout: 1 });
  assert.equal(port.code, EXIT.unreachable);
  assert.match(port.said, /unreachable: \[vpn1\] .*port 1/);
});

test('lists connect to nothing', async () => {
  const { code, said } = await run({ listHosts: true, listTasks: true, limit: 'comp', tags: ['keys'] });
  assert.equal(code, EXIT.ok);
  assert.equal(said, 'hosts (1):\n  comp1\ntasks:\n  key pair  TAGS: [keys]');
  assert.deepEqual(scripts(), [0, 0, 0]);
  assert.ok(!existsSync(logFolder()));
});
