/** The images that the lab's engine has: the Dockerfile's base, and what is built from it. */
import { dirname, join } from 'node:path';
import { EXIT, Fault } from '../cli.ts';
import { readText } from '../files.ts';
import { step } from '../progress.ts';
import { baseIn, RECIPE_FORMAT, recipeOf } from './engine-base.ts';
import { docker } from './engine-daemon.ts';
import { makeBase, npmSettings, type Source } from './engine-debian.ts';
import type { Seat } from './engine-place.ts';

/** Tags, and the Dockerfile's stages that they are made of; the first is its last stage. */
const TARGETS = [
  { tag: 'comps-client', stage: undefined },
  { tag: 'comps-far-end', stage: 'far-end' },
] as const;

export interface Built {
  tag: string;
  /** Milliseconds; almost none where everything was there. */
  ms: number;
  /** Bytes. */
  size: number;
}

const sizeOf = async (seat: Seat, tag: string): Promise<number> =>
  Number((await docker(seat, ['image', 'inspect', '--format', '{{.Size}}', tag])).stdout);

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

async function timed(seat: Seat, tag: string, work: () => Promise<unknown>): Promise<Built> {
  const { ms } = await step(`the image ${tag}`, work);
  const size = await sizeOf(seat, tag);
  // Less, and it was there.
  if (ms > 1000) console.log(`  ${megabytes(size)}`);
  return { tag, ms, size };
}

/** A proxy of this computer's reaches the build, and is no part of the image. */
const PROXIES = ['http_proxy', 'https_proxy', 'no_proxy'].flatMap((name) => [name, name.toUpperCase()]);

/** The words that build one image; the first daemon has this computer's network, and no bridge of its own. */
const buildWords = (context: string, tag: string, stage: string | undefined): string[] => [
  ...['build', '--network', 'host', '--tag', tag],
  ...(stage === undefined ? [] : ['--target', stage]),
  ...PROXIES.filter((name) => process.env[name]).flatMap((name) => ['--build-arg', name]),
  context,
];

/** What a build said last: its error, and the step that it came from. */
export function buildError(stdout: string, stderr: string): string {
  const steps = stdout.split('\n').filter((line) => /^Step \d+/.test(line));
  const said = stderr
    .split('\n')
    .filter((line) => line.trim() !== '' && !/DEPRECATED|BuildKit|buildx/.test(line));
  return [steps.at(-1), ...said.slice(-3)].filter(Boolean).join(' / ');
}

async function build(seat: Seat, context: string, tag: string, stage?: string): Promise<void> {
  const { code, stdout, stderr } = await docker(seat, buildWords(context, tag, stage));
  if (code === 0) return;
  throw new Fault({
    at: join(context, 'Dockerfile'),
    what: `docker build (${tag}) ended with ${code}: ${buildError(stdout, stderr)}`,
    next: 'mend it and run it again; what was built is kept',
    code: EXIT.failed,
  });
}

/** Makes the images of a build context, each with the time it took; what is there already takes almost none. */
export async function makeImages(seat: Seat, context: string, source: Source): Promise<Built[]> {
  const file = join(context, 'Dockerfile');
  const base = baseIn(readText(file), file);
  const settings = await npmSettings();
  const there = await docker(seat, ['image', 'inspect', '--format', RECIPE_FORMAT, base.tag]);
  const built: Built[] = [];
  if (there.stdout.trim() !== recipeOf(base, settings)) {
    console.log(`Making the images of the engine, once (about two minutes): ${dirname(source.half)}`);
    built.push(await timed(seat, base.tag, () => makeBase(seat, base, settings, source)));
  }
  for (const { tag, stage } of TARGETS)
    built.push(await timed(seat, tag, () => build(seat, context, tag, stage)));
  await docker(seat, ['image', 'prune', '--force']);
  return built;
}
