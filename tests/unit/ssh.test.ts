import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { EXIT } from '../../scripts/lib/cli.ts';
import { until } from '../../scripts/lib/poll.ts';
import { newHostKey } from '../../scripts/lib/transport/host-key.ts';
import { pauseBefore } from '../../scripts/lib/transport/retry.ts';
import { connectSsh, SshFault, type SshOptions, type SshTrouble } from '../../scripts/lib/transport/ssh.ts';
import {
  closedPort,
  hostKey,
  known,
  listening,
  login,
  sshServer,
  targetAt,
  type Ways,
} from './ssh-server.ts';

const [otherKey, strangerKey] = [newHostKey(), newHostKey()];

const portOf = async (ways?: Ways): Promise<number> => (await sshServer(ways)).port;

const connect = (port: number, options: Partial<SshOptions> = {}) =>
  connectSsh(targetAt(port), login(options));

/** Rejects as unreachable, naming the host and saying this. */
const unreachable = (kind: SshTrouble, pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof SshFault, String(error));
  assert.equal(error.kind, kind);
  assert.equal(error.code, EXIT.unreachable);
  assert.match(error.message, /^vpn1 \(root@127\.0\.0\.1 port \d+\): /);
  assert.match(error.message, pattern);
  assert.ok(error.next, 'says what to do next');
  return true;
};

test('a script runs over one connection; output, errors and exit code come back apart', async () => {
  const transport = await connect(await portOf());
  assert.deepEqual(await transport.run('echo out; echo err >&2; exit 7'), {
    code: 7,
    stdout: 'out\n',
    stderr: 'err\n',
  });
  const long = 'x'.repeat(200_000);
  assert.equal((await transport.run(`printf %s ${long} | wc -c`)).stdout.trim(), '200000');
  transport.close();
});

test('nothing listens', async () => {
  await assert.rejects(
    connect(await closedPort(), { timeout: 0.5 }),
    unreachable('network', /connection refused/),
  );
});

test('something listens that never speaks', async () => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket));
  await assert.rejects(
    connect(await listening(server), { timeout: 0.3 }),
    unreachable('network', /no answer within 0\.3 s/),
  );
  for (const socket of sockets) socket.destroy();
});

test('the key is refused: the message names what was offered', async () => {
  const keys = [{ file: 'stranger_key', text: strangerKey.privateKey }];
  await assert.rejects(
    connect(await portOf(), { keys }),
    unreachable('login', /login refused; offered: stranger_key/),
  );
});

test('no key at all to offer', async () => {
  await assert.rejects(connect(await portOf(), { keys: [] }), unreachable('login', /offered: no key at all/));
});

test('another host key than the known one', async () => {
  await assert.rejects(
    connect(await portOf(), { known: known(otherKey.publicKey) }),
    unreachable(
      'changed-host-key',
      /its host key is now ssh-ed25519 SHA256:\S+, not the one in known_hosts:1/,
    ),
  );
});

test('a host key that is revoked', async () => {
  const [key] = known(hostKey.publicKey);
  await assert.rejects(
    connect(await portOf(), { known: key === undefined ? [] : [key, { ...key, revoked: true }] }),
    unreachable('revoked-host-key', /its host key ssh-ed25519 SHA256:\S+ is revoked in known_hosts:1/),
  );
});

test('a host key never seen is refused, and taken only when told so', async () => {
  const port = await portOf();
  await assert.rejects(connect(port, { known: [] }), unreachable('unknown-host-key', /not known yet/));
  const lines: string[] = [];
  (await connect(port, { known: [], remember: (line) => lines.push(line) })).close();
  const [, blob = ''] = hostKey.publicKey.split(' ');
  assert.deepEqual(lines, [`[127.0.0.1]:${port} ssh-ed25519 ${blob}`]);
});

test('a host is dropped, hangs up or falls silent in the middle: why, and what to do', async () => {
  const again = /lost in the middle/;
  const silent: Socket[] = [];
  for (const [ways, options, pattern] of [
    [{ onExec: (channel, client) => channel.write('half', () => client.end()) }, {}, again],
    [{ onExec: (channel, _client, socket) => channel.write('half', () => socket.destroy()) }, {}, again],
    [{ onExec: (channel) => channel.write('half', () => channel.close()) }, {}, /ended without a word/],
    [
      { onExec: (_channel, _client, socket) => void silent.push(socket.pause()) },
      { silence: 0.3 },
      /nothing came from it for 0\.3 s/,
    ],
    [{ noSessions: true }, {}, /lets nobody run a command: it opens no session/],
  ] as [Ways, Partial<SshOptions>, RegExp][]) {
    const transport = await connect(await portOf(ways), options);
    await assert.rejects(transport.run('sleep 60'), unreachable('network', pattern));
    transport.close();
  }
  for (const socket of silent) socket.destroy();
});

test('a script that takes longer than its limit makes the host an unreachable one, at once and for good', async () => {
  const transport = await connect(await portOf());
  const end = unreachable('network', /does not answer any more: no end after 0\.2 s/);
  await assert.rejects(transport.run('sleep 5', { limit: 0.2 }), end);
  await assert.rejects(transport.run('true'), end);
});

test('a host that is busy and says nothing for long is not lost: it answers when it is asked', async () => {
  const transport = await connect(await portOf(), { silence: 0.6 });
  assert.equal((await transport.run('sleep 2; echo there')).stdout, 'there\n');
  transport.close();
});

test('a server that hangs up at once, as one with too many logins does, is tried again', async () => {
  const rig = await sshServer({ drop: 2 });
  const transport = await connect(rig.port);
  assert.equal((await transport.run('echo there')).stdout, 'there\n');
  transport.close();
  await assert.rejects(
    connect(await portOf({ drop: 1000 }), { timeout: 0.5 }),
    unreachable('network', /closed the connection before a word|was reset/),
  );
});

test('tries end where they are of no use', () => {
  const wait = (
    code: string | undefined,
    stage: 'way' | 'tcp' | 'keys' | 'login',
    tries: number,
    message = '',
  ) => pauseBefore({ code, message, stage }, tries, 0.5);
  assert.deepEqual(
    [1, 2, 3, 4].map((tries) => wait('ECONNREFUSED', 'way', tries)),
    [250, 500, 1000, undefined],
  );
  assert.equal(wait('ECONNRESET', 'tcp', 99), 2000);
  assert.equal(wait(undefined, 'tcp', 1, 'Connection lost before handshake'), 250);
  assert.equal(wait(undefined, 'tcp', 1, 'Timed out while waiting for handshake'), undefined);
  // A key was judged, or a login tried.
  for (const stage of ['keys', 'login'] as const) assert.equal(wait('ECONNRESET', stage, 1), undefined);
  assert.equal(wait('ENOTFOUND', 'way', 1), undefined);
});

test('a server that speaks something else, and one that stops behind its greeting', async () => {
  const sockets: Socket[] = [];
  const saying = (text: string): Promise<number> =>
    listening(
      createServer((socket) => {
        sockets.push(socket.on('error', () => {}));
        socket.write(text);
      }),
    );
  await assert.rejects(
    connect(await saying('SSH-2.0-x\r\n'), { timeout: 0.3 }),
    unreachable('network', /no answer within 0\.3 s: .* no SSH server speaks there|began, and then stopped/),
  );
  await assert.rejects(connect(await saying('SSH-1.5-old\r\n')), unreachable('network', /./));
  for (const socket of sockets) socket.destroy();
});

test('64 connections: round trips and bytes are counted, nothing is left open, and no listener heaps up', async () => {
  const warnings: string[] = [];
  const onWarning = ({ message }: Error): void => void warnings.push(message);
  process.on('warning', onWarning);
  const { port } = await sshServer({
    onExec: (channel) => {
      channel.on('end', () => {
        channel.write('out');
        channel.exit(0);
        channel.end();
      });
      channel.resume();
    },
  });
  const descriptors = (): number => readdirSync('/proc/self/fd').length;
  const before = descriptors();
  const all = await Promise.all(Array.from({ length: 64 }, () => connect(port, { timeout: 30 })));
  try {
    // One of them runs more scripts than an emitter has listeners for.
    const runs = all.map((_, i) => (i === 0 ? 12 : 2));
    const most = descriptors();
    await Promise.all(
      all.map(async (transport, i) => {
        for (let left = runs[i] ?? 0; left > 0; left--) await transport.run('x'.repeat(100));
      }),
    );
    for (const [i, { rounds, bytes }] of all.entries()) {
      assert.equal(rounds, runs[i]);
      assert.ok(bytes.sent > rounds * 100 && bytes.sent < 20_000, JSON.stringify(bytes));
      assert.ok(bytes.received > rounds * 3 && bytes.received < 20_000, JSON.stringify(bytes));
    }
    // Two each; some of earlier tests may still have been open before.
    assert.ok(most > before + 100, `${before}, then ${most}`);
  } finally {
    for (const transport of all) transport.close();
  }
  assert.ok(await until(60_000, () => descriptors() <= before), `${before}, then ${descriptors()}`);
  process.off('warning', onWarning);
  assert.deepEqual(warnings, []);
});
