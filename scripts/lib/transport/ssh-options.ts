/** What a connection needs to know, and what can stand in its way. */
import type { ParsedKey } from 'ssh2';
import { EXIT, Fault } from '../cli.ts';
import type { Secret } from '../config.ts';
import { quoteAll } from '../shell.ts';
import type { KnownKey } from './known-hosts.ts';

export interface SshTarget {
  /** As the inventory names it; used in messages. */
  name: string;
  address: string;
  port: number;
  user: string;
}

/** A key to log in with: its text, the key itself where a passphrase was asked for, or the ssh-agent's word for it. */
export type OfferedKey = { file: string } & (
  | { text: string }
  | { unlocked: ParsedKey }
  /** The public half's blob: ssh-agent may hold the private one. */
  | { publicKey: Buffer }
);

/** One machine to go through on the way to another. */
export interface Jump {
  target: SshTarget;
  options: SshOptions;
}

export interface SshOptions {
  /** Keys to offer, in order, before what ssh-agent has besides. */
  keys: readonly OfferedKey[];
  /** Socket of a running ssh-agent. */
  agent?: string | undefined;
  /** IdentitiesOnly: of ssh-agent's keys only those that are named. */
  namedOnly?: boolean | undefined;
  known: readonly KnownKey[];
  /** The name that known_hosts has for it where that is not its address: HostKeyAlias. */
  knownAs?: string | undefined;
  /** The file that gets keys accepted at first sight, and that messages name. */
  knownHostsFile: string;
  /** Stores the key of a host never seen before; without it such a host is refused. */
  remember?: ((line: string) => void) | undefined;
  /** Seconds for connection and login, further tries with them. */
  timeout: number;
  /** The way there, the nearest first. */
  jumps?: readonly Jump[] | undefined;
  /** Scripts run as root by way of sudo. */
  become?: { password?: Secret | undefined } | undefined;
  /** Seconds without a byte from the host after which it counts as lost; a fraction in tests. */
  silence?: number | undefined;
}

/** What stood in the way of a connection, for one who decides whether it may pass by itself. */
export type SshTrouble =
  | 'network'
  | 'login'
  | 'sudo'
  | 'unknown-host-key'
  | 'changed-host-key'
  | 'revoked-host-key';

/** Why there is no connection to a host, or none any more. */
export class SshFault extends Fault {
  readonly kind: SshTrouble;

  constructor(kind: SshTrouble, parts: ConstructorParameters<typeof Fault>[0]) {
    super(parts);
    this.kind = kind;
  }
}

export const unreachable = (target: SshTarget, kind: SshTrouble, what: string, next: string): SshFault =>
  new SshFault(kind, {
    at: `${target.name} (${target.user}@${target.address} port ${target.port})`,
    what,
    next,
    code: EXIT.unreachable,
  });

const hop = ({ user, address, port }: SshTarget): string =>
  `${user}@${address.includes(':') ? `[${address}]` : address}${port === 22 ? '' : `:${port}`}`;

/** The ssh command line that does the same, for a person to try. */
export function byHand({ user, address, port }: SshTarget, jumps: readonly Jump[] = []): string {
  const way = jumps.length === 0 ? [] : ['-J', jumps.map(({ target }) => hop(target)).join(',')];
  return quoteAll(['ssh', ...way, ...(port === 22 ? [] : ['-p', String(port)]), `${user}@${address}`]);
}
