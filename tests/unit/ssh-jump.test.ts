import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { until } from '../../scripts/lib/poll.ts';
import { meetStrangers } from '../../scripts/lib/transport/first-use.ts';
import { newHostKey } from '../../scripts/lib/transport/host-key.ts';
import { loginOf } from '../../scripts/lib/transport/login.ts';
import { connectSsh, type Jump, SshFault } from '../../scripts/lib/transport/ssh.ts';
import { withSshConfig, worldOf } from '../../scripts/lib/transport/ssh-config.ts';
import { closedPort, hostKey, known, login, sshServer, targetAt, userKey } from './ssh-server.ts';

const home = mkdtempSync(join(tmpdir(), 'comps-jump-'));
after(() => rmSync(home, { recursive: true }));
process.env.HOME = home;
delete process.env.SSH_AUTH_SOCK;

const jump = (port: number, name = 'bastion', more: Partial<Jump['options']> = {}): Jump => ({
  target: targetAt(port, name, 'admin'),
  options: login(more),
});

test('many hosts go through the same two machines, each of them logged in to once, which end with the last host', async () => {
  const [first, second] = [await sshServer(), await sshServer()];
  const hosts = await Promise.all(Array.from({ length: 12 }, () => sshServer()));
  const jumps = [jump(first.port, 'first'), jump(second.port, 'second')];
  const all = await Promise.all(hosts.map(({ port }) => connectSsh(targetAt(port), login({ jumps }))));
  const said = await Promise.all(all.map((transport, i) => transport.run(`echo ${i}`)));
  assert.deepEqual(
    said.map(({ stdout }) => stdout),
    hosts.map((_, i) => `${i}\n`),
  );
  assert.deepEqual([first.connections, second.connections], [1, 1]);
  assert.ok(all[0] !== undefined && all[0].bytes.sent > 500 && all[0].bytes.received > 500);
  for (const transport of all) transport.close();
  assert.ok(await until(60_000, () => first.open + second.open === 0));

  const again = await connectSsh(targetAt(hosts[0]?.port ?? 0), login({ jumps }));
  again.close();
  assert.deepEqual([first.connections, second.connections], [2, 2]);
});

test('what is wrong on the way is said of the machine that it is about', async () => {
  const host = await sshServer();
  const fine = await sshServer();
  const go = (jumps: Jump[], port = host.port) => connectSsh(targetAt(port), login({ jumps, timeout: 1 }));
  const says = (pattern: RegExp) => (error: unknown) => {
    assert.ok(error instanceof SshFault);
    assert.match(error.message, pattern);
    assert.ok(error.next);
    return true;
  };
  await assert.rejects(go([jump(await closedPort())]), says(/^bastion \(admin@.*connection refused/));
  await assert.rejects(
    go([jump(fine.port, 'bastion', { known: known(newHostKey().publicKey) })]),
    says(/^bastion .*its host key is now/),
  );
  await assert.rejects(go([jump(fine.port, 'bastion', { keys: [] })]), says(/^bastion .*login refused/));
  await assert.rejects(go([jump(fine.port)], await closedPort()), says(/^vpn1 .*bastion, the way to it/));
  await assert.rejects(
    go([jump((await sshServer({ closed: true })).port)]),
    says(/^vpn1 .*bastion, the way to it/),
  );
  // The host's own key is judged, not the one of the way.
  await assert.rejects(
    connectSsh(targetAt(host.port), login({ jumps: [jump(fine.port)], known: [] })),
    says(/^vpn1 .*not known yet/),
  );
  assert.equal(host.commands.length, 0);
});

test('by ~/.ssh/config, with everybody a stranger: the way is asked about first, then the hosts', async () => {
  const [bastion, a, b] = [await sshServer(), await sshServer(), await sshServer()];
  writeFileSync(join(home, 'key'), userKey.privateKey);
  const config = join(home, 'config');
  writeFileSync(
    config,
    `Host a b\n HostName 127.0.0.1\n ProxyJump bastion\nHost bastion\n HostName 127.0.0.1\n Port ${bastion.port}\n User ann\nHost *\n IdentityFile ${home}/key\n`,
  );
  const inventory = join(home, 'hosts.ini');
  const world = worldOf(home, [config]);
  // One after the other, as they share an address here.
  const hosts = [a, b].flatMap(({ port }, i) =>
    withSshConfig(
      [{ ...targetAt(port, i === 0 ? 'a' : 'b'), address: i === 0 ? 'a' : 'b', line: i }],
      inventory,
      world,
    ),
  );
  const settings = { inventory, acceptNew: false, timeout: 5 };
  const asked: string[] = [];
  const person = {
    canAsk: () => true,
    confirm: async (question: string) => asked.push(question) > 0,
  };
  await meetStrangers(hosts, settings, person);
  assert.equal(asked.length, 2);
  assert.match(asked[0] ?? '', /^A host never seen before:\n {2}bastion \(127\.0\.0\.1 port \d+\)/);
  assert.match(asked[1] ?? '', /^Hosts never seen before:\n {2}a \(.*\n {2}b \(/);
  const pins = readFileSync(join(home, 'known_hosts'), 'utf8');
  for (const { port } of [bastion, a, b])
    assert.ok(pins.includes(`[127.0.0.1]:${port} ${hostKey.publicKey.trim()}`), pins);

  await meetStrangers(hosts, settings, person);
  assert.equal(asked.length, 2);
  for (const host of hosts) {
    const transport = await connectSsh(host, loginOf(host, settings));
    assert.equal((await transport.run('echo there')).stdout, 'there\n');
    transport.close();
  }
});
