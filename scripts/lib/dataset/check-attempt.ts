/** Whether the folder of an attempt holds what its visit.json says. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Bounds, sentBetween } from '../../../client/scripts/lib/collect/by-packet.ts';
import { SLACK } from '../../../client/scripts/lib/collect/in-force.ts';
import { isTimed } from '../../../client/scripts/lib/strategy.ts';
import { captureFile, FILE, type Manifest } from '../../../client/scripts/lib/trace/layout.ts';
import { type Packet, type Pcap, PcapError, readPcap } from '../../../client/scripts/lib/trace/pcap.ts';
import type { TraceRecord, VisitSummary } from '../../../client/scripts/lib/trace/record.ts';
import { Fault } from '../cli.ts';
import { readPieces, troubleOf, whyNoFile } from '../files/input.ts';
import { list, readBytes, readText } from '../files.ts';
import { checkLog, checkSplit, type Log, readLog } from './check-log.ts';
import { checkFacts, checkRecord } from './check-record.ts';
import { checkShares } from './check-schedule.ts';
import { type Attempt, recordedIn, recordsIn, summaryIn } from './source.ts';

export type Tell = (at: string, what: string) => void;

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** What is wrong with a file of visit.json. */
async function checkFile(file: string, { bytes, sha256: wanted }: VisitSummary['files'][string]) {
  const why = whyNoFile(file);
  if (why !== undefined) return why;
  const hash = createHash('sha256');
  let length = 0;
  try {
    for await (const piece of readPieces(file)) {
      hash.update(piece);
      length += piece.length;
    }
  } catch (error) {
    return troubleOf(file, error);
  }
  if (length !== bytes) return `${length} bytes, visit.json says ${bytes}`;
  return hash.digest('hex') === wanted ? undefined : 'its checksum is not that in visit.json';
}

async function checkFiles(folder: string, { files }: VisitSummary, tell: Tell): Promise<void> {
  for (const [name, one] of Object.entries(files)) {
    const file = join(folder, name);
    // Names come from a file; none of them leads out of the folder.
    const leaves = name.includes('/') || name === '..' || name === '.';
    const what = leaves ? `visit.json names "${name}", no file of this folder` : await checkFile(file, one);
    if (what !== undefined) tell(leaves ? folder : file, what);
  }
  for (const name of list(folder))
    if (name !== FILE.summary && !Object.hasOwn(files, name)) tell(join(folder, name), 'not in visit.json');
}

/** Keys that visit.json and a record have or have not together. */
const OPTIONAL = ['mode', 'allow_tcp', 'given_weights', 'order', 'batch'];

/** The first key of visit.json that a record has with another value, or one of the two alone. */
function differing(record: TraceRecord, summary: VisitSummary): string | undefined {
  const own = record as unknown as Record<string, unknown>;
  const different = ['title', 'paths', 'checks', 'leaked', 'switch_count', 'files'];
  return [...Object.keys(summary), ...OPTIONAL].find(
    (name) =>
      !different.includes(name) &&
      JSON.stringify(own[name]) !== JSON.stringify((summary as unknown as Record<string, unknown>)[name]),
  );
}

/** Whether the capture beside a record holds the same packets. */
function sameCapture(folder: string, record: TraceRecord, bytes: Buffer, { files }: VisitSummary): boolean {
  const name = captureFile(record.interface);
  if (files[name]?.sha256 === sha256(bytes)) return true;
  const file = join(folder, name);
  if (name.includes('/') || whyNoFile(file) !== undefined) return false;
  try {
    const both = [readBytes(file), bytes].map((one) => readPcap(one, record.client_address).packets);
    return JSON.stringify(both[0]) === JSON.stringify(both[1]);
  } catch (error) {
    if (error instanceof PcapError || error instanceof Fault) return false;
    throw error;
  }
}

function checkAgainst(
  folder: string,
  record: TraceRecord,
  bytes: Buffer | undefined,
  summary: VisitSummary,
): string[] {
  const found: string[] = [];
  const name = differing(record, summary);
  if (name !== undefined) found.push(`${name} is not that in visit.json`);
  const totals = summary.paths.find((path) => path.interface === record.interface);
  const counts = [
    'packets_out',
    'packets_in',
    'bytes_out',
    'bytes_in',
    'client_address',
    'in_force',
  ] as const;
  const other = totals === undefined ? 'interface' : counts.find((key) => totals[key] !== record[key]);
  if (other !== undefined) found.push(`${other} is not that of the path in visit.json`);
  if (JSON.stringify([...record.recorded].sort()) !== JSON.stringify(recordedIn(summary).sort()))
    found.push('recorded is not what the paths in visit.json give');
  if (bytes !== undefined && !sameCapture(folder, record, bytes, summary))
    found.push(`packets are not those in ${captureFile(record.interface)}`);
  return found;
}

function checkSummary(attempt: Attempt, summary: VisitSummary, { run, settings }: Manifest): string[] {
  const found = checkFacts(summary);
  if (summary.run !== run) found.push('run is not that of the manifest');
  if (summary.visit !== attempt.visit || summary.attempt !== attempt.attempt)
    found.push(`says visit ${summary.visit}, attempt ${summary.attempt}`);
  if (summary.label !== attempt.label) found.push(`label is ${summary.label}`);
  if (settings.urls[attempt.label] !== summary.url)
    found.push(`url is not number ${attempt.label} of the manifest`);
  for (const name of ['strategy', 'period', 'interfaces', 'headers_only'] as const)
    if (JSON.stringify(settings[name]) !== JSON.stringify(summary[name]))
      found.push(`${name} is not that of the manifest`);
  const pairs = [
    ['mode', settings.mode, summary.mode],
    ['allow_tcp', settings.allow_tcp, summary.allow_tcp],
    ['given_weights', settings.weights, summary.given_weights],
    ['order', settings.order, summary.order],
    ['batch', settings.batch, summary.batch],
  ] as const;
  for (const [name, asked, there] of pairs)
    if (JSON.stringify(asked) !== JSON.stringify(there)) found.push(`${name} is not that of the manifest`);
  if (summary.run_seed !== settings.seed) found.push('run_seed is not the seed of the manifest');
  if (summary.status !== 'success') return found;
  const failed = summary.checks.filter(({ ok }) => !ok).map(({ name }) => name);
  if (failed.length > 0) found.push(`a success that failed its checks: ${failed.join(', ')}`);
  if ((summary.leaked ?? 0) > 0) found.push(`a success with ${summary.leaked} packets past the tunnels`);
  return found;
}

function logOf(folder: string, tell: Tell): Log | undefined {
  const file = join(folder, FILE.switches);
  // What is missing is told with the files.
  if (whyNoFile(file) !== undefined) return undefined;
  const log = readLog(readText(file));
  for (const problem of log.problems) tell(`${file}:${problem.split(':')[0]}`, problem.replace(/^\d+: /, ''));
  return log;
}

/**
 * What went out on each path while the page loaded, in the order of `interfaces`; by the capture where a path has no
 * record, as it had packets one way only.
 */
function sentOn(folder: string, { interfaces, paths, ...times }: VisitSummary, read: Map<string, Packet[]>) {
  const { navigated, loaded } = times;
  if (navigated === null || loaded === null) return [];
  const found = interfaces.map((name) => {
    const file = join(folder, captureFile(name));
    const client = paths.find((path) => path.interface === name)?.client_address ?? '';
    const packets = read.get(name);
    if (packets !== undefined || whyNoFile(file) !== undefined)
      return { pcap: { packets: packets ?? [], cut: false } };
    return { pcap: captured(file, client) };
  });
  return sentBetween(found, navigated, loaded - SLACK);
}

/** The same, with what went out in the whole visit. */
const boundsOf = ({ interfaces, paths }: VisitSummary, sent: readonly number[]): Bounds[] =>
  interfaces.map((name, i) => ({
    interface: name,
    least: sent[i] ?? 0,
    most: paths.find((path) => path.interface === name)?.packets_out ?? 0,
  }));

/** What is wrong with a capture is told with its checksum. */
function captured(file: string, client: string): Pcap {
  try {
    return readPcap(readBytes(file), client);
  } catch (error) {
    if (error instanceof PcapError || error instanceof Fault) return { packets: [], cut: false };
    throw error;
  }
}

/** Checks an attempt; `count` gets every record that can be read. Returns its summary where there is one. */
export async function checkAttempt(
  attempt: Attempt,
  manifest: Manifest,
  { tell, count }: { tell: Tell; count: (record: TraceRecord) => void },
): Promise<VisitSummary | undefined> {
  const { folder } = attempt;
  const file = join(folder, FILE.summary);
  const read = summaryIn(folder);
  if ('problem' in read) {
    tell(file, read.problem);
    return undefined;
  }
  const summary = read.value;
  for (const what of checkSummary(attempt, summary, manifest)) tell(file, what);
  await checkFiles(folder, summary, tell);
  const log = logOf(folder, tell);
  const paths = new Map<string, Packet[]>();
  const records = join(folder, FILE.records);
  for await (const item of whyNoFile(records) === undefined ? recordsIn(records) : []) {
    if ('problem' in item) {
      tell(item.at, item.problem);
      continue;
    }
    const { record, at } = item;
    if (paths.has(record.interface)) tell(at, `a second record of ${record.interface}`);
    const { found, packets, bytes } = checkRecord(record);
    paths.set(record.interface, packets);
    if (log !== undefined) found.push(...checkLog(log, record.switches));
    for (const what of [...found, ...checkAgainst(folder, record, bytes, summary)]) tell(at, what);
    count(record);
  }
  for (const name of recordedIn(summary)) if (!paths.has(name)) tell(records, `no record of ${name}`);
  if (summary.status === 'success' && !isTimed(summary.strategy)) {
    const sent = sentOn(folder, summary, paths);
    for (const what of checkShares(summary, sent)) tell(file, what);
    if (log !== undefined)
      for (const what of checkSplit(log, boundsOf(summary, sent))) tell(join(folder, FILE.switches), what);
  }
  return summary;
}
