import { show } from '../text.ts';
import { addressProblem } from './address.ts';
import { type Become, becomeOf } from './become.ts';
import type { InventoryHost } from './inherit.ts';
import { ArgsTrouble, readSshArgs, type SshArgs } from './ssh-args.ts';
import { type Picked, refuseComment, truth, type Variables, variablesOf } from './variables.ts';

export interface Connection {
  /** IPv4 or IPv6 address, or a DNS name. */
  address: string;
  /** TCP port of the SSH server, 1 to 65535. */
  port: number;
  user: string;
  /** As the file has it: `~/…` is of the home directory, a relative path is of the inventory's directory. */
  privateKeyFile?: string;
  /** True where it is only our default, and not the inventory's word: ~/.ssh/config may say otherwise. */
  implied?: { address: boolean; port: boolean; user: boolean };
  /** The way there, as ssh -J takes it: `admin@bastion:2222,next`. `none` switches one of ~/.ssh/config off. */
  proxyJump?: string;
  hostKeyChecking?: 'yes' | 'accept-new' | 'no';
  become?: Become;
}

/** Variables that would change how Ansible works on a host, and that nothing here does. */
const UNSUPPORTED: readonly { keys: RegExp; harmless?: RegExp; next: string }[] = [
  {
    keys: /^ansible_connection$/,
    harmless: /^(?:ssh|smart|paramiko(?:_ssh)?|ansible\.builtin\.(?:ssh|paramiko_ssh))$/,
    next: 'only SSH is spoken here: take this line out',
  },
  {
    keys: /^ansible_(?:ssh_)?(?:pass|password)$/,
    next: 'log in by key: name it with ansible_ssh_private_key_file, or load it into the SSH agent',
  },
  {
    keys: /^ansible_(?:ssh_)?private_key(?:_passphrase)?$|^ansible_ssh_pkcs11_provider$/,
    next: 'load the key into the SSH agent (ssh-add), or name a key file with ansible_ssh_private_key_file',
  },
  {
    keys: /^ansible_su_\w+$/,
    next: 'root is become by sudo: ansible_become=yes',
  },
  {
    keys: /^ansible_ssh_executable$/,
    harmless: /^(?:\/usr\/bin\/)?ssh$/,
    next: 'no ssh program is started here: take this line out',
  },
  {
    keys: /^ansible_paramiko_proxy_command$/,
    next: 'write ansible_ssh_common_args="-J user@host:port"',
  },
  {
    keys: /^ansible_shell_type$/,
    harmless: /^sh$/,
    next: 'the servers must have a POSIX shell: take this line out',
  },
];

/** In the order in which ssh gets them: of two that say the same, the first holds. */
const ARGS = ['ansible_ssh_args', 'ansible_ssh_common_args', 'ansible_ssh_extra_args'];

type Given = { [Key in keyof SshArgs]?: Picked };

/** What ssh's arguments say, each with the variable that it comes from. */
function argsOf({ refuse, pick }: Variables, user: string | undefined): Given {
  const given: Given = {};
  for (const key of ARGS) {
    const picked = pick(key);
    if (picked === undefined) continue;
    try {
      const read = Object.entries(readSshArgs(picked.value, user)) as [keyof SshArgs, string][];
      for (const [name, value] of read) given[name] ??= { ...picked, value };
    } catch (error) {
      if (error instanceof ArgsTrouble) refuse(picked, `${key} ${error.message}`, error.next);
      throw error;
    }
  }
  return given;
}

/** StrictHostKeyChecking, or else Ansible's own variable, which only switches it off. */
function checkingOf(variables: Variables, given: Given): Connection['hostKeyChecking'] {
  const { pick, refuse } = variables;
  const own = pick('ansible_host_key_checking', 'ansible_ssh_host_key_checking');
  refuseComment(variables, own);
  const is = own === undefined ? undefined : truth(own.value);
  if (own !== undefined && is === undefined && own.value !== '')
    refuse(own, `${own.key} is ${show(own.value)}`, 'write yes or no');
  const told = given.hostKeyChecking?.value as Connection['hostKeyChecking'];
  return told ?? (is === false ? 'no' : undefined);
}

/** How to log in to a host, from its variables; a Fault names the line of the variable that is wrong. */
export function connectionOf(host: InventoryHost, file: string): Connection {
  const variables = variablesOf(host, file);
  const { refuse } = variables;
  for (const [key, variable] of host.variables)
    for (const { keys, harmless, next } of UNSUPPORTED)
      if (keys.test(key) && variable.value !== '' && !harmless?.test(variable.value))
        refuse(variable, `${key} is not supported`, next);
  const plain = (...keys: string[]): Picked | undefined => {
    const picked = variables.pick(...keys);
    refuseComment(variables, picked);
    return picked;
  };

  const named = plain('ansible_host', 'ansible_ssh_host');
  const address = named?.value ?? host.name;
  const wrong = addressProblem(address);
  if (wrong !== undefined)
    refuse(
      named ?? host.line,
      named === undefined
        ? `is not usable as an address: ${wrong}`
        : `${named.key} is ${show(address)}: ${wrong}`,
      named === undefined
        ? 'give its address: ansible_host=192.0.2.11'
        : 'write ansible_host=192.0.2.11, with its own address',
    );

  const ownUser = plain('ansible_user', 'ansible_ssh_user');
  const given = argsOf(variables, ownUser?.value);
  const port = plain('ansible_port', 'ansible_ssh_port') ?? given.port;
  if (port !== undefined && !(/^\d{1,5}$/.test(port.value) && +port.value >= 1 && +port.value <= 65_535))
    refuse(port, `its SSH port is ${show(port.value)}`, 'write a whole number from 1 to 65535');

  const user = ownUser ?? given.user;
  if (user !== undefined && !/^[A-Za-z0-9_][\w.-]{0,63}$/.test(user.value))
    refuse(user, `${user.key} is ${show(user.value)}, which is no user name`, 'write ansible_user=root');

  const key = plain('ansible_ssh_private_key_file', 'ansible_private_key_file') ?? given.keyFile;
  if (given.keyFile !== undefined && given.keyFile.value !== key?.value)
    refuse(
      given.keyFile,
      `${given.keyFile.key} names another key file than ${key?.key}`,
      'keep one of the two',
    );
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what this looks for
  if (key !== undefined && (key.value === '' || /^~(?!\/)|[\x00-\x1f]|\/$/.test(key.value)))
    refuse(key, `${key.key} is ${show(key.value)}, which names no file`, 'write its path: ~/.ssh/id_ed25519');

  const checking = checkingOf(variables, given);
  const become = becomeOf(variables);
  return {
    address,
    port: Number(port?.value ?? 22),
    user: user?.value ?? 'root',
    implied: { address: named === undefined, port: port === undefined, user: user === undefined },
    ...(key && { privateKeyFile: key.value }),
    ...(given.jump && { proxyJump: given.jump.value }),
    ...(checking && { hostKeyChecking: checking }),
    ...(become && { become }),
  };
}
