/** SSH servers of this process on loopback, for tests. */
import { spawn } from 'node:child_process';
import { connect, type Server as NetServer, type Socket } from 'node:net';
import { after } from 'node:test';
import ssh2, { type Connection, type ServerChannel } from 'ssh2';
import { newHostKey } from '../../scripts/lib/transport/host-key.ts';
import type { SshOptions, SshTarget } from '../../scripts/lib/transport/ssh.ts';

export const hostKey = newHostKey();
export const userKey = newHostKey();

const open = new Set<{ close: () => void }>();
after(() => {
  for (const one of open) one.close();
});

export const listening = <S extends NetServer | ssh2.Server>(server: S): Promise<number> =>
  new Promise((resolve) => {
    open.add(server as never);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });

export const blobOf = (publicKey: string): Buffer => Buffer.from(publicKey.split(' ')[1] ?? '', 'base64');

export interface Ways {
  /** In the place of a real shell. */
  onExec?: (channel: ServerChannel, client: Connection, socket: Socket) => void;
  /** Environment of the shell. */
  env?: NodeJS.ProcessEnv;
  /** Public keys that may log in; the usual user's unless given. */
  users?: readonly string[];
  /** So many refused keys end the connection. */
  maxTries?: number;
  /** Connections that are dropped before a word, at first. */
  drop?: number;
  /** Why it lets nobody through. */
  closed?: boolean;
  noSessions?: boolean;
}

export interface Rig {
  port: number;
  connections: number;
  /** Connections that are there now. */
  open: number;
  /** Public keys that were offered, in order, in base64. */
  offered: string[];
  commands: string[];
}

/** A real SSH server that runs what it is told with a real shell, and lets connections through. */
export async function sshServer(ways: Ways = {}): Promise<Rig> {
  const rig: Rig = { port: 0, connections: 0, open: 0, offered: [], commands: [] };
  const users = (ways.users ?? [userKey.publicKey]).map((key) => blobOf(key).toString('base64'));
  let drop = ways.drop ?? 0;
  const server = new ssh2.Server({ hostKeys: [hostKey.privateKey] }, (client) => {
    const socket = (client as unknown as { _sock: Socket })._sock;
    rig.connections++;
    rig.open++;
    client.on('close', () => rig.open--);
    let refused = 0;
    client.on('error', () => {});
    client.on('authentication', (login) => {
      if (login.method !== 'publickey') return login.reject(['publickey']);
      const key = login.key.data.toString('base64');
      if (login.signature === undefined) rig.offered.push(key);
      if (users.includes(key)) return login.accept();
      if (++refused >= (ways.maxTries ?? 99)) return void socket.destroy();
      login.reject(['publickey']);
    });
    client.on('tcpip', (accept, reject, { destIP, destPort }) => {
      if (ways.closed) return reject?.();
      const there = connect(destPort, destIP, () => {
        const channel = accept();
        channel.pipe(there).pipe(channel);
        channel.on('error', () => {}).on('close', () => there.destroy());
        there.on('close', () => channel.end());
      });
      there.on('error', () => reject?.());
    });
    client.on('session', (accept, reject) => {
      if (ways.noSessions) return reject?.();
      accept().on('exec', (acceptExec, _reject, { command }) => {
        rig.commands.push(command);
        const channel = acceptExec();
        channel.on('error', () => {});
        if (ways.onExec !== undefined) return ways.onExec(channel, client, socket);
        const shell = spawn('/bin/sh', ['-c', command], { env: ways.env ?? process.env });
        channel.pipe(shell.stdin).on('error', () => {});
        shell.stdout.pipe(channel, { end: false });
        shell.stderr.pipe(channel.stderr, { end: false });
        shell.on('close', (code) => {
          channel.exit(code ?? 1);
          channel.end();
        });
      });
    });
  });
  const inner = (server as unknown as { _srv: NetServer })._srv;
  inner.prependListener('connection', (socket: Socket) => {
    // As sshd does; else each answer waits for an acknowledgement.
    socket.setNoDelay();
    if (drop-- > 0) socket.destroy();
  });
  rig.port = await listening(server);
  return rig;
}

/** Nothing listens there. */
export async function closedPort(): Promise<number> {
  const server = new ssh2.Server({ hostKeys: [hostKey.privateKey] });
  const port = await listening(server);
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  return port;
}

export const known = (publicKey: string): SshOptions['known'] => {
  const [type = '', key = ''] = publicKey.split(' ');
  return [{ type, key, revoked: false, at: 'known_hosts:1' }];
};

export const targetAt = (port: number, name = 'vpn1', user = 'root'): SshTarget => ({
  ...{ name, address: '127.0.0.1', port, user },
});

export const login = (more: Partial<SshOptions> = {}): SshOptions => ({
  keys: [{ file: 'id_ed25519', text: userKey.privateKey }],
  known: known(hostKey.publicKey),
  knownHostsFile: 'known_hosts',
  timeout: 5,
  ...more,
});
