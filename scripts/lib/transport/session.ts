/** An open connection to one host, by way of others where there is no straight one. */
import { connect as connectSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import { messageOf } from '../cli.ts';
import { pause } from '../poll.ts';
import { type Failure, logIn } from './client.ts';
import { pauseBefore } from './retry.ts';
import {
  byHand,
  type Jump,
  type SshFault,
  type SshOptions,
  type SshTarget,
  unreachable,
} from './ssh-options.ts';
import type { Bytes } from './transport.ts';

/** Milliseconds that the other end has for its part of the goodbye. */
const GOODBYE = 2000;

export interface Session {
  client: Client;
  /** So far. */
  bytes: () => Bytes;
  close: () => void;
}

/** A socket to a host's SSH port; `release` gives up the way that it goes. */
interface Way {
  socket: Duplex & { bytesRead?: number; bytesWritten?: number };
  release: () => void;
}

/** Connections to machines that are gone through, shared by all hosts behind them. */
const shared = new Map<string, Shared>();

interface Shared {
  session: Promise<Session>;
  users: number;
}

const keyOf = (jumps: readonly Jump[]): string =>
  JSON.stringify(jumps.map(({ target: { user, address, port } }) => [user, address, port]));

/** Opens the connection to the last of these machines; one that fails or is lost is made anew for the next who asks. */
function share(key: string, jumps: readonly Jump[]): Shared {
  const { target, options } = jumps.at(-1) as Jump;
  const session = openSession(target, { ...options, jumps: jumps.slice(0, -1) });
  const one = { session, users: 0 };
  const forget = (): void => {
    if (shared.get(key) === one) shared.delete(key);
  };
  shared.set(key, one);
  session.then(({ client }) => client.once('close', forget), forget);
  return one;
}

/** The connection to the last of these machines; it is closed when nobody goes through it any more. */
async function throughJumps(jumps: readonly Jump[]): Promise<{ session: Session; release: () => void }> {
  const key = keyOf(jumps);
  const one = shared.get(key) ?? share(key, jumps);
  one.users++;
  const session = await one.session;
  let released = false;
  const release = (): void => {
    if (released) return;
    released = true;
    if (--one.users > 0) return;
    if (shared.get(key) === one) shared.delete(key);
    session.close();
  };
  return { session, release };
}

/** Why a machine on the way opens no connection to the next one. */
function forwardFault(
  error: Error & { reason?: number },
  target: SshTarget,
  jumps: readonly Jump[],
): { fault: SshFault; refused: boolean } {
  const by = jumps.at(-1)?.target.name ?? '';
  const prohibited = error.reason === 1;
  const what = prohibited
    ? `${by}, the way to it, forwards no connections there`
    : `${by}, the way to it, does not reach it: ${messageOf(error).replace(/^.*failure: ?/, '') || 'no connection'}`;
  const next = prohibited
    ? `AllowTcpForwarding yes in /etc/ssh/sshd_config of ${by}`
    : `see whether \`${byHand(target, jumps)}\` works`;
  return { fault: unreachable(target, 'network', what, next), refused: error.reason === 2 };
}

/** Opens the way to a host's SSH port; rejects with a {@link Failure}, or the Fault of a machine on the way. */
export async function wayTo(target: SshTarget, jumps: readonly Jump[]): Promise<Way> {
  const { address, port } = target;
  if (jumps.length === 0) {
    const socket = connectSocket({ host: address, port, noDelay: true });
    return { socket, release: () => {} };
  }
  const { session, release } = await throughJumps(jumps);
  const socket = await new Promise<Duplex>((resolve, reject: (failure: Failure) => void) => {
    session.client.forwardOut('127.0.0.1', 0, address, port, (error, channel) => {
      if (!error) return resolve(channel);
      const { fault, refused } = forwardFault(error, target, jumps);
      release();
      reject({ fault, code: refused ? 'ECONNREFUSED' : undefined, message: error.message, stage: 'way' });
    });
  });
  return { socket, release };
}

/** Counts what goes through a channel, which does not count by itself. */
function counter(socket: Way['socket']): () => Bytes {
  if (socket.bytesRead !== undefined)
    return () => ({ sent: socket.bytesWritten ?? 0, received: socket.bytesRead ?? 0 });
  const bytes = { sent: 0, received: 0 };
  socket.on('data', (chunk: Buffer) => {
    bytes.received += chunk.length;
  });
  const write = socket.write.bind(socket) as (chunk: Buffer, ...rest: unknown[]) => boolean;
  socket.write = ((chunk: Buffer, ...rest: unknown[]) => {
    bytes.sent += chunk.length;
    return write(chunk, ...rest);
  }) as typeof socket.write;
  return () => ({ ...bytes });
}

/** `end` is the moment, as performance.now() counts, up to which there is time. */
async function tryOnce(target: SshTarget, options: SshOptions, end: number): Promise<Session> {
  const { socket, release } = await wayTo(target, options.jumps ?? []);
  const ms = Math.max(1, end - performance.now());
  // Before login, for the count, as it starts to read there.
  const login = logIn(socket, target, options, ms);
  const bytes = counter(socket);
  try {
    const client = await login;
    client.once('close', release);
    const close = (): void => {
      client.end();
      // A peer that is gone says no goodbye.
      setTimeout(() => client.destroy(), GOODBYE).unref();
    };
    return { client, bytes, close };
  } catch (failure) {
    socket.destroy();
    release();
    throw failure;
  }
}

const isFailure = (thrown: unknown): thrown is Failure =>
  typeof thrown === 'object' && thrown !== null && 'fault' in thrown;

/**
 * Connects and logs in, trying again what may pass by itself for as long as `options.timeout` allows; rejects with a
 * Fault of the last try, or of the machine on the way that could not be had.
 */
export async function openSession(target: SshTarget, options: SshOptions): Promise<Session> {
  const end = performance.now() + options.timeout * 1000;
  for (let tries = 1; ; tries++) {
    try {
      return await tryOnce(target, options, end);
    } catch (thrown) {
      if (!isFailure(thrown)) throw thrown;
      const wait = pauseBefore(thrown, tries, Math.random());
      if (wait === undefined || performance.now() + wait >= end) throw thrown.fault;
      await pause(wait);
    }
  }
}
