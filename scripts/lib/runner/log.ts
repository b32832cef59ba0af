/** The log of one run: every line that was shown, each round trip, and what failed pieces said. Never a secret. */
import { dirname, join } from 'node:path';
import { Fault } from '../cli.ts';
import { addText, list, makeDirectory, remove } from '../files.ts';
import { seconds } from '../progress.ts';
import type { Round } from './round.ts';
import { hideKeys, hideSecrets } from './secrets.ts';

export interface RunLog {
  /** Opens the file: what came before is in it too. A run that is refused before that leaves none. */
  begin(): void;
  line(text: string): void;
  round(host: string, round: Round): void;
  /** The file, for messages; undefined where there is none. */
  readonly file: string | undefined;
}

/** How many logs of earlier runs stay. */
const KEPT = 30;

/** A terminal's orders, such as colours. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what this looks for
const ORDERS = /\u001b\[[0-9;?]*[A-Za-z]/g;

/** `2026-11-22T19-20-23.123Z`: sorts by time, and is a file name everywhere. */
const stamp = (now: Date): string => now.toISOString().replaceAll(':', '-');

/** Where the log goes: `.comps/log/` beside the inventory, or where COMPS_LOG says; undefined for `off`. */
export function logFile(
  inventory: string,
  command: string,
  wish = process.env.COMPS_LOG,
): string | undefined {
  if (wish === 'off') return undefined;
  if (wish !== undefined && wish !== '') return wish;
  return join(dirname(inventory), '.comps', 'log', `${stamp(new Date())}-${command}.log`);
}

/** A folder of logs for this user alone, with room for one more. */
function makeRoom(folder: string): void {
  makeDirectory(dirname(folder), 0o700);
  makeDirectory(folder, 0o700);
  const logs = list(folder).filter((name) => /^\d{4}-.*\.log$/.test(name));
  for (const name of logs.slice(0, Math.max(0, logs.length - KEPT + 1))) remove(join(folder, name));
}

/** The lines of one round trip. */
export function roundLines(host: string, { what, ms, code, pieces }: Round): string[] {
  const end = code === undefined ? 'the connection was lost' : `exit ${code ?? 'by a signal'}`;
  const lines = [`[${host}] round trip: ${what} of ${pieces.length} pieces, ${seconds(ms)}, ${end}`];
  for (const { name, frame } of pieces) {
    if (frame === undefined || frame.code === 0) continue;
    lines.push(`[${host}]   ${name}: exit ${frame.code}`);
    const said = hideKeys(frame.stderr.trim() || frame.stdout.trim());
    for (const line of said.split('\n').slice(-200)) lines.push(`[${host}]     ${line}`);
  }
  return lines;
}

/** A log that is not begun yet. Where it cannot be written the run goes on, and `notice` is told once. */
export function openLog(file: string | undefined, notice: (text: string) => void): RunLog {
  let [open, lost] = [false, file === undefined];
  let waiting = '';
  const write = (text: string): void => {
    if (lost || file === undefined) return;
    if (!open) {
      waiting += text;
      return;
    }
    try {
      addText(file, text, 0o600);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      lost = true;
      notice(`no log of this run any more: ${error.message}`);
    }
  };
  const line = (text: string): void =>
    write(`${new Date().toISOString().slice(11, 23)} ${hideSecrets(text.replace(ORDERS, ''))}\n`);
  return {
    begin: () => {
      if (open || lost || file === undefined) return;
      try {
        if (file.includes(join('.comps', 'log'))) makeRoom(dirname(file));
        open = true;
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        lost = true;
        notice(`no log of this run: ${error.message}`);
      }
      write(waiting);
    },
    line,
    round: (host, round) => {
      for (const text of roundLines(host, round)) line(text);
    },
    get file() {
      return open && !lost ? file : undefined;
    },
  };
}
