/** What a change makes of one text, a file's or the running interface's; for people, and so without any secret. */
export interface Diff {
  /** The file, or what the text is of: `wg0 (running)`. */
  path: string;
  /** '' where there was nothing. */
  before: string;
  /** '' where nothing is left. */
  after: string;
}

/** One change to a machine: the shell that makes it, and the line that tells a person of it. */
export interface Change {
  /** `install wireguard-tools`: printed before and after, so it is what the shell does. */
  line: string;
  /**
   * POSIX sh, run with `set -e`, no standard input. `say WORDS…` there tells the person at once what is waited for; it
   * writes to the shell's standard output and is no part of what the change printed, so nothing may redirect it.
   */
  shell: string;
  /** What `--diff` shows. */
  diff?: Diff;
}

/** What a task makes of the machine it saw. No changes: the machine is right. */
export interface Verdict {
  changes: Change[];
  /** What a person should know of this machine; nothing is done about it. A line break parts a notice and its next step. */
  notices?: readonly string[];
  /** A fact this task stands for (a public key), from what the changes printed. */
  value?: (outputs: readonly string[]) => string;
  /** The value needs none of the changes: it counts where they are not made, too. */
  valueHolds?: boolean;
}

/**
 * One thing that is wanted of a machine. The probe reads the machine's live state and changes nothing;
 * `judge` is pure and refuses with a Fault what it cannot put right. F: the facts of the host.
 */
export interface Task<F> {
  name: string;
  /** Words by which `--tags` and `--skip-tags` choose it. */
  tags?: readonly string[];
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
