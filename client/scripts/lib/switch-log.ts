/** What a schedule in time logs. */
/** A line of the switch log; all times are seconds since 1970 on the pcap's clock. */
export type LogLine =
  /**
   * An entry that was carried out: the path was in force from some moment between `time` and `done`; `planned` is the
   * entry's own path, where that is left out.
   */
  | {
      event: 'switch';
      n: number;
      due: number;
      time: number;
      done: number;
      path: string;
      from: string | null;
      planned?: string;
    }
  /** The path in force was left out, or the one of entry `n` is back: it need not wait for the next entry. */
  | { event: 'detour'; n: number; time: number; done: number; path: string; from: string; planned: string }
  /**
   * An entry that failed: `stays` is the last path that was set, null before the first; `planned` as above. Where `ip`
   * itself ended without an answer, the path may have been set all the same.
   */
  | {
      event: 'error';
      n: number;
      due: number;
      time: number;
      path: string;
      stays: string | null;
      planned?: string;
      message: string;
    }
  /** Entries `n` to `n + skipped - 1` are left out, since the process was stopped or too slow. */
  | { event: 'late'; n: number; time: number; skipped: number; late: number }
  /** Somebody set CLOCK_REALTIME: later times are on the new one. */
  | { event: 'clock'; time: number; step: number };
