/** Which mode a client is to be judged by, and whether setup.sh's word and the live rules agree. Pure. */
import type { Mode, Tcp } from '../mode.ts';
import { modeOfRules, type Rule } from './rules.ts';
import type { SetUp } from './system.ts';
import { bad, type Finding, good, SET_UP } from './verdict.ts';

const ID = 'mode';
const WHAT = 'mode';

/** What setup.sh says; where it cannot be read, what the rules make, and `tcp` is what they say of TCP. */
export function modeOf(
  setUp: Pick<SetUp, 'mode' | 'tcp'>,
  rules: readonly Rule[],
  tcp: Tcp,
): { mode: Mode; tcp: Tcp } {
  const mode = setUp.mode ?? modeOfRules(rules) ?? 'wireguard';
  return { mode, tcp: mode === 'quic' ? (setUp.tcp ?? tcp) : 'none' };
}

/** Undefined rules are the business of those who judge them. */
export function judgeMode(said: Mode | undefined, rules: readonly Rule[]): Finding {
  const live = modeOfRules(rules);
  if (said !== undefined && live !== undefined && live !== said)
    return bad(
      ID,
      WHAT,
      `setup.sh says ${said}, the rules are ${live}’s`,
      'setup.sh was not run since the mode was changed, or somebody else’s rules stand here',
      SET_UP,
    );
  return good(ID, WHAT, live ?? said ?? 'none yet');
}
