/** The servers of hosts.ini run WireGuard, and the client's files exist. */
import { EXIT, paint } from '../cli.ts';
import { print, seconds, statusLine } from '../progress.ts';
import type { Choice } from '../runner/choice.ts';
import { exitCodeOf, type HostResult, runPlay } from '../runner/play.ts';
import { hostLines, recapLines } from '../runner/report.ts';
import type { Round } from '../runner/round.ts';
import { hideKeys, withoutKeys } from '../runner/secrets.ts';
import type { Diff } from '../runner/task.ts';
import { hostFacts } from '../tasks/facts.ts';
import { KEY_PAIR, keyPair } from '../tasks/key-pair.ts';
import { preflight } from '../transport/docker.ts';
import { connectSsh } from '../transport/ssh.ts';
import { endpointIn, retiredIn } from '../wireguard/write-client.ts';
import { labClientHint } from './hints.ts';
import { isHere, whileWayStays } from './own-way.ts';
import { holdsNetworkOf, movedIn } from './present-client.ts';
import { inDoubt, settled, whileKeysStay, writing } from './rotation-settling.ts';
import {
  clientDiffs,
  clientHint,
  clientWish,
  givenUp,
  isSpared,
  leftFor,
  modeLine,
  retiredLine,
  wouldDo,
  writeClient,
} from './set-up-client.ts';
import type { PlayFlags } from './set-up-flags.ts';
import { type InputOptions, type Prepared, prepare, readInput } from './set-up-input.ts';
import { hostsOf, shownDiff } from './set-up-json.ts';
import { bareRun, type Run } from './set-up-run.ts';
import { type Member, tasksFor } from './set-up-servers.ts';
import { CLIENT, chosenTasks, listLines, listsOf } from './set-up-tasks.ts';

export interface SetUpOptions extends InputOptions, PlayFlags {}

type Differ = (diff: Diff) => string[];

/** One round trip for a person who asked for more: with -vv, also what each piece answered. */
function roundLines(name: string, { what, ms, code, pieces }: Round, verbose: number): string[] {
  const head = `${paint.dim(`[${name}]`)} ${what}: ${pieces.length} pieces in one round trip, ${seconds(ms)}, exit ${code ?? '-'}`;
  if (verbose < 2) return [head];
  const said = pieces.flatMap(({ name: piece, frame }) => [
    `  ${piece}: ${frame === undefined ? 'no answer' : `exit ${frame.code}`}`,
    ...`${withoutKeys(frame?.stdout ?? '', piece.startsWith(KEY_PAIR))}\n${hideKeys(frame?.stderr ?? '')}`
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => `    ${line}`),
  ]);
  return [head, ...said];
}

/** Plays the servers, each with a line or more as it ends. */
async function playAll(
  { members, config }: Prepared,
  options: SetUpOptions,
  choice: Choice | undefined,
  differ: Differ | undefined,
  log: Run['log'],
): Promise<HostResult<Member>[]> {
  const onClient = await isHere();
  const status = statusLine();
  const { check, forks, out, verbose = 0 } = options;
  return runPlay({
    hosts: members,
    connect: (member) =>
      member.unresolved ? Promise.reject(member.unresolved) : connectSsh(member.host, member.ssh),
    gather: hostFacts,
    tasksFor: (member) => {
      if (member.part === 'ask') return [keyPair()];
      const tasks = tasksFor(member, config);
      if (check) return tasks;
      return whileKeysStay(onClient ? whileWayStays(tasks) : tasks, member, out);
    },
    // Of a host outside of --limit the state is read, and nothing more.
    choiceFor: (member) => (member.part === 'ask' ? () => false : choice),
    check,
    forks,
    onStep: ({ name }, line) => status.set(name, line),
    onWait: ({ name }, kind, what) => status.print([`${paint.cyan(`${kind}:`)} [${name}] ${what}`]),
    onRound: ({ name }, round) => {
      log.round(name, round);
      if (verbose > 0) status.print(roundLines(name, round, verbose));
    },
    onHost: (result) => {
      const { name, part } = result.host;
      status.set(name, undefined);
      if (part === 'play') status.print(hostLines(name, result, check, differ));
      else if (isSpared(result)) status.print([sparedLine(result)]);
      else if (result.unreachable ?? result.failed) status.print(hostLines(name, result, check));
      else status.print([`${paint.green('ok:')} [${name}] outside of --limit: its public key was looked at`]);
    },
  });
}

/** A server outside of --limit that could not be asked. */
const sparedLine = ({ host, unreachable, failed }: HostResult<Member>): string =>
  `${paint.cyan('notice:')} [${host.name}] outside of --limit, and could not be asked for its public key: the one in the client’s files stays (${(unreachable ?? failed)?.message})`;

/** Writes the client's files, or says what would be written; the code of what stood in the way. */
function clientSide(
  { members, topology, config, idle }: Prepared,
  results: readonly HostResult<Member>[],
  options: SetUpOptions,
  differ: Differ | undefined,
  document: Run['document'],
): { code: number; done: string[] } {
  const { check, out } = options;
  const { client } = document;
  client.folder = out;
  const { files, missing } = clientWish(members, results, topology, config);
  const outside = members
    .filter(({ part, unresolved }) => part === 'ask' && unresolved === undefined)
    .map(({ tunnel }) => tunnel);
  const left = leftFor(
    check ? [] : [...missing, ...inDoubt(members, out)],
    movedIn(out, outside, files),
    options,
  );
  if (left !== undefined) {
    client.left = left.why;
    print(`${paint.red('client files left as they are:')} ${left.why}\n      next: ${left.next}`);
    return { code: left.code, done: [] };
  }
  const moved = modeLine(out, topology.mode, options);
  if (moved !== undefined) print(moved);
  const before = endpointIn(out);
  const ours = holdsNetworkOf(out, topology);
  const retired = ours ? retiredIn(out, topology) : [];
  const diffs = clientDiffs(out, files);
  const done = check ? wouldDo(out, files) : writeClient(out, files);
  client.written = done.filter((line) => !line.startsWith('remove')).map((line) => line.replace(/^\w+ /, ''));
  client.removed = done.filter((line) => line.startsWith('remove')).map((line) => line.replace(/^\w+ /, ''));
  client.diffs = diffs.map(shownDiff);
  for (const line of done) print(`${paint.yellow(check ? 'would change:' : 'changed:')} [client] ${line}`);
  if (differ !== undefined) for (const line of diffs.flatMap(differ)) print(line);
  // Whoever has a deleted droplet's address now is a stranger.
  const past = retired.length === 0 ? [] : givenUp(options.inventory);
  for (const { name, address } of retired.filter((one) => !past.includes(one.address)))
    print(retiredLine(name, address, idle.includes(name)));
  if (!check && ours === false)
    print(
      `${paint.cyan('notice:')} ${out} held another network (its server: ${before}); its keys are kept there, and its own hosts.ini writes it again`,
    );
  return { code: EXIT.ok, done: check ? [] : done };
}

/** Sets the servers up and writes the client's files, with all that is to be said of it; the exit code. */
export async function setUp(options: SetUpOptions, { log, document } = bareRun()): Promise<number> {
  const { check, out } = options;
  const input = readInput(options);
  document.mode = input.config.mode;
  const lists = listsOf(input, options);
  if (lists !== undefined) {
    document.lists = lists;
    for (const line of listLines(lists)) print(line);
    return EXIT.ok;
  }
  const choice = chosenTasks(input, options);
  let prepared = await prepare(options, input);
  log.begin();
  if (!check) prepared = await settled(prepared, out, () => prepare(options, input));
  const differ = options.diff ? (await import('../runner/diff.ts')).diffLines : undefined;

  // The first time, and meanwhile: whether the client can be started here.
  const docker =
    check || labClientHint() !== undefined || endpointIn(out) !== undefined ? undefined : preflight();
  const results = await playAll(prepared, options, choice, differ, log);
  Object.assign(document, hostsOf(prepared.members, results));

  const played = results.filter(({ host }) => host.part === 'play');
  let code = exitCodeOf(played);
  let done: string[] = [];
  if (code !== EXIT.ok) {
    document.client.left = 'they need every server';
    if (!check)
      print(
        `${paint.red('client files not written:')} they need every server; mend the above and run this again`,
      );
  } else if (choice?.(CLIENT) ?? true) {
    const write = () => clientSide(prepared, results, options, differ, document);
    ({ code, done } = check ? write() : await writing(out, write));
  }

  print(`\n${paint.bold('RECAP')}`);
  const counted = results.filter(
    (result) => result.host.part === 'play' || ((result.unreachable ?? result.failed) && !isSpared(result)),
  );
  for (const line of recapLines(counted.map((result) => ({ name: result.host.name, result })))) print(line);
  if (done.length > 0) print(`\n${await clientHint(out, docker)}`);
  return code;
}
