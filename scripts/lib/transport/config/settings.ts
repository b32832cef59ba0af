/** What ssh_config files say of a host, with tokens filled in and the way there worked out. */
import { hostname } from 'node:os';
import { Fault } from '../../cli.ts';
import type { Hop, HostKeyChecking, SshSettings } from '../login-target.ts';
import { evaluate, type Said, type Sources } from './evaluate.ts';
import { fill, homePath, secondsOf, type Tokens } from './fill.ts';
import { jumpOfCommand, jumpSpecs } from './jump.ts';

/** This machine, as far as ssh_config files speak of it. */
export interface World {
  /** The files, the one that counts most first. */
  files: readonly string[];
  sources: Sources;
  home: string;
  localUser: string;
  env: NodeJS.ProcessEnv;
}

/** A host as it is named, and what is settled already whatever the files say. */
export interface Named {
  host: string;
  user?: string | undefined;
  port?: number | undefined;
  /** The way there, with the place that says so. */
  proxyJump?: { text: string; at: string } | undefined;
}

export interface Settled {
  address: string;
  port: number;
  /** Undefined where nobody says; ssh takes the user's own name then. */
  user: string | undefined;
  ssh: SshSettings;
  /** Where HostName stands. */
  at: string | undefined;
}

/** So many ProxyJumps of jump hosts in one another can only be a circle. */
const DEPTH = 8;

const CHECKING: Record<string, HostKeyChecking | undefined> = {
  ...{ yes: 'yes', true: 'yes', no: 'no', off: 'no', false: 'no' },
  'accept-new': 'accept-new',
};

const firstOf = (said: Said, key: string): { word: string; at: string } | undefined => {
  const line = said.get(key)?.[0];
  return line && { word: line.words[0] ?? '', at: line.at };
};

function portOf(said: Said): number | undefined {
  const found = firstOf(said, 'port');
  if (found === undefined) return undefined;
  const port = Number(found.word);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new Fault({
    at: found.at,
    what: `Port ${found.word} is none`,
    next: 'write a number from 1 to 65535',
  });
}

/** The way that the files name: ProxyJump, or a ProxyCommand that is one. */
function jumpOf(said: Said, host: string): { text: string; at: string } | undefined {
  const jump = firstOf(said, 'proxyjump');
  if (jump !== undefined) return { text: jump.word, at: jump.at };
  const command = said.get('proxycommand')?.[0];
  if (command === undefined || command.rest.toLowerCase() === 'none') return undefined;
  const text = jumpOfCommand(command.rest);
  if (text !== undefined) return { text, at: command.at };
  throw new Fault({
    at: command.at,
    what: `the ProxyCommand for ${host} is not run here: only \`ssh -W %h:%p [-p PORT] [USER@]HOST\` is understood`,
    next: 'write ProxyJump USER@HOST there, or ProxyCommand none for this host above it',
  });
}

function hopsOf({ text, at }: { text: string; at: string }, world: World, depth: number): Hop[] {
  if (depth >= DEPTH)
    throw new Fault({
      at,
      what: `ProxyJump ${text} goes in a circle: the jump host itself has it, too`,
      next: 'leave the jump host out there: `Host * !bastion`, or write ProxyJump none for it above',
    });
  return jumpSpecs(text, at).flatMap((spec, i) => {
    // As ssh does: the first is reached as its own lines say, each other one through those before it.
    const proxyJump = i === 0 ? undefined : { text: 'none', at };
    const { address, port, user, ssh } = settle({ ...spec, proxyJump }, world, depth + 1);
    const self = { name: spec.host, address, port, user: user ?? world.localUser };
    return [...ssh.jumps, { ...self, ssh: { ...ssh, jumps: [] } }];
  });
}

function agentOf(said: Said, full: (text: string, at: string) => string, env: NodeJS.ProcessEnv) {
  const found = firstOf(said, 'identityagent');
  if (found === undefined || found.word === 'SSH_AUTH_SOCK') return undefined;
  if (found.word.toLowerCase() === 'none') return 'none';
  const [, variable] = /^\$(\w+)$/.exec(found.word) ?? [];
  return variable === undefined ? full(found.word, found.at) : (env[variable] ?? 'none');
}

/** How ssh would connect to this host. */
export function settle(named: Named, world: World, depth = 0): Settled {
  const { home, localUser, env } = world;
  const said = evaluate(world.files, { ...named, localUser }, world.sources);
  const name = firstOf(said, 'hostname');
  const address = (
    name === undefined ? named.host : fill(name.word, { h: named.host }, {}, name.at)
  ).toLowerCase();
  const port = named.port ?? portOf(said) ?? 22;
  const user = named.user ?? firstOf(said, 'user')?.word;
  const alias = firstOf(said, 'hostkeyalias')?.word;
  const tokens: Tokens = {
    ...{ d: home, h: address, k: alias ?? named.host, n: named.host, p: String(port) },
    ...{ r: user ?? localUser, u: localUser, l: hostname(), L: hostname().replace(/\..*/, '') },
    i: String(process.getuid?.() ?? ''),
  };
  const full = (text: string, at: string): string => homePath(fill(text, tokens, env, at), home);
  const identities = said.get('identityfile');
  const files = said.get('userknownhostsfile')?.[0];
  const way = named.proxyJump ?? jumpOf(said, named.host);
  const timeout = firstOf(said, 'connecttimeout')?.word ?? '';
  return {
    address,
    port,
    user,
    at: name?.at,
    ssh: {
      identityFiles: identities?.flatMap(({ words: [file = ''], at }) =>
        file.toLowerCase() === 'none' ? [] : [full(file, at)],
      ),
      identitiesOnly: /^(?:yes|true)$/i.test(firstOf(said, 'identitiesonly')?.word ?? ''),
      agent: agentOf(said, full, env),
      knownHostsFiles: files?.words.flatMap((file) =>
        file.toLowerCase() === 'none' ? [] : [full(file, files.at)],
      ),
      hostKeyAlias: alias,
      hostKeyChecking: CHECKING[(firstOf(said, 'stricthostkeychecking')?.word ?? '').toLowerCase()],
      connectTimeout: secondsOf(timeout),
      jumps: way === undefined ? [] : hopsOf(way, world, depth),
    },
  };
}
