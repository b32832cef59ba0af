/** A run's folder, read an attempt at a time; what is broken is told and never ends the reading. */
import { join } from 'node:path';
import type { z } from 'zod';
import {
  type AttemptName,
  FILE,
  MANIFEST,
  readAttemptFolder,
  VISITS,
} from '../../../client/scripts/lib/trace/layout.ts';
import { Fault, messageOf } from '../cli.ts';
import { exists, list, readText } from '../files.ts';
import { manifestSchema, problemOf, type ReportManifest, type Summary, summarySchema } from './schema.ts';

export interface Attempt extends AttemptName {
  /** `0003-0007.1`. */
  folder: string;
  /** Undefined where visit.json cannot be read: `troubles` says why. */
  summary: Summary | undefined;
  /** What is wrong with its files. */
  troubles: string[];
}

export interface Run {
  folder: string;
  manifest: ReportManifest;
  /** By URL, instance and attempt. */
  attempts: Attempt[];
  /** Other things among the visits: nobody knows what they are. */
  strangers: string[];
}

const COLLECT = 'npx zx client/scripts/fetch_websites.ts --help   (says how to collect a run)';

function checked<T extends z.ZodType>(schema: T, path: string): z.infer<T> {
  let json: unknown;
  try {
    json = JSON.parse(readText(path));
  } catch (error) {
    if (error instanceof SyntaxError) throw new Fault({ at: path, what: `no JSON: ${error.message}` });
    throw error;
  }
  const { success, data, error } = schema.safeParse(json);
  if (!success) throw new Fault({ at: path, what: problemOf(error) });
  return data;
}

function readAttempt(run: string, name: string, parts: AttemptName): Attempt {
  const attempt: Attempt = { ...parts, folder: name, summary: undefined, troubles: [] };
  try {
    const summary = checked(summarySchema, join(run, VISITS, name, FILE.summary));
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
  const manifest = checked(manifestSchema, join(folder, MANIFEST));
  const run: Run = { folder, manifest, attempts: [], strangers: [] };
  for (const name of list(join(folder, VISITS))) {
    const parts = readAttemptFolder(name);
    if (parts === undefined) run.strangers.push(name);
    else run.attempts.push(readAttempt(folder, name, parts));
  }
  run.attempts.sort(inOrder);
  return run;
}
