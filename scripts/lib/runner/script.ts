/** Many small shell pieces as one script, and its answer taken apart again. */
import { quote } from '../shell.ts';

/** What one piece of a script said. */
export interface Frame {
  /** Exit code of the piece. */
  code: number;
  stdout: string;
  stderr: string;
}

/** Programs in one language, and where Debian keeps the administrator's. */
const PROLOGUE = `LC_ALL=C; PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export LC_ALL PATH`;

/** How long, in seconds, a run waits for another one on the same host. */
const LOCK_WAIT = 60;

/** Exit code of a script that could not have the host's lock in that time. */
export const LOCKED = 91;

/** Exit code of an apply script that found the host changed by another run since it was probed. */
export const STALE = 92;

/** Holds the marker of the run that last made changes; a reboot forgets it, and what runs with it. */
const LAST_RUN = '/run/comps.last';

/** Who changed this host last. */
const lastRun = `cat ${LAST_RUN} 2>/dev/null || echo nobody`;

/**
 * Readers wait for a writer and keep it out, so nobody sees a host half-changed. The lock is on a directory that is
 * always there: taking it writes nothing.
 */
const lock = (kind: '-s' | '-x'): string =>
  `exec 9</run && flock ${kind} -w ${LOCK_WAIT} 9 || exit ${LOCKED}`;

const begin = (marker: string, i: number): string =>
  `echo '${marker} begin ${i}'; echo '${marker} begin ${i}' >&2`;
const end = (marker: string, i: number): string =>
  `echo; echo "${marker} end ${i} $rc"; echo >&2; echo "${marker} end ${i} $rc" >&2`;

/**
 * All probes, each in a subshell of its own and framed by `marker` on both outputs. Piece 0 tells who changed
 * the host last, for {@link applyScript}; the probes follow from 1.
 */
export function probeScript(marker: string, probes: readonly string[]): string {
  const pieces = [lastRun, ...probes].map(
    (probe, i) => `${begin(marker, i)}\n(\n${probe}\n) </dev/null 9<&-\nrc=$?\n${end(marker, i)}`,
  );
  return [PROLOGUE, lock('-s'), ...pieces, ''].join('\n');
}

/**
 * All changes in order under the host's lock; the first that fails ends the script. Nothing is done where another
 * run changed the host after `last` was read: what was planned then may be wrong now.
 */
export function applyScript(marker: string, last: string, changes: readonly string[]): string {
  const pieces = changes.map(
    (change, i) =>
      `${begin(marker, i)}\n(\nset -e\n${change}\n) </dev/null 9<&-\nrc=$?\n${end(marker, i)}\n[ "$rc" = 0 ] || exit 0`,
  );
  const unchanged = `[ "$(${lastRun})" = ${quote(last)} ] || exit ${STALE}; echo ${marker} >${LAST_RUN}`;
  return [PROLOGUE, lock('-x'), unchanged, ...pieces, ''].join('\n');
}

function cut(stream: string, marker: string): Map<number, { text: string; code: number }> {
  const found = new Map<number, { text: string; code: number }>();
  // The line break before the closing mark is the mark's own.
  const frame = new RegExp(`^${marker} begin (\\d+)\\n([\\s\\S]*?)\\n${marker} end \\1 (\\d+)$`, 'gm');
  for (const [, i, text, code] of stream.matchAll(frame)) {
    found.set(Number(i), { text: text ?? '', code: Number(code) });
  }
  return found;
}

/** The frames of an answer by number; a piece that was never reached, or cut off, has none. */
export function framesOf(marker: string, stdout: string, stderr: string): Map<number, Frame> {
  const errors = cut(stderr, marker);
  const frames = new Map<number, Frame>();
  for (const [i, { text, code }] of cut(stdout, marker))
    frames.set(i, { code, stdout: text, stderr: errors.get(i)?.text ?? '' });
  return frames;
}

/** Takes output as it comes and says which piece begins, each once. */
export function beginnings(marker: string, onBegin: (i: number) => void): (chunk: string) => void {
  const mark = `${marker} begin `;
  let line = '';
  return (chunk) => {
    const lines = (line + chunk).split('\n');
    line = lines.pop() ?? '';
    for (const whole of lines) if (whole.startsWith(mark)) onBegin(Number(whole.slice(mark.length)));
  };
}
