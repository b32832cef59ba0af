/** One run at a time writes a client's folder, or changes its keys. */
import { basename, dirname, join, resolve } from 'node:path';
import { paint } from '../cli.ts';
import { exists, realPath } from '../files.ts';
import { withLock } from '../lock.ts';
import { print } from '../progress.ts';

/** One name for one folder, also before it is there. */
function realOf(path: string): string {
  if (exists(path) || dirname(path) === path) return realPath(path);
  return join(realOf(dirname(path)), basename(path));
}

/** Does the work alone; `waited` where another run was at it before, so that what is known of the folder may be old. */
export function aloneIn<T>(out: string, work: (waited: boolean) => Promise<T>): Promise<T> {
  const folder = realOf(resolve(out));
  let waited = false;
  const busy = (): void => {
    if (!waited)
      print(
        `${paint.cyan('waiting:')} another run changes keys, or writes the client’s files, in ${folder} right now`,
      );
    waited = true;
  };
  return withLock(`client ${folder}`, busy, () => work(waited));
}
