/** Many small shell pieces as one script, and its answer taken apart again. */
import { quote } from '../shell.ts';
import { nameHolder, takeLock } from './lock.ts';

/** What one piece of a script said. */
export interface Frame {
  /** Exit code of the piece. */
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * Programs in one language, and where Debian keeps the administrator's. The empty lines end what a login shell's own files
 * may have printed before.
 */
const PROLOGUE = `LC_ALL=C; PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export LC_ALL PATH; echo; echo >&2`;

/** Exit code of an apply script that found the host changed by another run since it was probed. */
export const STALE = 92;

/** Holds the marker of the run that last made changes; a reboot forgets it, and what runs with it. */
const LAST_RUN = '/run/comps.last';

/** Who changed this host last. */
const lastRun = `{ read -r last <${LAST_RUN}; } 2>/dev/null && echo "$last" || echo nobody`;

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
  return [PROLOGUE, takeLock('-s', marker), ...pieces, ''].join('\n');
}

/**
 * All changes in order under the host's lock; the first that fails ends the script. Nothing is done where another
 * run changed the host after `last` was read: what was planned then may be wrong now. `holder` is this run's name, for
 * others that wait meanwhile.
 */
export function applyScript(
  marker: string,
  last: string,
  changes: readonly string[],
  holder: string,
): string {
  const say = `say() { printf '\\n%s say %s\\n' ${marker} "$(printf %s "$*" | tr '\\n\\r' '  ')"; }`;
  const pieces = changes.map(
    (change, i) =>
      `${begin(marker, i)}\n(\nset -e\n${change}\n) </dev/null 9<&-\nrc=$?\n${end(marker, i)}\n[ "$rc" = 0 ] || exit 0`,
  );
  const unchanged = `[ "$(${lastRun})" = ${quote(last)} ] || exit ${STALE}; echo ${marker} >${LAST_RUN} || exit 1`;
  return [PROLOGUE, takeLock('-x', marker), nameHolder(holder), unchanged, say, ...pieces, ''].join('\n');
}

function cut(stream: string, marker: string): Map<number, { text: string; code: number }> {
  const found = new Map<number, { text: string; code: number }>();
  // The line break before the closing mark is the mark's own.
  const frame = new RegExp(`^${marker} begin (\\d+)\\n([\\s\\S]*?)\\n${marker} end \\1 (\\d+)$`, 'gm');
  // So are both line breaks of what was said.
  const said = new RegExp(`\\n${marker} say [^\\n]*\\n`, 'g');
  for (const [, i, text = '', code] of stream.matchAll(frame))
    found.set(Number(i), { text: text.replace(said, ''), code: Number(code) });
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

/** What a script tells while it runs. */
export interface Signs {
  /** A piece begins. */
  begin?: (i: number) => void;
  /** A piece has ended well. */
  done?: (i: number) => void;
  /** A change tells the person something. */
  say?: (words: string) => void;
  /** Another run has the host's lock; '' where its name is not known. */
  busy?: (holder: string) => void;
}

/** Takes output as it comes, however it is cut into pieces, and tells each sign once. */
export function signs(marker: string, { begin, done, say, busy }: Signs): (chunk: string) => void {
  let line = '';
  return (chunk) => {
    const lines = (line + chunk).split('\n');
    line = lines.pop() ?? '';
    for (const whole of lines) {
      if (!whole.startsWith(`${marker} `)) continue;
      const [, kind, rest = ''] = /^\S+ (\S+) ?(.*)$/.exec(whole) ?? [];
      if (kind === 'begin') begin?.(Number(rest));
      if (kind === 'end' && rest.endsWith(' 0')) done?.(Number.parseInt(rest, 10));
      if (kind === 'say') say?.(rest);
      if (kind === 'busy') busy?.(rest);
    }
  };
}
