import { connect, createServer } from 'node:net';
import { Fault } from './fault.ts';
import { inside } from './inside.ts';

/**
 * An abstract Unix socket: the kernel keeps one name a network namespace and drops it with the process, however
 * that ends. Not filled up to the 108 bytes of `sun_path`: old Nodes do that by themselves, new ones refuse it.
 */
const address = (name: string): string => `\0${name}`;

/** How long the holder has to tell its process number, milliseconds. */
const ANSWER_MS = 500;

interface Holder {
  /** Somebody has the lock, answering or not. */
  there: boolean;
  pid: string | undefined;
}

function askHolder(name: string): Promise<Holder> {
  return new Promise((resolve) => {
    let answer = '';
    let there = false;
    const socket = connect(address(name), () => {
      there = true;
    });
    const finish = (): void => {
      socket.destroy();
      resolve({ there, pid: /^\d+$/.test(answer) ? answer : undefined });
    };
    socket.setTimeout(ANSWER_MS, finish).on('error', finish).on('close', finish);
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
    });
  });
}

const held = (holds: string, pid: string | undefined, name: string): Fault =>
  new Fault({
    what: `${holds} runs in this network namespace already${pid === undefined ? '' : ` (process ${pid})`}`,
    next: inside(pid === undefined ? `ss -xlp | grep ${name}` : `kill ${pid}`),
  });

/** Takes a lock of this network namespace for the life of this process; throws a Fault naming the holder. */
export async function takeLock(name: string, holds: string): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.end(String(process.pid));
  });
  const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    server.once('error', resolve).listen(address(name), () => resolve(undefined));
  });
  if (error === undefined) {
    server.unref();
    return;
  }
  if (error.code !== 'EADDRINUSE') throw error;
  throw held(holds, (await askHolder(name)).pid, name);
}

/** Throws a Fault where somebody has a lock of this network namespace. */
export async function refuseWhileHeld(name: string, holds: string): Promise<void> {
  const { there, pid } = await askHolder(name);
  if (there) throw held(holds, pid, name);
}
