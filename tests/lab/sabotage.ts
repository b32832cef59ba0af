/** Ways to disturb fetch_websites.ts at a chosen moment, and to look at what is left. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { visitSeed } from '../../client/scripts/lib/collect/plan.ts';
import { firstEntries } from '../../client/scripts/lib/schedule.ts';
import { choose } from '../../client/scripts/lib/strategy.ts';
import { WORK } from '../../client/scripts/lib/trace/layout.ts';
import type { TraceRecord, VisitSummary } from '../../client/scripts/lib/trace/record.ts';
import type { Lab, Outcome } from '../../scripts/lib/lab/open.ts';
import { until } from '../../scripts/lib/poll.ts';
import { attemptsOf, fetchRun, recordsOf, summariesOf, summaryOf } from './collector.ts';

export const SEED = 42;
/** Seconds: where the machine is busy, a migrator that wakes a quarter of a second late leaves nothing out. */
const PERIOD = 0.5;
/** More tries than a busy machine uses up: one is made again only where the visit failed. */
const RETRIES = ['--retries', '6'];
export const FLAGS = ['--strategy', 'wr', '--period', String(PERIOD), '--seed', String(SEED), ...RETRIES];

/** The lab that {@link soundRun} expects: two paths, as each droplet more takes its time. */
export const NEEDS = { vpn: 2, browser: true } as const;

/** A shell line in the client, whatever it ends with. */
export const inShell = (lab: Lab, line: string): Promise<Outcome> => lab.exec('client', ['sh', '-c', line]);

/** The collector without npx around it: what a signal is sent to is what takes it. */
export const collector = (lab: Lab, urls: readonly string[], ...flags: string[]): Promise<Outcome> =>
  lab.exec(
    'client',
    ['env', '-C', '/', 'node', '--import', 'tsx', '/comps/fetch_websites.ts', ...FLAGS, ...flags],
    { input: urls.map((url) => `${url}\n`).join('') },
  );

/** For shell lines: the number of the collector's process; the oldest, as what it starts is a copy of it for a moment. */
export const COLLECTOR = "$(pgrep -of '^node --import tsx /comps/fetch_websites')";

/** Shell conditions on the visit under way in a run: its captures have begun; a megabyte of its page has come. */
export const begun = (run: string, visit: string): string => `[ -s ${run}/${WORK}/${visit}/wgnet1.pcap ]`;
export const loading = (run: string, visit: string): string =>
  `[ "$(cat ${run}/${WORK}/${visit}/wgnet*.pcap 2>/dev/null | wc -c)" -gt 1000000 ]`;

/** A shell line that waits for a condition, for a minute and more, then acts. */
export const onceLine = (condition: string, action: string): string =>
  `i=0; until ${condition}; do i=$((i + 1)); [ $i -gt 4000 ] && exit 9; sleep 0.02; done; ${action}`;

/** Acts in the client as soon as a condition holds there. */
export async function once(lab: Lab, condition: string, action: string): Promise<void> {
  const { code, stderr } = await inShell(lab, onceLine(condition, action));
  assert.equal(code, 0, `${condition}: ${action}: ${stderr}`);
}

const TOOLS = 'fetch_websites|migrate\\.ts|tcpdump|chrom|ip -force|ping';

/** Ends at once what is left of a collector: what a test that failed leaves is not the next one's. */
export async function endTools(lab: Lab): Promise<void> {
  await lab.exec('client', ['pkill', '-KILL', '-f', TOOLS]);
}

/** No process of a collector is left in the client, sooner or later. */
export async function nothingRuns(lab: Lab): Promise<void> {
  const left = () => lab.exec('client', ['pgrep', '-af', TOOLS]);
  if (await until(60_000, async () => (await left()).code === 1)) return;
  assert.fail(`still at work: ${(await left()).stdout}`);
}

/** Nothing of a collector, or of its browser, is left in /tmp. */
export async function nothingLies(lab: Lab): Promise<void> {
  const { stdout } = await inShell(lab, 'ls -A /tmp | grep -v "^tsx-\\|^run"');
  assert.equal(stdout, '');
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Attempts of a visit as [number, status, kind of failure], without those that {@link wasTooSlow}. */
type Attempt = [number, string, string | undefined];

/**
 * What the machine's load does to a visit, and nobody else: the schedule could not be carried out in time, a packet waited
 * in a tunnel's program until its path was another one, or tcpdump did not keep up.
 */
const SLOW = [
  ['migration', /too late and were left out: this machine is too slow/],
  ['clock', /left by a path that was not in force by the switch log$/],
  ['capture', /^tcpdump on \S+ lost \d+ of its packets$/],
] as const;

/** What a visit came to says that this machine was too slow for it. */
export const wasTooSlow = ({ failure }: VisitSummary): boolean =>
  SLOW.some(([kind, says]) => failure?.kind === kind && says.test(failure.message));

export interface Run {
  folder: string;
  /** By visit, in the order of attempts. */
  attempts: Map<string, Attempt[]>;
}

function requireRecords(records: readonly TraceRecord[]): void {
  for (const { status, packets, http_trace, page_source } of records) {
    assert.equal(status === 'success', Buffer.from(packets, 'base64').length > 24);
    assert.equal(status === 'success', http_trace.length > 0);
    assert.equal(status === 'success', page_source !== null);
  }
}

/** What the schedule of a visit is by its seed alone: as in a run that nobody disturbs. */
function requireSchedule({ url, visit, switches }: TraceRecord): void {
  const seed = visitSeed(SEED, url, Number(visit.split('-')[1]));
  const paths = choose('wr', { seed, paths: NEEDS.vpn }).paths;
  const planned = firstEntries(paths, PERIOD, (switches.at(-1)?.n ?? -1) + 1);
  for (const { n, path } of switches) assert.equal(path, `wgnet${(planned[n]?.path ?? -1) + 1}`, visit);
}

/** A copy of a run: every file in it as its checksum says, every record as its status says, every schedule as its seed says. */
export async function soundRun(lab: Lab, run: string): Promise<Run> {
  const folder = await fetchRun(lab, run);
  for (const attempt of attemptsOf(folder))
    for (const [name, { bytes, sha256: sum }] of Object.entries(summaryOf(folder, attempt).files)) {
      const content = readFileSync(join(folder, 'visits', attempt, name));
      assert.deepEqual([content.length, sha256(content)], [bytes, sum], `${attempt}/${name}`);
    }
  const records = recordsOf(folder);
  requireRecords(records);
  records.forEach(requireSchedule);
  const attempts = new Map<string, Attempt[]>();
  for (const { visit, status, failure } of summariesOf(folder).filter((each) => !wasTooSlow(each))) {
    const before = attempts.get(visit) ?? [];
    attempts.set(visit, [...before, [before.length + 1, status, failure?.kind]]);
  }
  const { stdout } = await inShell(lab, `ls -A ${run}`);
  assert.equal(stdout, 'lock\nmanifest.json\nvisits\n');
  return { folder, attempts };
}
