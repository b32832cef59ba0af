/** From split.ts's flags to what is to be done; what does not go together is refused. Pure. */
import { badFlag } from '../../../client/scripts/lib/flags.ts';
import { refuseFlags } from '../../../client/scripts/lib/schedule-flags.ts';
import {
  isTimed,
  type Order,
  requireExtras,
  type StrategyName,
} from '../../../client/scripts/lib/strategy.ts';
import { Fault } from '../cli.ts';
import { type PacketPlan, type SplitModel, type SplitPlan, split } from './split.ts';

export interface SplitFlags {
  strategy: StrategyName;
  period: number;
  paths: number;
  /** From 1. */
  first?: number;
  weights?: number[];
  order?: Order;
  batch?: [number, number];
  /** Seconds after the trace's first packet. */
  start: number;
  downlink?: SplitModel['downlink'];
  delay: number;
}

/** With HyWF both ends split; elsewhere WireGuard answers to where it was called from. */
export const modelOf = ({ strategy, downlink, delay }: SplitFlags): SplitModel => ({
  downlink: downlink ?? (strategy === 'hywf' ? 'own' : 'roaming'),
  delay,
});

/** `begin`: the time of the trace's first packet. */
export function planFor(flags: SplitFlags, seed: number, begin: number): SplitPlan | PacketPlan {
  const { strategy, period, paths, first, weights, order, batch, start } = flags;
  const input = { seed, paths, weights, first: first && first - 1 };
  if (isTimed(strategy)) return { ...input, strategy, period, start: begin + start };
  return { ...input, strategy, order, batch };
}

const modelsOf = (strategy: StrategyName): SplitModel['downlink'][] => {
  if (isTimed(strategy)) return ['roaming', 'schedule'];
  return strategy === 'hywf' ? ['own', 'roaming'] : ['roaming'];
};

/** Throws a Fault for what does not fit, before anything is read; `given`: the names of the flags that somebody typed. */
export function requireFit(flags: SplitFlags, given: readonly string[]): void {
  const { strategy, paths, first, downlink } = flags;
  requireExtras(strategy, flags);
  const timed = given.filter((name) => name === 'period' || name === 'start');
  if (!isTimed(strategy)) refuseFlags(timed, `${strategy} counts packets, not seconds`);
  const models = modelsOf(strategy);
  if (downlink !== undefined && !models.includes(downlink))
    throw new Fault({
      at: '--downlink',
      what: `${strategy} knows no "${downlink}"`,
      next: `--downlink ${models.join(' or ')}`,
    });
  if (first !== undefined && first > paths)
    throw badFlag('--first', String(first), `the number of a path: there are ${paths}`);
  // Weights that do not fit the paths, and the like.
  split([{ time: 0, direction: 1, size: 1, path: 0 }], planFor(flags, 0, 0), modelOf(flags));
}
