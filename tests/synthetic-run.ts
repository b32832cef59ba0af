/**
 * Run folders for tests, as the collector leaves them, without a network: the same options give the same bytes.
 * Traffic follows the schedule: what goes out takes the path in force, what comes in the path of what went out last.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { visitSeed } from '../client/scripts/lib/collect/plan.ts';
import { weightsFor } from '../client/scripts/lib/packet-strategy.ts';
import { splitMix64 } from '../client/scripts/lib/random.ts';
import { isTimed, type Order, type StrategyName } from '../client/scripts/lib/strategy.ts';
import {
  attemptFolder,
  captureFile,
  FILE,
  MANIFEST,
  type Manifest,
  VISITS,
  visitId,
} from '../client/scripts/lib/trace/layout.ts';
import {
  type Check,
  type Failure,
  type FailureKind,
  hasBothWays,
  type TraceRecord,
  type Versions,
  type VisitFacts,
  type VisitSummary,
} from '../client/scripts/lib/trace/record.ts';
import {
  addressOf,
  capture,
  inForce,
  micro,
  packetPaths,
  splitLog,
  switchesOf,
  totalsOf,
  traffic,
} from './synthetic-traffic.ts';

export interface RunOptions {
  /** Three sites unless given; the first is small and leaves paths without a packet. */
  urls?: string[];
  /** Of each URL; 3 unless given. */
  visits?: number;
  strategy?: StrategyName;
  /** Seconds; nothing by packet. */
  period?: number;
  weights?: number[];
  order?: Order;
  batch?: [number, number];
  seed?: number;
  interfaces?: string[];
  /** Failed attempts by visit, in their order; a success follows unless the retries (1) are used up. */
  failures?: Record<string, FailureKind[]>;
  headersOnly?: boolean;
  /** Seconds since 1970 at which the run begins. */
  begin?: number;
  /** UUID; the same one for every run that does not say another. */
  run?: string;
}

/** What an attempt holds, for tests to compare with; packets a path in time order. */
export interface MadeAttempt {
  folder: string;
  summary: VisitSummary;
  records: TraceRecord[];
}

const VERSIONS: Versions = {
  ...{ comps: '0.1.0', node: 'v20.19.0', chromium: '151.0.7922.71' },
  ...{ playwright: '1.65.1', tcpdump: '4.99.3' },
};
const RETRIES = 1;
/** Another one, for a second run. */
export const OTHER_RUN = 'c2a4e6d8-13b5-4f79-8a2c-6e0d9b7f5a31';
const RUN = '5f0c8f1e-6d0b-4c56-9b7e-3f2a7d1c4e90';
/** A try, a second one after a time-out, and a visit that never came. */
const FAILURES: Record<string, FailureKind[]> = {
  '0000-0001': ['timeout'],
  '0001-0002': ['bot-wall', 'bot-wall'],
};
const DEFAULT_URLS = [
  'https://small.example/',
  'https://many.example/page?q=ü',
  'https://large.example/file',
];

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

const failureOf = (kind: FailureKind | undefined): Failure | null =>
  kind === undefined ? null : { kind, message: `made up: ${kind}` };

/** JSON with everything outside of ASCII escaped, as the collector writes it. */
export const asciiJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

type Given = 'weights' | 'order' | 'batch';
interface Asked extends Required<Omit<RunOptions, 'failures' | Given>>, Pick<RunOptions, Given> {}

const periodOf = ({ strategy, period }: Asked): number | null => (isTimed(strategy) ? period : null);

interface Turn {
  label: number;
  instance: number;
  attempt: number;
  kind: FailureKind | undefined;
  /** Microseconds since 1970. */
  begin: number;
}

function makeAttempt(asked: Asked, turn: Turn): { made: MadeAttempt; files: Record<string, Buffer> } {
  const { label, instance, attempt, kind, begin } = turn;
  const { strategy, interfaces, headersOnly, weights: given, order, batch } = asked;
  const period = periodOf(asked);
  const url = asked.urls[label] as string;
  const seed = visitSeed(asked.seed, url, instance);
  const next = splitMix64(BigInt(seed));
  const random = (): number => Number(next() >> 33n);
  const navigated = begin + 250_000;
  const loaded = navigated + Math.round(([0.05, 0.7, 1.9][label % 3] as number) * 1e6) + (random() % 40_000);
  const ended = loaded + 600_000;
  const switches = switchesOf(asked, seed, begin + 50_000, ended);
  const nameAt = (us: number) => switches.findLast(({ time }) => time * 1e6 <= us)?.path ?? interfaces[0];
  const input = { seed, paths: interfaces.length, weights: given, order, batch };
  const weights = weightsFor(strategy, input);
  const pathAt = isTimed(strategy)
    ? (us: number) => interfaces.indexOf(nameAt(us) as string)
    : packetPaths(strategy, input);
  const packets = kind === undefined ? traffic(label, random, navigated + 900, loaded + 30_000, pathAt) : [];
  const facts: VisitFacts = {
    ...{ format: 1, run: asked.run, visit: visitId(label, instance), attempt, label, instance },
    ...{ url, protocol: 'tcp' },
    ...{ final_url: kind === undefined ? url : null, http_status: kind === undefined ? 200 : null },
    status: kind === undefined ? 'success' : kind === 'timeout' ? 'timeout' : 'failure',
    ...{ failure: failureOf(kind), notes: [], started: begin / 1e6, navigated: navigated / 1e6 },
    ...{ loaded: kind === undefined ? loaded / 1e6 : null, ended: ended / 1e6, strategy, period, seed },
    ...{ run_seed: asked.seed, weights },
    ...(given && { given_weights: given }),
    ...(order && { order }),
    ...(batch && { batch }),
    ...{ interfaces, headers_only: headersOnly, versions: VERSIONS },
  };
  const secondsOf = (name: string, i: number): number =>
    isTimed(strategy)
      ? inForce(switches, name, navigated / 1e6, loaded / 1e6)
      : Math.round((weights?.[i] ?? 0) * (loaded - navigated)) / 1e6;
  const paths = interfaces.map((name, i) =>
    totalsOf(packets, i, name, kind === undefined ? secondsOf(name, i) : 0),
  );
  const captures = interfaces.map((_, i) => capture(packets, i, headersOnly));
  const html = '<!doctype html><title>ü\u2028</title>';
  const trace = {
    level: 'INFO' as const,
    message: { message: { method: 'Network.requestWillBeSent', params: { url } }, webview: 'A1' },
    timestamp: navigated / 1000,
  };
  const recorded = paths.filter((totals) => kind !== undefined || hasBothWays(totals));
  const records = paths.flatMap((totals, i): TraceRecord[] => {
    if (!recorded.includes(totals)) return [];
    return [
      {
        ...facts,
        ...totals,
        recorded: recorded.map((one) => one.interface),
        page_source: kind === undefined ? html : null,
        http_trace: kind === undefined ? [trace] : [],
        switches,
        packets: kind === undefined ? (captures[i] as Buffer).toString('base64') : '',
      },
    ];
  });
  const start = { event: 'start', time: begin / 1e6 + 0.05, strategy, seed, period, weights, interfaces };
  const splits = isTimed(strategy) ? [] : splitLog(paths, begin + 60_000, ended - 100_000);
  const files: Record<string, Buffer> = {
    [FILE.records]: Buffer.from(records.map((record) => `${asciiJson(record)}\n`).join('')),
    [FILE.switches]: Buffer.from(
      [start, ...switches, ...splits].map((line) => `${JSON.stringify(line)}\n`).join(''),
    ),
  };
  for (const [i, name] of interfaces.entries()) files[captureFile(name)] = captures[i] as Buffer;
  const check: Check = { name: 'page', ok: kind === undefined, detail: kind ?? 'status 200' };
  const summary: VisitSummary = {
    ...facts,
    ...{ title: kind === undefined ? 'ü' : null, paths, checks: [check], leaked: 0 },
    switch_count: switches.filter(({ path, from }) => from !== null && from !== path).length,
    files: Object.fromEntries(
      Object.entries(files).map(([name, bytes]) => [name, { bytes: bytes.length, sha256: sha256(bytes) }]),
    ),
  };
  return { made: { folder: attemptFolder(facts.visit, attempt), summary, records }, files };
}

function manifestOf(asked: Asked): Manifest {
  const { run, urls, visits, strategy, weights, order, batch, seed, interfaces, headersOnly } = asked;
  const period = periodOf(asked);
  const started = new Date(asked.begin * 1000).toISOString();
  return {
    ...{ format: 1, run, created: started },
    settings: {
      ...{ urls, visits, strategy, period, seed, interfaces, timeout: 30, linger: 0, retries: RETRIES },
      ...(weights && { weights }),
      ...(order && { order }),
      ...(batch && { batch }),
      ...{ headers_only: headersOnly, screenshots: false, keylog: false, har: false },
    },
    tunnels: interfaces.map((name, i) => ({
      ...{ interface: name, client_address: addressOf(i), endpoint: `203.0.113.${i + 1}:51820`, mtu: 1420 },
    })),
    sessions: [
      {
        ...{ started, versions: VERSIONS },
        host: { kernel: '6.1.0', architecture: 'x64', cpus: 2, cpu: 'a processor', memory: 8e9 },
      },
    ],
  };
}

/** Writes a whole, valid run into a folder (made where it is missing) and returns its attempts in their order. */
export function writeRun(folder: string, options: RunOptions = {}): MadeAttempt[] {
  const { failures = FAILURES, ...rest } = options;
  const asked: Asked = {
    ...{ urls: DEFAULT_URLS, visits: 3, strategy: 'wr', period: 0.1, seed: 42, headersOnly: false },
    ...{ interfaces: ['wgnet1', 'wgnet2', 'wgnet3'], begin: 1_760_000_000, run: RUN },
    ...rest,
  };
  mkdirSync(join(folder, VISITS), { recursive: true });
  writeFileSync(join(folder, MANIFEST), `${JSON.stringify(manifestOf(asked), null, 2)}\n`);
  const all: MadeAttempt[] = [];
  for (let instance = 0; instance < asked.visits; instance++)
    for (let label = 0; label < asked.urls.length; label++) {
      const kinds = failures[visitId(label, instance)] ?? [];
      const attempts = Math.min(kinds.length, RETRIES) + 1;
      for (let attempt = 1; attempt <= attempts; attempt++) {
        const begin = micro(asked.begin + 5 * (all.length + 1));
        const turn = { label, instance, attempt, kind: kinds[attempt - 1], begin };
        const { made, files } = makeAttempt(asked, turn);
        const place = join(folder, VISITS, made.folder);
        mkdirSync(place);
        for (const [name, bytes] of Object.entries(files)) writeFileSync(join(place, name), bytes);
        writeFileSync(join(place, FILE.summary), `${JSON.stringify(made.summary, null, 2)}\n`);
        all.push(made);
      }
    }
  return all;
}
