/** Locks that end with the process that holds them, however it ends, and leave no file behind. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { messageOf } from './cli.ts';
import { pause } from './poll.ts';

/** Takes the lock called `name`; undefined where another process holds it. */
function take(name: string): Promise<(() => Promise<void>) | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(new Error(`lock ${name}: ${messageOf(error)}`));
    });
    // An abstract socket: a name, of 107 bytes at most, that the kernel keeps for as long as it is bound.
    const short = createHash('sha256').update(name).digest('hex').slice(0, 32);
    server.listen(`\0comps-${short}`, () => resolve(() => new Promise((done) => server.close(() => done()))));
  });
}

/** Does the work under a lock; where another process holds it, `busy` is called before each next try. */
export async function withLock<T>(name: string, busy: () => void, work: () => Promise<T>): Promise<T> {
  let release = await take(name);
  while (release === undefined) {
    busy();
    await pause(200);
    release = await take(name);
  }
  try {
    return await work();
  } finally {
    await release();
  }
}
