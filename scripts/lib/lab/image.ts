/** The lab's image: three Debian systems in the user's cache, made once and never written to again. */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { Fault, messageOf } from '../cli.ts';
import { exists, makeDirectory, remove, rename, writeText } from '../files.ts';
import { step } from '../progress.ts';
import { quote } from '../shell.ts';
import { attempt, run } from '../transport/local.ts';
import { withLock } from './lock.ts';
import { findMirror } from './mirror.ts';
import { indexPool } from './pool.ts';
import { debianWords, FILES, POOL, REMOVED, recipeHash, WIREGUARD } from './recipe.ts';

export const cacheFolder = (): string => {
  const given = process.env.XDG_CACHE_HOME ?? '';
  return join(isAbsolute(given) ? given : join(homedir(), '.cache'), 'comps-lab');
};

// All of its processes end with this one, and its mounts with them.
export const BOUND = [
  ...['setpriv', '--pdeathsig', 'KILL', 'unshare', '--pid', '--mount', '--mount-proc'],
  ...['--fork', '--kill-child'],
];

/** The first of mmdebstrap's errors; the later ones follow from it. */
export function causeIn(stderr: string): string {
  const lines = stderr.trim().split('\n');
  return lines.find((line) => line.startsWith('E: '))?.slice(3) ?? lines.at(-1) ?? '';
}

async function makeSystem(name: 'bare' | 'world', folder: string, mirror: string): Promise<void> {
  const tree = join(folder, name);
  const { code, stderr } = await attempt([...BOUND, ...debianWords(name, tree, mirror)]);
  if (code !== 0) throw new Fault({ what: `mmdebstrap ended with ${code}: ${causeIn(stderr)}` });
  for (const path of REMOVED) remove(join(tree, path));
  for (const [path, text] of Object.entries(FILES)) writeText(join(tree, path), text);
}

/** A copy of `bare` in which WireGuard is installed, from its own packages. */
async function makeReady(folder: string): Promise<void> {
  const [bare, ready] = [join(folder, 'bare'), join(folder, 'ready')];
  await indexPool(join(bare, POOL));
  await run(['cp', '-a', bare, ready]);
  const inside = [...BOUND, 'chroot', ready, 'env', 'DEBIAN_FRONTEND=noninteractive'];
  await run([...inside, 'apt-get', '-q', 'update']);
  await run([...inside, 'apt-get', '-qy', '--no-install-recommends', 'install', ...WIREGUARD]);
}

async function build(folder: string, mirror: string): Promise<void> {
  await step('Debian for droplets, client and Internet', () =>
    Promise.all([makeSystem('bare', folder, mirror), makeSystem('world', folder, mirror)]),
  );
  await step('droplets with WireGuard, and without', () => makeReady(folder));
}

/** Refuses an image of which somebody removed a part. */
function whole(image: string): string {
  if (['bare', 'ready', 'world'].every((tree) => exists(join(image, tree, 'etc')))) return image;
  throw new Fault({
    at: image,
    what: 'the lab image is not whole',
    next: `rm -rf ${quote(image)}, and run it again`,
  });
}

/** The image's folder, with `bare`, `ready` and `world` in it; built first, with progress, where it is missing. */
export async function ensureImage(mirror?: string): Promise<string> {
  const cache = cacheFolder();
  const hash = recipeHash();
  const image = join(cache, hash);
  if (exists(image)) return whole(image);
  let told = false;
  const busy = (): void => {
    if (!told) console.log('Another command builds the lab image; waiting for it.');
    told = true;
  };
  return withLock(`image ${image}`, busy, async () => {
    if (exists(image)) return image;
    const source = await findMirror(mirror);
    console.log(`Building the lab's image, once (about a minute): ${image}`);
    // Left behind by a build that was cut off, if there is one.
    const half = join(cache, `.half-${hash}`);
    remove(half);
    makeDirectory(half);
    try {
      await build(half, source);
    } catch (error) {
      remove(half);
      throw new Fault({
        at: 'lab image',
        what: messageOf(error),
        next: 'see that the Debian mirror answers (choose one with --mirror URL), and run it again',
      });
    }
    rename(half, image);
    const size = (await run(['du', '-sh', image])).split('\t')[0];
    console.log(`  ${size} in ${image}`);
    return image;
  });
}
