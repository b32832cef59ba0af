/** From what a visit came to, to what is written of it. */
import { join } from 'node:path';
import { messageOf } from '../fault.ts';
import { list, pieces, readIfAny, remove, sizeOf, write } from '../folders.ts';
import { BATCH } from '../packet-strategy.ts';
import { isTimed } from '../strategy.ts';
import { captureFile, FILE, type Settings } from '../trace/layout.ts';
import { PCAP_HEADER, type Pcap, readPcap } from '../trace/pcap.ts';
import {
  type Failure,
  FORMAT,
  hasBothWays,
  type PathTotals,
  type Switch,
  type TraceRecord,
  type Versions,
  type VisitFacts,
  type VisitSummary,
} from '../trace/record.ts';
import type { VisitSplit } from './by-packet.ts';
import { lastAsked, missedNotes, withoutHttp3 } from './http3.ts';
import { judge, type Verdict } from './judge.ts';
import type { MigratorLine } from './migrator.ts';
import type { PlannedVisit } from './plan.ts';
import { PIECE, recordText } from './record.ts';
import type { Raw, Stage } from './visit.ts';

export interface Outcome {
  facts: VisitFacts;
  summary: Omit<VisitSummary, 'files'>;
  /** The text of its records. */
  records(): AsyncGenerator<string>;
}

const ofEvent = <E extends MigratorLine['event']>(log: readonly MigratorLine[], event: E) =>
  log.filter((line): line is Extract<MigratorLine, { event: E }> => line.event === event);

const NOTHING: Pcap = { packets: [], cut: false };

/** The captures of a visit, and what is wrong with them. */
function readCaptures(stage: Stage, folder: string) {
  const transport = stage.settings.mode === 'quic';
  let failure: Failure | undefined;
  const paths = stage.tunnels.map(({ interface: name, client_address: client, mtu }) => {
    const bytes = readIfAny(join(folder, captureFile(name))) ?? Buffer.alloc(0);
    try {
      return { interface: name, client, mtu, pcap: readPcap(bytes, client, transport) };
    } catch (error) {
      failure = { kind: 'capture', message: `${name}: ${messageOf(error)}` };
      return { interface: name, client, mtu, pcap: NOTHING };
    }
  });
  return { paths, failure };
}

/** A page that Chromium refuses to show for its status has that status, and no other fault. */
function pageFailure({ page, document }: Pick<Raw, 'page' | 'document'>): Failure | undefined {
  const { http_status } = document;
  if (page?.kind === 'network' && http_status !== null && http_status >= 400)
    return { kind: 'http-status', message: `status ${http_status}` };
  return page;
}

function verdictOf(
  stage: Stage,
  { url }: PlannedVisit,
  raw: Raw,
  folder: string,
  silent: readonly string[],
): Verdict {
  const { settings } = stage;
  const log = raw.schedule.lines;
  const read = readCaptures(stage, folder);
  const split = splitOf(settings, log);
  const { trace, frame } = raw.browser ?? { trace: [], frame: '' };
  const failure = pageFailure(raw);
  const tcp = settings.allow_tcp ?? 'none';
  const { paths } = read;
  const asked = lastAsked(trace, frame, url);
  const page =
    settings.mode === 'quic'
      ? withoutHttp3({ first: url, failure, document: raw.document, asked, tcp, paths })
      : failure;
  return judge({
    ...{ started: raw.started, navigated: raw.navigated, loaded: raw.loaded, ended: raw.ended },
    ...{ page, captures: raw.captures ?? read.failure },
    migration: raw.migration ?? splitFailure(settings, raw, split),
    switches: ofEvent(log, 'switch') as Switch[],
    switchErrors: ofEvent(log, 'error').length,
    clockSteps: ofEvent(log, 'clock').length,
    ...{ skipped: skippedIn(log), period: settings.period, split, sticky: tcp === 'sticky' },
    ...{ paths, silent, leaked: raw.leaked },
  });
}

/** How the kernel split; undefined with a strategy in time, and where it did not come so far. */
export function splitOf(
  { strategy, batch }: Pick<Settings, 'strategy' | 'batch'>,
  log: readonly MigratorLine[],
): VisitSplit | undefined {
  const weights = ofEvent(log, 'start')[0]?.weights;
  if (isTimed(strategy) || !weights || ofEvent(log, 'split').length === 0) return undefined;
  const counted = ofEvent(log, 'counts').at(-1)?.packets;
  return { weights, perDraw: strategy === 'bwr' ? (batch ?? BATCH)[1] : 1, counted };
}

/** What the log of a split says against it; of a strategy in time the entries that failed are counted. */
export function splitFailure(
  { strategy }: Pick<Settings, 'strategy'>,
  { schedule, navigated }: Pick<Raw, 'schedule' | 'navigated'>,
  split: VisitSplit | undefined,
): Failure | undefined {
  if (isTimed(strategy)) return undefined;
  const [error] = ofEvent(schedule.lines, 'error');
  if (error !== undefined) return { kind: 'migration', message: `${error.path}: ${error.message}` };
  const without = navigated !== null && split === undefined;
  return without ? { kind: 'migration', message: 'the kernel did not split' } : undefined;
}

const skippedIn = (log: readonly MigratorLine[]): number =>
  ofEvent(log, 'late').reduce((sum, line) => sum + line.skipped, 0);

/** What the migrator could not do in time, for whoever compares schedules. */
function skippedNote(log: readonly MigratorLine[]): string[] {
  const skipped = skippedIn(log);
  const entries = skipped === 1 ? 'entry' : 'entries';
  return skipped === 0 ? [] : [`${skipped} ${entries} of the schedule left out: this machine was too slow`];
}

/** Paths with so little on them that they have no record; their packets are in the run's captures. */
const oneWayNotes = (totals: readonly PathTotals[]): string[] =>
  totals
    .filter((path) => path.packets_out + path.packets_in > 0 && !hasBothWays(path))
    .map((path) => {
      const packets = path.packets_out + path.packets_in;
      return `${path.interface} has ${packets} packet${packets === 1 ? '' : 's'}, all in one direction, and so no record`;
    });

/** Files that were asked for, and that Chromium did not come to write. */
const missingNotes = ({ settings }: Stage, folder: string): string[] =>
  [settings.har ? FILE.har : '', settings.keylog ? FILE.keys : '']
    .filter((name) => name !== '' && sizeOf(join(folder, name)) === 0)
    .map((name) => `no ${name}: Chromium did not write it`);

/** Files that say nothing, or nothing that anybody may rely on. */
function removeIdle(stage: Stage, folder: string, failure: Failure | null): void {
  const leaks = list(folder).filter((name) => name.endsWith(FILE.leak));
  for (const name of leaks) if (sizeOf(join(folder, name)) <= PCAP_HEADER) remove(join(folder, name));
  if (failure?.kind !== 'too-big') return;
  for (const tunnel of stage.tunnels) remove(join(folder, captureFile(tunnel.interface)));
}

/** Judges an attempt. `silent`: the tunnels that did not answer behind it. Files of it are left in `folder`. */
export function outcomeOf(
  stage: Stage,
  planned: PlannedVisit,
  attempt: number,
  raw: Raw,
  { folder, silent, versions }: { folder: string; silent: readonly string[]; versions: Versions },
): Outcome {
  const { status, failure, checks, totals } = verdictOf(stage, planned, raw, folder, silent);
  const log = raw.schedule.lines;
  const switches = ofEvent(log, 'switch') as Switch[];
  const { settings } = stage;
  const good = status === 'success';
  const facts: VisitFacts = {
    ...{ format: FORMAT, run: stage.run },
    ...{ visit: planned.visit, attempt, label: planned.label, instance: planned.instance },
    ...{ url: planned.url, protocol: raw.document.protocol },
    final_url: good ? (raw.facts?.url ?? null) : null,
    http_status: raw.document.http_status,
    ...{
      status,
      failure,
      notes: [
        ...raw.notes,
        ...(raw.browser?.notes ?? []),
        ...skippedNote(log),
        ...oneWayNotes(totals),
        ...(good && settings.mode === 'quic'
          ? missedNotes(settings.allow_tcp ?? 'none', raw.browser?.trace ?? [])
          : []),
        ...(good ? missingNotes(stage, folder) : []),
      ],
    },
    ...{ started: raw.started, navigated: raw.navigated, loaded: raw.loaded, ended: raw.ended },
    ...(settings.mode && { mode: settings.mode }),
    ...(settings.allow_tcp && { allow_tcp: settings.allow_tcp }),
    ...{ strategy: settings.strategy, period: settings.period, seed: planned.seed, run_seed: settings.seed },
    weights: ofEvent(log, 'start')[0]?.weights ?? null,
    ...(settings.weights && { given_weights: settings.weights }),
    ...(settings.order && { order: settings.order }),
    ...(settings.batch && { batch: settings.batch }),
    ...{ interfaces: settings.interfaces, headers_only: settings.headers_only },
    versions: { ...versions, chromium: raw.browser?.version ?? versions.chromium },
  };
  write(join(folder, FILE.switches), raw.schedule.text);
  removeIdle(stage, folder, failure);
  const summary = {
    ...facts,
    title: raw.facts?.title ?? null,
    ...{ paths: totals, checks, leaked: raw.leaked },
    switch_count: switches.filter(({ path, from, n }) => n > 0 && path !== from).length,
  };

  const recorded = totals.filter((path) => !good || hasBothWays(path));
  const recordOf = (path: PathTotals): Omit<TraceRecord, 'packets'> => ({
    ...facts,
    page_source: good ? (raw.facts?.source ?? null) : null,
    http_trace: good ? (raw.browser?.trace ?? []) : [],
    ...path,
    recorded: recorded.map((each) => each.interface),
    switches,
  });
  async function* records(): AsyncGenerator<string> {
    for (const path of recorded) {
      const capture = good ? pieces(join(folder, captureFile(path.interface)), PIECE) : undefined;
      yield* recordText(recordOf(path), capture);
    }
  }
  return { facts, summary, records };
}
