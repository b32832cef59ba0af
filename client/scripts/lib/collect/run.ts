/** A run's manifest, and what of the run is there already. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Fault, messageOf } from '../fault.ts';
import { readText } from '../files.ts';
import { list, makeFolder, readIfAny, replace } from '../folders.ts';
import { inside } from '../inside.ts';
import {
  FILE,
  LOCK,
  MANIFEST,
  type Manifest,
  readAttemptFolder,
  type Session,
  type Settings,
  VISITS,
} from '../trace/layout.ts';
import { FORMAT, isFinished, type VisitSummary } from '../trace/record.ts';
import { type Before, beforeFrom } from './collect.ts';
import type { PlannedVisit } from './plan.ts';
import type { RunSink } from './sink.ts';
import type { Tunnel } from './tunnels.ts';

/** The names of settings in which two runs differ. */
export function differences(there: Settings, asked: Settings): (keyof Settings)[] {
  // Some are only there where they were given.
  const some = ['mode', 'allow_tcp', 'weights', 'order', 'batch'];
  const names = [...new Set([...some, ...Object.keys(asked)])] as (keyof Settings)[];
  return names.filter((name) => !isDeepStrictEqual(there[name], asked[name]));
}

/** The manifest in a run's folder; undefined where there is none. Throws a Fault where it cannot be read. */
export function readManifest(run: string): Manifest | undefined {
  const text = readIfAny(join(run, MANIFEST))?.toString();
  if (text === undefined) return undefined;
  try {
    const manifest = JSON.parse(text) as Manifest;
    if (manifest.format === FORMAT) return manifest;
  } catch {
    // Said below.
  }
  throw new Fault({
    at: join(run, MANIFEST),
    what: `is no manifest of format ${FORMAT}`,
    next: '--run another folder',
  });
}

const quoted = (path: string): string => `'${path.replaceAll("'", "'\\''")}'`;

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'none';
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};

/** Throws a Fault where a folder without a manifest holds what is no run's. */
export function requireOwn(run: string): void {
  // What is left of a manifest while that was first written is no manifest.
  const others = list(run).some((name) => name !== `${MANIFEST}.half` && name !== LOCK);
  if (others && readManifest(run) === undefined)
    throw new Fault({
      at: '--run',
      what: `${run} is a folder with other things in it`,
      next: '--run a new folder',
    });
}

/** Opens a run, or goes on with it: the same settings as before but for more retries, or a Fault before anything is changed. */
export function openRun(
  run: string,
  settings: Settings,
  tunnels: readonly Tunnel[],
  session: Session,
): Manifest {
  const there = readManifest(run);
  if (there === undefined) {
    requireOwn(run);
    makeFolder(run);
  } else {
    if (settings.retries > there.settings.retries) there.settings.retries = settings.retries;
    const [name] = differences(there.settings, settings);
    if (name === 'mode')
      throw new Fault({
        at: `--run ${run}`,
        what: `was begun in mode ${there.settings.mode ?? 'wireguard'}, and this client is in mode ${settings.mode ?? 'wireguard'} now`,
        next: '--run another folder, or a client in that mode (wgnet-setup.ts --mode, setup.sh)',
      });
    const same =
      name === 'interfaces' ? `--interfaces ${there.settings.interfaces.join(',')}` : 'the same settings';
    if (name !== undefined)
      throw new Fault({
        at: `--run ${run}`,
        what: `was begun with another ${name}: ${shown(there.settings[name])}, not ${shown(settings[name])}`,
        next: `${same} to go on with it, or --run another folder`,
      });
  }
  const manifest: Manifest = there ?? {
    ...{ format: FORMAT, run: randomUUID() },
    created: session.started,
    settings,
    tunnels: [...tunnels],
    sessions: [],
  };
  manifest.sessions.push({ ...session, tunnels: [...tunnels] });
  writeManifest(run, manifest);
  return manifest;
}

const writeManifest = (run: string, manifest: Manifest): void =>
  replace(join(run, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);

/** Notes that from now on the tunnels under a run at work are others. */
export function noteTunnels(run: string, tunnels: readonly Tunnel[], started: string): void {
  const manifest = readManifest(run);
  const session = manifest?.sessions.at(-1);
  if (manifest === undefined || session === undefined) return;
  manifest.sessions.push({ ...session, started, tunnels: [...tunnels] });
  writeManifest(run, manifest);
}

interface Kept {
  before: Before;
  finished: boolean;
  /** Finished, and not one attempt was a success. */
  failed: boolean;
}

/** What is there of one visit, by the summaries of its attempts. */
function keptOf(run: string, folders: readonly string[], retries: number): Kept {
  const summaries = folders.map((name) => {
    const file = join(run, VISITS, name, FILE.summary);
    try {
      return JSON.parse(readText(file)) as Partial<VisitSummary>;
    } catch (error) {
      throw new Fault({
        at: file,
        what: `is damaged: ${messageOf(error)}`,
        next: `${inside(`rm -r ${quoted(join(run, VISITS, name))}`)}, and the visit is made again unless a later attempt was a success`,
      });
    }
  });
  const attempts = folders.map((name) => readAttemptFolder(name)?.attempt ?? 0);
  const before = beforeFrom(
    summaries.map(({ failure }) => failure?.kind ?? null),
    Math.max(0, ...attempts),
  );
  const kinds = summaries.map(({ status, failure }) => (status === 'success' ? null : failure?.kind));
  const finished = isFinished(kinds, retries);
  return { before, finished, failed: finished && !kinds.includes(null) };
}

/** The visits of a plan that are not finished yet, how many are, and how many of those failed for good. */
export function remaining(sink: RunSink, planned: readonly PlannedVisit[], retries: number) {
  const kept = sink.kept();
  const all = planned.map((visit) => {
    const folders = kept.get(visit.visit) ?? [];
    return { planned: visit, ...keptOf(sink.place, folders, retries) };
  });
  const todo = all.filter(({ finished }) => !finished);
  const failed = all.filter((visit) => visit.failed).length;
  return { todo, finished: all.length - todo.length, failed };
}
