import { readdirSync } from 'node:fs';
import { labDown } from '../../scripts/lib/lab/lab.ts';
import { placeOf } from '../../scripts/lib/lab/place.ts';
import { until } from '../../scripts/lib/poll.ts';

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

const listed = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

/** What bears the name of a test file's lab: its folder, its namespaces, its engine's folder. */
const traces = (): string[] => [...listed('.'), ...listed('/run/netns'), ...listed('/run')];

/** Labs of test files, by name, with the process that made each: `t-client-1234`. */
function testLabs(): { name: string; pid: number }[] {
  const found = new Map<string, number>();
  for (const trace of traces()) {
    const [, name, pid] = /^(?:\.lab|comps)-(t-[a-z]+-(\d+))(?:-|$)/.exec(trace) ?? [];
    const ours = name !== undefined && (trace.startsWith('.') || trace.startsWith(placeOf(name).prefix));
    if (ours) found.set(name, Number(pid));
  }
  return [...found].map(([name, pid]) => ({ name, pid }));
}

/** Takes down the labs of test files that were ended, with their engines: their names end in the number of a process that is no more. */
export async function sweep(): Promise<void> {
  for (const { name, pid } of testLabs()) if (!alive(pid)) await labDown(name);
}

/** The same at the end of a run, whose last files may still be ending (ten seconds at most). */
export async function sweepAll(): Promise<void> {
  await until(10_000, () => testLabs().every(({ pid }) => !alive(pid)));
  await sweep();
}
