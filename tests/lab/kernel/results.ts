/** What the program in the virtual machine tells the test: one JSON object a line, each with its topic. */

/** Interfaces by name. */
export type Counts = Record<string, number>;

/** The machine itself, with the network up and nothing yet set up in the client. */
export interface Machine {
  topic: 'machine';
  kernel: string;
  /** Seconds from the kernel's start to this program's. */
  uptime: number;
}

export interface Setup {
  topic: 'setup';
  /** Of `setup.sh`, and of a second one. */
  codes: [number, number];
  errors: string;
  /** The second one changed nothing: rules, routes, nftables, addresses. */
  same: boolean;
  /** What kind of link each tunnel is, by `ip -d`: of the client's, and of the servers' wg0. */
  kinds: Record<string, string>;
  /** The kernel's modules by that name. */
  modules: string[];
  /** Processes called wireguard…, and what a shell finds as wireguard-go. */
  processes: string[];
  userspace: string;
  /** Handshakes that each tunnel has had, seconds since 1970; 0: none. */
  handshakes: Counts;
  /** Whom the site says it sees. */
  seen: string;
}

export interface Mtu {
  topic: 'mtu';
  /** By interface, in the client. */
  mtu: Counts;
  /** Whether the largest packet that wg0 takes comes through, not to be cut; what `ping` says of one byte more. */
  whole: boolean;
  tooLarge: string;
  /** Fragments on the client's cable while full-size packets went both ways, and the capture's proof that it sees one. */
  fragments: number;
  control: number;
}

/** One state of the client, from before it was brought about until after it was healed. */
export interface State {
  topic: 'state';
  name: string;
  /** How often each kind of packet was tried meanwhile. */
  tried: Counts;
  /** Packets on the client's cable that are no tunnel's own, and the first of them in tcpdump's words. */
  past: number;
  examples: string[];
  /** What the site saw afterwards. */
  seen: string;
}

/** A run of migrate.ts under load. */
export interface Migration {
  topic: 'migration';
  words: string;
  /** Of the UDP echo: packets that went, that came back, and of those the ones behind a later one. */
  load: { sent: number; back: number; late: number; refused: number };
  /** Of the client's own: sent by each path meanwhile. */
  paths: Counts;
  past: number;
  /** The switch log's last line, and how many of each event it has. */
  end: Record<string, unknown>;
  events: Counts;
  code: number;
  errors: string;
}

export interface Split extends Omit<Migration, 'topic'> {
  topic: 'split';
  start: Record<string, unknown>;
  /** Its own counters, by path, of all packets from the first one on. */
  counted: Counts;
  /** After its end: rules and tables of the split that are left. */
  left: string;
}

export interface End {
  topic: 'end';
}

export type Result = Machine | Setup | Mtu | State | Migration | Split | End;
