/** What a by-packet strategy draws, as lists for tests. */
import { cycleOf, type PacketInput, packetChoice, type Run } from '../client/scripts/lib/packet-strategy.ts';
import type { PacketName } from '../client/scripts/lib/strategy.ts';

/** The first runs as they are drawn, neighbours apart. */
export function runsOf(name: PacketName, input: PacketInput, count: number): Run[] {
  const iterator = packetChoice(name, input).runs[Symbol.iterator]();
  return Array.from({ length: count }, () => iterator.next().value as Run);
}

/** The paths of the first packets. */
export const pathsOf = (name: PacketName, input: PacketInput, packets: number): number[] =>
  cycleOf(packetChoice(name, input), packets).flatMap((run) => Array<number>(run.packets).fill(run.path));
