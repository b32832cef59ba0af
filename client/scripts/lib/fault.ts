/** Exit codes of every command here; the numbers that ansible-playbook has are kept where it has one. */
export const EXIT = {
  ok: 0,
  /** The command line, hosts.ini, config.cfg or this machine is not as needed; nothing was changed. */
  refused: 1,
  /** A task failed on at least one host. */
  failed: 2,
  /** At least one host could not be reached. */
  unreachable: 4,
  /** Ctrl-C or a termination signal. */
  interrupted: 99,
  /** A defect of this project; the only case in which a stack trace is shown. */
  defect: 250,
} as const;

export interface FaultParts {
  /** Host or file, with line where known: `hosts.ini:4`, `vpn1 (198.51.100.11)`. */
  at?: string;
  /** The thing that is wrong and its cause, in one line. */
  what: string;
  /** The next command to type, or the next thing to do. */
  next?: string;
  /** Exit code when this ends the command; {@link EXIT}.refused unless given. */
  code?: number;
}

/** What went wrong, for a person: printed without a stack trace. */
export class Fault extends Error {
  override name = 'Fault';
  readonly next: string | undefined;
  readonly code: number;

  constructor({ at, what, next, code = EXIT.refused }: FaultParts) {
    super(at === undefined ? what : `${at}: ${what}`);
    this.next = next;
    this.code = code;
  }

  /** `error: AT: WHAT`, and the next step on a line of its own. */
  override toString(): string {
    return `error: ${this.message}${this.next === undefined ? '' : `\n  next: ${this.next}`}`;
  }
}

/** The message of anything thrown. */
export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown);
