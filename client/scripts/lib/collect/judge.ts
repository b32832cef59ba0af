/** Whether a visit is valid: what was captured, against what the schedule and the page say. All pure. */

import { type Packet, type Pcap, TCP } from '../trace/pcap.ts';
import type { Check, Failure, FailureKind, PathTotals, Status, Switch } from '../trace/record.ts';
import { boundsOf, bringsNothing, countsTrouble, shareFinding, type VisitSplit } from './by-packet.ts';
import { type Finding, finding, listed, plural } from './finding.ts';
import { astray, SLACK, type Spell, secondsInForce, spells } from './in-force.ts';

/** Seconds that a path must have been in force while the page loaded to count as used. */
export const LEAST_USE = 0.05;

/** Seconds of a schedule that may be left out, and the share of it: more, and it is another schedule. */
export const MOST_SKIPPED = { seconds: 0.25, share: 0.05 };

/** A path that has sent so many packets, for so many seconds, since it last brought one has fallen silent. */
const SILENT_PACKETS = 4;
const SILENT_SECONDS = 1;

export interface Evidence {
  started: number;
  /** Seconds since 1970; null where it came not so far. */
  navigated: number | null;
  loaded: number | null;
  ended: number;
  /** Why page or browser failed. */
  page: Failure | undefined;
  /** What went wrong with the tools around it. */
  captures: Failure | undefined;
  migration: Failure | undefined;
  switches: readonly Switch[];
  /** Entries of the schedule that failed, and steps of the clock. */
  switchErrors: number;
  clockSteps: number;
  /** Entries left out since the migrator came too late for them; seconds from one entry to the next. */
  skipped: number;
  period: number | null;
  /** Where the kernel split by packet; switches there are none then. */
  split?: VisitSplit | undefined;
  /** Each TCP connection stays on the path that it began on, whichever is in force. */
  sticky?: boolean | undefined;
  /** By interface; `client`: its address there, `mtu`: bytes that a packet there can have. */
  paths: readonly { interface: string; client: string; mtu: number; pcap: Pcap }[];
  /** Tunnels that did not answer before or after. */
  silent: readonly string[];
  /** Packets past the tunnels; null where nobody could count. */
  leaked: number | null;
}

export interface Verdict {
  status: Status;
  failure: Failure | null;
  checks: Check[];
  totals: PathTotals[];
}

function totalsOf({ interface: name, client, pcap }: Evidence['paths'][number], seconds: number): PathTotals {
  const totals: PathTotals = {
    interface: name,
    client_address: client,
    ...{ packets_out: 0, packets_in: 0, bytes_out: 0, bytes_in: 0 },
    in_force: Math.round(seconds * 1e6) / 1e6,
  };
  for (const { direction, size } of pcap.packets) {
    if (direction === 1) {
      totals.packets_out++;
      totals.bytes_out += size;
    } else if (direction === -1) {
      totals.packets_in++;
      totals.bytes_in += size;
    }
  }
  return totals;
}

/**
 * Whether a path sent on and on and nothing came back any more, while others brought packets: where none did, the site
 * may be what has fallen silent.
 */
function fellSilent(
  { packets }: Pcap,
  others: readonly Pcap[],
  byPacket?: { weight: number; perDraw: number },
): boolean {
  const last = packets.findLastIndex(({ direction }) => direction === -1);
  const after = packets.slice(last + 1).filter(({ direction }) => direction === 1);
  const [first, end] = [after[0], after.at(-1)];
  if (first === undefined || end === undefined) return false;
  if (after.length < SILENT_PACKETS || end.time - first.time < SILENT_SECONDS) return false;
  if (others.length === 0) return true;
  if (byPacket !== undefined) return bringsNothing(first.time, others, byPacket.weight, byPacket);
  const within = ({ time, direction }: Packet) => direction === -1 && time > first.time && time < end.time;
  return others.some((other) => other.packets.some(within));
}

function leakFinding({ leaked, captures }: Evidence): Finding {
  if (leaked === null) {
    const why = captures?.message ?? 'packets past the tunnels were not counted';
    return finding('leak', { kind: captures?.kind ?? 'capture', message: why }, '');
  }
  const failure: Failure = { kind: 'leak', message: `${plural(leaked, 'packet')} left past the tunnels` };
  return finding('leak', leaked === 0 ? undefined : failure, '0 packets past the tunnels');
}

/** A path that answers again behind the visit is no reason to wait, and does not explain why a page failed. */
function tunnelFinding({ silent, paths, page, split }: Evidence): Finding {
  const good = 'each path answered before and after';
  if (silent.length > 0)
    return finding('tunnels', { kind: 'tunnel', message: `${listed(silent)} does not answer` }, good);
  const pcaps = paths.map(({ pcap }) => pcap);
  const dumb = paths.filter(({ pcap }, i) =>
    fellSilent(
      pcap,
      pcaps.filter((other) => other !== pcap),
      split && { weight: split.weights[i] ?? 0, perDraw: split.perDraw },
    ),
  );
  const failure: Failure = {
    kind: 'one-way',
    message: `${listed(dumb.map((path) => path.interface))} fell silent`,
  };
  return finding('tunnels', dumb.length === 0 || page !== undefined ? undefined : failure, good);
}

/** What goes by the path in force: with sticky TCP, all but that. */
const movable = ({ packets, cut }: Pcap, sticky = false): Pcap => ({
  packets: sticky ? packets.filter(({ protocol }) => protocol !== TCP) : packets,
  cut,
});

function clockFinding(evidence: Evidence, all: readonly Spell[]): Finding {
  const { clockSteps, paths, started, ended, split, sticky } = evidence;
  const wrong = paths.reduce((sum, path) => sum + astray(path.interface, movable(path.pcap, sticky), all), 0);
  const outside = paths
    .flatMap(({ pcap }) => pcap.packets)
    .filter(({ time }) => time < started - SLACK || time > ended + SLACK).length;
  const reason =
    clockSteps > 0
      ? 'somebody set the clock'
      : wrong > 0
        ? `${plural(wrong, 'packet')} left by a path that was not in force by the switch log`
        : outside > 0
          ? `${plural(outside, 'packet')} outside the visit’s time`
          : undefined;
  const good = split
    ? 'no path is the current one by packet; nobody set the clock'
    : sticky
      ? 'every packet but TCP’s left by the path that the switch log has; nobody set the clock'
      : 'every packet left by the path that the switch log has';
  return finding('clock', reason === undefined ? undefined : { kind: 'clock', message: reason }, good);
}

function directionFinding(totals: readonly PathTotals[]): Finding {
  const sum = (key: 'packets_out' | 'packets_in') => totals.reduce((all, each) => all + each[key], 0);
  const [out, back] = [sum('packets_out'), sum('packets_in')];
  const words = `${out} out, ${back} in`;
  return finding('directions', out > 0 && back > 0 ? undefined : { kind: 'one-way', message: words }, words);
}

/**
 * A path without a packet is none where something was sent while it was in force, and nothing is wrong where the page
 * was waiting all that time: then no path carried anything.
 */
function pathFinding(
  { paths, sticky }: Evidence,
  totals: readonly PathTotals[],
  all: readonly Spell[],
): Finding {
  const used = totals.filter(({ in_force }) => in_force >= LEAST_USE).map((path) => path.interface);
  const carried = totals
    .filter((path) => path.packets_out + path.packets_in > 0)
    .map((path) => path.interface);
  const sent = paths
    .flatMap(({ pcap }) => movable(pcap, sticky).packets)
    .filter(({ direction }) => direction === 1);
  const idle = used.filter((name) => !carried.includes(name));
  const without = idle.filter((name) =>
    all.some(
      ({ path, from, to }) =>
        path === name && sent.some(({ time }) => time > from + SLACK && time < to - SLACK),
    ),
  );
  const message = `${listed(without)} was in force while packets were sent, and has none`;
  const waiting = idle.length === 0 ? '' : `; on ${listed(idle)} the page was waiting`;
  const good = `packets on ${listed(carried) || 'no path'}${waiting}`;
  return finding('paths', without.length === 0 ? undefined : { kind: 'unused-path', message }, good);
}

function captureFinding({ captures, paths }: Evidence): Finding {
  const named = (test: (path: Evidence['paths'][number]) => boolean): string =>
    listed(paths.filter(test).map((path) => path.interface));
  const cut = named(({ pcap }) => pcap.cut);
  const joined = named(({ pcap, mtu }) => pcap.packets.some(({ size }) => size > mtu));
  const message =
    cut !== ''
      ? `the capture of ${cut} is cut off`
      : joined !== ''
        ? `on ${joined} there are packets larger than its MTU: the kernel joins them; next: setup.sh down, setup.sh up`
        : undefined;
  const failure = captures ?? (message === undefined ? undefined : { kind: 'capture' as const, message });
  return finding('captures', failure, 'no packet was lost');
}

/** `counts`: what the split's counters say against it. */
function migrationFinding(evidence: Evidence, counts: string | undefined): Finding {
  const { migration, switches, switchErrors, skipped, period, split } = evidence;
  const all = skipped + switches.length;
  const late = skipped * (period ?? 0) > MOST_SKIPPED.seconds && skipped / all > MOST_SKIPPED.share;
  const message =
    switchErrors > 0
      ? `${switchErrors} of its entries failed`
      : late
        ? `${skipped} of ${all} entries came too late and were left out: this machine is too slow, or stood still`
        : counts;
  const failure = migration ?? (message === undefined ? undefined : { kind: 'migration' as const, message });
  const good = split ? 'the kernel split by packet' : `${switches.length} entries carried out`;
  return finding('migration', failure, good);
}

/** Failures of what has to be there before a page is asked for: without that they are no page's. */
const TOOLS: ReadonlySet<FailureKind> = new Set<FailureKind>(['capture', 'migration', 'crash']);

/** What is wrong with the tools around a visit stands before what the page did: that may be their work. */
export function judge(evidence: Evidence): Verdict {
  const { navigated, loaded, ended, switches, paths, split } = evidence;
  const all = spells(switches, ended);
  const [from, to] = navigated === null ? [ended, ended] : [navigated, loaded ?? ended];
  const seconds = secondsInForce(all, from, to);
  const shareOf = (i: number): number => (split?.weights[i] ?? 0) * (to - from);
  const totals = paths.map((path, i) =>
    totalsOf(path, split ? shareOf(i) : (seconds.get(path.interface) ?? 0)),
  );
  const during = loaded === null ? ([0, 0] as const) : ([from, to - SLACK] as const);
  const findings = [
    leakFinding(evidence),
    tunnelFinding(evidence),
    captureFinding(evidence),
    migrationFinding(evidence, split && countsTrouble(split.counted, boundsOf(paths, totals, during))),
    finding('page', evidence.page, 'loaded'),
    clockFinding(evidence, all),
    directionFinding(totals),
    split ? shareFinding(paths, split, during) : pathFinding(evidence, totals, all),
  ];
  const found = findings.find((each) => each.failure !== undefined)?.failure ?? null;
  const early = navigated === null && found !== null && TOOLS.has(found.kind);
  const failure = early ? { ...found, kind: 'not-begun' as const } : found;
  const status = failure === null ? 'success' : failure.kind === 'timeout' ? 'timeout' : 'failure';
  return { status, failure, checks: findings.map(({ check }) => check), totals };
}
