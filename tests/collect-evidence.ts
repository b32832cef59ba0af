/** Evidence for collect/judge.ts: what an honest visit leaves, made without a network. */
import { SLACK } from '../client/scripts/lib/collect/in-force.ts';
import type { Evidence } from '../client/scripts/lib/collect/judge.ts';
import { cycleOf, type PacketInput, packetChoice } from '../client/scripts/lib/packet-strategy.ts';
import { entries } from '../client/scripts/lib/schedule.ts';
import { choose, type KernelName, type TimedName } from '../client/scripts/lib/strategy.ts';
import type { Packet } from '../client/scripts/lib/trace/pcap.ts';
import type { Switch } from '../client/scripts/lib/trace/record.ts';

/** Seconds since 1970; other times here are seconds after it. */
export const BEGIN = 1_760_000_000;
export const MTU = 1420;

/** Switches to each path, each carried out within `took` seconds. */
export function switches(list: readonly (readonly [at: number, path: string])[], took = 0.001): Switch[] {
  return list.map(([at, path], n) => {
    const time = BEGIN + at;
    const from = list[n - 1]?.[1] ?? null;
    return { event: 'switch', n, due: time, time, done: time + took, path, from };
  });
}

export const out = (at: number, size = 100): Packet => ({ time: BEGIN + at, size, direction: 1 });
export const back = (at: number, size = 1400): Packet => ({ time: BEGIN + at, size, direction: -1 });

export const path = (number: number, packets: Packet[], cut = false): Evidence['paths'][number] => ({
  ...{ interface: `wgnet${number}`, client: `10.45.0.${4 + number}`, mtu: MTU },
  pcap: { packets, cut },
});

/** Two paths in turn, a second each, from 0.9 on; the page from 1 to 3; packets on both. */
export function evidence(changes: Partial<Evidence> = {}): Evidence {
  return {
    ...{ started: BEGIN, navigated: BEGIN + 1, loaded: BEGIN + 3, ended: BEGIN + 4 },
    ...{ page: undefined, captures: undefined, migration: undefined },
    switches: switches([
      [0.9, 'wgnet1'],
      [1.9, 'wgnet2'],
      [2.9, 'wgnet1'],
    ]),
    ...{ switchErrors: 0, skipped: 0, period: 1, clockSteps: 0, silent: [], leaked: 0 },
    paths: [path(1, [out(1.1), back(1.2), out(2.95), back(3.1)]), path(2, [out(2.1), back(2.2), back(2.3)])],
    ...changes,
  };
}

export interface Shape {
  strategy: TimedName;
  seed: number;
  paths: number;
  /** Seconds. */
  period: number;
  /** Seconds of the page. */
  page: number;
  /** When something is sent, each as a share of the page; how late it is captured, as a share of what is allowed. */
  sends: readonly { share: number; late: number }[];
}

/** What a visit by a schedule leaves where everything goes well: each packet out has one back, on its path. */
export function honest({ strategy, seed, paths, period, page, sends }: Shape): Evidence {
  const begin = 0.5;
  const navigated = 1;
  const end = navigated + page + 1;
  const list: [number, string][] = [];
  for (const { at, path: index } of entries(choose(strategy, { seed, paths }).paths, period)) {
    if (begin + at >= end) break;
    list.push([begin + at, `wgnet${index + 1}`]);
  }
  const made = Array.from({ length: paths }, (): Packet[] => []);
  for (const { share, late } of sends) {
    const at = navigated + share * page;
    const name = list.findLast(([time]) => time <= at)?.[1] as string;
    // A tenth of the slack is left for a switch that takes its time.
    const seen = at + late * 0.9 * SLACK;
    made[Number(name.slice('wgnet'.length)) - 1]?.push(out(seen), back(seen + 0.03));
  }
  return evidence({
    ...{ navigated: BEGIN + navigated, loaded: BEGIN + navigated + page, ended: BEGIN + end + 0.5 },
    switches: switches(list, 0.0005),
    paths: made.map((packets, i) =>
      path(
        i + 1,
        packets.sort((a, b) => a.time - b.time),
      ),
    ),
  });
}

/** The same with counters of the split that have all that was captured. */
export function recounted(from: Evidence): Evidence {
  const counted = from.paths.map(({ interface: name, pcap }) => [
    ...[name, pcap.packets.filter(({ direction }) => direction === 1).length],
  ]);
  return { ...from, split: from.split && { ...from.split, counted: Object.fromEntries(counted) } };
}

/** What a visit leaves whose packets the kernel splits: packet n out at n * `every` seconds, one back on its path. */
export function splitEvidence(
  strategy: KernelName,
  input: PacketInput,
  { packets, every }: { packets: number; every: number },
): Evidence {
  const choice = packetChoice(strategy, input);
  const made = choice.weights.map((): Packet[] => []);
  const paths = cycleOf(choice, packets).flatMap((run) => Array<number>(run.packets).fill(run.path));
  for (const [n, index] of paths.entries())
    made[index]?.push(out(1 + n * every), back(1 + n * every + every / 2));
  const loaded = 1 + packets * every + 0.1;
  return recounted(
    evidence({
      ...{ loaded: BEGIN + loaded, ended: BEGIN + loaded + 1, switches: [], period: null },
      split: { weights: choice.weights, perDraw: strategy === 'bwr' ? 70 : 1, counted: undefined },
      paths: made.map((list, i) => path(i + 1, list)),
    }),
  );
}
