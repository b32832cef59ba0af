/** The lock that one host has for all runs, as pieces of shell: who holds it, and who waits for it. */
import { hostname, userInfo } from 'node:os';
import { basename } from 'node:path';
import { quote } from '../shell.ts';

/** How long, in seconds, a run waits for another one on the same host. */
const LOCK_WAIT = 60;

/** Exit code of a script that could not have the host's lock in that time. */
export const LOCKED = 91;

/** Who is at work, for those who wait; only of use while the lock is held. */
const HOLDER = '/run/comps.lock-holder';

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A user without an entry, as in a container.
    return process.env.USER ?? `uid ${process.getuid?.()}`;
  }
}

/** One line, without anything that a terminal takes for an order. */
const plain = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 200);

/** This run, as others see it: `alice@laptop's run (wgnet-setup, pid 4711`. */
export function ownName(): string {
  const script = process.argv.find(
    (word, i) => i > 0 && /\.[cm]?[jt]s$/.test(word) && !/[/\\]zx[/\\]/.test(word),
  );
  const command = script === undefined ? 'comps' : basename(script).replace(/\.\w+$/, '');
  return plain(`${userName()}@${hostname()}'s run (${command}, pid ${process.pid}`);
}

/**
 * Takes the lock, and where another run has it, says so with that run's name before it waits. Readers (`-s`) wait for a
 * writer (`-x`) and keep it out, so nobody sees a host half-changed. The lock is on a directory that is always there, in
 * memory: taking it writes nothing, also where a disk is full or read-only. What {@link HOLDER} says is believed only
 * while the shell that wrote it has the directory open as 9: a run that was killed leaves the file.
 */
export function takeLock(kind: '-s' | '-x', marker: string): string {
  return `exec 9</run || exit ${LOCKED}
busy() {
  { read -r pid who <${HOLDER} && [ "$(readlink "/proc/$pid/fd/9")" = "$(readlink /proc/self/fd/9)" ]; } 2>/dev/null || who=
  echo; echo "${marker} busy $who"
}
flock -n ${kind} 9 || { busy; flock ${kind} -w ${LOCK_WAIT} 9 || { busy; exit ${LOCKED}; }; }`;
}

/** Leaves this run's name for those who wait. */
export const nameHolder = (name: string): string =>
  `echo "$$ "${quote(name)}", since $(date +%H:%M:%S))" 2>/dev/null >${HOLDER} || true`;

/** What a script said of the run that is in its way, for a person; `own` is this run's own name. */
export function holderText(said: string, own: string): string {
  const who = plain(said.trim());
  if (who === '') return 'another run';
  return who.startsWith(`${own},`)
    ? `a cut-off part of this run (${who.slice(who.lastIndexOf('since'))}`
    : who;
}
