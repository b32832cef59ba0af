/** How the command line changes the way to log in to a host. */
import { resolve } from 'node:path';
import { askSecret, canAsk } from '../ask.ts';
import { Fault } from '../cli.ts';
import { Secret } from '../config.ts';
import { readText } from '../files.ts';
import type { Host } from '../inventory.ts';
import { keepSecret } from '../runner/secrets.ts';
import type { HostFlags } from './set-up-flags.ts';

const NEXT = 'let this user use sudo without a password there, or name a file with --become-password-file';

/** The first line of a file; a Fault where it is empty. */
function passwordIn(file: string): string {
  const [line = ''] = readText(file, 'write the sudo password into its first line').split(/\r?\n/);
  if (line !== '') return line;
  throw new Fault({
    at: file,
    what: 'its first line is empty, and was to be the sudo password',
    next: 'write the password there, and nothing before it',
  });
}

/** Refuses a password that could not be had: nobody to be asked, or nothing in the file. */
export function requireAnswers(
  { askBecomePass, becomePasswordFile }: HostFlags,
  person: { canAsk: () => boolean } = { canAsk },
): void {
  if (becomePasswordFile !== undefined) passwordIn(becomePasswordFile);
  else if (askBecomePass && !person.canAsk())
    throw new Fault({ what: '--ask-become-pass asks on a terminal, and there is none', next: NEXT });
}

/** The password that sudo wants, from the person or a file; undefined where no flag speaks of one. */
export async function becomePassword(
  flags: HostFlags,
  person = { canAsk, askSecret },
): Promise<Secret | undefined> {
  const secret = (text: string): Secret => {
    keepSecret(text);
    return new Secret(text);
  };
  const { askBecomePass, becomePasswordFile } = flags;
  requireAnswers(flags, person);
  if (becomePasswordFile !== undefined) return secret(passwordIn(becomePasswordFile));
  if (!askBecomePass) return undefined;
  const text = await person.askSecret('sudo password');
  if (text === undefined || text === '')
    throw new Fault({ what: 'no sudo password was given, and nothing was changed', next: 'run this again' });
  return secret(text);
}

/** As with Ansible's flags, what the inventory says of a host comes before them. */
export function withFlags(host: Host, flags: HostFlags, password: Secret | undefined): Host {
  const { user, privateKey, become } = flags;
  const said = host.implied ?? { address: false, port: false, user: host.user === 'root' };
  return {
    ...host,
    ...(user !== undefined && said.user ? { user, implied: { ...said, user: false } } : {}),
    // Of the folder in which the command was typed, not of the inventory's.
    ...(privateKey !== undefined && host.privateKeyFile === undefined
      ? { privateKeyFile: /^~\//.test(privateKey) ? privateKey : resolve(privateKey) }
      : {}),
    ...(become || password !== undefined
      ? {
          become: {
            ...host.become,
            ...(become ? { wanted: true } : {}),
            ...(password === undefined || host.become?.password !== undefined ? {} : { password }),
          },
        }
      : {}),
  };
}
