/** Scripts as root by way of sudo: what is sent, and what its answer means. Decides only. */
import { EXIT } from '../cli.ts';
import { SshFault, type SshTarget } from './ssh-options.ts';
import type { Answer } from './transport.ts';

/** Root's shell says this on standard error before it reads the script; what came before is sudo's. */
const ROOT = 'comps: root from here on';

const ROOTS_SHELL = `PATH=\\$PATH:/usr/sbin:/sbin; export PATH; echo ${ROOT} >&2; exec /bin/sh -s`;

/**
 * The command line to send, for any login shell: one line, in single quotes without any in it, or a `!` or two `\\`.
 * Without a password sudo asks for none (-n), and root's shell reads the script where sudo read nothing.
 *
 * With one, its line comes before the script, and the shell reads just this line, a byte at a time. sudo gets it by a
 * pipe that holds nothing else: a second try finds the end of it, so a wrong password is one wrong password and no line of
 * the script is ever taken for another; and where sudo asks for none, nobody reads it. The script waits in a pipe of its
 * own, which root's shell opens by way of /proc, as sudo hands no other descriptor on.
 */
export function sudoCommand(withPassword: boolean): string {
  const sudo = 'LC_ALL=C LANGUAGE= sudo -H';
  if (!withPassword) return `/bin/sh -c '${sudo} -n /bin/sh -c "${ROOTS_SHELL}"'`;
  const ask = `printf "%s\\n" "$p" | ${sudo} -S -p "" /bin/sh -c "exec </proc/$me/fd/3; ${ROOTS_SHELL}"`;
  return `/bin/sh -c 'IFS= read -r p; cat | { exec 3<&0; read -r me rest </proc/self/stat; ${ask}; }'`;
}

/** What goes to its standard input. */
export const sudoInput = (script: string, password: string | undefined): string =>
  password === undefined ? script : `${password}\n${script}`;

/** What sudo's own words mean, and what to do. */
function meaning(said: string, user: string, withPassword: boolean): { what: string; next: string } {
  if (/not in the sudoers|not allowed to|may not run sudo/i.test(said))
    return { what: `${user} may not use sudo`, next: `as root there: usermod -aG sudo ${user}` };
  if (/must have a tty/i.test(said))
    return {
      what: 'sudo wants a terminal (requiretty)',
      next: `as root there: take requiretty out with visudo, or add: Defaults:${user} !requiretty`,
    };
  if (/\/proc\/\d+\/fd/.test(said))
    return {
      what: `root there cannot read what ${user} hands over (a container without SYS_PTRACE)`,
      next: `allow ${user} sudo without a password: NOPASSWD in /etc/sudoers`,
    };
  if (/sudo.*not found|sudo: inaccessible/i.test(said))
    return {
      what: 'sudo is not installed',
      next: 'as root there: apt-get install sudo; or log in as root: ansible_user=root in hosts.ini',
    };
  if (/password|try again|authentica/i.test(said))
    return withPassword
      ? {
          what: `the sudo password of ${user} is wrong`,
          next: 'run this again with the right one: --ask-become-pass (-K)',
        }
      : { what: 'sudo needs a password', next: 'run this again with --ask-become-pass (-K)' };
  const last = said.trim().split('\n').slice(-3).join(' / ');
  return {
    what: `sudo gives no root shell: ${last || 'it said nothing'}`,
    next: `see what \`sudo -n true\` says there as ${user}`,
  };
}

/** The script's own answer, or why sudo did not let it begin. */
export function readSudo(answer: Answer, target: SshTarget, withPassword: boolean): Answer {
  const { stderr } = answer;
  const at = stderr.indexOf(`${ROOT}\n`);
  if (at !== -1) return { ...answer, stderr: stderr.slice(at + ROOT.length + 1) };
  const { name, user, address, port } = target;
  throw new SshFault('sudo', {
    at: `${name} (${user}@${address} port ${port})`,
    ...meaning(stderr, user, withPassword),
    code: EXIT.failed,
  });
}
