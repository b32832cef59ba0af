import { readdirSync } from 'node:fs';
import { labDown } from '../../scripts/lib/lab/lab.ts';

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** Takes down the labs of test files that were ended: their names end in the number of a process that is no more. */
export async function sweep(): Promise<void> {
  for (const folder of readdirSync('.')) {
    const [, name, pid] = /^\.lab-(t-[a-z]+-(\d+))$/.exec(folder) ?? [];
    if (name !== undefined && !alive(Number(pid))) await labDown(name);
  }
}
