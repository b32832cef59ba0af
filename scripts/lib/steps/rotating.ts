/** `--rotate-keys`: new keys at both ends of one tunnel after the other, while they are in use. */
import { EXIT, Fault, paint } from '../cli.ts';
import type { Mode } from '../config.ts';
import { realPath } from '../files.ts';
import { print } from '../progress.ts';
import { exitCodeOf, isGood } from '../runner/play.ts';
import type { HostFacts } from '../tasks/facts.ts';
import { NEXT_KEY_PAIR, nextKeyPair, TUNNEL_IN_USE, tunnelInUse } from '../tasks/rotation.ts';
import { clientKeys } from '../wireguard/key-store.ts';
import { type PlaceFlags, sameFilesHint } from './hints.ts';
import type { ClientFlags } from './in-client.ts';
import { modeOf, serverKeyIn } from './present-client.ts';
import { changeAtOnce, changeInUse, play, type Result } from './rotation-changes.ts';
import { clientInUse } from './rotation-client.ts';
import { aloneIn } from './rotation-lock.ts';
import { settleRotations } from './rotation-settling.ts';
import { FORKS, type PlayFlags } from './set-up-flags.ts';
import { type InputOptions, type Prepared, prepare } from './set-up-input.ts';
import { bareRun, type Run } from './set-up-run.ts';
import type { Member } from './set-up-servers.ts';

export interface RotateOptions extends InputOptions, ClientFlags, PlayFlags {
  /** The hosts whose tunnels are meant, as `--limit` takes them; true for all. */
  rotateKeys?: string | true;
}

/** A Fault for each tunnel that has no client file as the set-up writes it. */
function presentKey(
  { tunnel, key }: Pick<Member, 'tunnel' | 'key'>,
  options: RotateOptions,
): { client: string; server: string } {
  const { out } = options;
  const server = serverKeyIn(out, tunnel);
  if (server === undefined || key === undefined)
    throw new Fault({
      at: out,
      what: `has no file of the tunnel to ${tunnel.server.name}`,
      next: `${sameFilesHint('wgnet-setup', options)}, without --rotate-keys`,
    });
  return { client: key.publicKey, server };
}

/** A tunnel's file is written anew with its keys, and the others stay. */
export function requireModeOf(options: PlaceFlags & { out: string }, wanted: Mode): void {
  const { out } = options;
  const there = modeOf(out);
  if (there !== undefined && there !== wanted)
    throw new Fault({
      at: out,
      what: `holds files of mode ${there}, and the change of keys is for mode ${wanted}`,
      next: `--mode ${there}, or first ${sameFilesHint('wgnet-setup', options, { mode: wanted })} and setup.sh on the client`,
    });
}

const notReachable = (name: string): Fault =>
  new Fault({
    at: name,
    what: 'a client is up on this tunnel, and none was found here to be told',
    next: '--container NAME, --lab or --here say where it is; --no-client cuts it off until its setup.sh has run with the new files',
    code: EXIT.failed,
  });

/** What there is to know, with what an earlier run had begun brought to its end. */
async function ready(options: RotateOptions, log: Run['log']): Promise<Prepared> {
  const { rotateKeys, limit, check, out } = options;
  const named = [limit, rotateKeys].filter((one) => typeof one === 'string');
  // Keys are made for those who get new ones, and for nobody else.
  const wanted = { ...options, check: true, ...(named.length === 0 ? {} : { limit: named.join(':&') }) };
  const prepared = await prepare(wanted);
  log.begin();
  return !check && (await settleRotations(prepared, out)) ? prepare(wanted) : prepared;
}

/** Throws where another run has changed a tunnel's keys since they were read. */
function requireSame(
  member: Member,
  present: { client: string; server: string },
  options: RotateOptions,
): void {
  const key = clientKeys(options.out, [member.name], false).get(member.name);
  const now = presentKey({ tunnel: member.tunnel, key }, options);
  if (now.client === present.client && now.server === present.server) return;
  throw new Fault({
    at: member.name,
    what: 'another run has changed the keys of this tunnel meanwhile',
    next: 'nothing, where new ones were all that was wanted',
    code: EXIT.failed,
  });
}

/** Flags that a set-up has, and a change of keys does not follow. */
function refuseFlags(options: PlayFlags): void {
  const { json, tags, skipTags, startAtTask, forks, diff, listHosts, listTasks, listTags } = options;
  const given: [string, boolean][] = [
    ['--list-hosts', listHosts === true],
    ['--list-tasks', listTasks === true],
    ['--list-tags', listTags === true],
    ['--tags', (tags ?? []).length > 0],
    ['--skip-tags', (skipTags ?? []).length > 0],
    ['--start-at-task', startAtTask !== undefined],
    ['--forks', forks !== undefined && forks !== FORKS],
    ['--diff', diff === true],
    ['--json', json === true],
  ];
  const flag = given.find(([, is]) => is)?.[0];
  if (flag !== undefined)
    throw new Fault({
      at: flag,
      what: 'has no meaning for a change of keys (--rotate-keys)',
      next: 'leave one of the two out; --check says what would be changed, --limit which tunnels are meant',
    });
}

/** Changes the keys of all tunnels that are chosen; the exit code. */
export async function rotate(options: RotateOptions, run = bareRun()): Promise<number> {
  refuseFlags(options);
  return options.check
    ? rotateAlone(options, run.log)
    : aloneIn(options.out, () => rotateAlone(options, run.log));
}

/** The same with no other run in the client's folder. */
async function rotateAlone(options: RotateOptions, log: Run['log']): Promise<number> {
  const { check, out } = options;
  const prepared = await ready(options, log);
  requireModeOf(options, prepared.topology.mode);
  const members = prepared.members.filter(({ name }) => prepared.chosen.has(name));
  const present = new Map(members.map((member) => [member, presentKey(member, options)]));
  const found = await clientInUse(options, realPath(out), prepared.topology);
  const client = found === 'down' ? undefined : found;
  if (found === 'down')
    print(
      `${paint.cyan('notice:')} the client is down: ${check ? 'only the servers and its files would be' : 'only the servers and its files are'} changed`,
    );

  const results = await play(
    members,
    (member) => {
      const { client: clientKey, server } = present.get(member) ?? { client: '', server: '' };
      return [tunnelInUse(clientKey, server), ...(check ? [] : [nextKeyPair<HostFacts>()])];
    },
    check,
    undefined,
    true,
  );
  const good = results.filter(isGood);
  const ends: Result[] = results.filter((result) => !isGood(result));
  for (const result of good) {
    const { host, outcome } = result;
    if (found === undefined && options.client !== false && outcome.values.get(TUNNEL_IN_USE) === 'yes') {
      const fault = notReachable(host.name);
      print(`${paint.red('failed:')} ${fault.message}\n      next: ${fault.next}`);
      ends.push({ ...result, host, failed: fault });
      continue;
    }
    if (check) {
      print(
        `${paint.yellow('would change:')} [${host.name}] ${host.tunnel.interface}: new keys at both ends`,
      );
      continue;
    }
    const server = outcome.values.get(NEXT_KEY_PAIR) ?? '';
    const was = present.get(host) ?? { client: '', server: '' };
    requireSame(host, was, options);
    const end = await (client === undefined
      ? changeAtOnce(host, server, prepared, out)
      : changeInUse(host, { old: was.server, next: server }, client, out));
    ends.push(end);
  }
  const left = ends.filter((result) => !isGood(result));
  print(
    `\n${members.length - left.length} of ${members.length} tunnels ${check ? 'would have' : 'have'} new keys${left.length === 0 ? '' : `; not: ${left.map(({ host }) => host.name).join(', ')}`}`,
  );
  if (!check && client === undefined && left.length < members.length)
    print('next:    setup.sh on the client, when it is up, takes the new files');
  return exitCodeOf(ends);
}
