import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { EXIT } from '../../scripts/lib/cli.ts';
import type { RunDocument } from '../../scripts/lib/steps/set-up-json.ts';
import { asRun } from '../../scripts/lib/steps/set-up-run.ts';
import { type SetUpOptions, setUp } from '../../scripts/lib/steps/setting-up.ts';
import { newPrivateKey, publicKeyOf } from '../../scripts/lib/wireguard/key.ts';
import { type FakeHost, type FakeNetwork, fakeNetwork } from '../fake-hosts.ts';
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

/** From now on a host has the key pair that its first set-up made. */
const keepKey = (host: FakeHost): void => {
  host.answering = (piece) =>
    piece.includes('echo none') ? { out: `600:root ${host.publicKey}` } : undefined;
};

test('--limit leaves the others alone but for their public keys, and the client’s files are right all the same', async () => {
  await run();
  const before = clientFiles();
  const [, vpn2, comp1] = network.hosts;
  assert.ok(vpn2 && comp1);
  for (const host of network.hosts) keepKey(host);
  forget();
  const limited = await run({ limit: 'vpn1' });
  assert.equal(limited.code, EXIT.ok, limited.said);
  assert.deepEqual(scripts(), [2, 1, 1]);
  for (const { scripts: sent } of [vpn2, comp1]) assert.doesNotMatch(sent[0] ?? '', /flock -n -x/);
  assert.deepEqual(clientFiles(), before);

  // One that was made anew has another key; it counts, not the one that the files have.
  vpn2.publicKey = publicKeyOf(newPrivateKey());
  assert.equal((await run({ limit: 'vpn1' })).code, EXIT.ok);
  assert.ok(clientFiles()['wgnet2.conf']?.includes(`PublicKey = ${vpn2.publicKey}\n`));
  // Without a key pair it is no server yet.
  vpn2.answering = undefined;
  const renewed = clientFiles();
  const fresh = await run({ limit: 'vpn1', tags: ['client'] });
  assert.equal(fresh.code, EXIT.failed);
  assert.match(
    fresh.said,
    /left as they are: .*vpn2: it has no key pair yet\n +next: run it without --limit, --tags$/m,
  );
  assert.deepEqual(clientFiles(), renewed);

  // Where it is down, the key in the files stays; where they have none, they stay as they are.
  vpn2.close();
  const down = await run({ limit: 'vpn1', timeout: 1, json: true });
  assert.equal(down.code, EXIT.ok, down.said);
  assert.match(down.said, /notice: \[vpn2\] outside of --limit, and could not be asked .*refused/);
  assert.equal(documentIn(down.said).hosts[1]?.status, 'known');
  assert.deepEqual(clientFiles(), renewed);
  rmSync(join(network.out, 'wgnet2.conf'));
  const { code, said } = await run({ limit: 'vpn1', timeout: 1 });
  assert.equal(code, EXIT.unreachable);
  assert.match(said, /client files left as they are: .*vpn2: .*refused/);
  assert.match(said, /^vpn2 +: .*unreachable=1/m);
  assert.ok(!existsSync(join(network.out, 'wgnet2.conf')));
});

test('--limit cuts no tunnel of the others: where their part of the client’s files would change, all stay', async () => {
  await run();
  const before = clientFiles();
  for (const host of network.hosts) keepKey(host);
  for (const check of [true, false]) {
    const port = await run({ limit: 'vpn1', extraVars: ['wireguard_port=51900'], check });
    assert.equal(port.code, EXIT.failed);
    assert.match(port.said, /the tunnel to vpn2 \(Endpoint\), the tunnel to comp1 \(Endpoint\)/);
    assert.match(port.said, /next: run it without --limit$/m);
    assert.deepEqual(clientFiles(), before);
  }
  // As does a proxy that goes: the next one has its number then.
  const text = readFileSync(network.inventory, 'utf8');
  writeFileSync(network.inventory, text.replace(/^vpn1 .*\n/m, ''));
  const fewer = await run({ limit: 'comp1' });
  assert.equal(fewer.code, EXIT.failed);
  assert.match(fewer.said, /would change the tunnel to vpn2 \(Address\), and --limit/);
  assert.deepEqual(clientFiles(), before);

  // All of them together may move: it is the same network all the same.
  writeFileSync(network.inventory, text);
  const all = await run({ extraVars: ['wireguard_port=51900'] });
  assert.equal(all.code, EXIT.ok, all.said);
  assert.match(clientFiles()['wgnet2.conf'] ?? '', /:51900$/m);
  assert.doesNotMatch(all.said, /another network/);
});

test('--tags does only these tasks, and the keys that the client’s files need are read all the same', async () => {
  await run();
  const before = clientFiles();
  forget();
  for (const host of network.hosts) keepKey(host);
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

test('-vv shows what a host answers, and no key that somebody wrote into a file there', async () => {
  const secret = 'yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=';
  const [vpn1] = network.hosts;
  assert.ok(vpn1);
  vpn1.answering = (piece, kind) =>
    kind === 'probe' && piece.includes('/etc/wireguard/wg0.conf')
      ? { out: `600 root:root regular file\n# mine ${secret}\nPublicKey = ${vpn1.publicKey}` }
      : undefined;
  const { said } = await run({ verbose: 2 });
  assert.match(said, / {4}# mine \(hidden\)/);
  assert.ok(said.includes(`    PublicKey = ${vpn1.publicKey}`));
  assert.ok(!`${said}${logs()}`.includes(secret));
});

test('a run that a signal ends says so last, in its log and in its document', async () => {
  const [vpn1] = network.hosts;
  assert.ok(vpn1);
  let stopped = false;
  vpn1.answering = (_, kind) => {
    // As the process would hear it; nobody else listens for it in here.
    if (kind === 'apply' && !stopped) stopped = process.emit('SIGHUP', 'SIGHUP');
    return undefined;
  };
  const { said } = await run({ json: true });
  assert.ok(stopped);
  const { exitCode, error } = documentIn(said);
  assert.deepEqual([exitCode, error?.message], [EXIT.interrupted, 'interrupted by SIGHUP']);
  assert.match(logs(), /interrupted by SIGHUP\n[\s\S]*exit code 99\n$/);
  assert.match(said, /log: +\S+\.log/);
});

test('every end has its document: a defect, and a list', async () => {
  const { inventory } = network;
  const broken = await hear(
    () =>
      asRun('wgnet-setup', { inventory, json: true, check: true }, () =>
        Promise.reject(new RangeError('token=abcd')),
      ).catch((error) => (error instanceof RangeError ? 250 : 0)),
    () => {},
  );
  const defect: RunDocument = JSON.parse(broken.said);
  assert.deepEqual(
    [broken.code, defect.exitCode, defect.check, defect.error?.message],
    [EXIT.defect, EXIT.defect, true, 'token=(hidden)'],
  );
  const listed = await run({ json: true, listHosts: true, listTags: true, limit: 'comp', tags: ['keys'] });
  assert.deepEqual(documentIn(listed.said).lists, { hosts: ['comp1'], tasks: null, tags: ['keys'] });
});

test('lists connect to nothing', async () => {
  const { code, said } = await run({ listHosts: true, listTasks: true, limit: 'comp', tags: ['keys'] });
  assert.equal(code, EXIT.ok);
  assert.equal(said, 'hosts (1):\n  comp1\ntasks:\n  key pair  TAGS: [keys]');
  assert.deepEqual(scripts(), [0, 0, 0]);
  assert.ok(!existsSync(logFolder()));
});
