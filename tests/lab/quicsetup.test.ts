/** Mode quic from the servers' side: a set-up without the comp server, new keys, and the way to the other mode and back. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { clientRun } from '../../scripts/lib/lab/client.ts';
import type { Role } from '../../scripts/lib/lab/lab.ts';
import { runSetup, setupWords, total } from '../../scripts/lib/lab/setup.ts';
import type { Status } from '../../scripts/lib/status/status.ts';
import type { RunDocument } from '../../scripts/lib/steps/set-up-json.ts';
import { goodSetup, useLab } from './fixture.ts';

const SITE = '203.0.113.80';
const SETUP = '/etc/wireguard/setup.sh';
const PROXIES = ['198.51.100.11', '198.51.100.12'];
const COMP = '198.51.100.201';

const lab = useLab('quicsetup', { vpn: 2, comp: 1 });

const onClient = async (line: string): Promise<string> => (await clientRun(lab(), 'sh', '-c', line)).trim();

async function on(role: Role, line: string): Promise<string> {
  const { code, stdout, stderr } = await lab().exec(role, ['sh', '-c', line]);
  assert.equal(code, 0, `${role}: ${line}: ${stderr}`);
  return stdout.trim();
}

async function status(...more: string[]): Promise<{ code: number; status: Status; said: string }> {
  const [, , , ...files] = setupWords(lab(), '--json', ...more);
  const words = [process.execPath, '--import=tsx', 'scripts/status.ts', ...files];
  const { code, stdout, stderr } = await lab().controller(words);
  assert.match(stdout, /^\{/, stderr);
  return { code, status: JSON.parse(stdout) as Status, said: stdout + stderr };
}

const confs = (): string[] =>
  readdirSync(lab().clientDirectory)
    .filter((name) => name !== 'keys')
    .sort();
const settings = (name: string): string =>
  ['wgnet1', 'wgnet2']
    .map((one) => readFileSync(join(lab().clientDirectory, `${one}.conf`), 'utf8'))
    .flatMap((text) => new RegExp(`^${name} = (.*)$`, 'm').exec(text)?.[1] ?? [])
    .join(' ');
const pingable = `${SETUP} && ping -c 1 -W 10 ${SITE} >/dev/null`;

test('set-up: the proxies alone, the comp server is not touched, one notice says so; again changes nothing', async () => {
  const before = await on('comp1', 'ls -A /etc/wireguard; cat /proc/sys/net/ipv4/ip_forward');
  const cold = await goodSetup(lab(), '--mode', 'quic');
  assert.deepEqual([...cold.hosts.keys()], PROXIES);
  assert.ok(total(cold, 'changed') > 5);
  const notice = `notice: mode quic has no comp server, and passes over what is below [comp] in`;
  assert.equal(cold.stdout.split(notice).length, 2, cold.stdout);
  assert.equal(await on('comp1', 'ls -A /etc/wireguard; cat /proc/sys/net/ipv4/ip_forward'), before);
  assert.deepEqual(confs(), ['setup.sh', 'wgnet1.conf', 'wgnet2.conf']);
  assert.equal(settings('Address'), '10.45.0.5/32 10.45.0.5/32');

  const again = await goodSetup(lab(), '--mode', 'quic', '--json');
  const document = JSON.parse(again.stdout) as RunDocument;
  assert.deepEqual([document.mode, document.counts.changed, document.client.written], ['quic', 0, []]);
  assert.deepEqual(
    document.hosts.map((host) => host.interface),
    ['wgnet1', 'wgnet2'],
  );
});

test('status: a row a path and all is well; held against mode wireguard, the client is in another', async () => {
  await onClient(pingable);
  const { code, status: quic, said } = await status('--mode', 'quic');
  assert.deepEqual([code, quic.mode, quic.client.mode], [0, 'quic', 'quic'], said);
  assert.deepEqual(
    quic.tunnels.map((tunnel) => tunnel.interface),
    ['wgnet1', 'wgnet2'],
  );
  const other = await status('--no-client');
  assert.equal(other.code, 2);
  assert.equal(other.status.tunnels.length, 3);
  const { troubles } = (await status()).status;
  const both = troubles.filter(({ kind }) => kind === 'mode');
  assert.equal(
    both[0]?.what,
    'the client and its files are in mode quic, and the network is in mode wireguard',
  );
  assert.match(both[0]?.next ?? '', /scripts\/status\.ts -i \S+ -c \S+ -o \S+ --mode quic; or, /);
  const follow = troubles.filter(({ kind }) => kind === 'files' || kind === 'missing');
  assert.deepEqual(follow, []);
});

test('new keys at both ends of each path while it is in use, without a comp server', async () => {
  const other = await runSetup(lab(), '--rotate-keys');
  assert.deepEqual(
    [other.code, /holds files of mode quic, and .* for mode wireguard/.test(other.stderr)],
    [1, true],
  );
  const before = settings('PrivateKey');
  const { stdout } = await goodSetup(lab(), '--mode', 'quic', '--rotate-keys', '--lab', lab().name);
  assert.match(stdout, /^2 of 2 tunnels have new keys$/m);
  const now = settings('PrivateKey');
  for (const key of before.split(' ')) assert.ok(!now.includes(key));
  for (const [i, role] of (['vpn1', 'vpn2'] as const).entries())
    assert.equal(await on(role, 'wg show wg0 peers'), await onClient(`wg show wgnet${i + 1} public-key`));
  await onClient(`ping -c 1 -W 10 ${SITE} >/dev/null`);
});

test('to mode wireguard and back: no proxy is changed, no key either, and the client follows while it is up', async () => {
  const keys = [settings('PrivateKey'), settings('PublicKey')];
  const whole = await goodSetup(lab());
  const changed = (host: string): number | undefined => whole.hosts.get(host)?.changed;
  assert.deepEqual(PROXIES.map(changed), [0, 0]);
  assert.ok((changed(COMP) ?? 0) > 0);
  assert.deepEqual(confs(), ['setup.sh', 'wg0.conf', 'wgnet1.conf', 'wgnet2.conf']);
  assert.equal(settings('Address'), '10.45.0.5/32 10.45.0.6/32');
  await onClient(pingable);
  const there = await status();
  assert.deepEqual([there.code, there.status.client.mode], [0, 'wireguard'], there.said);

  const back = await goodSetup(lab(), '-e', 'mode=quic');
  assert.deepEqual([...back.hosts.keys()], PROXIES);
  assert.equal(total(back, 'changed'), 0);
  assert.match(back.stdout, /^changed: \[client\] removed \S+\/wg0\.conf$/m);
  assert.match(
    back.stdout,
    new RegExp(`${COMP} is idle in mode quic; .*systemctl disable --now wg-quick@wg0`),
  );
  assert.deepEqual([settings('PrivateKey'), settings('PublicKey')], keys);
  await onClient(pingable);
  const quic = await status('--mode', 'quic');
  assert.deepEqual([quic.code, quic.status.client.mode], [0, 'quic'], quic.said);
  const again = await goodSetup(lab(), '--mode', 'quic');
  assert.doesNotMatch(again.stdout, /changed:|is idle|held files/);
});
