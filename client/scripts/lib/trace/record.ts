/**
 * What a visit leaves: one record a path, one JSON object a line. The first eight keys are those that the original's
 * wf-tools writes and reads; the others are what research asks for and it lacked. Times are seconds since 1970 on the
 * pcap's clock; only those within `http_trace` are milliseconds, as chromedriver writes them.
 */
import type { LogLine } from '../migration.ts';
import type { Mode, Tcp } from '../modes.ts';
import type { Order, StrategyName } from '../strategy.ts';

/** Of the records, of visit.json and of manifest.json; a change that a reader must know of gets the next number. */
export const FORMAT = 1;

export type Status = 'success' | 'timeout' | 'failure';

/** Why a visit is no success. */
export const FAILURES = [
  /** The page was not there in time. */
  'timeout',
  /** The network's own words: name not found, connection refused, certificate not valid, … */
  'network',
  /** The page's own answer was 400 or above. */
  'http-status',
  'empty',
  /** In mode quic: the page did not come by HTTP/3. */
  'no-http3',
  'bot-wall',
  'dialog',
  'download',
  /** The page was not asked for: Chromium, tcpdump or the migrator did not start on this machine, or ended before that. */
  'not-begun',
  /** Chromium, or the page's renderer, ended by itself. */
  'crash',
  /** tcpdump ended early, or lost packets. */
  'capture',
  /** The capture grew beyond what a record can hold. */
  'too-big',
  /** Migration ended early, or could not set a path. */
  'migration',
  /** A path, the comp server through all of them, or in mode quic the resolver by a path, does not answer behind the visit. */
  'tunnel',
  /** Packets left past the tunnels. */
  'leak',
  /** A path that the schedule used has no packet. */
  'unused-path',
  /** Packets in one direction only; or a path fell silent while others brought packets. */
  'one-way',
  /** Switch log and packets disagree in time, or somebody set the clock. */
  'clock',
] as const;
export type FailureKind = (typeof FAILURES)[number];

/**
 * Failures of the network and of this machine, which are no fault of a page: they do not use up a visit's retries, and
 * several in a row end a run.
 */
export const NOT_THE_PAGES: ReadonlySet<FailureKind> = new Set<FailureKind>(['tunnel', 'leak', 'not-begun']);

/**
 * Whether a visit is finished after attempts that ended with these failures: `null` is a success, `undefined` an end
 * that nobody knows, which counts, as does a kind that this version does not know.
 */
export const isFinished = (kinds: readonly (FailureKind | null | undefined)[], retries: number): boolean =>
  kinds.includes(null) || kinds.filter((kind) => !kind || !NOT_THE_PAGES.has(kind)).length > retries;

export interface Failure {
  kind: FailureKind;
  /** For a person, in one line. */
  message: string;
}

/** A test that a visit passed or not, in words. */
export interface Check {
  name: 'page' | 'captures' | 'migration' | 'tunnels' | 'leak' | 'directions' | 'paths' | 'clock';
  ok: boolean;
  detail: string;
}

/** What one path carried in a visit; sizes in bytes on the wire of that interface, headers of IP included. */
export interface PathTotals {
  interface: string;
  /** The client's own address on it, the source of what goes out. */
  client_address: string;
  packets_out: number;
  packets_in: number;
  bytes_out: number;
  bytes_in: number;
  /** Seconds that it was the current path from `navigated` to `loaded`; by packet, its weight's part of them. */
  in_force: number;
}

/** A switch as the migrator's log has it; `time` to `done` is when the kernel carried it out. */
export type Switch = Extract<LogLine, { event: 'switch' }>;

/** An entry of `http_trace`, as in chromedriver's performance log; `timestamp` is milliseconds since 1970. */
export interface HttpTraceEntry {
  level: 'INFO';
  message: { message: { method: string; params: unknown }; webview: string };
  timestamp: number;
}

export interface Versions {
  comps: string;
  node: string;
  chromium: string;
  playwright: string;
  tcpdump: string;
}

/** What the records of a visit and its visit.json both say. */
export interface VisitFacts {
  format: typeof FORMAT;
  /** UUID of the run: two runs with one seed have the same names for their visits. */
  run: string;
  /** `0003-0007`: number of the URL and of the instance, both from 0. */
  visit: string;
  /** From 1. */
  attempt: number;
  /** Number of the URL in the run, from 0: its class. */
  label: number;
  /** Number of this visit of the URL, from 0. */
  instance: number;
  url: string;
  /** `tcp` for HTTP/1.1 and 2, `quic` for HTTP/3; what was asked for where no answer came. */
  protocol: string;
  final_url: string | null;
  /** Of the page itself; null where none came. */
  http_status: number | null;
  status: Status;
  failure: Failure | null;
  /** What is no failure and worth knowing: redirected to another site, a pop-up closed, … */
  notes: string[];
  /** Captures and migration are being started. */
  started: number;
  /** The browser is told to go to the page; null where it came not so far. */
  navigated: number | null;
  /** The page's load event. */
  loaded: number | null;
  /** Browser, migration and captures have ended. */
  ended: number;
  /** The client's; `wireguard` where it is not there, as in what earlier versions wrote. */
  mode?: Mode;
  /** In mode quic: what becomes of TCP. */
  allow_tcp?: Tcp;
  strategy: StrategyName;
  /** Seconds; null for a strategy by packet. */
  period: number | null;
  /** Of this visit: `migrate.ts --seed` with it gives this visit's schedule again. */
  seed: number;
  /** Of the whole run; the visits' own seeds are drawn from it. */
  run_seed: number;
  weights: readonly number[] | null;
  /** As they were given, in whole numbers; not there where the seed gives the weights. */
  given_weights?: readonly number[];
  /** Of strategies by packet, where they were given. */
  order?: Order;
  batch?: readonly [number, number];
  /** All that the schedule could choose, in its order. */
  interfaces: string[];
  /** True where captures hold packet headers only; sizes are those on the wire all the same. */
  headers_only: boolean;
  versions: Versions;
}

/** Whether a success has a record of a path: one with packets both ways; readers drop others. */
export const hasBothWays = ({ packets_out, packets_in }: PathTotals): boolean =>
  packets_out > 0 && packets_in > 0;

/**
 * A line of a records file. A visit that is no success has one for each path, with `packets` and `http_trace` empty;
 * a success has one for each path that {@link hasBothWays}.
 */
export interface TraceRecord extends VisitFacts, PathTotals {
  /** The interfaces of all records of this attempt: where one of them is missing, a file is not whole. */
  recorded: string[];
  page_source: string | null;
  http_trace: HttpTraceEntry[];
  switches: Switch[];
  /** Padded standard base64 of a classic pcap; the last key of the line. */
  packets: string;
}

/** visit.json: one attempt of a visit. */
export interface VisitSummary extends VisitFacts {
  title: string | null;
  paths: PathTotals[];
  checks: Check[];
  /** Packets that left past the tunnels; null where nobody could count. */
  leaked: number | null;
  /** Switches carried out, the first path not counted. */
  switch_count: number;
  /** Every other file of the visit's folder. */
  files: Record<string, { bytes: number; sha256: string }>;
}
