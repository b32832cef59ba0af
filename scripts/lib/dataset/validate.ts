/** Whether data sets are whole and true to themselves. */
import { join } from 'node:path';
import { MANIFEST, type Manifest, VISITS, WORK } from '../../../client/scripts/lib/trace/layout.ts';
import type { TraceRecord, VisitFacts } from '../../../client/scripts/lib/trace/record.ts';
import { Fault } from '../cli.ts';
import { troubleOf } from '../files/input.ts';
import { list } from '../files.ts';
import { checkAttempt, type Tell } from './check-attempt.ts';
import { checkRecord } from './check-record.ts';
import { checkComplete, type Ends, isAsked } from './complete.ts';
import { type Attempt, attemptsOf, openSource, recordsIn, type Source } from './source.ts';
import { attemptId, recordId, Visits } from './visits.ts';

export interface Validation {
  findings: { at: string; what: string }[];
  /** What is worth knowing, and makes nothing invalid. */
  notes: { at: string; what: string }[];
  /** Findings beyond the ones that are kept. */
  more: number;
  visits: number;
  success: number;
  failures: Record<string, number>;
  attempts: number;
  records: number;
  /** Of them, successes with packets in one direction only, as a path may have; some readers drop them. */
  one_way: number;
  /** On the wire, of the records' packets. */
  bytes: number;
}

/** More are only counted. */
const KEPT = 10_000;

interface Ended {
  run: string;
  visit: string;
  attempt: number;
  kind: string | null;
}

/** What all records of an attempt have in common, and a merge leaves alone; not the texts that are long. */
const COMMON = [
  ...(['status', 'protocol', 'http_status', 'mode', 'allow_tcp', 'strategy', 'period'] as const),
  ...(['seed', 'run_seed', 'started', 'navigated', 'loaded', 'ended', 'headers_only'] as const),
];

/** The records of an attempt: those that it says to have, and those that are there. */
interface Parts {
  at: string;
  name: string;
  recorded: Set<string>;
  seen: Set<string>;
  /** Values of {@link COMMON} in the first of them. */
  common: unknown[];
  /** Its folder is checked against visit.json, which says more. */
  inRun: boolean;
}

/** Packets of an attempt, over all its paths. */
interface Directions {
  at: string;
  out: number;
  in: number;
}

class Book {
  readonly findings: Validation['findings'] = [];
  readonly notes: Validation['notes'] = [];
  more = 0;
  records = 0;
  bytes = 0;
  private oneWay = 0;
  private readonly directions = new Map<string, Directions>();
  private readonly parts = new Map<string, Parts>();
  private readonly attempts = new Set<string>();
  private readonly seen = new Map<string, string>();
  private readonly visits = new Visits<Ended>();

  readonly tell: Tell = (at, what) => {
    if (this.findings.length < KEPT) this.findings.push({ at, what });
    else this.more++;
  };

  /** Attempts of a visit that are not there, from one to another, before a later one. */
  gap(at: string, first: number, last: number): void {
    const which = first === last ? `attempt ${first} is` : `attempts ${first} to ${last} are`;
    if (this.notes.length < KEPT) this.notes.push({ at, what: `${which} missing, and not made again` });
  }

  /** Notes an attempt, once. */
  attempt(facts: VisitFacts): void {
    const id = attemptId(facts);
    if (this.attempts.has(id)) return;
    this.attempts.add(id);
    const kind = facts.status === 'success' ? null : (facts.failure?.kind ?? facts.status);
    this.visits.add({ run: facts.run, visit: facts.visit, attempt: facts.attempt, kind });
  }

  record(record: TraceRecord, at: string, inRun: boolean): void {
    this.part(record, at, inRun);
    this.records++;
    this.bytes += record.bytes_out + record.bytes_in;
    const id = recordId(record);
    const before = this.seen.get(id);
    if (before !== undefined) this.tell(at, `the record that ${before} has too`);
    else this.seen.set(id, at);
    if (record.status === 'success') this.count(record, at);
  }

  private part(record: TraceRecord, at: string, inRun: boolean): void {
    const id = attemptId(record);
    const name = `${record.visit}.${record.attempt}`;
    const common = COMMON.map((key) => record[key]);
    const parts = this.parts.get(id) ?? { at, name, recorded: new Set(), seen: new Set(), common, inRun };
    for (const one of record.recorded) parts.recorded.add(one);
    parts.seen.add(record.interface);
    // In a run each is held against visit.json.
    const odd = inRun ? undefined : COMMON.find((_, i) => common[i] !== parts.common[i]);
    if (odd !== undefined) this.tell(at, `${odd} is not that of the other records of visit ${name}`);
    parts.inRun ||= inRun;
    this.parts.set(id, parts);
  }

  private count(record: TraceRecord, at: string): void {
    const { packets_out, packets_in } = record;
    if (packets_out === 0 || packets_in === 0) this.oneWay++;
    const id = attemptId(record);
    const sums = this.directions.get(id) ?? { at, out: 0, in: 0 };
    sums.out += packets_out;
    sums.in += packets_in;
    this.directions.set(id, sums);
  }

  summary(): Validation {
    for (const { at, name, recorded, seen, inRun } of this.parts.values()) {
      const missing = [...recorded].filter((one) => !seen.has(one));
      if (missing.length > 0 && !inRun)
        this.tell(at, `visit ${name} is incomplete: no record of ${missing.join(', ')}`);
    }
    for (const { at, ...sums } of this.directions.values())
      if (sums.out === 0 || sums.in === 0)
        this.tell(at, 'a success with packets in one direction only, over all its paths');
    const failures: Record<string, number> = {};
    const all = [...this.visits.all()];
    for (const chain of all)
      if (chain.every(({ kind }) => kind !== null)) {
        const kind = chain.at(-1)?.kind ?? 'failure';
        failures[kind] = (failures[kind] ?? 0) + 1;
      }
    const { findings, notes, more, records, oneWay, bytes } = this;
    const failed = Object.values(failures).reduce((a, b) => a + b, 0);
    return {
      ...{ findings, notes, more, visits: all.length, success: all.length - failed, failures },
      ...{ attempts: this.attempts.size, records, one_way: oneWay, bytes },
    };
  }
}

async function validateAttempt(attempt: Attempt, manifest: Manifest, ends: Ends, book: Book): Promise<void> {
  const { visit, folder } = attempt;
  const { last, kinds } = ends.get(visit) ?? { last: 0, kinds: [] };
  // Whoever takes a damaged one away, as the collector says, is not given it again.
  if (attempt.attempt > last + 1) book.gap(folder, last + 1, attempt.attempt - 1);
  if (kinds.includes(null)) book.tell(folder, 'an attempt after a success');
  if (!isAsked(visit, manifest.settings)) book.tell(folder, 'a visit that the manifest does not ask for');
  const count = (record: TraceRecord): void => book.record(record, folder, true);
  const summary = await checkAttempt(attempt, manifest, { tell: book.tell, count });
  if (summary !== undefined) book.attempt(summary);
  const end = summary?.status === 'success' ? null : summary?.failure?.kind;
  ends.set(visit, { last: attempt.attempt, kinds: [...kinds, end] });
}

/** Carries a check out; what cannot be read is a finding, and does not end the others. */
async function tolerant(at: string, tell: Tell, check: () => Promise<void> | void): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    tell(at, troubleOf(at, error));
  }
}

async function validateRun({ path, manifest }: Source & { kind: 'run' }, book: Book): Promise<void> {
  const { attempts, strange } = attemptsOf(path);
  for (const name of strange) book.tell(join(path, VISITS, name), 'no attempt of a visit');
  await tolerant(join(path, WORK), book.tell, () => {
    if (list(join(path, WORK)).length > 0) book.tell(join(path, WORK), 'holds a visit under way, or cut off');
  });
  const ends: Ends = new Map();
  for (const attempt of attempts)
    await tolerant(attempt.folder, book.tell, () => validateAttempt(attempt, manifest, ends, book));
  checkComplete(path, manifest, ends, book.tell);
}

async function validateFile(path: string, book: Book): Promise<void> {
  let any = false;
  for await (const item of recordsIn(path)) {
    any = true;
    if ('problem' in item) {
      book.tell(item.at, item.problem);
      continue;
    }
    const { record, at } = item;
    for (const what of checkRecord(record).found) book.tell(at, what);
    book.record(record, at, false);
    book.attempt(record);
  }
  if (!any) book.tell(path, 'empty');
}

/** Checks all sources. A path that does not exist is a Fault; a run with a bad manifest is a finding. */
export async function validate(paths: readonly string[]): Promise<Validation> {
  const book = new Book();
  for (const path of paths) {
    let source: Source;
    try {
      source = openSource(path);
    } catch (error) {
      const at = join(path, MANIFEST);
      if (!(error instanceof Fault) || !error.message.startsWith(`${at}: `)) throw error;
      book.tell(at, error.message.slice(at.length + 2));
      continue;
    }
    const { kind } = source;
    if (kind === 'run') await tolerant(path, book.tell, () => validateRun(source, book));
    else await validateFile(path, book);
  }
  return book.summary();
}
