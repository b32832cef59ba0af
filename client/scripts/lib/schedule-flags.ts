/** The flags of a schedule, the same in every command that has one. */
import { Option } from 'commander';
import { decimal, whole } from './flags.ts';
import { STRATEGIES, type StrategyName } from './strategy.ts';

export const strategyFlag = (usual: StrategyName): Option =>
  new Option('--strategy <name>', 'how the next path is chosen').choices(STRATEGIES).default(usual);

/** Seconds; below a millisecond no timer follows. */
export const periodFlag = (): Option =>
  new Option('--period <seconds>', 'time from one choice to the next')
    .default(0.1)
    .argParser(decimal('--period', { min: 0.001, max: 1e6, of: 'of seconds' }));

/** `meaning`: what the number decides, and what is taken where there is none. */
export const seedFlag = (meaning: string, max = Number.MAX_SAFE_INTEGER): Option =>
  new Option('--seed <number>', meaning).argParser(whole('--seed', { min: 0, max }));
