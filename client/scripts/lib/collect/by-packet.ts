/** What can be told of a visit whose packets the kernel split one by one: no path is the current one there. All pure. */
import type { Packet, Pcap } from '../trace/pcap.ts';
import type { Failure, PathTotals } from '../trace/record.ts';
import { type Finding, finding, listed, plural } from './finding.ts';

/** How the kernel split. */
export interface PacketSplit {
  /** A path's share, in the order of the captures. */
  weights: readonly number[];
  /** Packets from one draw of a path to the next, at most. */
  perDraw: number;
}

/** What is known of the split of a visit. */
export interface VisitSplit extends PacketSplit {
  /** Packets that left by each path while the split was in force, as nftables counted them; undefined where nobody did. */
  counted: Readonly<Record<string, number>> | undefined;
}

/** Packets by which counters and captures may differ on a path: what was sent on it and not by wg0, and a share. */
const SPARE = { packets: 5, share: 0.01 };

/** What one path's captures say of the packets that the split's counter must have counted. */
export interface Bounds {
  interface: string;
  /** Those that went out while the page loaded: all of them were split. */
  least: number;
  /** Those of the whole visit. */
  most: number;
}

/** Why the counters of a split say that it was not in force all the time; undefined where they say that it was. */
export function countsTrouble(counted: VisitSplit['counted'], paths: readonly Bounds[]): string | undefined {
  if (counted === undefined) return 'the split was gone before its packets could be counted';
  const off = paths.filter(({ interface: name, least, most }) => {
    const count = counted[name] ?? Number.NaN;
    const spare = SPARE.packets + SPARE.share * most;
    return !(count >= least - spare && count <= most + spare);
  });
  if (off.length === 0) return undefined;
  const words = off.map(
    ({ interface: name, least, most }) =>
      `${name} ${counted[name] ?? 'none'} of ${least === most ? least : `${least} to ${most}`}`,
  );
  return `the split did not count what was captured: ${listed(words)}`;
}

/** Chance below which what is seen is no accident. */
const NEVER = 1e-6;

/** Standard deviations by which a share may be off, and whole draws besides, as the first and the last are cut. */
const DEVIATIONS = 7;
const WHOLE_DRAWS = 3;

/** Whether so many draws, none of which took a path, say that the path was not there to be taken. */
const isNoAccident = (weight: number, draws: number): boolean => (1 - weight) ** draws < NEVER;

/** Packets that went out on each path from one time to another. */
export const sentBetween = (paths: readonly { pcap: Pcap }[], from: number, to: number): number[] =>
  paths.map(
    ({ pcap }) =>
      pcap.packets.filter(({ direction, time }) => direction === 1 && time >= from && time <= to).length,
  );

/** The bounds of all paths; the page loaded from one time to another. */
export function boundsOf(
  paths: readonly { pcap: Pcap }[],
  totals: readonly Pick<PathTotals, 'interface' | 'packets_out'>[],
  [from, to]: readonly [number, number],
): Bounds[] {
  const least = sentBetween(paths, from, to);
  return totals.map(({ interface: name, packets_out: most }, i) => ({
    ...{ interface: name, least: least[i] ?? 0, most },
  }));
}

/** Indices of paths that carried none of what was sent, though it was enough. */
export function unused(sent: readonly number[], { weights, perDraw }: PacketSplit): number[] {
  const draws = Math.floor(sent.reduce((a, b) => a + b, 0) / perDraw);
  return weights.flatMap((weight, i) => (sent[i] === 0 && isNoAccident(weight, draws) ? [i] : []));
}

/** Indices of paths that carried more or less than their weight, beyond all chance. */
export function offShare(sent: readonly number[], { weights, perDraw }: PacketSplit): number[] {
  const all = sent.reduce((a, b) => a + b, 0);
  return weights.flatMap((weight, i) => {
    const deviation = Math.sqrt(all * weight * (1 - weight) * perDraw);
    const far = Math.abs((sent[i] ?? 0) - all * weight);
    return far > DEVIATIONS * deviation + WHOLE_DRAWS * perDraw ? [i] : [];
  });
}

/**
 * Times that the comp server began to answer: what comes in then comes by the path of the packet that it heard last,
 * which is a path's with the chance of its weight.
 */
function answers(packets: readonly Packet[]): number {
  const ordered = packets.filter(({ direction }) => direction !== 0).sort((a, b) => a.time - b.time);
  return ordered.filter(({ direction }, i) => direction === -1 && ordered[i - 1]?.direction === 1).length;
}

/** Whether so much came in by other paths, from one time on, that a path which brought nothing meanwhile brings nothing. */
export function bringsNothing(
  since: number,
  others: readonly Pcap[],
  weight: number,
  { perDraw }: Pick<PacketSplit, 'perDraw'>,
): boolean {
  const later = others.flatMap(({ packets }) => packets.filter(({ time }) => time > since));
  return isNoAccident(weight, Math.floor(answers(later) / perDraw));
}

/** Each path carried its share of what was sent from one time to another. */
export function shareFinding(
  paths: readonly { interface: string; pcap: Pcap }[],
  split: PacketSplit,
  [from, to]: readonly [number, number],
): Finding {
  const sent = sentBetween(paths, from, to);
  const all = sent.reduce((a, b) => a + b, 0);
  const named = (found: readonly number[]): string => listed(found.map((i) => paths[i]?.interface ?? ''));
  const without = unused(sent, split);
  const off = offShare(sent, split);
  const shares = paths.map(({ interface: name }, i) => {
    const [seen, wanted] = [all === 0 ? 0 : (sent[i] ?? 0) / all, split.weights[i] ?? 0];
    return `${name} ${(100 * seen).toFixed(1)} % of ${(100 * wanted).toFixed(1)} %`;
  });
  const good = `${plural(all, 'packet')} out: ${listed(shares)}`;
  const failure: Failure | undefined =
    without.length > 0
      ? { kind: 'unused-path', message: `${named(without)} carried none of ${plural(all, 'packet')}` }
      : off.length > 0
        ? { kind: 'migration', message: `not split by the weights: ${listed(shares)}` }
        : undefined;
  return finding('paths', failure, good);
}
