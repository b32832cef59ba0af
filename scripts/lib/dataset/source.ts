/** What commands are given: run folders and records files, and the records in them. */
import { join } from 'node:path';
import {
  FILE,
  MANIFEST,
  type Manifest,
  readAttemptFolder,
  VISITS,
} from '../../../client/scripts/lib/trace/layout.ts';
import {
  hasBothWays,
  type TraceRecord,
  type VisitSummary,
} from '../../../client/scripts/lib/trace/record.ts';
import { Fault } from '../cli.ts';
import { isRereadable, troubleOf, whyNoFile } from '../files/input.ts';
import { exists, isFolder, list, readText } from '../files.ts';
import { type Read, readManifest, readRecord, readSummary } from '../trace-schema.ts';
import { readLines } from './lines.ts';
import type { AttemptOf } from './visits.ts';

export type Source = { kind: 'run'; path: string; manifest: Manifest } | { kind: 'file'; path: string };

/** A record with where it is (`FILE:LINE`), or what is there instead; `of` where it is known of which attempt. */
export type Item = { at: string; record: TraceRecord } | { at: string; problem: string; of?: AttemptOf };

/** Opens what a person named; throws a Fault where it is neither a run nor a file. */
export function openSource(path: string): Source {
  if (!exists(path)) throw new Fault({ at: path, what: 'no such file or folder' });
  if (!isFolder(path)) return { kind: 'file', path };
  const file = join(path, MANIFEST);
  if (!exists(file)) throw new Fault({ at: path, what: `a folder without ${MANIFEST}, so no run` });
  const why = whyNoFile(file);
  if (why !== undefined) throw new Fault({ at: file, what: why });
  const read = readManifest(readText(file));
  if ('problem' in read) throw new Fault({ at: file, what: read.problem });
  return { kind: 'run', path, manifest: read.value };
}

/** Refuses what cannot be read a second time, for work that looks at its sources twice. */
export function requireRereadable(path: string): void {
  if (!isFolder(path) && !isRereadable(path))
    throw new Fault({ at: path, what: 'is no file, and is read twice here', next: `cat ${path} > FILE` });
}

export interface Attempt {
  /** The path of its folder. */
  folder: string;
  name: string;
  visit: string;
  label: number;
  instance: number;
  attempt: number;
}

/** The attempts of a run by label, instance, attempt; `strange`: other names among them. */
export function attemptsOf(run: string): { attempts: Attempt[]; strange: string[] } {
  const names = list(join(run, VISITS));
  const attempts = names.flatMap((name): Attempt[] => {
    const read = readAttemptFolder(name);
    return read === undefined ? [] : [{ ...read, name, folder: join(run, VISITS, name) }];
  });
  attempts.sort((a, b) => a.label - b.label || a.instance - b.instance || a.attempt - b.attempt);
  return { attempts, strange: names.filter((name) => readAttemptFolder(name) === undefined) };
}

/** The records of a file, one at a time. */
export async function* recordsIn(path: string): AsyncGenerator<Item, void> {
  for await (const line of readLines(path)) {
    const at = `${path}:${line.number}`;
    if ('problem' in line) {
      yield { at, problem: line.problem };
      continue;
    }
    const read = readRecord(line.bytes.toString());
    yield 'problem' in read ? { at, problem: read.problem } : { at, record: read.value };
  }
}

/** What visit.json of an attempt says. */
export function summaryIn(folder: string): Read<VisitSummary> {
  const file = join(folder, FILE.summary);
  const why = whyNoFile(file);
  if (why !== undefined) return { problem: why };
  try {
    return readSummary(readText(file));
  } catch (error) {
    return { problem: troubleOf(file, error) };
  }
}

/** The interfaces of the records that an attempt must have. */
export const recordedIn = ({ status, paths }: VisitSummary): string[] =>
  paths.filter((path) => status !== 'success' || hasBothWays(path)).map((path) => path.interface);

/** The records of an attempt of a run; a file without one is a problem too, unless visit.json asks for none. */
async function* recordsOf(run: string, { folder, visit, attempt }: Attempt): AsyncGenerator<Item, void> {
  const file = join(folder, FILE.records);
  const of = { run, visit, attempt };
  const why = whyNoFile(file);
  if (why !== undefined) return yield { at: file, problem: why, of };
  let any = false;
  for await (const item of recordsIn(file)) {
    any = true;
    yield 'problem' in item ? { ...item, of } : item;
  }
  if (any) return;
  const read = summaryIn(folder);
  if ('problem' in read || recordedIn(read.value).length > 0)
    yield { at: file, problem: 'holds no record', of };
}

/** Every record of every source, in their order. */
export async function* itemsOf(sources: readonly Source[]): AsyncGenerator<Item, void> {
  for (const source of sources) {
    if (source.kind === 'file') {
      yield* recordsIn(source.path);
      continue;
    }
    for (const attempt of attemptsOf(source.path).attempts) yield* recordsOf(source.manifest.run, attempt);
  }
}
