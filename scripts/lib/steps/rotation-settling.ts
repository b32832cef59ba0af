/** Changes of keys that were cut off: whether the server has changed for good is asked, and the client's files follow it. */
import { EXIT, Fault, paint } from '../cli.ts';
import { print } from '../progress.ts';
import { isGood, runPlay } from '../runner/play.ts';
import type { Task } from '../runner/task.ts';
import { hostFacts } from '../tasks/facts.ts';
import { HALF_DONE, halfDone } from '../tasks/rotation.ts';
import { connectSsh } from '../transport/ssh.ts';
import { clientKeys } from '../wireguard/key-store.ts';
import { dropNext, dropOrphans, promote, underWay } from '../wireguard/next-keys.ts';
import { aloneIn } from './rotation-lock.ts';
import type { Missing } from './set-up-client.ts';
import type { Prepared } from './set-up-input.ts';
import type { Member } from './set-up-servers.ts';

/**
 * True where the client's keys are others now than those in `prepared`. Asks nobody where nothing was cut off, and else all
 * that are concerned, also those outside of `--limit`, as the client's files hold them all; a server that is still at it is
 * waited for, as it ends by itself. For a run that is alone in `out`.
 */
export async function settleRotations({ members }: Pick<Prepared, 'members'>, out: string): Promise<boolean> {
  const begun = members.flatMap((member) => {
    const change = member.unresolved === undefined ? underWay(out, member.name) : undefined;
    return change === undefined ? [] : [{ name: member.name, member, change }];
  });
  if (begun.length === 0) return false;
  const results = await runPlay({
    hosts: begun,
    connect: async ({ member }) => connectSsh(member.host, member.ssh),
    gather: hostFacts,
    tasksFor: ({ change }) => [halfDone(change.clientKey.publicKey, change.serverPublicKey)],
    check: false,
    onHost: () => {},
  });
  let changed = false;
  for (const result of results) {
    const { name, member, change } = result.host;
    // What cannot be asked is told by the play that follows, or as the client's files are left as they are.
    const said = isGood(result) ? result.outcome.values.get(HALF_DONE) : undefined;
    const tunnel = `${paint.yellow('changed:')} [client] ${member.tunnel.interface}`;
    if (said === 'done') {
      promote(out, name, change.clientKey);
      changed = true;
      print(`${tunnel} has the keys that a run before had changed to`);
    } else if (said === 'undone') {
      dropNext(out, name);
      print(
        `${tunnel} keeps its keys: a change of them was undone; setup.sh there, where it is up, takes them back`,
      );
    }
  }
  return changed;
}

/** The same as a set-up begins; `again` reads anew what was read before. */
export const settled = (prepared: Prepared, out: string, again: () => Promise<Prepared>): Promise<Prepared> =>
  aloneIn(out, async (waited) => {
    const now = waited ? await again() : prepared;
    return (await settleRotations(now, out)) ? again() : now;
  });

/** Why a server's keys in the client's folder are not to be relied on (any more); undefined where they are. */
function doubt({ name, key }: Member, out: string): Missing | undefined {
  if (underWay(out, name) !== undefined)
    return {
      name,
      why: 'a change of its keys was begun and not ended, and it could not be asked which it has',
      code: EXIT.failed,
    };
  if (clientKeys(out, [name], false).get(name)?.privateKey === key?.privateKey) return undefined;
  return { name, why: 'another run has changed its keys meanwhile', code: EXIT.failed };
}

/** What keeps the client's files from being written. */
export const inDoubt = (members: readonly Member[], out: string): Missing[] =>
  members.flatMap((member) => doubt(member, out) ?? []);

/** Tasks that are refused on a server whose keys another run changes meanwhile: they would bring the old ones back. */
export const whileKeysStay = <F>(tasks: readonly Task<F>[], member: Member, out: string): Task<F>[] =>
  tasks.map((task) => ({
    ...task,
    judge: (seen, facts) => {
      const trouble = doubt(member, out);
      if (trouble === undefined) return task.judge(seen, facts);
      throw new Fault({ what: `${trouble.why}; next: this again`, code: trouble.code });
    },
  }));

/** Writes the client's files with nobody else at it; what changes of keys left that are over goes away then. */
export const writing = <T extends { code: number }>(out: string, write: () => T): Promise<T> =>
  aloneIn(out, async () => {
    const result = write();
    if (result.code === EXIT.ok) dropOrphans(out);
    return result;
  });
