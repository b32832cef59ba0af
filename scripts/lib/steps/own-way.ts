/** A set-up run on the client itself: its way to the servers is the tunnels that it may change. */
import { EXIT, Fault } from '../cli.ts';
import { readTextIfAny } from '../files.ts';
import type { Change, Task } from '../runner/task.ts';
import { attempt } from '../transport/local.ts';

/** Whether these rules, as `ip -4 rule` has them, are those of a client that is up: the wgnetN's own packets go past the tunnels. */
export const isClient = (rules: string): boolean => /^100:.*\bfwmark 0xca6d lookup main\b/m.test(rules);

/** Whether this machine (its network namespace) is a client that is up. */
export async function isHere(): Promise<boolean> {
  // Not of /sys, which may be of another namespace. Nearly every machine ends here.
  if (!/^\s*wgnet\d+:/m.test(readTextIfAny('/proc/net/dev') ?? '')) return false;
  return isClient((await attempt(['ip', '-4', 'rule'])).stdout);
}

/** What of the changes to a running wg0 leaves its client behind; what only puts a drift right does not. */
function cuts(changes: readonly Change[]): string[] {
  const lines = changes.map(({ line }) => line);
  const starting = (...words: string[]): string[] =>
    lines.filter((line) => words.some((word) => line.startsWith(word)));
  // Where none is removed there was no peer, and nobody's way led by it.
  const added = starting('remove peer').length === 0 ? [] : starting('add peer');
  return [...starting('set the private key', 'listen on port', 'set allowed IPs of peer'), ...added];
}

/** Tasks for a run on the client itself: a server is refused, before the first change there, whose tunnel this would cut. */
export const whileWayStays = <F>(tasks: readonly Task<F>[]): Task<F>[] =>
  tasks.map((task) => ({
    ...task,
    judge: (seen, facts) => {
      const verdict = task.judge(seen, facts);
      const would = cuts(verdict.changes);
      if (would.length === 0) return verdict;
      throw new Fault({
        what: `not changed: this machine is the client, and its way to the servers is the tunnels that this would cut (${would.join('; ')})\nnext: the same from another machine; or here: setup.sh down, this command, setup.sh (until then the machine is open)`,
        code: EXIT.failed,
      });
    },
  }));
