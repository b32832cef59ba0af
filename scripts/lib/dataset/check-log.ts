/** The switch log beside a visit's records: the same switches, and a reason for each that is missing. Pure. */
import type { Switch } from '../../../client/scripts/lib/trace/record.ts';
import { readSwitch } from '../trace-schema.ts';
import { gapsIn } from './check-schedule.ts';

const MOST = 1e6;

export interface Log {
  switches: Switch[];
  /** Numbers of entries that failed or were left out. */
  explained: Set<number>;
  problems: string[];
}

function explain(line: { event?: unknown; n?: unknown; skipped?: unknown }, explained: Set<number>): void {
  const { event, n, skipped } = line;
  if (typeof n !== 'number') return;
  if (event === 'error') explained.add(n);
  if (event === 'late' && typeof skipped === 'number')
    for (let i = 0; i < Math.min(skipped, MOST); i++) explained.add(n + i);
}

/** Reads the lines of a switch log; `problems` as LINE: what. */
export function readLog(text: string): Log {
  const log: Log = { switches: [], explained: new Set(), problems: [] };
  for (const [i, line] of text.split('\n').entries()) {
    if (line === '') continue;
    let event: { event?: unknown } | null = null;
    try {
      event = JSON.parse(line);
    } catch {
      // Said below.
    }
    if (event === null || typeof event !== 'object' || typeof event.event !== 'string') {
      log.problems.push(`${i + 1}: no line of a switch log, or cut off`);
    } else if (event.event === 'switch') {
      const read = readSwitch(line);
      if ('problem' in read) log.problems.push(`${i + 1}: ${read.problem}`);
      else log.switches.push(read.value);
    } else explain(event, log.explained);
  }
  return log;
}

const key = ({ n, due, time, done, path, from }: Switch): string =>
  JSON.stringify([n, due, time, done, path, from]);

/** In what a record's switches differ from the log's. */
export function checkLog(log: Log, switches: readonly Switch[]): string[] {
  const there = new Set(log.switches.map(key));
  const strange = switches.find((one) => !there.has(key(one)));
  if (strange !== undefined) return [`switch ${strange.n} is not in the switch log like that`];
  if (switches.length < log.switches.length)
    return [`the switch log has ${log.switches.length} switches, the record ${switches.length}`];
  const gaps = gapsIn(log.switches, log.explained);
  return gaps > 0 ? [`${gaps} entries are missing in the switch log`] : [];
}
