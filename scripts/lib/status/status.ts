/** The status of the whole network: what `--json` prints, and what tables and metrics are made of. */
import type { Mode } from '../config.ts';
import type { Migration } from './client.ts';

/** What is not as it should be. */
export type Kind =
  /** The server could not be asked. */
  | 'unreachable'
  /** The server could be asked, and its state not be read. */
  | 'failed'
  /** wgnet-setup.ts would change something there. */
  | 'drift'
  /** One end has no such interface, or it is down. */
  | 'missing'
  /** One end knows another key than the other end has. */
  | 'keys'
  /** The client's file is not there, or not what wgnet-setup.ts would write now. */
  | 'files'
  /** The client is up, and there was no handshake for too long. */
  | 'stale'
  /** The client has no route into a wgnetN: nothing gets out. */
  | 'no path'
  /** The client, or its files, are in another mode than the network. */
  | 'mode'
  /** The client was named, and could not be asked. */
  | 'no client';

export interface Trouble {
  kind: Kind;
  /** `wgnet1`; null where it is of no single tunnel. */
  tunnel: string | null;
  /** One line, for a person. */
  what: string;
  /** What to type, or to do; null where nobody knows. */
  next: string | null;
}

/** What one end of a tunnel says. */
export interface EndStatus {
  /** Whether the interface is there and up; null where it is not known. */
  up: boolean | null;
  publicKey: string | null;
  /** Where the other end is, as this one sees it: `192.0.2.7:40211`. */
  peer: string | null;
  /** Seconds. */
  handshakeAge: number | null;
  /** Bytes since the interface was made. */
  sent: number | null;
  received: number | null;
}

export interface TunnelStatus {
  /** On the client: `wg0`, `wgnet1`, … */
  interface: string;
  role: 'proxy' | 'comp server';
  server: EndStatus & {
    /** As the inventory has it. */
    name: string;
    /** Where the client's packets go: `198.51.100.11:51820`. */
    endpoint: string;
    reachable: boolean;
    /** Why it is not, or why its state could not be read. */
    reason: string | null;
  };
  /** All null where the client is not asked, or does not answer. */
  client: EndStatus;
  /** Seconds since the last handshake: the client's word, else the server's. */
  handshakeAge: number | null;
  /** Whether the client's next packet goes by it; null for wg0 itself, and where it is not known. */
  current: boolean | null;
  /** What wgnet-setup.ts --check says of its server. */
  drift: { count: number | null; lines: string[] };
  /** Whether each end knows the key that the other has. */
  keysMatch: boolean | null;
  /** The client's file, against what wgnet-setup.ts would write. */
  files: 'current' | 'older' | 'missing' | null;
  well: boolean;
}

export interface Status {
  /** Seconds since 1970, by this machine's clock. */
  time: number;
  /** The network's: without a comp server in mode quic. */
  mode: Mode;
  /** Nothing is in `troubles`. */
  well: boolean;
  exitCode: number;
  client: {
    /** `container wgclient`; null where it is left out. */
    where: string | null;
    /** Null where it is left out. */
    answers: boolean | null;
    /** Why it does not answer. */
    reason: string | null;
    /** By its rules; null where it has none, or is not asked. */
    mode: Mode | null;
    path: string | null;
    migration: Migration | null;
  };
  /** The proxies in their order, then the comp server where there is one. */
  tunnels: TunnelStatus[];
  troubles: Trouble[];
  /** What servers' users should know, though nothing is wrong by it. */
  notices: { server: string; what: string }[];
}
