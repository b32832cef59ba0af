/** Schedules as `migrate.ts --plan` prints them: JSON lines, the plan first, then a line an entry or run. Pure. */
import type { Run } from './packet-strategy.ts';
import type { Entry, Heading } from './schedule.ts';

/** Of the log's format and of the way from a seed to a schedule; a change of either gets the next number. */
export const SCHEDULE_VERSION = 1;

export interface Drawn {
  heading: Heading;
  /** In time; empty for one by packet. */
  entries: readonly Entry[];
  runs: readonly Run[];
}

function* lines({ heading, entries, runs }: Drawn): Generator<object> {
  const { interfaces } = heading;
  yield heading;
  for (const { n, at, path } of entries) yield { event: 'entry', n, at, path: interfaces[path] };
  let packet = 0;
  for (const [n, { path, packets }] of runs.entries()) {
    yield { event: 'run', n, packet, packets, path: interfaces[path] };
    packet += packets;
  }
}

export const scheduleText = (drawn: Drawn): string =>
  [...lines(drawn)].map((line) => `${JSON.stringify(line)}\n`).join('');
