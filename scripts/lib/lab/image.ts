/** The lab's image, three Debian systems, and beside it a fourth with Chromium, for those who ask for it. */
import { join } from 'node:path';
import { Fault } from '../cli.ts';
import { remove, writeText } from '../files.ts';
import { step } from '../progress.ts';
import { attempt, run } from '../transport/local.ts';
import { ensureCached } from './cache.ts';
import { indexPool } from './pool.ts';
import {
  browserHash,
  debianWords,
  FILES,
  POOL,
  pythonHash,
  REMOVED,
  recipeHash,
  type SystemName,
  WIREGUARD,
} from './recipe.ts';

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

async function makeSystem(name: SystemName, folder: string, mirror: string): Promise<void> {
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

/** The image's folder, with `bare`, `ready` and `world` in it; built first, with progress, where it is missing. */
export const ensureImage = (mirror?: string): Promise<string> =>
  ensureCached(
    {
      name: recipeHash(),
      what: 'lab image',
      takes: 'about a minute',
      parts: ['bare', 'ready', 'world'].map((tree) => `${tree}/etc`),
      build,
    },
    mirror,
  );

/** The folder with the system `browser` in it, `world` with Chromium; built first where it is missing. */
export const ensureBrowser = (mirror?: string): Promise<string> =>
  ensureCached(
    {
      name: browserHash(),
      what: 'lab client with Chromium',
      takes: 'about a minute',
      parts: ['browser/usr/bin/chromium'],
      build: async (folder, source) => {
        await step('Debian for a client with Chromium', () => makeSystem('browser', folder, source));
      },
    },
    mirror,
  );

/** The folder with the system `python` in it, a droplet that Ansible can work on; built first where it is missing. */
export const ensurePython = (mirror?: string): Promise<string> =>
  ensureCached(
    {
      name: pythonHash(),
      what: 'lab droplet with Python',
      takes: 'half a minute',
      parts: ['python/usr/bin/python3'],
      build: async (folder, source) => {
        await step('Debian for droplets with Python', () => makeSystem('python', folder, source));
      },
    },
    mirror,
  );
