/** Life after day one, while packets flow and paths change: proxies come and go, and keys are changed. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { type Capture, capture, leakFilter } from '../../scripts/lib/lab/capture.ts';
import { clientRun } from '../../scripts/lib/lab/client.ts';
import type { Lab } from '../../scripts/lib/lab/lab.ts';
import { runSetup, setupWords, total } from '../../scripts/lib/lab/setup.ts';
import { until as settled } from '../../scripts/lib/poll.ts';
import { goodSetup, nothingIn, useLab } from './fixture.ts';
import { inClient, killAll, Migrator, until } from './migrator.ts';

const SITE = '203.0.113.80';
const SETUP = '/etc/wireguard/setup.sh';
/** Milliseconds after which a packet that others have overtaken counts as lost. */
const LATE = 5000;
const [FIRST, SECOND, THIRD, COMP] = [
  '198.51.100.11',
  '198.51.100.12',
  '198.51.100.13',
  '198.51.100.201',
] as const;
const ROLES = { [FIRST]: 'vpn1', [SECOND]: 'vpn2', [THIRD]: 'vpn3', [COMP]: 'comp1' } as const;

let inventory = '';
let leaks: Capture;
const lab = useLab('rotate', {}, async (up) => {
  inventory = readFileSync(join(up.directory, 'hosts.ini'), 'utf8');
  withProxies(up, [FIRST, SECOND]);
  await goodSetup(up);
  await clientRun(up, 'sh', '-c', `${SETUP}; ping -c 1 -w 60 ${SITE}`);
  leaks = await capture(up, 'rotate', leakFilter(up));
});
const sh = async (line: string): Promise<string> => (await clientRun(lab(), 'sh', '-c', line)).trim();

/** hosts.ini with these proxies, in this order. */
const withProxies = ({ directory }: Lab, proxies: readonly string[]): void =>
  writeFileSync(
    join(directory, 'hosts.ini'),
    inventory.replace(/\[vpn\]\n[\d.\n]*\n/, `[vpn]\n${proxies.join('\n')}\n\n`),
  );

/** Packets there and back every 10 ms while something is done and the path changes every 100 ms; how many were lost. */
async function lostDuring(
  work: () => Promise<unknown>,
): Promise<{ lost: number; sent: number; migrator: Migrator }> {
  const migrator = new Migrator(inClient(lab(), ['--period', '0.1', '--seed', '7']));
  await migrator.line('its first switch', ({ event }) => event === 'switch');
  const stream = spawn('setpriv', [
    '--pdeathsig',
    'KILL',
    ...lab().words('client', ['ping', '-n', '-i', '0.01', SITE]),
  ]);
  let said = '';
  stream.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const seen = (): Set<number> => new Set([...said.matchAll(/icmp_seq=(\d+) /g)].map(([, n]) => Number(n)));
  /** Of the packets up to this one: those that have not come back. */
  const missing = (last: number): number => last - [...seen()].filter((n) => n <= last).length;
  let sent = 0;
  try {
    await until('the stream', () => seen().size > 50);
    await work();
    const now = Math.max(...seen());
    sent = now + 50;
    await until('the stream to go on', () => Math.max(...seen()) > sent);
    // On a busy machine one may come back behind later ones, and is not lost.
    await settled(LATE, () => missing(sent) === 0);
  } finally {
    stream.kill('SIGKILL');
  }
  await sh('pkill -INT -f "[m]igrate.ts"');
  await migrator.ended;
  return { lost: missing(sent), sent, migrator };
}

/** Both ends' public keys by the server's name, as they run. */
async function keys(): Promise<Map<string, { server: string; client: string }>> {
  const endpoints = (await sh('wg show all endpoints')).split('\n').map((line) => line.split(/\s+/));
  const found = new Map<string, { server: string; client: string }>();
  for (const [name = '', peer = '', endpoint = ''] of endpoints)
    found.set(endpoint.split(':')[0] ?? '', { server: peer, client: await sh(`wg show ${name} public-key`) });
  return found;
}

/** Each server has the client's key, and the client the server's. */
async function bothEndsAgree(servers: readonly (keyof typeof ROLES)[]): Promise<void> {
  const atClient = await keys();
  assert.equal(atClient.size, servers.length);
  for (const server of servers) {
    const { stdout } = await lab().exec(ROLES[server], [
      'sh',
      '-c',
      'wg show wg0 public-key; wg show wg0 peers; wg pubkey </etc/wireguard/wg0.key; ls /etc/wireguard',
    ]);
    const [own, peer, filed, ...files] = stdout.trim().split('\n');
    assert.deepEqual([own, peer], [atClient.get(server)?.server, atClient.get(server)?.client], server);
    assert.equal(filed, own);
    assert.deepEqual(files, ['wg0.conf', 'wg0.key', 'wg0.nft']);
  }
}

const privateKeys = (): string[] =>
  ['wg0', 'wgnet1', 'wgnet2'].map(
    (name) =>
      /^PrivateKey = (.*)$/m.exec(readFileSync(join(lab().clientDirectory, `${name}.conf`), 'utf8'))?.[1] ??
      '',
  );

afterEach(killAll);
test('a proxy is added behind the others: no packet is lost, no other tunnel has another key or session', async () => {
  const before = await keys();
  const port = await sh('wg show wgnet1 listen-port');
  const { lost, migrator } = await lostDuring(async () => {
    withProxies(lab(), [FIRST, SECOND, THIRD]);
    await goodSetup(lab());
    await sh(SETUP);
  });
  assert.equal(lost, 0);
  assert.deepEqual(migrator.of('error'), []);
  const now = await keys();
  for (const [server, pair] of before) assert.deepEqual(now.get(server), pair);
  assert.equal(await sh('wg show wgnet1 listen-port'), port);
  await bothEndsAgree([FIRST, SECOND, THIRD, COMP]);
});

test('the first proxy goes, and the others are numbered anew: their servers serve them before and after', async () => {
  const before = await keys();
  let said = '';
  const { lost } = await lostDuring(async () => {
    withProxies(lab(), [SECOND, THIRD]);
    ({ stdout: said } = await goodSetup(lab()));
    // The client has the old numbers still.
    assert.match(
      await sh(`for i in 1 2 3; do ping -q -c 20 -i 0.01 -W 20 ${SITE}; done | grep loss`),
      /^(.* 0% packet loss.*\n?){3}$/,
    );
    await sh(SETUP);
  });
  assert.match(
    said,
    new RegExp(
      `notice: ${FIRST} is no server of this network any more.*\\n?.*systemctl disable --now wg-quick@wg0`,
    ),
  );
  // Only what was under way in a tunnel as it was taken away: measured 0 to 10.
  assert.ok(lost < 50, `${lost} lost`);
  const now = await keys();
  before.delete(FIRST);
  assert.deepEqual(now, before);
  await bothEndsAgree([SECOND, THIRD, COMP]);
});

test('all keys are changed at both ends: no packet is lost, and the schedule does not notice', async () => {
  const [before, secrets] = [await keys(), privateKeys()];
  let said = '';
  const { lost, migrator } = await lostDuring(async () => {
    const outcome = await goodSetup(lab(), '--rotate-keys', '--lab', lab().name);
    said = outcome.stdout + outcome.stderr;
  });
  assert.equal(lost, 0, said);
  assert.match(said, /3 of 3 tunnels have new keys/);
  assert.deepEqual([...migrator.of('error'), ...migrator.of('health')], []);
  const now = await keys();
  for (const [server, { server: theirs, client }] of before) {
    assert.notEqual(now.get(server)?.server, theirs);
    assert.notEqual(now.get(server)?.client, client);
  }
  await bothEndsAgree([SECOND, THIRD, COMP]);
  for (const secret of [...secrets, ...privateKeys()])
    assert.ok(secret.length === 44 && !said.includes(secret));
  assert.equal(total(await goodSetup(lab()), 'changed'), 0);
  const dump = await sh('wg show all dump | cut -f 1-5');
  await sh(SETUP);
  assert.equal(await sh('wg show all dump | cut -f 1-5'), dump);
});

test('killed in the middle, the same command again ends it', async () => {
  const words = setupWords(lab(), '--rotate-keys', '--lab', lab().name).slice(2);
  const { lost } = await lostDuring(async () => {
    const [command = '', ...rest] = lab().words('ctl', [process.execPath, '--import=tsx', ...words]);
    const child = spawn(command, rest);
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const ended = new Promise((resolve) => child.once('close', resolve));
    await until('the first tunnel', () => said.includes('new keys at both ends'));
    // Another one has begun as soon as its next file is there: the second, or on a slow machine the last.
    const begun = () =>
      ['wgnet2', 'wg0'].some((name) => existsSync(join(lab().clientDirectory, `${name}.conf.next`)));
    await until('another', begun);
    child.kill('SIGKILL');
    await ended;
    const again = await goodSetup(lab(), '--rotate-keys', '--lab', lab().name);
    assert.match(again.stdout, /3 of 3 tunnels have new keys/);
  });
  assert.ok(lost < 50, `${lost} lost`);
  await bothEndsAgree([SECOND, THIRD, COMP]);
  assert.equal(total(await goodSetup(lab()), 'changed'), 0);
});

const begunChanges = (): string[] =>
  readdirSync(lab().clientDirectory, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.next'),
  );

test('two at once: the second waits for the first, and both change all keys', async () => {
  const { lost } = await lostDuring(async () => {
    // On a busy machine the one may come so late that it meets nobody: then both begin once more.
    let waited = 0;
    for (let tries = 0; waited === 0 && tries < 5; tries++) {
      const both = await Promise.all([
        goodSetup(lab(), '--rotate-keys', SECOND, '--lab', lab().name),
        goodSetup(lab(), '--rotate-keys', SECOND, '--lab', lab().name),
      ]);
      for (const { stdout } of both) assert.match(stdout, /1 of 1 tunnels have new keys/);
      waited = both.filter(({ stdout }) => /waiting: another run changes keys/.test(stdout)).length;
    }
    assert.equal(waited, 1);
  });
  assert.equal(lost, 0);
  await bothEndsAgree([SECOND, THIRD, COMP]);
});

test('cut off before the client’s files: setup.sh keeps the new keys, also at a start, and a set-up of others ends it', async () => {
  const files = ['wgnet1.conf', join('keys', `${SECOND}.key`)].map((name) =>
    join(lab().clientDirectory, name),
  );
  const old = files.map((file) => readFileSync(file));
  await goodSetup(lab(), '--rotate-keys', SECOND, '--lab', lab().name);
  // As a controller leaves them that is killed there.
  for (const [i, file] of files.entries()) {
    renameSync(file, `${file}.next`);
    writeFileSync(file, old[i] ?? '', { mode: 0o600 });
  }
  const after = await keys();
  const { lost } = await lostDuring(() => sh(SETUP));
  assert.equal(lost, 0);
  assert.deepEqual(await keys(), after);
  // What is open behind `down` is not this test's: the kernel greets its neighbours then.
  await nothingIn(leaks);
  assert.match(await sh(`${SETUP} down; ${SETUP} 2>&1`), /wgnet1 was cut off; it has the new ones/);
  leaks = await capture(lab(), 'rotate-2', leakFilter(lab()));
  assert.deepEqual(await keys(), after);
  await goodSetup(lab(), '-l', THIRD);
  assert.deepEqual(begunChanges(), []);
  await bothEndsAgree([SECOND, THIRD, COMP]);
});

test('SSH to a server lost in the middle: the client keeps what it has a session with, and a set-up ends it', async () => {
  // Nothing more gets through from the first look on; systemctl takes its time.
  const cut =
    'until [ "$(wg show wg0 peers | wc -l)" = 2 ]; do sleep 0.02; done; pkill -STOP sshd; systemctl stop ssh.socket ssh; pkill -KILL sshd';
  const { lost } = await lostDuring(async () => {
    const cutting = lab().exec(ROLES[COMP], ['sh', '-c', cut]);
    const { code, stdout } = await runSetup(lab(), '--rotate-keys', COMP, '--lab', lab().name);
    await cutting;
    assert.equal(code, 4, stdout);
    assert.match(stdout, /the client runs with the new keys/);
    await lab().exec(ROLES[COMP], ['systemctl', 'start', 'ssh']);
    const again = await goodSetup(lab());
    assert.match(again.stdout, /wg0 has the keys that a run before had changed to/);
  });
  assert.equal(lost, 0);
  assert.deepEqual(begunChanges(), []);
  await bothEndsAgree([SECOND, THIRD, COMP]);
});

test('a server that is down is left out, and the others have new keys: exit 4', async () => {
  const before = await keys();
  // wg0's own keys are changed through the current path.
  await sh('ip route replace default dev wgnet1 table 51821');
  await lab().stop(ROLES[THIRD]);
  const { code, stdout } = await runSetup(lab(), '--rotate-keys', '--lab', lab().name, '-T', '3');
  assert.equal(code, 4, stdout);
  assert.match(stdout, /2 of 3 tunnels have new keys; not: 198\.51\.100\.13/);
  const now = await keys();
  assert.deepEqual(now.get(THIRD), before.get(THIRD));
  assert.notEqual(now.get(COMP)?.client, before.get(COMP)?.client);
  assert.match(await sh(`ping -c 1 -W 30 ${SITE}`), / 0% packet loss/);
});

test('nothing left past the tunnels all the while', async () => {
  // It waits for a packet of its own making to be there.
  await nothingIn(leaks);
});
