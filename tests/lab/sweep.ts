import { readdirSync } from 'node:fs';
import { labDown } from '../../scripts/lib/lab/lab.ts';
import { until } from '../../scripts/lib/lab/poll.ts';

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** Labs of test files, by name, with the process that made each: `t-client-1234`. */
const testLabs = (): { name: string; pid: number }[] =>
  readdirSync('.').flatMap((folder) => {
    const [, name, pid] = /^\.lab-(t-[a-z]+-(\d+))$/.exec(folder) ?? [];
    return name === undefined ? [] : [{ name, pid: Number(pid) }];
  });

/** Takes down the labs of test files that were ended: their names end in the number of a process that is no more. */
export async function sweep(): Promise<void> {
  for (const { name, pid } of testLabs()) if (!alive(pid)) await labDown(name);
}

/** The same at the end of a run, whose last files may still be ending (ten seconds at most). */
export async function sweepAll(): Promise<void> {
  await until(10_000, () => testLabs().every(({ pid }) => !alive(pid)));
  await sweep();
}
