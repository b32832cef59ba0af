/** Hosts that were never seen: a person compares their keys before anything is sent to them. */
import { canAsk, confirm } from '../ask.ts';
import { Fault } from '../cli.ts';
import { statusLine } from '../progress.ts';
import { fingerprint, judgeHostKey, keyType } from './known-hosts.ts';
import { editKnownHosts, pin } from './known-hosts-edit.ts';
import { knownOf, type LoginSettings, type LoginTarget, loginOf } from './login.ts';
import { shownKey } from './shown-key.ts';

/** A host of which nothing is known, and the key that it shows. */
interface Stranger {
  target: LoginTarget;
  key: Buffer;
}

/** `vpn1 (198.51.100.11 port 22): ssh-ed25519 SHA256:…` */
const lineOf = ({ target: { name, address, port }, key }: Stranger): string =>
  `${name} (${address} port ${port}): ${keyType(key)} ${fingerprint(key)}`;

async function strangersAmong(targets: readonly LoginTarget[], settings: LoginSettings): Promise<Stranger[]> {
  const status = statusLine();
  const found = await Promise.all(
    targets.map(async (target): Promise<Stranger[]> => {
      const { known } = knownOf(target, settings.inventory);
      if (known.some(({ revoked }) => !revoked)) return [];
      status.set(target.name, 'asking for its host key');
      const { jumps } = loginOf(target, settings);
      const key = await shownKey(target, settings.timeout, jumps);
      status.set(target.name, undefined);
      // A revoked one is refused by the connection proper.
      return key !== undefined && judgeHostKey(known, key).verdict === 'unknown' ? [{ target, key }] : [];
    }),
  );
  return found.flat();
}

/** The hosts, and the machines on the way to them, by how many of these come before: nobody is asked behind a stranger. */
function levelsOf(targets: readonly LoginTarget[]): LoginTarget[][] {
  const levels: Map<string, LoginTarget>[] = [];
  const put = (depth: number, target: LoginTarget): void => {
    const level = levels[depth] ?? new Map<string, LoginTarget>();
    levels[depth] = level;
    const key = JSON.stringify([target.address, target.port]);
    if (!level.has(key)) level.set(key, target);
  };
  for (const target of targets) {
    const { hostKeyChecking, ssh } = target;
    const jumps = ssh?.jumps ?? [];
    for (const [i, jump] of jumps.entries())
      put(i, { ...jump, line: 0, ssh: { ...jump.ssh, jumps: jumps.slice(0, i) } });
    // `yes` there takes no new key, and `accept-new` takes it unasked.
    if ((hostKeyChecking ?? ssh?.hostKeyChecking) === undefined) put(jumps.length, target);
  }
  return levels.map((level) => [...(level?.values() ?? [])]);
}

/**
 * Shows the keys of all hosts that were never seen, asks once, and remembers just these keys; machines on the way come
 * first, with a question of their own. A Fault where the answer is no. Does nothing where there is nobody to ask, or where
 * new keys are taken unasked: the connection decides then.
 */
export async function meetStrangers(
  targets: readonly LoginTarget[],
  settings: LoginSettings,
  person = { canAsk, confirm },
): Promise<void> {
  if (settings.acceptNew || !person.canAsk()) return;
  for (const level of levelsOf(targets))
    await introduce(await strangersAmong(level, settings), settings, person.confirm);
}

async function introduce(
  strangers: readonly Stranger[],
  { inventory }: LoginSettings,
  ask: typeof confirm,
): Promise<void> {
  const [first] = strangers;
  if (first === undefined) return;
  const one = strangers.length === 1;
  const question = `${one ? 'Is this the fingerprint' : 'Are these the fingerprints'} that your provider shows?`;
  const lines = strangers.map((stranger) => `  ${lineOf(stranger)}\n`).join('');
  if (!(await ask(`${one ? 'A host' : 'Hosts'} never seen before:\n${lines}${question}`)))
    throw new Fault({
      what: `the host ${one ? 'key was' : 'keys were'} not confirmed, and nothing was changed`,
      next: 'compare them with what `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` says in your provider’s console, then run this again',
    });
  const { own } = knownOf(first.target, inventory);
  editKnownHosts(own, (text) =>
    strangers.reduce((so, { target: { name, address, port, ssh }, key }) => {
      const alias = ssh?.hostKeyAlias;
      const named = alias === undefined ? { address, port } : { address: alias, port: 22 };
      const comment = name === address ? {} : { comment: name };
      return pin(so, { ...named, type: keyType(key), key: key.toString('base64'), ...comment });
    }, text),
  );
}
