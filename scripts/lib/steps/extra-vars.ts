/** What `-e` sets, as ansible-playbook takes it: `key=value` words, a JSON object, or `@FILE` of YAML or JSON. */

import { Fault } from '../cli.ts';
import { CONFIG_KEYS, parseVariables } from '../config.ts';
import { splitWords } from '../inventory/words.ts';
import { nearest } from '../text.ts';

export interface ExtraVars {
  /** Keys of config.cfg. */
  config: Map<string, unknown>;
  /** Variables of every host, `ansible_…`, as texts. */
  hosts: Map<string, string>;
  /** What is most likely a slip. */
  notices: string[];
}

/** Reads a file; a Fault with this next step where it cannot. */
type ReadFile = (path: string, next?: string) => string;

const FILE_NEXT = "name a file of YAML or JSON, or write -e 'key=value'";

/** Variables of hosts that have an effect here; a near miss of one of them is most likely that one. */
const HOST_VARS = [
  'ansible_host',
  'ansible_port',
  'ansible_user',
  'ansible_ssh_private_key_file',
  'ansible_ssh_common_args',
  'ansible_become',
  'ansible_become_password',
];

/** Names of Ansible's own that are no slip of one of these, whether or not they have an effect here. */
const KNOWN = new RegExp(
  `^ansible_(?:${[
    '(?:ssh_)?(?:host|port|user|pass|password|private_key|private_key_file|private_key_passphrase)',
    '(?:ssh|scp|sftp)_(?:(?:common|extra)_)?args',
    '(?:ssh|scp|sftp|paramiko)_\\w+',
    '(?:ssh_)?host_key_checking',
    'become(?:_(?:user|method|exe|flags|pass|password))?',
    '(?:sudo|su)_\\w+',
    'user_\\w+|hostname|nodename|host_\\w+|connection|timeout|facts|fqdn|pipelining|\\w+_interpreter',
  ].join('|')})$`,
);

const AT = '--extra-vars';

/** The values are not repeated: one may be a password. */
const refuse = (what: string, next: string): Fault => new Fault({ at: AT, what, next });

function wordsOf(text: string): [string, unknown][] {
  let words: string[];
  try {
    words = splitWords(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw refuse(error.message, "write -e 'key=value'");
  }
  return words.map((word) => {
    const stop = word.indexOf('=');
    if (stop < 1)
      throw refuse('a word without `=`: key=value was expected', "write -e 'key=value', or -e @FILE");
    return [word.slice(0, stop), word.slice(stop + 1)];
  });
}

function entriesOf(text: string, readFile: ReadFile): Iterable<[string, unknown]> {
  if (text.startsWith('@')) {
    const file = text.slice(1);
    return parseVariables(readFile(file, FILE_NEXT), file);
  }
  if (!text.trimStart().startsWith('{')) return wordsOf(text);
  try {
    return Object.entries(JSON.parse(text) as object);
  } catch {
    throw refuse('begins with { and is no JSON object', `write -e '{"wireguard_port": 51900}'`);
  }
}

function hostValue(key: string, value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return String(value);
  throw refuse(`${key} holds no plain value`, `write -e ${key}=VALUE`);
}

/** All of the flags together, the last one wins; a key that nothing here knows is refused. Reads the files named. */
export function readExtraVars(given: readonly string[], readFile: ReadFile): ExtraVars {
  const extra: ExtraVars = { config: new Map(), hosts: new Map(), notices: [] };
  for (const text of given)
    for (const [key, value] of entriesOf(text, readFile)) {
      if (CONFIG_KEYS.includes(key)) extra.config.set(key, value);
      else if (/^ansible_\w+$/.test(key)) {
        extra.hosts.set(key, hostValue(key, value));
        const meant = KNOWN.test(key) ? undefined : nearest(key, HOST_VARS);
        if (meant !== undefined && meant !== key)
          extra.notices.push(`-e sets ${key.slice(0, 40)}, which has no effect: did you mean ${meant}?`);
      } else {
        const known = [...CONFIG_KEYS, ...HOST_VARS];
        const meant = nearest(key, known);
        throw refuse(
          `nothing here knows the variable ${JSON.stringify(key.slice(0, 40))}${meant === undefined ? '' : `: did you mean ${meant}?`}`,
          `a key of config.cfg (${CONFIG_KEYS.join(', ')}) or a host's ansible_… variable was expected`,
        );
      }
    }
  return extra;
}
