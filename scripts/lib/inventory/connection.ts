import { Fault } from '../cli.ts';
import { show } from '../text.ts';
import { addressProblem } from './address.ts';
import type { InventoryHost } from './inherit.ts';

export interface Connection {
  /** IPv4 or IPv6 address, or a DNS name. */
  address: string;
  /** TCP port of the SSH server, 1 to 65535. */
  port: number;
  user: string;
  /** As the file has it: `~/…` is of the home directory, a relative path is of the inventory's directory. */
  privateKeyFile?: string;
}

/** Variables that would change how Ansible works on a host, and that nothing here does. */
const UNSUPPORTED: readonly { keys: RegExp; harmless?: RegExp; next: string }[] = [
  {
    keys: /^ansible_(?:become|sudo|su)$/,
    harmless: /^(?:n|no|false|off|0)$/i,
    next: 'log in as root (ansible_user=root) and take this line out',
  },
  {
    keys: /^ansible_(?:become|sudo|su)_\w+$/,
    next: 'log in as root (ansible_user=root) and take this line out',
  },
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
    keys: /^ansible_(?:ssh_)?private_key(?:_passphrase)?$/,
    next: 'load the key into the SSH agent (ssh-add), or name a key file with ansible_ssh_private_key_file',
  },
  {
    keys: /^ansible_(?:ssh_(?:common_args|extra_args|args|executable)|paramiko_proxy_command)$/,
    next: 'OpenSSH options are not read here: use ansible_host, ansible_port, ansible_user and ansible_ssh_private_key_file',
  },
  {
    keys: /^ansible_shell_type$/,
    harmless: /^sh$/,
    next: 'the servers must have a POSIX shell: take this line out',
  },
];

/** How to log in to a host, from its variables; a Fault names the line of the variable that is wrong. */
export function connectionOf({ name, line, variables }: InventoryHost, file: string): Connection {
  const refuse = (at: number, what: string, next: string): never => {
    throw new Fault({ at: `${file}:${at}`, what: `${name}: ${what}`, next });
  };
  for (const [key, { value, line: at }] of variables)
    for (const { keys, harmless, next } of UNSUPPORTED)
      if (keys.test(key) && value !== '' && !harmless?.test(value))
        refuse(at, `${key} is not supported`, next);

  /** The variable under its new or its old name; both may stand there if they say the same. */
  const pick = (...keys: string[]): { key: string; value: string; line: number } | undefined => {
    const [first, second] = keys.flatMap((key) => {
      const variable = variables.get(key);
      return variable === undefined ? [] : [{ key, ...variable }];
    });
    if (first === undefined) return undefined;
    if (second !== undefined && second.value !== first.value)
      refuse(
        second.line,
        `${second.key} contradicts ${first.key} (line ${first.line})`,
        'keep one of the two',
      );
    if (first.value.includes('{{'))
      refuse(
        first.line,
        `${first.key} holds a {{ template }}, which is not evaluated here`,
        'write the value itself',
      );
    if (/\s#/.test(first.value))
      refuse(
        first.line,
        `${first.key} ends in a comment, which is a part of the value in a [group:vars] section`,
        'put the comment on a line of its own',
      );
    return first;
  };

  const host = pick('ansible_host', 'ansible_ssh_host');
  const address = host?.value ?? name;
  const wrong = addressProblem(address);
  if (wrong !== undefined)
    refuse(
      host?.line ?? line,
      host === undefined
        ? `is not usable as an address: ${wrong}`
        : `${host.key} is ${show(address)}: ${wrong}`,
      host === undefined
        ? 'give its address: ansible_host=192.0.2.11'
        : 'write ansible_host=192.0.2.11, with its own address',
    );

  const port = pick('ansible_port', 'ansible_ssh_port');
  if (port !== undefined && !(/^\d{1,5}$/.test(port.value) && +port.value >= 1 && +port.value <= 65_535))
    refuse(port.line, `its SSH port is ${show(port.value)}`, 'write a whole number from 1 to 65535');

  const user = pick('ansible_user', 'ansible_ssh_user');
  if (user !== undefined && !/^[A-Za-z0-9_][\w.-]{0,63}$/.test(user.value))
    refuse(user.line, `${user.key} is ${show(user.value)}, which is no user name`, 'write ansible_user=root');

  const key = pick('ansible_ssh_private_key_file', 'ansible_private_key_file');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what this looks for
  if (key !== undefined && (key.value === '' || /^~(?!\/)|[\x00-\x1f]|\/$/.test(key.value)))
    refuse(
      key.line,
      `${key.key} is ${show(key.value)}, which names no file`,
      'write its path: ~/.ssh/id_ed25519',
    );

  return {
    address,
    port: Number(port?.value ?? 22),
    user: user?.value ?? 'root',
    ...(key && { privateKeyFile: key.value }),
  };
}
