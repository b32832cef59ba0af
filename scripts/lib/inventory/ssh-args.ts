import { show } from '../text.ts';
import { addressProblem } from './address.ts';
import { FLAGS, type Honoured, judgeOption } from './ssh-options.ts';
import { splitWords } from './words.ts';

/** Why ssh's arguments are not taken, and what to do. */
export class ArgsTrouble extends RangeError {
  readonly next: string;

  constructor(what: string, next: string) {
    super(what);
    this.next = next;
  }
}

/** One that is honoured, in the order of the words. `W` is ssh's own flag of that name. */
interface Setting {
  name: Honoured | 'W';
  value: string;
}

export interface SshArgs {
  /** As ssh -J takes it: `admin@bastion:2222,next`; `none` where there is to be no jump. */
  jump?: string;
  hostKeyChecking?: 'yes' | 'accept-new' | 'no';
  keyFile?: string;
  port?: string;
  user?: string;
}

const words = (text: string): string[] => {
  try {
    return splitWords(text, false);
  } catch (error) {
    if (error instanceof RangeError) throw new ArgsTrouble(error.message, 'close the quotes');
    throw error;
  }
};

/** `Name=value`, `Name value` and `Name = "value"`, as behind -o. */
function readOption(text: string): { name: string; value: string } {
  const [, name, value = ''] = /^\s*([A-Za-z0-9]+)(?:\s*=\s*|\s+)(.*?)\s*$/s.exec(text) ?? [];
  if (name === undefined) throw new ArgsTrouble(`holds -o ${show(text)}`, 'write -o Name=value');
  return { name, value: /^"([^"]*)"$/.exec(value)?.[1] ?? value };
}

/** The flags of some words of ssh's, and what stands beside them (`rest`: destination and command). */
function readFlags(all: readonly string[]): { settings: Setting[]; rest: string[] } {
  const settings: Setting[] = [];
  const rest: string[] = [];
  const option = (text: string, named?: string): void => {
    const { name, value } = named === undefined ? readOption(text) : { name: named, value: text };
    const verdict = judgeOption(name, value);
    if ('next' in verdict)
      throw new ArgsTrouble(`holds the SSH option ${name}, which is not supported`, verdict.next);
    if (verdict.use !== 'nothing') settings.push({ name: verdict.use, value });
  };
  const queue = [...all];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    // The command begins behind the destination: its flags are its own.
    if (!/^-./.test(word) || rest.length > 1) {
      rest.push(word);
      continue;
    }
    for (let i = 1; i < word.length; i++) {
      const letter = word[i] as string;
      const flag = FLAGS.get(letter);
      if (flag === undefined || flag.next !== undefined)
        throw new ArgsTrouble(`holds ssh's -${letter}, which is not supported`, flag?.next ?? 'take it out');
      if (!flag.takes) continue;
      const value = word.slice(i + 1) || queue.shift();
      if (value === undefined)
        throw new ArgsTrouble(`ends in -${letter}`, `write what is to be behind -${letter}`);
      if (flag.as === 'W') settings.push({ name: 'W', value });
      else if (flag.as !== undefined) option(value, flag.as === 'o' ? undefined : flag.as);
      break;
    }
  }
  return { settings, rest };
}

const HOP = /^(?:ssh:\/\/)?(?:([\w.+-]+)@)?(\[[\da-fA-F:.]+\]|[^:@/[\]\s]+)(?::(\d{1,5}))?\/?$/;

/** One stop on the way as ssh -J takes it. */
function hopOf(text: string): string {
  const [, user, host = '', port] = HOP.exec(text) ?? [];
  if (
    host === '' ||
    addressProblem(host.replace(/^\[|\]$/g, '')) !== undefined ||
    user?.startsWith('-') ||
    port === '0'
  )
    throw new ArgsTrouble(
      `names the jump host ${show(text)}`,
      'write user@host:port, with an address or a DNS name',
    );
  return `${user === undefined ? '' : `${user}@`}${host}${port === undefined ? '' : `:${port}`}`;
}

const hopsOf = (text: string): string =>
  text.toLowerCase() === 'none'
    ? 'none'
    : text
        .split(',')
        .map((hop) => hopOf(hop.trim()))
        .join(',');

const ONLY_SSH = 'only `ssh -W %h:%p user@host` is understood there: write ProxyJump=user@host:port';
/** What people wrote before ssh had -W: `ssh host nc %h %p`. */
const NETCAT =
  /^(?:exec )?(?:\/usr)?(?:\/bin\/)?(?:nc|netcat|ncat)(?: -[qw] ?\d+)* %h %p(?: 2>\s*\/dev\/null)?$/;

/** A ProxyCommand that runs ssh, as ssh -J would have it. `user`: the host's own, for %r. */
function jumpOf(command: string, user: string | undefined): string {
  if (command.toLowerCase() === 'none') return 'none';
  const [program = '', ...args] = words(command.replace(/^\s*exec\s+/, ''));
  if (!/^(?:\/usr\/bin\/)?ssh$/.test(program))
    throw new ArgsTrouble(`holds a ProxyCommand of ${show(program)}`, ONLY_SSH);
  const { settings, rest } = readFlags(args);
  const [destination, ...behind] = rest;
  const value = (name: Setting['name']): string | undefined =>
    settings.find((one) => one.name === name)?.value;
  const forward = value('W');
  const through =
    forward === undefined
      ? NETCAT.test(behind.join(' '))
      : /^(?:%h|\[%h\]):%p$/.test(forward) && behind.length === 0;
  if (destination === undefined || !through)
    throw new ArgsTrouble('holds a ProxyCommand of another kind', ONLY_SSH);
  if (value('identityfile') !== undefined)
    throw new ArgsTrouble(
      'names a key for the jump host',
      'put it into ~/.ssh/config: `Host` and the jump host’s name, below it `IdentityFile` and the file; then take -i out',
    );
  if (value('proxycommand') !== undefined)
    throw new ArgsTrouble('holds a ProxyCommand in a ProxyCommand', ONLY_SSH);
  const named = destination.includes('@')
    ? destination
    : [value('user'), destination].filter(Boolean).join('@');
  if (named.includes('%r') && user === undefined)
    throw new ArgsTrouble('holds %r, and the inventory names no user', 'write the jump host’s user itself');
  const port = value('port');
  const hop = hopOf(named.replace('%r', user ?? '') + (port === undefined ? '' : `:${port}`));
  const before = value('proxyjump');
  return before === undefined || before === 'none' ? hop : `${hopsOf(before)},${hop}`;
}

const CHECKING: Record<string, SshArgs['hostKeyChecking']> = {
  ...{
    yes: 'yes',
    true: 'yes',
    'accept-new': 'accept-new',
    no: 'no',
    off: 'no',
    false: 'no',
    ask: undefined,
  },
};

/** ssh's arguments as an inventory has them, in ssh's own way: of two that say the same, the first holds. */
export function readSshArgs(text: string, user: string | undefined): SshArgs {
  const { settings, rest } = readFlags(words(text));
  if (rest.length > 0) throw new ArgsTrouble(`holds ${show(rest[0])}, which is no option`, 'take it out');
  const found: SshArgs = {};
  for (const { name, value } of settings)
    if (name === 'W') throw new ArgsTrouble("holds ssh's -W outside of a ProxyCommand", ONLY_SSH);
    else if (name === 'proxyjump') found.jump ??= hopsOf(value);
    else if (name === 'proxycommand') found.jump ??= jumpOf(value, user);
    else if (name === 'port') found.port ??= value;
    else if (name === 'user') found.user ??= value;
    else if (name === 'identityfile') {
      if (found.keyFile !== undefined && found.keyFile !== value)
        throw new ArgsTrouble(
          'names two key files',
          'keep one, or put the others into ~/.ssh/config as IdentityFile',
        );
      found.keyFile = value;
    } else {
      if (!(value in CHECKING))
        throw new ArgsTrouble(`holds StrictHostKeyChecking=${show(value)}`, 'write yes, accept-new or no');
      const checking = CHECKING[value];
      if (checking !== undefined) found.hostKeyChecking ??= checking;
    }
  return found;
}
