/** The change of one tunnel's keys: with a client that is up, or without. */
import { join } from 'node:path';
import { Fault, messageOf, paint } from '../cli.ts';
import { print, statusLine } from '../progress.ts';
import { type HostResult, isGood, runPlay } from '../runner/play.ts';
import { hostLines } from '../runner/report.ts';
import { keepSecret } from '../runner/secrets.ts';
import type { Task } from '../runner/task.ts';
import { quote } from '../shell.ts';
import { type HostFacts, hostFacts } from '../tasks/facts.ts';
import { CLIENTS_TURN, changeOfKeys, HALF_DONE, halfDone, keyAtOnce } from '../tasks/rotation.ts';
import { connectSsh } from '../transport/ssh.ts';
import { tunnelFile } from '../wireguard/client-files.ts';
import type { ClientKey } from '../wireguard/key-store.ts';
import { dropNext, nextClientKey, promote, writeNext } from '../wireguard/next-keys.ts';
import { asPrefix } from '../wireguard/topology.ts';
import { shellInClient } from './in-client.ts';
import type { Client } from './rotation-client.ts';
import type { Prepared } from './set-up-input.ts';
import { type Member, tasksFor } from './set-up-servers.ts';

export type Result = HostResult<Member>;

/** Plays some hosts with what people see of it. */
export async function play(
  members: readonly Member[],
  tasks: (member: Member) => Task<HostFacts>[],
  check: boolean,
  onStep: (line: string) => void = () => {},
  quiet = false,
): Promise<Result[]> {
  const status = statusLine();
  try {
    return await runPlay({
      hosts: members,
      connect: (member) =>
        member.unresolved ? Promise.reject(member.unresolved) : connectSsh(member.host, member.ssh),
      gather: hostFacts,
      tasksFor: tasks,
      check,
      onStep: ({ name }, line) => {
        status.set(name, line);
        onStep(line);
      },
      onWait: ({ name }, kind, what) => status.print([`${paint.cyan(`${kind}:`)} [${name}] ${what}`]),
      onHost: (result) => {
        status.set(result.host.name, undefined);
        if (!quiet || !isGood(result)) status.print(hostLines(result.host.name, result, check));
      },
    });
  } finally {
    status.end();
  }
}

/** The tunnel's keys at both ends, while packets flow. */
export async function changeInUse(
  member: Member,
  server: { old: string; next: string },
  client: Client,
  out: string,
): Promise<Result> {
  const { tunnel, key, name } = member;
  const next = nextClientKey(out, name);
  keepSecret(next.privateKey);
  writeNext(out, tunnelFile(tunnel, { privateKey: next.privateKey, serverPublicKey: server.next }));
  const rotation = {
    client: { old: key?.publicKey ?? '', next: next.publicKey },
    server,
    allowedIps: tunnel.allowedIps.map(asPrefix),
  };
  const setUp = quote(join(client.directory, 'setup.sh'));
  let begun = false;
  let answers = Promise.resolve('');
  const onStep = (line: string): void => {
    // A second time where the connection was lost in the middle: the client then finds that it is done, or begins anew.
    if (line !== CLIENTS_TURN) return;
    begun = true;
    answers = answers.then(async () => {
      const { code, stderr } = await shellInClient(client.place, `${setUp} rekey ${tunnel.interface}`);
      return code === 0 ? '' : stderr.trim();
    });
  };
  const [result] = (await play([member], () => [changeOfKeys(rotation)], false, onStep, true)) as [Result];
  const trouble = await answers.catch((error: unknown) => {
    if (error instanceof Fault) return error.message;
    throw error;
  });
  if (!isGood(result)) {
    if (trouble !== '') print(`      the client: ${trouble.replaceAll('\n', '\n      ')}`);
    const shown = await afterFailure(
      { member, next, server: server.next, out, alone: begun && trouble === '' },
      result,
      async () => {
        const { code, stderr } = await shellInClient(client.place, setUp);
        return code === 0 ? '' : stderr.trim();
      },
    );
    print(`${paint.cyan('notice:')} [${name}] ${tunnel.interface}: ${shown}`);
    return result;
  }
  promote(out, name, next);
  print(`${paint.yellow('changed:')} [${name}] ${tunnel.interface}: new keys at both ends`);
  if (trouble !== '')
    print(`${paint.cyan('notice:')} the client: ${trouble}; next: ${client.directory}/setup.sh there`);
  return result;
}

interface Failed {
  member: Member;
  next: ClientKey;
  /** The server's next public key. */
  server: string;
  out: string;
  /** The client has done its half, and it alone is known to have. */
  alone: boolean;
}

/**
 * After a change that did not end well: what state both ends are in, for a person. The client has heard from the server by
 * the new keys before it ends its half well, so it goes back only where the server itself says that it gave up.
 */
async function afterFailure(
  { member, next, server, out, alone }: Failed,
  result: Result,
  back: () => Promise<string>,
): Promise<string> {
  const ask = (): Task<HostFacts>[] => [halfDone(next.publicKey, server)];
  const [asked] = result.unreachable ? [] : await play([member], ask, false, undefined, true);
  const said = asked !== undefined && isGood(asked) ? asked.outcome.values.get(HALF_DONE) : undefined;
  if (said === 'done') {
    promote(out, member.name, next);
    return `the server has its new keys, and the client’s file too; ${alone ? 'the client runs with them' : 'next: setup.sh there'}`;
  }
  if (said === undefined)
    return alone
      ? 'the client runs with the new keys, by which it has heard from the server; its file follows once the server can be asked; next: wgnet-setup.ts'
      : 'the client has its old keys; whether the server has is asked by the next run; next: wgnet-setup.ts';
  dropNext(out, member.name);
  if (!alone) return 'both ends have their old keys';
  const trouble = await back().catch(messageOf);
  return trouble === ''
    ? 'both ends have their old keys again'
    : `the server has its old keys again, the client not: ${trouble}; next: setup.sh there`;
}

/** The same where no client is up: the files are changed, and the server. A run that is cut off here is ended by a set-up. */
export async function changeAtOnce(
  member: Member,
  server: string,
  { config }: Prepared,
  out: string,
): Promise<Result> {
  const { tunnel, name } = member;
  const key = nextClientKey(out, name);
  keepSecret(key.privateKey);
  writeNext(out, tunnelFile(tunnel, { privateKey: key.privateKey, serverPublicKey: server }));
  promote(out, name, key);
  const tasks = (): Task<HostFacts>[] => [keyAtOnce(server), ...tasksFor({ ...member, key }, config)];
  const [result] = (await play([member], tasks, false, undefined, true)) as [Result];
  if (isGood(result))
    print(
      `${paint.yellow('changed:')} [${name}] ${tunnel.interface}: new keys, for a client that is to come`,
    );
  return result;
}
