/** What one script on one machine answered. */
export interface Answer {
  /** Exit code; null where a signal ended the shell. */
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** Gets standard output as it comes. */
  onOutput?: ((chunk: string) => void) | undefined;
  /** Seconds for the whole script; one that takes longer makes its host an unreachable one. */
  limit?: number | undefined;
}

/** Bytes on the wire, as this machine counts them: login, encryption and all. */
export interface Bytes {
  sent: number;
  received: number;
}

/** A way to run shell scripts on one machine. */
export interface Transport {
  /** Runs a POSIX sh script; rejects with an unreachable Fault where the connection is lost meanwhile, or at the limit. */
  run(script: string, options?: RunOptions): Promise<Answer>;
  close(): void;
  /** Scripts sent so far: each is one round trip. */
  readonly rounds?: number;
  readonly bytes?: Bytes;
}
