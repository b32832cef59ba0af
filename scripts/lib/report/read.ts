/** A run's folder, read an attempt at a time; what is broken is told and never ends the reading. */
import { join } from 'node:path';
import {
  type AttemptName,
  FILE,
  MANIFEST,
  type Manifest,
  readAttemptFolder,
  VISITS,
} from '../../../client/scripts/lib/trace/layout.ts';
import type { VisitSummary } from '../../../client/scripts/lib/trace/record.ts';
import { Fault, messageOf } from '../cli.ts';
import { whyNoFile } from '../files/input.ts';
import { exists, list, readText } from '../files.ts';
import { type Read, readManifest, readSummary } from '../trace-schema.ts';

export interface Attempt extends AttemptName {
  /** `0003-0007.1`. */
  folder: string;
  /** Undefined where visit.json cannot be read: `troubles` says why. */
  summary: VisitSummary | undefined;
  /** What is wrong with its files. */
  troubles: string[];
}

export interface Run {
  folder: string;
  manifest: Manifest;
  /** By URL, instance and attempt. */
  attempts: Attempt[];
  /** Other things among the visits: nobody knows what they are. */
  strangers: string[];
}

const COLLECT = 'npx zx client/scripts/fetch_websites.ts --help   (says how to collect a run)';

function checked<T>(read: (text: string) => Read<T>, path: string): T {
  const why = whyNoFile(path);
  if (why !== undefined) throw new Fault({ at: path, what: why });
  const found = read(readText(path));
  if ('problem' in found) throw new Fault({ at: path, what: found.problem });
  return found.value;
}

function readAttempt(run: string, name: string, parts: AttemptName): Attempt {
  const attempt: Attempt = { ...parts, folder: name, summary: undefined, troubles: [] };
  try {
    const summary = checked(readSummary, join(run, VISITS, name, FILE.summary));
    if (summary.visit !== parts.visit || summary.attempt !== parts.attempt)
      throw new Fault({
        at: FILE.summary,
        what: `it is of visit ${summary.visit}.${summary.attempt}, its folder is not`,
      });
    attempt.summary = summary;
  } catch (error) {
    attempt.troubles.push(messageOf(error).replaceAll(join(run, VISITS, name, '/'), ''));
  }
  return attempt;
}

const inOrder = (a: AttemptName, b: AttemptName): number =>
  a.label - b.label || a.instance - b.instance || a.attempt - b.attempt;

/** Everything but the packets. A Fault where the folder is no run. */
export function readRun(folder: string): Run {
  if (!exists(folder)) throw new Fault({ at: folder, what: 'no such folder', next: COLLECT });
  if (!exists(join(folder, MANIFEST)))
    throw new Fault({ at: folder, what: `no folder of a run: it holds no ${MANIFEST}`, next: COLLECT });
  const manifest = checked(readManifest, join(folder, MANIFEST));
  const run: Run = { folder, manifest, attempts: [], strangers: [] };
  for (const name of list(join(folder, VISITS))) {
    const parts = readAttemptFolder(name);
    if (parts === undefined) run.strangers.push(name);
    else run.attempts.push(readAttempt(folder, name, parts));
  }
  run.attempts.sort(inOrder);
  return run;
}
