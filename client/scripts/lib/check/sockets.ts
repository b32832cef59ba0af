/** Packets of a program's own: UDP, TCP and DNS by plain sockets. What the kernel refuses is an answer like any other. */
import { createSocket, type Socket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';

/** What became of a packet: it was given to the kernel, an answer came, or the kernel's refusal (`EPERM`). */
export type Sent = 'sent' | 'answered' | (string & {});

/** Milliseconds that a connection or an answer is waited for. */
const PATIENCE = 300;

export interface Datagram {
  to: string;
  port: number;
  /** A local address to send from. */
  from?: string | undefined;
  broadcast?: boolean;
  /** Waits for an answer so many milliseconds. */
  wait?: number;
  bytes?: Buffer;
}

const refusal = (error: Error): string => (error as NodeJS.ErrnoException).code ?? error.message;

export function sendUdp({
  to,
  port,
  from,
  broadcast,
  wait,
  bytes = Buffer.from('comps'),
}: Datagram): Promise<Sent> {
  return new Promise((resolve) => {
    const socket: Socket = createSocket(isIPv6(to) ? 'udp6' : 'udp4');
    let over = false;
    const finish = (sent: Sent): void => {
      if (over) return;
      over = true;
      clearTimeout(late);
      socket.close();
      resolve(sent);
    };
    const late = setTimeout(() => finish('sent'), wait ?? PATIENCE);
    socket.on('error', (error) => finish(refusal(error)));
    socket.on('message', () => finish('answered'));
    const send = (): void => {
      if (broadcast) socket.setBroadcast(true);
      socket.send(bytes, port, to, (error) => {
        if (error !== null && error !== undefined) finish(refusal(error));
        else if (wait === undefined) finish('sent');
      });
    };
    if (from === undefined && !broadcast) send();
    else socket.bind({ address: from ?? '0.0.0.0', port: 0 }, send);
  });
}

export interface Connection {
  to: string;
  port: number;
  from?: string | undefined;
  /** Sent once it stands. */
  bytes?: Buffer;
}

export function openTcp({ to, port, from, bytes }: Connection): Promise<Sent> {
  return new Promise((resolve) => {
    const socket = connect({ host: to, port, ...(from === undefined ? {} : { localAddress: from }) });
    const finish = (sent: Sent): void => {
      socket.destroy();
      resolve(sent);
    };
    socket.setTimeout(PATIENCE, () => finish('sent'));
    socket.on('error', (error) => finish(refusal(error)));
    socket.on('connect', () => {
      if (bytes === undefined) finish('answered');
      else socket.write(bytes);
    });
    socket.on('data', () => finish('answered'));
  });
}

/** A question for a name that no resolver asks further (RFC 6761), in DNS's wire format. */
export function question(): Buffer {
  const labels = ['comps-check', 'invalid'].map((label) =>
    Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]),
  );
  // Number, recursion desired, one question; behind the name: address, Internet.
  const head = Buffer.from([0xc0, 0x45, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([head, ...labels, Buffer.from([0, 0, 1, 0, 1])]);
}

export const askUdp = (to: string, wait = PATIENCE): Promise<Sent> =>
  sendUdp({ to, port: 53, wait, bytes: question() });

export function askTcp(to: string): Promise<Sent> {
  const asked = question();
  const length = Buffer.alloc(2);
  length.writeUInt16BE(asked.length);
  return openTcp({ to, port: 53, bytes: Buffer.concat([length, asked]) });
}

/** Asks a resolver until it answers, a few times. */
export async function resolverAnswers(address: string): Promise<boolean> {
  for (let i = 0; i < 4; i++) if ((await askUdp(address, 500)) === 'answered') return true;
  return false;
}
