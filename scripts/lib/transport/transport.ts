/** What one script on one machine answered. */
export interface Answer {
  /** Exit code; null where a signal ended the shell. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A way to run shell scripts on one machine. */
export interface Transport {
  /**
   * Runs a POSIX sh script; rejects with an unreachable Fault where the connection is lost meanwhile.
   * `onOutput` gets standard output as it comes.
   */
  run(script: string, onOutput?: (chunk: string) => void): Promise<Answer>;
  close(): void;
}
