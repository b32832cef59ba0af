/** Writes the demo’s folder. */
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { atEnd, EXIT, Fault } from '../cli.ts';
import {
  createText,
  list,
  makeDirectory,
  readTextIfAny,
  remove,
  removeHalves,
  setMode,
  writeText,
} from '../files.ts';
import { makeCertificate, type SiteCertificate } from '../tls/certificate.ts';
import { type DemoFile, demoFiles } from './demo-files.ts';
import { freshKeys, renderingId } from './keys.ts';
import { demoTopology, type Plan, SITE_NAMES } from './plan.ts';
import { composeFile, type ProjectFolders, TITLE } from './texts.ts';

/** By this file the next rendering knows the folder as one of its own; it keeps keys out of git as well. */
const MARK = '.gitignore';
const MARK_TEXT = '# The wg-migrate demo, written by scripts/wg-migrate.ts: it holds keys.\n*\n';
export const COMPOSE = 'docker-compose.yml';

/** Refuses a folder that holds other things; one that was half written is taken. */
export function requireOwnFolder(directory: string): void {
  if (list(directory).length === 0 || readTextIfAny(join(directory, MARK)) === MARK_TEXT) return;
  throw new Fault({
    at: directory,
    what: 'holds other files than the demo’s',
    next: 'name a new or an empty folder with --out',
  });
}

function makeFolder(path: string, mode: number): void {
  makeDirectory(path, mode);
  setMode(path, mode);
}

/** The certificate, made in a folder that is gone afterwards. */
async function certify(directory: string): Promise<SiteCertificate> {
  const work = join(directory, `.tls.${randomBytes(4).toString('hex')}`);
  const clear = atEnd(() => remove(work));
  try {
    makeFolder(work, 0o700);
    return await makeCertificate(work, TITLE, SITE_NAMES);
  } finally {
    await clear();
  }
}

/** Folders that their containers’ ordinary users read as well; the others are for their owner alone. */
const modeOf = (folder: string): number => (/^(site|browser)/.test(folder) ? 0o755 : 0o700);

/** Writes all files, and removes what is left of an earlier, larger demo. */
function install(directory: string, files: readonly DemoFile[]): void {
  const folders = new Set(files.flatMap(({ name }) => [name.split('/')[0] ?? '', dirname(name)]));
  for (const folder of folders) makeFolder(join(directory, folder), modeOf(folder));
  for (const { name, text, mode } of files) writeText(join(directory, name), text, mode);
  const stale = [
    ...list(directory).filter((name) => /^wgnet\d+$/.test(name) && !folders.has(name)),
    ...list(join(directory, 'client'))
      .map((name) => `client/${name}`)
      .filter((name) => /\/wgnet\d+\.conf$/.test(name) && !files.some((file) => file.name === name)),
  ];
  for (const name of stale) remove(join(directory, name));
}

/**
 * Renders the demo with new keys. docker-compose.yml goes first and comes last: without it nothing starts, so what
 * was cut off half-way is never brought up.
 */
export async function renderDemo(plan: Plan, directory: string, project: ProjectFolders): Promise<void> {
  makeFolder(directory, 0o700);
  writeText(join(directory, MARK), MARK_TEXT);
  removeHalves(directory);
  const topology = demoTopology(plan);
  const keys = freshKeys(topology);
  const site = await certify(directory);
  const compose = composeFile(plan, renderingId(topology, keys, site.authority), project);
  remove(join(directory, COMPOSE));
  install(directory, demoFiles({ plan, topology, keys, site }));
  if (createText(join(directory, COMPOSE), compose, 0o644)) return;
  // Either has written over keys of the other.
  remove(join(directory, COMPOSE));
  throw new Fault({
    at: directory,
    what: 'another rendering wrote to this folder at the same time, so the keys may not fit',
    next: 'run this once more',
    code: EXIT.failed,
  });
}
