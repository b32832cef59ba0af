/** Whether a switch log is what seed, strategy and period give. Pure. */

import { offShare } from '../../../client/scripts/lib/collect/by-packet.ts';
import { Fault } from '../../../client/scripts/lib/fault.ts';
import { BATCH, weightsFor } from '../../../client/scripts/lib/packet-strategy.ts';
import { entries } from '../../../client/scripts/lib/schedule.ts';
import { choose, isTimed } from '../../../client/scripts/lib/strategy.ts';
import type { Switch, VisitFacts } from '../../../client/scripts/lib/trace/record.ts';

/** Entries of a schedule that a check goes through at most: an hour at a millisecond. */
const MOST = 4e6;
/** Seconds that rounding may take from a time that a sum gave. */
const ROUNDING = 5e-6;
/** Seconds by which entries may be off: the migrator's clock follows the system's to a few milliseconds. */
const DRIFT = 5e-3;

type Facts = Pick<
  VisitFacts,
  | 'strategy'
  | 'seed'
  | 'period'
  | 'interfaces'
  | 'weights'
  | 'given_weights'
  | 'order'
  | 'batch'
  | 'started'
  | 'ended'
>;

const sameWeights = (a: readonly number[] | null, b: readonly number[] | null): boolean =>
  JSON.stringify(a) === JSON.stringify(b);

/** What a switch says about itself. */
function checkOne({ n, due, time, done, from }: Switch, before: Switch | undefined): string | undefined {
  if (time > done) return `switch ${n} is done before it begins`;
  if (time < due - ROUNDING) return `switch ${n} begins before it is due`;
  if (before === undefined) return from === null ? undefined : `the first switch comes from ${from}`;
  if (n <= before.n) return `switch ${n} comes after switch ${before.n}`;
  if (time < before.time) return `switch ${n} begins before switch ${before.n}`;
  return from === before.path ? undefined : `switch ${n} comes from ${from}, but ${before.path} was the path`;
}

/** What is wrong with the weights: they are those that were given, or those that the seed gives. */
export function checkWeights(facts: Facts): string[] {
  const { strategy, seed, interfaces, weights, given_weights, order, batch } = facts;
  let wanted: readonly number[] | null;
  try {
    wanted = weightsFor(strategy, { seed, paths: interfaces.length, weights: given_weights, order, batch });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return [`no schedule has what it was given: ${error.message}`];
  }
  if (sameWeights(wanted, weights)) return [];
  return [`weights are not those that ${given_weights === undefined ? 'the seed gives' : 'were given'}`];
}

/**
 * By packet: whether the packets that went out on each path, in the order of `interfaces`, fit the weights. `sent` are
 * those of the time in which the kernel split.
 */
export function checkShares(facts: Facts, sent: readonly number[]): string[] {
  const { strategy, interfaces, weights, batch } = facts;
  if (isTimed(strategy) || weights === null || sent.length !== weights.length) return [];
  const perDraw = strategy === 'bwr' ? (batch ?? BATCH)[1] : 1;
  const off = offShare(sent, { weights, perDraw }).map((i) => interfaces[i]);
  return off.length === 0 ? [] : [`packets out are not split by the weights: ${off.join(', ')}`];
}

/** Everything in which switches differ from the schedule; each kind once, with its first case. */
export function checkSwitches(facts: Facts, switches: readonly Switch[]): string[] {
  const { strategy, seed, period, interfaces, weights, started, ended } = facts;
  // Where migration did not begin, nothing was drawn either.
  if (!isTimed(strategy)) {
    if (switches.length > 0) return ['switches of a strategy by packet, which has none'];
    return weights === null ? [] : checkWeights(facts);
  }
  const [first] = switches;
  if (first === undefined || period === null) return [];
  const wrongWeights = checkWeights(facts);
  if (wrongWeights.length > 0 && strategy === 'fixed') return wrongWeights;
  const given = strategy === 'fixed' ? facts.given_weights : undefined;
  const choice = choose(strategy, { seed, paths: interfaces.length, weights: given });
  const found = wrongWeights;
  for (const [i, one] of switches.entries()) {
    const wrong = checkOne(one, switches[i - 1]);
    if (wrong !== undefined) return [...found, wrong];
  }
  const last = switches.at(-1) as Switch;
  if (last.n > Math.min(MOST, (ended - started) / period + 1))
    return [...found, `switch ${last.n} is beyond what the visit's time holds`];
  const byNumber = new Map(switches.map((one) => [one.n, one]));
  for (const { n, at, path } of entries(choice.paths, period)) {
    if (n > last.n) break;
    const one = byNumber.get(n);
    if (one === undefined) continue;
    const name = interfaces[path] as string;
    if (one.path !== name)
      return [...found, `switch ${n} goes to ${one.path}, the schedule of seed ${seed} to ${name}`];
    const due = first.due + at - first.n * period;
    if (Math.abs(one.due - due) > DRIFT)
      return [...found, `switch ${n} is due ${Math.abs(one.due - due).toFixed(3)} s off the schedule`];
  }
  return found;
}

/** Numbers that are missing among switches, apart from those that the log explains (late, failed). */
export function gapsIn(switches: readonly Switch[], explained: ReadonlySet<number>): number {
  let missing = 0;
  let expected = 0;
  for (const { n } of switches) {
    for (; expected < n && missing < MOST; expected++) if (!explained.has(expected)) missing++;
    expected = n + 1;
  }
  return missing;
}
