/** fetch_websites.ts in a lab's client, as its users call it. */
import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TraceRecord, VisitSummary } from '../../client/scripts/lib/trace/record.ts';
import { clientRun, clientScript } from '../../scripts/lib/lab/client.ts';
import type { Lab, Outcome } from '../../scripts/lib/lab/open.ts';
import { labStatus } from '../../scripts/lib/lab/status.ts';
import { goodSetup } from './fixture.ts';

/** A small page, one with many parts, a large download within a page. */
export const SITES = ['small', 'many', 'large'].map((name) => `https://${name}.example.org/`);

/** Servers set up, and the client's tunnels up. */
export async function ready(lab: Lab): Promise<void> {
  await goodSetup(lab);
  await clientRun(lab, '/etc/wireguard/setup.sh', 'up');
}

export const collect = (lab: Lab, urls: readonly string[], ...flags: string[]): Promise<Outcome> =>
  lab.exec('client', clientScript('fetch_websites.ts', ...flags), {
    input: urls.map((url) => `${url}\n`).join(''),
  });

/** A folder of the client's own file system, as this computer sees it. */
export async function inClient(lab: Lab, path: string): Promise<string> {
  const { machines } = await labStatus(lab.name);
  const pid = machines.find(({ role }) => role === 'client')?.pid;
  assert.ok(pid, 'the client is up');
  return `/proc/${pid}/root${path}`;
}

/** A copy of a run's folder that outlives the client. */
export async function fetchRun(lab: Lab, run: string): Promise<string> {
  const copy = join(lab.directory, run.replaceAll('/', '-').slice(1));
  cpSync(await inClient(lab, run), copy, { recursive: true });
  return copy;
}

const read = (...path: string[]): string => readFileSync(join(...path), 'utf8');

/** All attempts of a run, in the order of their names. */
export const attemptsOf = (run: string): string[] => readdirSync(join(run, 'visits')).sort();
export const summaryOf = (run: string, attempt: string): VisitSummary =>
  JSON.parse(read(run, 'visits', attempt, 'visit.json'));
export const summariesOf = (run: string): VisitSummary[] =>
  attemptsOf(run).map((attempt) => summaryOf(run, attempt));

export const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');
export const recordsIn = (text: string): TraceRecord[] => linesOf(text).map((line) => JSON.parse(line));
/** The records of one visit that its last attempt made: on a machine that was too slow for a schedule, others are before it. */
export function lastRecordsIn(text: string): TraceRecord[] {
  const all = recordsIn(text);
  return all.filter(({ attempt }) => attempt === all.at(-1)?.attempt);
}
export const recordsOf = (run: string): TraceRecord[] =>
  attemptsOf(run).flatMap((attempt) => recordsIn(read(run, 'visits', attempt, 'records.jsonl')));
