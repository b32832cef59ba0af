/** `--rotate-keys`: new keys at both ends of one tunnel after the other, while they are in use. */
import { EXIT, Fault, paint } from '../cli.ts';
import { realPath } from '../files.ts';
import { print } from '../progress.ts';
import { exitCodeOf, isGood } from '../runner/play.ts';
import type { HostFacts } from '../tasks/facts.ts';
import { NEXT_KEY_PAIR, nextKeyPair, TUNNEL_IN_USE, tunnelInUse } from '../tasks/rotation.ts';
import type { ClientFlags } from './in-client.ts';
import { serverKeyIn } from './present-client.ts';
import { changeAtOnce, changeInUse, play, type Result } from './rotation-changes.ts';
import { clientInUse } from './rotation-client.ts';
import { settleRotations } from './rotation-settling.ts';
import { type InputOptions, type Prepared, prepare } from './set-up-input.ts';
import { bareRun, type Run } from './set-up-run.ts';
import type { Member } from './set-up-servers.ts';

export interface RotateOptions extends InputOptions, ClientFlags {
  /** The hosts whose tunnels are meant, as `--limit` takes them; true for all. */
  rotateKeys?: string | true;
  json?: boolean;
}

const SET_UP = 'npx zx scripts/wgnet-setup.ts';

/** A Fault for each tunnel that has no client file as the set-up writes it. */
function presentKey({ tunnel, key }: Member, out: string): { client: string; server: string } {
  const server = serverKeyIn(out, tunnel);
  if (server === undefined || key === undefined)
    throw new Fault({
      at: out,
      what: `has no file of the tunnel to ${tunnel.server.name}`,
      next: `${SET_UP}, without --rotate-keys`,
    });
  return { client: key.publicKey, server };
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

/** Changes the keys of all tunnels that are chosen; the exit code. */
export async function rotate(options: RotateOptions, { log } = bareRun()): Promise<number> {
  const { check, out, json } = options;
  if (json)
    throw new Fault({ at: '--json', what: 'has no document of a change of keys', next: 'leave it out' });
  const prepared = await ready(options, log);
  const members = prepared.members.filter(({ name }) => prepared.chosen.has(name));
  const present = new Map(members.map((member) => [member, presentKey(member, out)]));
  const client = await clientInUse(options, realPath(out));

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
    if (client === undefined && options.client !== false && outcome.values.get(TUNNEL_IN_USE) === 'yes') {
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
    const end = await (client === undefined
      ? changeAtOnce(host, server, prepared, out)
      : changeInUse(host, server, client, out));
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
