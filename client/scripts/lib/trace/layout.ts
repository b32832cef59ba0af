/**
 * The folder of a run:
 *
 *     manifest.json              what was asked for, with what, on which machine
 *     visits/0003-0007.1/        an attempt (here the first) of instance 7 of URL 3, complete as soon as it is there:
 *       visit.json               its facts, checks, totals a path, and a checksum for each of the other files
 *       records.jsonl            one record a path
 *       wgnet1.pcap …            what tcpdump wrote, one file a path
 *       leak.pcap                what left past the tunnels, where anything did
 *       switches.jsonl           migrate.ts's log
 *       page.har  page.png  keys.log    where they were asked for
 *     work/                      the visit under way; nothing in it counts
 *     lock                       held by the collector at work here, and who that was last
 */

import { isDeepStrictEqual } from 'node:util';
import type { Mode, Tcp } from '../modes.ts';
import type { Order, StrategyName } from '../strategy.ts';
import type { FORMAT, Versions } from './record.ts';

export const MANIFEST = 'manifest.json';
export const VISITS = 'visits';
export const WORK = 'work';
export const LOCK = 'lock';

export const FILE = {
  summary: 'visit.json',
  records: 'records.jsonl',
  switches: 'switches.jsonl',
  leak: 'leak.pcap',
  har: 'page.har',
  screenshot: 'page.png',
  keys: 'keys.log',
} as const;

/** Name of a path's capture in a visit's folder. */
export const captureFile = (name: string): string => `${name}.pcap`;

const four = (n: number): string => String(n).padStart(4, '0');

/** `0003-0007`. */
export const visitId = (label: number, instance: number): string => `${four(label)}-${four(instance)}`;

/** The folder of an attempt in {@link VISITS}: `0003-0007.1`. */
export const attemptFolder = (visit: string, attempt: number): string => `${visit}.${attempt}`;

export interface AttemptName {
  visit: string;
  label: number;
  instance: number;
  attempt: number;
}

/** Reads the name of an attempt's folder; undefined for any other name. */
export function readAttemptFolder(name: string): AttemptName | undefined {
  const [, visit = '', label, instance, attempt] = /^((\d{4,})-(\d{4,}))\.([1-9]\d*)$/.exec(name) ?? [];
  if (attempt === undefined) return undefined;
  return { visit, label: Number(label), instance: Number(instance), attempt: Number(attempt) };
}

/** What a run was asked for: the same in every session of it. */
export interface Settings {
  urls: string[];
  /** Visits of each URL. */
  visits: number;
  /** The client's; `wireguard` where it is not there. With `quic` also what becomes of TCP. */
  mode?: Mode;
  allow_tcp?: Tcp;
  strategy: StrategyName;
  /** Seconds; null for a strategy by packet. */
  period: number | null;
  /** Where they were given; weights in whole numbers. */
  weights?: number[];
  order?: Order;
  batch?: [number, number];
  seed: number;
  interfaces: string[];
  /** Seconds for a page to load. */
  timeout: number;
  /** Seconds on a page after its load event. */
  linger: number;
  /** Attempts after a failed one. */
  retries: number;
  headers_only: boolean;
  screenshots: boolean;
  keylog: boolean;
  har: boolean;
}

/** Facts of a tunnel, nothing secret: the client's address inside, the proxy's endpoint, bytes of MTU. */
export interface TunnelFacts {
  interface: string;
  client_address: string;
  endpoint: string;
  mtu: number;
}

/** A start of the collector on this run, or a change of the tunnels under one that was at work. */
export interface Session {
  /** ISO 8601. */
  started: string;
  versions: Versions;
  host: { kernel: string; architecture: string; cpus: number; cpu: string; memory: number };
  /** From then on; not there in sessions of earlier versions. */
  tunnels?: TunnelFacts[];
}

export interface Manifest {
  format: typeof FORMAT;
  /** UUID. */
  run: string;
  /** ISO 8601. */
  created: string;
  settings: Settings;
  /** At the start of the run. */
  tunnels: TunnelFacts[];
  sessions: Session[];
}

/** The tunnels of a run, and each time that they were others from then on; `since` is ISO 8601. */
export function tunnelsOverTime({ created, tunnels, sessions }: Manifest) {
  const spans = [{ since: created, tunnels }];
  for (const { started, tunnels } of sessions)
    if (tunnels !== undefined && !isDeepStrictEqual(tunnels, spans.at(-1)?.tunnels))
      spans.push({ since: started, tunnels });
  return spans;
}
