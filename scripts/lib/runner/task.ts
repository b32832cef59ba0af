/** One change to a machine: the shell that makes it, and the line that tells a person of it. */
export interface Change {
  /** `install wireguard-tools`: printed before and after, so it is what the shell does. */
  line: string;
  /** POSIX sh, run with `set -e`, no standard input. */
  shell: string;
}

/** What a task makes of the machine it saw. No changes: the machine is right. */
export interface Verdict {
  changes: Change[];
  /** A fact this task stands for (a public key), from what the changes printed. */
  value?: (outputs: readonly string[]) => string;
}

/**
 * One thing that is wanted of a machine. The probe reads the machine's live state and changes nothing;
 * `judge` is pure and refuses with a Fault what it cannot put right. F: the facts of the host.
 */
export interface Task<F> {
  name: string;
  /** POSIX sh; an exit code other than 0 means that the state could not be read, never that it is absent. */
  probe: string;
  judge: (seen: string, facts: F) => Verdict;
}

/** What must be known of a host before any task can judge; goes out in the same script as the probes. */
export interface Gather<F> {
  probe: string;
  read: (seen: string) => F;
}

/** A task that ends in one change or none. */
export const single = (change: Change | undefined): Verdict => ({
  changes: change === undefined ? [] : [change],
});
