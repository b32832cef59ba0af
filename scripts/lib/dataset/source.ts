/** What commands are given: run folders and records files, and the records in them. */
import { join } from 'node:path';
import {
  FILE,
  MANIFEST,
  type Manifest,
  readAttemptFolder,
  VISITS,
} from '../../../client/scripts/lib/trace/layout.ts';
import type { TraceRecord } from '../../../client/scripts/lib/trace/record.ts';
import { Fault } from '../cli.ts';
import { isRereadable } from '../files/input.ts';
import { exists, isFolder, list, readText } from '../files.ts';
import { readManifest, readRecord } from '../trace-schema.ts';
import { readLines } from './lines.ts';

export type Source = { kind: 'run'; path: string; manifest: Manifest } | { kind: 'file'; path: string };

/** A record with where it is (`FILE:LINE`), or what is there instead. */
export type Item = { at: string; record: TraceRecord } | { at: string; problem: string };

/** Opens what a person named; throws a Fault where it is neither a run nor a file. */
export function openSource(path: string): Source {
  if (!exists(path)) throw new Fault({ at: path, what: 'no such file or folder' });
  if (!isFolder(path)) return { kind: 'file', path };
  const file = join(path, MANIFEST);
  if (!exists(file)) throw new Fault({ at: path, what: `a folder without ${MANIFEST}, so no run` });
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

/** Every record of every source, in their order. */
export async function* itemsOf(sources: readonly Source[]): AsyncGenerator<Item, void> {
  for (const source of sources) {
    if (source.kind === 'file') {
      yield* recordsIn(source.path);
      continue;
    }
    for (const { folder } of attemptsOf(source.path).attempts) {
      const file = join(folder, FILE.records);
      if (exists(file)) yield* recordsIn(file);
      else yield { at: file, problem: 'missing' };
    }
  }
}
