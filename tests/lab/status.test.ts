/** The status of a real network: as it is, drifted, with a host down; once and watched. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { clientRun } from '../../scripts/lib/lab/client.ts';
import type { Lab, Outcome, Role } from '../../scripts/lib/lab/lab.ts';
import { setupWords } from '../../scripts/lib/lab/setup.ts';
import { until } from '../../scripts/lib/poll.ts';
import type { Status } from '../../scripts/lib/status/status.ts';
import { goodSetup, useLab } from './fixture.ts';

const lab = useLab('status', { vpn: 2 }, async (made) => {
  await goodSetup(made);
  await clientRun(made, '/etc/wireguard/setup.sh', 'up');
  await clientRun(made, 'ping', '-c', '1', '-w', '60', '203.0.113.80');
});

/** All that the status ever said here. */
let said = '';

const words = (one: Lab, ...more: string[]): string[] => {
  const [, , , ...files] = setupWords(one, ...more);
  return [process.execPath, '--import=tsx', 'scripts/status.ts', ...files];
};

async function status(...more: string[]): Promise<Outcome> {
  const outcome = await lab().controller(words(lab(), ...more));
  said += outcome.stdout + outcome.stderr;
  return outcome;
}

async function on(role: Role, line: string): Promise<string> {
  const { code, stdout, stderr } = await lab().exec(role, ['sh', '-c', line]);
  assert.equal(code, 0, `${role}: ${line}: ${stderr}`);
  return stdout.trim();
}

/** A status that goes on, a JSON document a line. */
function watch() {
  const [program = '', ...rest] = lab().words(
    'ctl',
    words(lab(), '--lab', lab().name, '--watch', '0.2', '--json'),
  );
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  const rounds: Status[] = [];
  let line = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    const lines = (line + text).split('\n');
    line = lines.pop() ?? '';
    rounds.push(...lines.map((one) => JSON.parse(one) as Status));
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  after(() => child.kill('SIGKILL'));
  return {
    rounds,
    /** The first round from now on of which this is so. */
    async next(is: (status: Status) => boolean, more = () => ''): Promise<Status> {
      const from = rounds.length + 1;
      const found = () => rounds.slice(from).find(is);
      const came = await until(60_000, () => found() !== undefined);
      const last = rounds.at(-1);
      assert.ok(
        came,
        `${more()}\nlast of ${rounds.length}: ${JSON.stringify([last?.client, last?.troubles])}`,
      );
      return found() as Status;
    },
    end: () => {
      child.kill('SIGINT');
      return ended;
    },
  };
}

const kinds = ({ troubles }: Status): string[] => [
  ...new Set(troubles.map(({ kind, tunnel }) => `${tunnel} ${kind}`)),
];

test('a network that is right: exit 0; the table has both ends’ bytes and the current path', async () => {
  await clientRun(lab(), 'curl', '-s', '-o', '/dev/null', 'http://203.0.113.80/');
  const { code, stdout, stderr } = await status('--lab', lab().name);
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /client: client of lab \S+, path wgnet1, no migration$/m);
  assert.match(stdout, /^▸ wgnet1 198\.51\.100\.11:51820 +\d+ s( +[\d.]+ k?B){4} ok$/m);
  assert.match(stdout, /^ {2}wg0 +198\.51\.100\.201:51820 +\d+ s( +[\d.]+ k?B){4} ok$/m);
  assert.match(stdout, /^all is well$/m);
});

test('watched in a pipe: drift, migration, a lost connection, and a client that lags behind are seen as they come', async () => {
  const watched = watch();
  const { tunnels } = await watched.next(({ well }) => well);
  const peers = await on('vpn1', 'wg show wg0 peers');
  assert.equal(tunnels[0]?.client.publicKey, peers);
  for (const { client, server } of tunnels)
    assert.ok((client.sent ?? 0) > 0 && (server.received ?? 0) > 0 && client.handshakeAge !== null);

  // Another default than setup.sh's, and somebody who says that it migrates.
  const migrating = lab().exec('client', [
    ...['sh', '-c', 'cd / && exec node --import tsx /comps/migrate.ts --strategy rr --period 0.1'],
  ]);
  let ending = '';
  void migrating.then(({ code, stdout, stderr }) => {
    ending = `migrate.ts has ended, ${code}: ${stdout.slice(-500)} ${stderr}`;
  });
  await watched.next(
    ({ client }) => client.migration === 'time' && client.path === 'wgnet2',
    () => ending,
  );
  await on('client', 'pkill -INT -f "[m]igrate.ts"');
  await migrating;

  // Cut on the far side, and made again.
  const sessions = () => on('comp1', 'pgrep -P "$(systemctl show -p MainPID --value ssh)" || true');
  const before = await sessions();
  assert.match(before, /^\d+$/, 'one connection, kept from round to round');
  await on('comp1', `kill ${before}`);
  assert.ok(await until(60_000, async () => /^\d+$/.test((await sessions()).replace(before, ''))));
  const { tunnels: again } = await watched.next(({ client }) => client.migration === 'none');
  assert.ok(again.every(({ server }) => server.reachable));

  await on('vpn2', 'wg set wg0 peer "$(wg show wg0 peers)" remove; echo 0 >/proc/sys/net/ipv4/ip_forward');
  const drifted = await watched.next(({ tunnels: [, second] }) => (second?.drift.count ?? 0) >= 2);
  assert.deepEqual(kinds(drifted), ['wgnet2 drift']);
  assert.equal(drifted.exitCode, 2);
  assert.match(
    drifted.tunnels[1]?.drift.lines.join('\n') ?? '',
    /forwarding now: set net\.ipv4\.ip_forward to 1\n.*add peer/,
  );
  assert.equal(drifted.tunnels[1]?.keysMatch, false);

  // It changed nothing of that; a set-up does.
  assert.equal(await on('vpn2', 'wg show wg0 peers; cat /proc/sys/net/ipv4/ip_forward'), '0');
  assert.equal(await watched.end(), 2);
});

test('a host down: exit 4 with the reason, the others are shown', async () => {
  await goodSetup(lab());
  await lab().stop('vpn2');
  const { code, stdout } = await status('--no-client', '--timeout', '5', '--json');
  const { tunnels, troubles, client } = JSON.parse(stdout) as Status;
  assert.equal(code, 4);
  assert.deepEqual(kinds({ troubles } as Status), ['wgnet2 unreachable']);
  assert.match(tunnels[1]?.server.reason ?? '', /198\.51\.100\.12 \(root@198\.51\.100\.12 port 22\): \S/);
  assert.ok(tunnels[0]?.well && tunnels[2]?.well && (tunnels[0].server.received ?? 0) > 0);
  assert.equal(client.where, null);
});

test('no private key was in anything that it said', async () => {
  const folder = join(lab().clientDirectory, 'keys');
  const own = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8').trim());
  const theirs = await Promise.all(
    (['vpn1', 'comp1'] as const).map((role) => on(role, 'cat /etc/wireguard/wg0.key')),
  );
  assert.ok(own.length >= 3 && said.includes('publicKey'));
  for (const key of [...own, ...theirs]) assert.ok(key.length === 44 && !said.includes(key));
});
