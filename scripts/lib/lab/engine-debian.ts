/** Makes the base image of client/Dockerfile from Debian's mirror and npm's packages. */
import { join } from 'node:path';
import { z } from 'zod';
import { EXIT, Fault } from '../cli.ts';
import { makeDirectory, readText, remove, setMode, writeText } from '../files.ts';
import { attempt, run } from '../transport/local.ts';
import {
  type Base,
  debianWords,
  filesOf,
  INSTALL,
  importWords,
  NPM,
  type NpmSettings,
  PACK,
  recipeOf,
} from './engine-base.ts';
import { dockerEnvironment, type Seat } from './engine-place.ts';
import { BOUND, causeIn } from './image.ts';
import { findMirror } from './mirror.ts';

/** This computer's npm settings, as its npm says them. */
export async function npmSettings(): Promise<NpmSettings> {
  const ask = async (key: string): Promise<string> => (await run(['npm', 'config', 'get', key])).trim();
  const [registry, cafile] = await Promise.all([ask('registry'), ask('cafile')]);
  const none = ['', 'null', 'undefined'].includes(cafile);
  return { registry, certificates: none ? undefined : readText(cafile, 'npm config set cafile FILE') };
}

const packed = z.array(z.object({ version: z.string(), filename: z.string() }));

/** Fetches a package as a file into a folder. */
async function pack(folder: string, name: string): Promise<{ version: string; filename: string }> {
  const words = ['npm', 'pack', name, '--json', '--silent', '--pack-destination', folder];
  const { code, stdout, stderr } = await attempt([...BOUND, ...words]);
  const found = code === 0 ? packed.parse(JSON.parse(stdout))[0] : undefined;
  if (found !== undefined) return found;
  throw new Fault({
    at: `npm pack ${name}`,
    what: stderr.trim().split('\n').at(-1) || `ended with ${code}`,
    next: 'see that npm reaches its registry (npm ping), and run it again',
    code: EXIT.failed,
  });
}

async function debian(suite: string, tree: string, mirror?: string): Promise<void> {
  const { code, stderr } = await attempt([...BOUND, ...debianWords(suite, tree, await findMirror(mirror))]);
  if (code === 0) return;
  throw new Fault({
    at: `Debian ${suite}`,
    what: `mmdebstrap ended with ${code}: ${causeIn(stderr)}`,
    next: 'see that the Debian mirror answers (choose one with COMPS_LAB_MIRROR=URL), and run it again',
    code: EXIT.failed,
  });
}

export interface Source {
  /** A folder for half-made things, gone afterwards. */
  half: string;
  /** Debian's; apt's own unless given. */
  mirror: string | undefined;
}

/** Makes the base image in a daemon. */
export async function makeBase(
  seat: Seat,
  base: Base,
  settings: NpmSettings,
  { half, mirror }: Source,
): Promise<void> {
  if (process.arch !== 'x64' && process.arch !== 'arm64')
    throw new Fault({ what: `no Node package for ${process.arch}; an engine needs x64 or arm64` });
  remove(half);
  makeDirectory(half, 0o700);
  try {
    const tree = join(half, 'tree');
    const [node, npm] = await Promise.all([
      pack(half, `node-linux-${process.arch}@${base.node}`),
      pack(half, `npm@${NPM}`),
      debian(base.suite, tree, mirror),
    ]);
    const inside = [...BOUND, 'env', '-C', half];
    await run([...inside, 'sh', '-c', INSTALL, 'sh', node.filename, npm.filename]);
    for (const { path, text, mode } of filesOf(settings)) {
      makeDirectory(join(tree, path, '..'));
      writeText(join(tree, path), text, mode);
      setMode(join(tree, path), mode);
    }
    await run([...inside, 'sh', '-c', PACK]);
    const words = importWords(base.tag, node.version, recipeOf(base, settings), settings);
    await run([...inside, 'docker', ...words], { env: dockerEnvironment(seat) });
  } finally {
    remove(half);
  }
}
