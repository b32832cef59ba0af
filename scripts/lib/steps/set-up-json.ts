/** The document of `--json`. */
import type { Fault } from '../cli.ts';
import type { Mode } from '../config.ts';
import type { HostResult } from '../runner/play.ts';
import { countsOf } from '../runner/report.ts';
import { hideSecrets } from '../runner/secrets.ts';
import type { Diff } from '../runner/task.ts';
import type { Bytes } from '../transport/transport.ts';
import { isSpared } from './set-up-client.ts';
import type { Member } from './set-up-servers.ts';

interface Trouble {
  message: string;
  next: string | null;
}

interface HostDocument {
  name: string;
  address: string;
  port: number;
  user: string;
  /** The client's interface of its tunnel: `wgnet1`, `wg0`. */
  interface: string;
  /** `asked`: outside of `--limit`, only its public key was read; `known`: outside of it, and the client's files' key held, as it could not be asked. */
  status: 'ok' | 'changed' | 'failed' | 'unreachable' | 'asked' | 'known';
  /** Those that were wanted, up to the first that failed. */
  tasks: {
    name: string;
    /** Made, or in check mode to be made; a diff's texts have no secrets. */
    changes: { line: string; diff: Diff | null }[];
    notices: string[];
    failed: string | null;
  }[];
  /** Why it failed outside of a task, or could not be reached. */
  error: Trouble | null;
  counts: Record<string, number>;
  /** Round trips after connection. */
  rounds: number;
  /** On the wire. */
  bytes: Bytes;
  seconds: number;
}

/** A droplet of config.cfg that `main.ts` found or made. */
export interface DropletDocument {
  name: string;
  /** DigitalOcean's number. */
  id: number;
  address: string | null;
  /** Whether this run made it. */
  made: boolean;
}

/** What `--list-hosts`, `--list-tasks` and `--list-tags` asked for; null where they did not. */
export interface ListsDocument {
  hosts: string[] | null;
  tasks: { name: string; tags: string[] }[] | null;
  tags: string[] | null;
}

/** One run, however it ended. Names, order and meaning stay; later versions may have more keys. */
export interface RunDocument {
  command: string;
  /** Null where the run was refused before it was known. */
  mode: Mode | null;
  check: boolean;
  /** As the process ends with it. */
  exitCode: number;
  seconds: number;
  /** The proxies in order, then the comp server where there is one. Empty where the run was refused before it began. */
  hosts: HostDocument[];
  /** Sums over the hosts: ok, changed, unreachable, failed. */
  counts: Record<string, number>;
  client: {
    /** Its folder; null where the run did not come to it. */
    folder: string | null;
    /** Paths written, or in check mode to be written; removed alike. */
    written: string[];
    removed: string[];
    /** Why the files were left as they are; null where they were not. */
    left: string | null;
    diffs: Diff[];
  };
  /** Sums over the hosts. */
  rounds: number;
  bytes: Bytes;
  /** Path of this run's log; null where there is none. */
  log: string | null;
  /** Why the whole run ended early. */
  error: Trouble | null;
  /** Null where nothing was to be listed. */
  lists: ListsDocument | null;
  /** Those of `main.ts` that are there; empty in check mode. */
  droplets: DropletDocument[];
}

export const emptyDocument = (command: string): RunDocument => ({
  command,
  mode: null,
  check: false,
  exitCode: 0,
  seconds: 0,
  hosts: [],
  counts: {},
  client: { folder: null, written: [], removed: [], left: null, diffs: [] },
  rounds: 0,
  bytes: { sent: 0, received: 0 },
  log: null,
  error: null,
  lists: null,
  droplets: [],
});

export const troubleOf = ({ message, next }: Fault): Trouble => ({
  message: hideSecrets(message),
  next: next ?? null,
});

export const shownDiff = ({ path, before, after }: Diff): Diff => ({
  path,
  before: hideSecrets(before),
  after: hideSecrets(after),
});

function statusOf(member: Member, result: HostResult<Member> | undefined): HostDocument['status'] {
  if (result !== undefined && isSpared(result)) return 'known';
  if (result?.unreachable !== undefined) return 'unreachable';
  const counts = result === undefined ? {} : countsOf(result);
  if (counts.failed) return 'failed';
  if (member.part === 'ask') return 'asked';
  return counts.changed ? 'changed' : 'ok';
}

function hostDocument(member: Member, result: HostResult<Member> | undefined): HostDocument {
  const { name, host, tunnel } = member;
  const trouble = result?.unreachable ?? result?.failed;
  const { rounds = 0, bytes = { sent: 0, received: 0 }, ms = 0 } = result?.cost ?? {};
  return {
    name,
    address: tunnel.server.address,
    port: host.port,
    user: host.user,
    interface: tunnel.interface,
    status: statusOf(member, result),
    tasks: (result?.outcome.tasks ?? []).map((task) => ({
      name: task.name,
      changes: task.changed.map(({ line, diff }) => ({ line, diff: diff ? shownDiff(diff) : null })),
      notices: [...(task.notices ?? [])],
      failed: task.failed ?? null,
    })),
    error: trouble === undefined ? null : troubleOf(trouble),
    counts: result === undefined ? {} : countsOf(result),
    rounds,
    bytes: { ...bytes },
    seconds: ms / 1000,
  };
}

/** The part of the document that tells of the hosts. */
export function hostsOf(
  members: readonly Member[],
  results: readonly HostResult<Member>[],
): Pick<RunDocument, 'hosts' | 'counts' | 'rounds' | 'bytes'> {
  const hosts = members.map((member) =>
    hostDocument(
      member,
      results.find(({ host }) => host === member),
    ),
  );
  const sum = (of: (host: HostDocument) => number): number => hosts.reduce((so, host) => so + of(host), 0);
  const keys = ['ok', 'changed', 'unreachable', 'failed'];
  return {
    hosts,
    counts: Object.fromEntries(keys.map((key) => [key, sum(({ counts }) => counts[key] ?? 0)])),
    rounds: sum(({ rounds }) => rounds),
    bytes: { sent: sum(({ bytes }) => bytes.sent), received: sum(({ bytes }) => bytes.received) },
  };
}
