/** Changes of keys that were cut off: whether the server has changed for good is asked, and the client's files follow it. */
import { paint } from '../cli.ts';
import { print } from '../progress.ts';
import { isGood, runPlay } from '../runner/play.ts';
import { hostFacts } from '../tasks/facts.ts';
import { HALF_DONE, halfDone } from '../tasks/rotation.ts';
import { connectSsh } from '../transport/ssh.ts';
import { promote, underWay } from '../wireguard/next-keys.ts';
import type { Prepared } from './set-up-input.ts';

/**
 * True where the client's keys are others now than those in `prepared`. Asks nobody where nothing was cut off; a server
 * that is still at it is waited for, as it ends by itself.
 */
export async function settleRotations({ members, chosen }: Prepared, out: string): Promise<boolean> {
  const begun = members
    .filter(({ name, unresolved }) => chosen.has(name) && unresolved === undefined)
    .flatMap((member) => {
      const change = underWay(out, member.name);
      return change === undefined ? [] : [{ ...member, ssh: member.ssh, change }];
    });
  if (begun.length === 0) return false;
  const results = await runPlay({
    hosts: begun,
    connect: (member) => connectSsh(member.host, member.ssh),
    gather: hostFacts,
    tasksFor: ({ change }) => [halfDone(change.clientKey.publicKey, change.serverPublicKey)],
    check: true,
    onHost: () => {},
  });
  // What cannot be asked is told by the play that follows.
  const done = results.filter((result) => isGood(result) && result.outcome.values.get(HALF_DONE) === 'done');
  for (const { host } of done) {
    promote(out, host.name);
    print(
      `${paint.yellow('changed:')} [client] ${host.tunnel.interface} has the keys that a run before had changed to`,
    );
  }
  return done.length > 0;
}
