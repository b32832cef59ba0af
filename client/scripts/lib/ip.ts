/** The door to the `ip` command: the only place here that starts processes. */
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { Fault } from './fault.ts';

const INSTALL = 'apt-get install iproute2';

/** What `ip` prints; throws a Fault where there is none or it fails. */
export function askIp(...words: string[]): string {
  const { error, status, stdout, stderr } = spawnSync('ip', words, { encoding: 'utf8' });
  if (error !== undefined) throw new Fault({ what: `cannot run ip: ${error.message}`, next: INSTALL });
  if (status === 0) return stdout;
  throw new Fault({ what: `ip ${words.join(' ')}: ${stderr.trim()}`, next: INSTALL });
}

/** An `ip` that reads commands from its standard input and complains on its standard error. */
export type IpProcess = ChildProcessByStdio<Writable, null, Readable>;

/**
 * Starts `ip -force -batch -`, which ends with its input; in a session of its own, so that Ctrl-C reaches this
 * program alone.
 */
export function startIp(): IpProcess {
  const words = ['-force', '-batch', '-'];
  return spawn('ip', words, { stdio: ['pipe', 'ignore', 'pipe'], detached: true });
}
