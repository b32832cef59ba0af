/** A schedule from a file, to be carried out again. */
import { Fault } from './fault.ts';
import { readWhole } from './files.ts';
import { isTunnel } from './interfaces.ts';
import type { Entry } from './schedule.ts';
import { readSchedule, type ScheduleFile } from './schedule-file.ts';

const micro = (seconds: number): number => Math.round(seconds * 1e6) / 1e6;

/** Reads the file that --schedule names; throws a Fault where it cannot be carried out. */
export function openSchedule(file: string, warn: (text: string) => void = console.error): ScheduleFile {
  const schedule = readSchedule(readWhole(file, '--schedule'), file, { warn });
  const other = schedule.interfaces.find((name) => !isTunnel(name));
  if (other !== undefined)
    throw new Fault({
      at: `${file}:1`,
      what: `${JSON.stringify(other)} is not the name of a tunnel such as wgnet1`,
      next: 'schedule.ts --interfaces wgnet1,wgnet2 -o FILE makes one over tunnels',
    });
  return schedule;
}

/** Seconds between entries, where each comes as many periods after the start as its number says; else undefined. */
export function periodOf({ heading, entries }: ScheduleFile): number | undefined {
  const { period } = heading;
  if (typeof period !== 'number' || !(period > 0)) return undefined;
  return entries.every(({ n, at }) => at === micro(n * period)) ? period : undefined;
}

/**
 * The entries, again and again: entry 0 comes as long after the last one as that comes after the one before. Throws a
 * Fault where there is no one before.
 */
export function repeated({ entries }: Pick<ScheduleFile, 'entries'>): Iterable<Entry> {
  const [first, last, before] = [entries[0], entries.at(-1), entries.at(-2)];
  if (first === undefined || last === undefined || before === undefined)
    throw new Fault({ at: '--repeat', what: 'the schedule has one entry: there is nothing to repeat' });
  const round = micro(last.at - first.at + (last.at - before.at));
  const numbers = last.n + 1;
  return {
    *[Symbol.iterator]() {
      for (let i = 0; ; i++)
        for (const { n, at, path } of entries) yield { n: n + i * numbers, at: micro(at + i * round), path };
    },
  };
}
