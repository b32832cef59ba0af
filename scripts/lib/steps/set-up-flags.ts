/** The flags of a set-up, named as ansible-playbook names them. */
import { type Command, InvalidArgumentError } from 'commander';

/** Hosts at the same time unless `--forks` says otherwise. */
export const FORKS = 64;

function count(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text))
    throw new InvalidArgumentError('A whole number from 1 to 9999 is expected.');
  return Number(text);
}

const add = (text: string, before: readonly string[] = []): string[] => [...before, text];

/** Which of the hosts, and as whom; for every command that reads hosts.ini as a set-up does. */
export const withHostFlags = (program: Command): Command =>
  program
    .option(
      '-l, --limit <pattern>',
      'only these hosts: names, groups, `vpn:!nyc`, `vpn[0:2]`, wildcards, @FILE',
    )
    .option(
      '-e, --extra-vars <vars>',
      'key=value words, a JSON object or @FILE: keys of config.cfg and hosts’ ansible_… variables, before all others (repeatable)',
      add,
    )
    .option('-u, --user <name>', 'log in as this user where the inventory names none')
    .option('--key-file, --private-key <file>', 'log in with this key where the inventory names none')
    .option('-b, --become', 'use sudo where the login is not root (done anyway)')
    .option('-K, --ask-become-pass', 'ask once for the password that sudo wants')
    .option('--become-password-file <file>', 'read that password from a file');

/** What is done and shown. */
export const withPlayFlags = (program: Command): Command =>
  program
    .option('-f, --forks <number>', 'hosts at the same time', count, FORKS)
    .option('-D, --diff', 'show what changes in files and in the running interface, without secrets')
    .option('-t, --tags <tags>', 'only tasks with one of these tags, `a,b` (repeatable)', add)
    .option('--skip-tags <tags>', 'no tasks with one of these tags (repeatable)', add)
    .option('--start-at-task <name>', 'begin with this task')
    .option('--list-hosts', 'list the hosts, and do nothing')
    .option('--list-tasks', 'list the tasks, and do nothing')
    .option('--list-tags', 'list the tags, and do nothing')
    .option(
      '-v, --verbose',
      'show each round trip, -vv: and what the hosts answered',
      (_, n: number) => n + 1,
      0,
    )
    .option('--json', 'one JSON document on standard output, and everything else on standard error');

export interface HostFlags {
  limit?: string;
  extraVars?: readonly string[];
  user?: string;
  privateKey?: string;
  become?: boolean;
  askBecomePass?: boolean;
  becomePasswordFile?: string;
}

export interface PlayFlags {
  forks?: number;
  diff?: boolean;
  tags?: readonly string[];
  skipTags?: readonly string[];
  startAtTask?: string;
  listHosts?: boolean;
  listTasks?: boolean;
  listTags?: boolean;
  verbose?: number;
  json?: boolean;
}
