/** A split by packet as the kernel carries it out: a list of draws that begins again. Pure. */
import { cycleOf, type PacketChoice, type Run } from './packet-strategy.ts';
import type { KernelName } from './strategy.ts';

/** Packets after which a split by draws begins again: as many as the kernel takes in well under a second. */
const CYCLE: Record<KernelName, number> = { packet: 65_536, bwr: 1_048_576 };

/** Packets after which the kernel begins again. */
export const kernelCycle = (name: KernelName, { repeats }: Pick<PacketChoice, 'repeats'>): number =>
  repeats ?? CYCLE[name];

/** The runs of the first `packets` packets, of as many rounds as that takes; neighbours of the same path joined. */
export function kernelRuns(name: KernelName, choice: PacketChoice, packets: number): Run[] {
  const cycle = kernelCycle(name, choice);
  if (packets <= cycle) return cycleOf(choice, packets);
  const round = cycleOf(choice, cycle);
  const runs = {
    *[Symbol.iterator]() {
      for (;;) yield* round;
    },
  };
  return cycleOf({ runs }, packets);
}
