/** The switch log beside a visit's records: the same switches, and a reason for each that is missing. Pure. */
import { type Bounds, countsTrouble } from '../../../client/scripts/lib/collect/by-packet.ts';
import type { Switch } from '../../../client/scripts/lib/trace/record.ts';
import { readSwitch } from '../trace-schema.ts';
import { gapsIn } from './check-schedule.ts';

const MOST = 1e6;

export interface Log {
  switches: Switch[];
  /** Numbers of entries that failed or were left out. */
  explained: Set<number>;
  problems: string[];
  /** By packet: how often it says that the kernel split, the packets by path that were counted, and its errors. */
  splits: number;
  counted: Record<string, number> | undefined;
  errors: string[];
}

const isCounts = (value: unknown): value is Record<string, number> =>
  typeof value === 'object' &&
  value !== null &&
  Object.values(value).every((count) => Number.isInteger(count));

/** What a log says of a split. */
function takeSplit(line: { event?: unknown; packets?: unknown; message?: unknown }, log: Log): void {
  const { event, packets, message } = line;
  if (event === 'split') log.splits++;
  if (event === 'counts') log.counted = isCounts(packets) ? packets : undefined;
  if (event === 'error') log.errors.push(String(message));
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
  const log: Log = {
    switches: [],
    explained: new Set(),
    problems: [],
    splits: 0,
    counted: undefined,
    errors: [],
  };
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
    } else {
      explain(event, log.explained);
      takeSplit(event, log);
    }
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

/** By packet: why the log of a success does not show a split from begin to end. `sent`: what was captured, by path. */
export function checkSplit(log: Log, sent: readonly Bounds[]): string[] {
  const { splits, counted, errors } = log;
  if (splits !== 1) return [`a success with ${splits} splits in the switch log`];
  if (errors.length > 0) return [`a success with an error in the switch log: ${errors[0]}`];
  const trouble = countsTrouble(counted, sent);
  return trouble === undefined ? [] : [trouble];
}
