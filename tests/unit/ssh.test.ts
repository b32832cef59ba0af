import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { after, test } from 'node:test';
import ssh2, { type ServerChannel } from 'ssh2';
import { EXIT } from '../../scripts/lib/cli.ts';
import { newHostKey } from '../../scripts/lib/transport/host-key.ts';
import { connectSsh, SshFault, type SshOptions, type SshTrouble } from '../../scripts/lib/transport/ssh.ts';

const [hostKey, otherKey, userKey, strangerKey] = [1, 2, 3, 4].map(() => {
  const { privateKey, publicKey } = newHostKey();
  return { private: privateKey, public: publicKey };
});
const open = new Set<{ close: () => void }>();
after(() => {
  for (const one of open) one.close();
});

const listening = <S extends NetServer | ssh2.Server>(server: S): Promise<number> =>
  new Promise((resolve) => {
    open.add(server as never);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });

/** A real SSH server of this process that runs what it is told with a real shell, or treats the channel as given. */
const sshServer = (onExec?: (channel: ServerChannel, end: () => void) => void): Promise<number> =>
  listening(
    new ssh2.Server({ hostKeys: [hostKey?.private ?? ''] }, (client) => {
      client.on('error', () => {});
      client.on('authentication', (attempt) => {
        const key = ssh2.utils.parseKey(userKey?.public ?? '');
        const good =
          attempt.method === 'publickey' &&
          !(key instanceof Error) &&
          attempt.key.data.equals(key.getPublicSSH());
        return good ? attempt.accept() : attempt.reject(['publickey']);
      });
      client.on('session', (accept) => {
        accept().on('exec', (acceptExec, _reject, { command }) => {
          const channel = acceptExec();
          if (onExec !== undefined) return onExec(channel, () => client.end());
          const shell = spawn(command, { shell: true });
          channel.pipe(shell.stdin);
          shell.stdout.pipe(channel, { end: false });
          shell.stderr.pipe(channel.stderr, { end: false });
          shell.on('close', (code) => {
            channel.exit(code ?? 1);
            channel.end();
          });
        });
      });
    }),
  );

const known = (key: string | undefined) => {
  const [type = '', blob = ''] = (key ?? '').split(' ');
  return [{ type, key: blob, revoked: false, at: 'known_hosts:1' }];
};

const connect = (port: number, options: Partial<SshOptions> = {}) =>
  connectSsh(
    { name: 'vpn1', address: '127.0.0.1', port, user: 'root' },
    {
      keys: [{ file: 'id_ed25519', text: userKey?.private ?? '' }],
      known: known(hostKey?.public),
      knownHostsFile: 'known_hosts',
      timeout: 5,
      ...options,
    },
  );

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
  const transport = await connect(await sshServer());
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
  const server = createServer();
  const port = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  await assert.rejects(connect(port), unreachable('network', /connection refused/));
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
  const keys = [{ file: 'stranger_key', text: strangerKey?.private ?? '' }];
  await assert.rejects(
    connect(await sshServer(), { keys }),
    unreachable('login', /login refused; offered: stranger_key/),
  );
});

test('no key at all to offer', async () => {
  await assert.rejects(
    connect(await sshServer(), { keys: [] }),
    unreachable('login', /offered: no key at all/),
  );
});

test('another host key than the known one', async () => {
  await assert.rejects(
    connect(await sshServer(), { known: known(otherKey?.public) }),
    unreachable(
      'changed-host-key',
      /its host key is now ssh-ed25519 SHA256:\S+, not the one in known_hosts:1/,
    ),
  );
});

test('a host key that is revoked', async () => {
  const [key] = known(hostKey?.public);
  await assert.rejects(
    connect(await sshServer(), { known: key === undefined ? [] : [key, { ...key, revoked: true }] }),
    unreachable('revoked-host-key', /its host key ssh-ed25519 SHA256:\S+ is revoked in known_hosts:1/),
  );
});

test('a host key never seen is refused, and taken only when told so', async () => {
  const port = await sshServer();
  await assert.rejects(connect(port, { known: [] }), unreachable('unknown-host-key', /not known yet/));
  const lines: string[] = [];
  (await connect(port, { known: [], remember: (line) => lines.push(line) })).close();
  const [, blob = ''] = (hostKey?.public ?? '').split(' ');
  assert.deepEqual(lines, [`[127.0.0.1]:${port} ssh-ed25519 ${blob}`]);
});

test('the connection is lost in the middle of a script', async () => {
  const transport = await connect(await sshServer((channel, end) => channel.write('half', () => end())));
  await assert.rejects(transport.run('sleep 60'), unreachable('network', /lost in the middle/));
});
