/** The traffic of a made-up visit, its captures and its switches; see synthetic-run.ts. */

import { cycleOf, type PacketInput, packetChoice } from '../client/scripts/lib/packet-strategy.ts';
import { entries } from '../client/scripts/lib/schedule.ts';
import { choose, isTimed, type PacketName, type StrategyName } from '../client/scripts/lib/strategy.ts';
import type { PathTotals, Switch } from '../client/scripts/lib/trace/record.ts';
import { type MadePacket, pcapBytes, udpPacket } from './pcap-writer.ts';

const COMP = '192.0.2.20';

export interface Made {
  path: number;
  out: boolean;
  us: number;
  size: number;
}

export const addressOf = (path: number): string => `10.45.0.${5 + path}`;
export const micro = (seconds: number): number => Math.round(seconds * 1e6);

/** Packets of a page: requests of a few hundred bytes, answers of full ones, with pauses of its own. */
export function traffic(
  label: number,
  random: () => number,
  from: number,
  to: number,
  pathAt: (us: number) => number,
) {
  const made: Made[] = [];
  let path = pathAt(from);
  for (let us = from, n = 0; us < to || n < 4; n++) {
    const out = n % (label + 3) === 0;
    if (out) path = pathAt(us);
    made.push({ path, out, us, size: out ? 96 + 16 * (random() % 20) : 1388 - 16 * (random() % 9) });
    us += 200 + (random() % (out ? 30_000 : 9_000));
  }
  return made;
}

/** By packet: the path of one packet out after the other; the first call is for what comes before them. */
export function packetPaths(strategy: PacketName, input: PacketInput): () => number {
  const list = cycleOf(packetChoice(strategy, input), 10_000).flatMap((run) =>
    Array<number>(run.packets).fill(run.path),
  );
  let n = -1;
  return () => list[Math.max(0, n++)] as number;
}

export function capture(packets: readonly Made[], path: number, headersOnly: boolean): Buffer {
  const address = addressOf(path);
  const mine = packets.filter((packet) => packet.path === path);
  return pcapBytes(
    mine.map(({ us, out, size }): MadePacket => {
      const bytes = out ? udpPacket(address, COMP, size) : udpPacket(COMP, address, size);
      return { us, bytes: headersOnly ? bytes.subarray(0, 64) : bytes, wire: size };
    }),
  );
}

export function totalsOf(packets: readonly Made[], path: number, name: string, inForce: number): PathTotals {
  const sum = (out: boolean) => {
    const some = packets.filter((packet) => packet.path === path && packet.out === out);
    return { count: some.length, bytes: some.reduce((all, { size }) => all + size, 0) };
  };
  const [up, down] = [sum(true), sum(false)];
  return {
    ...{ interface: name, client_address: addressOf(path), packets_out: up.count, packets_in: down.count },
    ...{ bytes_out: up.bytes, bytes_in: down.bytes, in_force: inForce },
  };
}

/** Seconds that a path is the current one between two times. */
export function inForce(switches: readonly Switch[], name: string, from: number, to: number): number {
  const parts = switches.map(({ time, path }, i) => {
    const until = Math.min(switches[i + 1]?.time ?? to, to);
    return path === name ? Math.max(0, until - Math.max(time, from)) : 0;
  });
  return micro(parts.reduce((all, part) => all + part, 0)) / 1e6;
}

/** The switch log's switches until a time, none by packet; each is carried out 0.2 to 0.4 ms after it was due. */
export function switchesOf(
  asked: {
    strategy: StrategyName;
    interfaces: readonly string[];
    period: number;
    weights?: readonly number[] | undefined;
  },
  seed: number,
  begin: number,
  end: number,
): Switch[] {
  const { strategy, interfaces, period, weights } = asked;
  if (!isTimed(strategy)) return [];
  const choice = choose(strategy, { seed, paths: interfaces.length, weights });
  const list: Switch[] = [];
  for (const { n, at, path } of entries(choice.paths, period)) {
    const due = begin + micro(at);
    if (due >= end || (choice.holds && n > 0)) break;
    const from = list.at(-1)?.path ?? null;
    const [time, done] = [(due + 200) / 1e6, (due + 400) / 1e6];
    list.push({ event: 'switch', n, due: due / 1e6, time, done, path: interfaces[path] as string, from });
  }
  return list;
}

/** By packet: what the log says of a split from one time to another, in microseconds. */
export const splitLog = (totals: readonly PathTotals[], from: number, to: number): object[] => [
  {
    ...{ event: 'split', time: from / 1e6, done: (from + 1000) / 1e6, cycle: 65_536 },
    paths: totals.map((one) => one.interface),
  },
  { event: 'counts', packets: Object.fromEntries(totals.map((one) => [one.interface, one.packets_out])) },
  { event: 'end', time: to / 1e6, reason: 'stop' },
];
