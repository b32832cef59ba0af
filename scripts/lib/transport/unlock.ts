/** Passphrases of keys: asked for once, of a person, before anybody is connected to. */
import { askSecret, canAsk } from '../ask.ts';
import { Fault, paint } from '../cli.ts';
import { print } from '../progress.ts';
import { quoteAll } from '../shell.ts';
import { agentOf, isOpen, type KeyFile, keepUnlocked, keyFilesOf } from './key-files.ts';
import { agentKeys, SilentAgent } from './key-ring.ts';
import type { LoginSettings, LoginTarget } from './login-target.ts';
import { unlock } from './private-key.ts';

/** How often a passphrase may be wrong. */
const TRIES = 3;

/** Why a key with a passphrase is of no use now, and what makes it one. */
export const lockedFault = (file: string, name: string, at: string): Fault =>
  new Fault({
    at,
    what: `the key for ${name}, ${file}, has a passphrase`,
    next: `start ssh-agent, then ${quoteAll(['ssh-add', file])}`,
  });

/** The machines that are logged in to: hosts, and those on the way to them. */
const withHops = (hosts: readonly LoginTarget[]): LoginTarget[] => [
  ...hosts,
  ...hosts.flatMap(({ ssh }) => ssh?.jumps.map((hop) => ({ ...hop, line: 0 })) ?? []),
];

/** Silent agents that a person was told of. */
const told = new Set<string>();

function tellSilent(socket: string): void {
  if (told.has(socket)) return;
  told.add(socket);
  print(`${paint.cyan('notice:')} ssh-agent at ${socket} does not answer: this goes on without its keys`);
}

/** The public keys of each agent, asked once; none of one that does not answer, and one that is silent is told of. */
async function heldBy(sockets: ReadonlySet<string>): Promise<Map<string, Set<string>>> {
  const asked = [...sockets].map(async (socket): Promise<[string, Set<string>]> => {
    const keys = await agentKeys(socket).catch((error: unknown) => {
      if (error instanceof SilentAgent) tellSilent(socket);
      return [];
    });
    return [socket, new Set(keys.map((key) => key.getPublicSSH().toString('base64')))];
  });
  return new Map(await Promise.all(asked));
}

/**
 * The keys to ask about for one host. The one of hosts.ini always; others only where without them there is nothing
 * that was meant for this host: ssh(1) would ask late, once the host has said which one it takes.
 */
function wantedOf(
  files: readonly KeyFile[],
  held: ReadonlySet<string> | undefined,
  lone: boolean,
): KeyFile[] {
  const usable = (key: KeyFile): boolean =>
    isOpen(key) || (key.publicKey !== undefined && held?.has(key.publicKey.toString('base64')) === true);
  const locked = files.filter((key) => key.text !== undefined && !usable(key));
  const named = locked.filter(({ by }) => by === 'inventory');
  if (named.length > 0) return named;
  if (files.some(usable)) return [];
  return lone || files.some(({ by }) => by === 'config') ? locked : [];
}

async function askFor({ file, text = '' }: KeyFile, ask: typeof askSecret): Promise<boolean> {
  for (let tries = 1; tries <= TRIES; tries++) {
    const again = tries === 1 ? '' : ', which was not that';
    const passphrase = await ask(`Passphrase of ${file}${again}`);
    // Nothing typed: without this key, as ssh has it.
    if (!passphrase) return false;
    const key = unlock(text, passphrase);
    if (key === undefined) continue;
    keepUnlocked(text, key);
    return true;
  }
  throw new Fault({
    at: file,
    what: `its passphrase was wrong ${TRIES} times`,
    next: `${quoteAll(['ssh-keygen', '-yf', file])} tells whether you have it`,
  });
}

/**
 * Asks for the passphrases of keys that need one and that ssh-agent does not hold, once for all hosts. Without a terminal
 * a Fault says how to do without, where a host cannot do without the key. What is unlocked stays in this process's memory.
 */
export async function unlockKeys(
  hosts: readonly LoginTarget[],
  { inventory }: Pick<LoginSettings, 'inventory'>,
  person = { canAsk, askSecret },
): Promise<void> {
  const targets = withHops(hosts).map((target) => ({ target, files: keyFilesOf(target, inventory) }));
  const locked = targets.filter(({ files }) => files.some((key) => !isOpen(key)));
  // Also those that nothing depends on here: what is silent would cost each login its time.
  const held = await heldBy(new Set(targets.flatMap(({ target }) => agentOf(target) ?? [])));
  const done = new Set<string>();
  for (const { target, files } of locked) {
    const keys = held.get(agentOf(target) ?? '');
    for (const key of wantedOf(files, keys, (keys?.size ?? 0) === 0)) {
      // One that another host has unlocked meanwhile is enough.
      if (done.has(key.file) || (key.by !== 'inventory' && files.some(isOpen))) continue;
      done.add(key.file);
      if (person.canAsk()) await askFor(key, person.askSecret);
      else
        throw lockedFault(
          key.file,
          target.name,
          target.line === 0 ? '~/.ssh/config' : `${inventory}:${target.line}`,
        );
    }
  }
}
