/** What was read of servers, client and files, before it is judged. */
import type { Fault } from '../cli.ts';
import type { Mode, Tcp } from '../config.ts';
import type { TunnelPlan } from '../wireguard/topology.ts';
import type { ClientSeen } from './client.ts';
import type { End } from './ends.ts';

/** What one round trip to a server has brought. */
export interface ServerSeen {
  name: string;
  tunnel: TunnelPlan;
  /** The client's public key by its files; undefined where it has none yet. */
  clientKey?: string | undefined;
  /** Why it could not be asked, or its state not be read; nothing else is known then. */
  unreachable?: Fault | undefined;
  failed?: Fault | undefined;
  /** Of wgnet-setup's plan, a line a change: `running wg0: add peer …`; undefined where there is none to be had. */
  drift?: readonly string[] | undefined;
  /** A change of its keys was begun, and as far as the client's files tell, not ended. */
  begun?: boolean | undefined;
  /** Its wg0; null where it has none, undefined where nobody knows. */
  end?: End | null | undefined;
  /** What its user should know of it, though nothing is to be changed for it. */
  notices?: readonly string[] | undefined;
}

/** Of one client's file, how it is; the words are without any secret. */
export type FileSeen =
  | { is: 'current' | 'missing' }
  /** `what` names the settings that differ. */
  | { is: 'older'; what: string };

export interface Seen {
  /** Seconds since 1970. */
  time: number;
  /** The network's, as config.cfg and flags have it. */
  mode: Mode;
  /** What becomes of TCP, as these have it; it says something in mode quic alone. */
  tcp?: Tcp;
  /** In the order of the tunnels. */
  servers: readonly ServerSeen[];
  /** Undefined where it is left out; `named`: somebody said where it is, so that one that is not there is missed. */
  client?: { where: string; named: boolean; answer: ClientSeen | Fault } | undefined;
  /** By interface, and `setup.sh`; undefined where it cannot be known. */
  files: ReadonlyMap<string, FileSeen | undefined>;
  /** The files' own; undefined where there are none. */
  filesMode?: Mode | undefined;
}

/** What to type next. */
export interface Hints {
  /** That sets the servers up, and writes the files. */
  setUp: string;
  /** That makes the client take its files. */
  client: string;
  /** That asks for the status in that mode. */
  statusIn: (mode: Mode) => string;
}

/** Whether the files were written for the other mode: what they say of tunnels is of no use then. */
export const isOtherMode = ({ filesMode, mode }: Seen): boolean =>
  filesMode !== undefined && filesMode !== mode;

/** Answers of a client that is there. */
export const answerOf = ({ client }: Seen): ClientSeen | undefined =>
  client === undefined || client.answer instanceof Error ? undefined : client.answer;
