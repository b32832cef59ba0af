/** Droplets as SSH servers of this process, each on a loopback address of its own. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import ssh2, { type AuthContext, type Connection, type ServerChannel } from 'ssh2';
import type { MachineOrder, Machines } from '../scripts/lib/lab/cloud/types.ts';
import { hostKeyIn } from '../scripts/lib/lab/cloud/user-data.ts';
import { newHostKey } from '../scripts/lib/transport/host-key.ts';

/** What a script sent to a droplet comes to. */
export interface ScriptAnswer {
  code?: number;
  stdout?: string;
  stderr?: string;
}

export interface Script {
  /** `/bin/sh -s`, say, and what came on its standard input. */
  command: string;
  input: string;
  droplet: MachineOrder;
}

/** How a droplet behaves; each is as it should be unless given. */
export interface Behaviour {
  /** Connections that are broken off before it behaves. */
  refuse?: number;
  /** It never listens. */
  silent?: boolean;
  /** Its host key is another one than its user data says. */
  otherHostKey?: boolean;
  /** It does not boot. */
  fails?: boolean;
  /** Milliseconds that its boot takes. */
  boot?: number;
  answer?: (script: Script) => ScriptAnswer | Promise<ScriptAnswer>;
}

export interface LoopbackMachines extends Machines {
  /** The port of every droplet's SSH server. */
  readonly port: number;
  /** All orders that came, in order; those that failed as well. */
  readonly orders: readonly MachineOrder[];
  /** Addresses of the droplets that are there now, by droplet. */
  readonly running: ReadonlyMap<number, string>;
  /** Changes how droplets made from now on behave. */
  behave(behaviour: (order: MachineOrder) => Behaviour): void;
  close(): Promise<void>;
}

const freshKey = (): string => newHostKey().privateKey;

/** Whether a login is by one of the order's keys, and signed with it. */
function isAllowed(attempt: AuthContext, { publicKeys }: MachineOrder): boolean {
  if (attempt.method !== 'publickey' || attempt.username !== 'root') return false;
  return publicKeys.some((line) => {
    const key = ssh2.utils.parseKey(line);
    if (key instanceof Error || !attempt.key.data.equals(key.getPublicSSH())) return false;
    if (attempt.signature === undefined || attempt.blob === undefined) return true;
    return key.verify(attempt.blob, attempt.signature, attempt.hashAlgo) === true;
  });
}

async function carryOut(channel: ServerChannel, command: string, droplet: MachineOrder, how: Behaviour) {
  let input = '';
  channel.setEncoding('utf8').on('data', (part: string) => {
    input += part;
  });
  await once(channel, 'end');
  const { code = 0, stdout = '', stderr = '' } = (await how.answer?.({ command, input, droplet })) ?? {};
  channel.stderr.write(stderr);
  channel.write(stdout);
  channel.exit(code);
  channel.end();
}

function serve(client: Connection, droplet: MachineOrder, how: Behaviour): void {
  client.on('error', () => {});
  client.on('authentication', (attempt) =>
    isAllowed(attempt, droplet) ? attempt.accept() : attempt.reject(['publickey']),
  );
  client.on('session', (accept) => {
    accept().on('exec', (acceptExec, _reject, { command }) => {
      carryOut(acceptExec(), command, droplet, how).catch(() => client.end());
    });
  });
}

/** A droplet's SSH server, listening nowhere yet, and its open connections. */
function sshServer(droplet: MachineOrder, how: Behaviour): { server: Server; sockets: Set<Socket> } {
  const key = how.otherHostKey ? freshKey() : (hostKeyIn(droplet.userData) ?? freshKey());
  const ssh = new ssh2.Server({ hostKeys: [key] }, (client) => serve(client, droplet, how));
  const sockets = new Set<Socket>();
  let refuse = how.refuse ?? 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    if (refuse > 0) {
      refuse -= 1;
      socket.resetAndDestroy();
    } else ssh.injectSocket(socket);
  });
  return { server, sockets };
}

const listen = (server: Server, port: number, host: string): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve((server.address() as { port: number }).port));
  });

const closed = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

/** Addresses are given again once they are free, as a provider does. */
export async function loopbackMachines(
  behaviour: (order: MachineOrder) => Behaviour = () => ({}),
): Promise<LoopbackMachines> {
  // Holds the port for as long as the machines are there, so that nobody else is given it.
  const holder = createServer((socket) => socket.destroy());
  const port = await listen(holder, 0, '127.66.0.1');
  const orders: MachineOrder[] = [];
  const running = new Map<number, string>();
  const servers = new Map<number, ReturnType<typeof sshServer>>();
  let behave = behaviour;

  const freeAddress = (): string => {
    const taken = new Set(running.values());
    for (let n = 2; n < 65_536; n++) {
      const address = `127.66.${n >> 8}.${n & 255}`;
      if (!taken.has(address)) return address;
    }
    throw new Error('no address is free');
  };

  /** Its connections break, and it listens no more. */
  const unplug = async (id: number): Promise<void> => {
    const one = servers.get(id);
    for (const socket of one?.sockets ?? []) socket.destroy();
    if (one?.server.listening) await closed(one.server);
  };

  const destroy = async (id: number): Promise<void> => {
    const ended = unplug(id);
    servers.delete(id);
    running.delete(id);
    await ended;
  };

  return {
    ...{ port, orders, running, destroy },
    power: async (id, how) => {
      const [one, address] = [servers.get(id), running.get(id)];
      if (one === undefined || address === undefined) throw new Error(`no machine ${id}`);
      if (how !== 'on') await unplug(id);
      if (how !== 'off' && !one.server.listening) await listen(one.server, port, address);
    },
    behave: (next) => {
      behave = next;
    },
    create: async (order) => {
      orders.push(order);
      const how = behave(order);
      if (how.boot !== undefined) await new Promise((resolve) => setTimeout(resolve, how.boot));
      if (how.fails) throw new Error('the machine does not boot');
      const publicIp = freeAddress();
      running.set(order.id, publicIp);
      const one = sshServer(order, how);
      servers.set(order.id, one);
      if (!how.silent) await listen(one.server, port, publicIp);
      return { publicIp, privateIp: publicIp.replace('127.', '10.') };
    },
    close: async () => {
      await Promise.all([...servers.keys()].map(destroy));
      await closed(holder);
    },
  };
}
