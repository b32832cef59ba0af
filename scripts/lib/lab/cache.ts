/** The folders in the user's cache that the lab's machines start from: made once, and never written to again. */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { Fault, messageOf } from '../cli.ts';
import { exists, makeDirectory, remove, rename } from '../files.ts';
import { withLock } from '../lock.ts';
import { quote } from '../shell.ts';
import { run } from '../transport/local.ts';
import { findMirror } from './mirror.ts';

export const cacheFolder = (): string => {
  const given = process.env.XDG_CACHE_HOME ?? '';
  return join(isAbsolute(given) ? given : join(homedir(), '.cache'), 'comps-lab');
};

export interface Cached {
  /** The folder's name: of its recipe. */
  name: string;
  /** What it holds, for messages: `lab image`. */
  what: string;
  /** How long it takes to make, for messages. */
  takes: string;
  /** Folders that must be in it. */
  parts: readonly string[];
  /** Makes them in an empty folder. */
  build(folder: string, mirror: string): Promise<void>;
}

/** Refuses a folder of which somebody removed a part. */
function whole(folder: string, { what, parts }: Cached): string {
  if (parts.every((part) => exists(join(folder, part)))) return folder;
  throw new Fault({
    at: folder,
    what: `the ${what} is not whole`,
    next: `rm -rf ${quote(folder)}, and run it again`,
  });
}

/** The folder; made first, with progress, where it is missing. */
export async function ensureCached(cached: Cached, mirror?: string): Promise<string> {
  const { name, what, takes, build } = cached;
  const cache = cacheFolder();
  const folder = join(cache, name);
  if (exists(folder)) return whole(folder, cached);
  let told = false;
  const busy = (): void => {
    if (!told) console.log(`Another command builds the ${what}; waiting for it.`);
    told = true;
  };
  return withLock(`image ${folder}`, busy, async () => {
    if (exists(folder)) return folder;
    const source = await findMirror(mirror);
    console.log(`Building the ${what}, once (${takes}): ${folder}`);
    // Left behind by a build that was cut off, if there is one.
    const half = join(cache, `.half-${name}`);
    remove(half);
    makeDirectory(half);
    try {
      await build(half, source);
    } catch (error) {
      remove(half);
      throw new Fault({
        at: what,
        what: messageOf(error),
        next: 'see that the Debian mirror answers (choose one with --mirror URL), and run it again',
      });
    }
    rename(half, folder);
    const size = (await run(['du', '-sh', folder])).split('\t')[0];
    console.log(`  ${size} in ${folder}`);
    return folder;
  });
}
