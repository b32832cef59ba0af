/** Who is to be logged in to, as inventory and ~/.ssh/config have it. */
import type { Secret } from '../config.ts';
import type { SshTarget } from './ssh-options.ts';

export type HostKeyChecking = 'yes' | 'accept-new' | 'no';

/** A machine to go through, the nearest first; it is logged in to as ~/.ssh/config says of it. */
export interface Hop extends SshTarget {
  ssh: SshSettings;
}

/** What ~/.ssh/config says of a host, beside its address, port and user. */
export interface SshSettings {
  /** IdentityFile: full paths, in order; undefined for the usual ones. */
  identityFiles?: readonly string[] | undefined;
  identitiesOnly: boolean;
  /** IdentityAgent: a socket, or `none`; undefined for the one of SSH_AUTH_SOCK. */
  agent?: string | undefined;
  /** UserKnownHostsFile: full paths; undefined for the usual ones. */
  knownHostsFiles?: readonly string[] | undefined;
  hostKeyAlias?: string | undefined;
  hostKeyChecking?: HostKeyChecking | undefined;
  /** ConnectTimeout, seconds. */
  connectTimeout?: number | undefined;
  jumps: readonly Hop[];
}

/** A host of the inventory. */
export interface LoginTarget extends SshTarget {
  /** Its line in the inventory; 0 for a machine that is only gone through. */
  line: number;
  privateKeyFile?: string | undefined;
  implied?: { address: boolean; port: boolean; user: boolean } | undefined;
  proxyJump?: string | undefined;
  hostKeyChecking?: HostKeyChecking | undefined;
  become?: { wanted?: boolean | undefined; password?: Secret | undefined } | undefined;
  /** Put there by withSshConfig. */
  ssh?: SshSettings | undefined;
}

export interface LoginSettings {
  /** The inventory; relative key files and the project's known_hosts lie beside it. */
  inventory: string;
  /** Take the key of a host that was never seen, and remember it. */
  acceptNew: boolean;
  /** Seconds. */
  timeout: number;
}
