/** What an inventory says of becoming root on a host. */
import { Secret } from '../config/secret.ts';
import { show } from '../text.ts';
import { refuseComment, truth, type Variables } from './variables.ts';

export interface Become {
  /** Whether scripts are to run through sudo; absent where the inventory does not say. */
  wanted?: boolean;
  /** The password that sudo asks for. */
  password?: Secret;
}

const SUDO = /^(?:ansible\.builtin\.)?sudo$/;
/** sudo's flags that change nothing for a script that root is to run without a terminal. */
const FLAGS = /^(?:\s*-[HSniE]+)*\s*$/;

/** Read from ansible_become and its like; undefined where there is nothing of them. A user other than root, or another way than sudo, is refused. */
export function becomeOf(variables: Variables): Become | undefined {
  const { refuse, pick } = variables;
  const plain = (...keys: string[]) => {
    const picked = pick(...keys);
    refuseComment(variables, picked);
    return picked;
  };
  const only = (keys: string[], taken: RegExp, next: string): void => {
    const picked = plain(...keys);
    if (picked !== undefined && picked.value !== '' && !taken.test(picked.value))
      refuse(picked, `${picked.key} is ${show(picked.value)}, which is not supported`, next);
  };
  const wanted = plain('ansible_become', 'ansible_sudo');
  const is = wanted === undefined ? undefined : truth(wanted.value);
  if (wanted !== undefined && is === undefined && wanted.value !== '')
    refuse(wanted, `${wanted.key} is ${show(wanted.value)}`, 'write yes or no');
  const su = pick('ansible_su');
  if (su !== undefined && truth(su.value) !== false)
    refuse(su, 'ansible_su is not supported', 'root is become by sudo: write ansible_become=yes');
  only(
    ['ansible_become_user', 'ansible_sudo_user'],
    /^root$/,
    'the servers are set up as root: take this line out',
  );
  only(['ansible_become_method'], SUDO, 'root is become by sudo, or log in as root (ansible_user=root)');
  only(
    ['ansible_become_exe', 'ansible_sudo_exe'],
    /^(?:\/usr\/bin\/)?sudo$/,
    'take this line out: sudo is found by its name',
  );
  only(['ansible_become_flags', 'ansible_sudo_flags'], FLAGS, 'take this line out');
  // Whatever is in it, the message has nothing of it.
  const password = pick('ansible_become_password', 'ansible_become_pass', 'ansible_sudo_pass');
  if (is === undefined && password === undefined) return undefined;
  return {
    ...(is !== undefined && { wanted: is }),
    ...(password !== undefined && password.value !== '' && { password: new Secret(password.value) }),
  };
}
