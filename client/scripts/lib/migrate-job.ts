/** What migrate.ts is to carry out: the schedule of a seed, or of a file. */
import { badFlag } from './flags.ts';
import { existingTunnels, selectTunnels } from './interfaces.ts';
import { kernelCycle, kernelRuns } from './kernel-cycle.ts';
import type { MigrateFlags } from './migrate-flags.ts';
import type { Plan } from './migration.ts';
import { packetChoice } from './packet-strategy.ts';
import { openSchedule, periodOf, repeated } from './replay.ts';
import { entries } from './schedule.ts';
import { SCHEDULE_VERSION as version } from './schedule-text.ts';
import type { SplitPlan } from './split-run.ts';
import { choose, isTimed } from './strategy.ts';

/** In time, or by packet; `heading` is what start and plan lines tell about it. */
export type Job = { heading: object; interfaces: readonly string[] } & (
  | { by: 'time'; plan: Pick<Plan, 'entries' | 'holds'> }
  | { by: 'packet'; plan: Pick<SplitPlan, 'runs'> }
);

/** The schedule of a seed; `packets`: of one by packet so many, round after round, instead of one cycle. */
export function drawJob(
  flags: MigrateFlags,
  seed: number,
  interfaces: readonly string[],
  packets?: number,
): Job {
  const { strategy, period, first, weights, order, batch } = flags;
  const paths = interfaces.length;
  if (first !== 'random' && first > paths)
    throw badFlag('--first', String(first), `the number of a path: there are ${paths}`);
  const input = { seed, paths, first: first === 'random' ? undefined : first - 1, weights };
  if (isTimed(strategy)) {
    const choice = choose(strategy, input);
    return {
      heading: { version, strategy, period, seed, first, weights: choice.weights, interfaces },
      interfaces,
      by: 'time',
      plan: { entries: entries(choice.paths, period), holds: choice.holds },
    };
  }
  const choice = packetChoice(strategy, { ...input, order, batch });
  const cycle = kernelCycle(strategy, choice);
  const more = { ...(order && { order }), ...(batch && { batch }) };
  return {
    heading: { version, strategy, ...more, seed, first, weights: choice.weights, cycle, interfaces },
    interfaces,
    by: 'packet',
    plan: { runs: kernelRuns(strategy, choice, packets ?? cycle) },
  };
}

/** The schedule of a file; throws a Fault where it is none for the tunnels here. */
export function fileJob(file: string, repeat: boolean): Job {
  const schedule = openSchedule(file);
  const { strategy, seed, weights } = schedule.heading;
  const interfaces = selectTunnels(schedule.interfaces, existingTunnels(), file);
  const period = periodOf(schedule);
  return {
    heading: {
      ...{ version, strategy, ...(period !== undefined && { period }), seed, weights },
      ...{ schedule: file, interfaces },
    },
    interfaces,
    by: 'time',
    plan: { entries: repeat ? repeated(schedule) : schedule.entries, holds: false },
  };
}
