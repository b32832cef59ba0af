/** The change of one tunnel's keys: with a client that is up, or without. */
import { join } from 'node:path';
import { Fault, paint } from '../cli.ts';
import { print, statusLine } from '../progress.ts';
import { type HostResult, isGood, runPlay } from '../runner/play.ts';
import { hostLines } from '../runner/report.ts';
import { keepSecret } from '../runner/secrets.ts';
import type { Task } from '../runner/task.ts';
import { quote } from '../shell.ts';
import { type HostFacts, hostFacts } from '../tasks/facts.ts';
import { CLIENTS_TURN, changeOfKeys, keyAtOnce } from '../tasks/rotation.ts';
import { connectSsh } from '../transport/ssh.ts';
import { tunnelFile } from '../wireguard/client-files.ts';
import { nextClientKey, promote, writeNext } from '../wireguard/next-keys.ts';
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
  server: string,
  client: Client,
  out: string,
): Promise<Result> {
  const { tunnel, key, name } = member;
  const next = nextClientKey(out, name);
  keepSecret(next.privateKey);
  writeNext(out, tunnelFile(tunnel, { privateKey: next.privateKey, serverPublicKey: server }));
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
    // Its half alone was done: back to what its files say.
    if (trouble === '' && begun) await shellInClient(client.place, setUp);
    if (trouble !== '') print(`      the client: ${trouble.replaceAll('\n', '\n      ')}`);
    return result;
  }
  promote(out, name);
  print(`${paint.yellow('changed:')} [${name}] ${tunnel.interface}: new keys at both ends`);
  if (trouble !== '')
    print(`${paint.cyan('notice:')} the client: ${trouble}; next: ${client.directory}/setup.sh there`);
  return result;
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
  promote(out, name);
  const tasks = (): Task<HostFacts>[] => [keyAtOnce(server), ...tasksFor({ ...member, key }, config)];
  const [result] = (await play([member], tasks, false, undefined, true)) as [Result];
  if (isGood(result))
    print(
      `${paint.yellow('changed:')} [${name}] ${tunnel.interface}: new keys, for a client that is to come`,
    );
  return result;
}
