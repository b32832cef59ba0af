/** What a process and all that it started cost of the processors, from /proc. */
import { readTextIfStill } from '../scripts/lib/files.ts';

/** The kernel's clock ticks a second in /proc, on every Linux there is. */
const TICKS = 100;

/**
 * Seconds that a process and those of its children that it waited for had of the processors, from its
 * `/proc/PID/stat`. (Its name, in brackets, may hold anything.)
 */
export function secondsIn(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // utime, stime, cutime, cstime: fields 14 to 17 of proc(5), the third being the first behind the name.
  const ticks = fields.slice(11, 15).map(Number);
  return ticks.reduce((sum, one) => sum + one, 0) / TICKS;
}

/** The processes that a process started and that run. */
export const childrenOf = (pid: number): number[] =>
  (readTextIfStill(`/proc/${pid}/task/${pid}/children`) ?? '')
    .split(' ')
    .filter((child) => child !== '')
    .map(Number);

/** Seconds that a process and all below it had up to now, those that ended with them as far as they were waited for. */
export function secondsOf(pid: number): number {
  const below = childrenOf(pid).reduce((sum, child) => sum + secondsOf(child), 0);
  const stat = readTextIfStill(`/proc/${pid}/stat`);
  return below + (stat === undefined ? 0 : secondsIn(stat));
}
