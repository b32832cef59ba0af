/** A virtual machine that runs one program and ends with it. */
import { join } from 'node:path';
import { EXIT, Fault } from '../../cli.ts';
import { makeDirectory, readTextIfAny, readTextIfStill, remove } from '../../files.ts';
import { until } from '../../poll.ts';
import { killNow, run, spawnDetached } from '../../transport/local.ts';
import { qemuWords } from './recipe.ts';

export interface VmOptions {
  /** The folder from `ensureVm`. */
  image: string;
  /** What the machine sees as its working folder, with the program `start` in it: at most 300 MB. */
  work: string;
  /** A folder for what it says, made where it is missing. */
  directory: string;
}

export interface Vm {
  /** Whole lines that the program has written to standard output so far. */
  lines(): string[];
  /** What came by the console: the kernel's last words, and the program's errors. */
  console(): string;
  isUp(): boolean;
  /** Cuts its power; nothing of it is left. */
  stop(): Promise<void>;
}

/** Milliseconds that QEMU may take to go. */
const PATIENCE = 10_000;

/** When a process that still lives was started, in the kernel's ticks: it stays the same when it becomes another program. */
function startOf(pid: number): string | undefined {
  const [state, ...fields] = (readTextIfStill(`/proc/${pid}/stat`) ?? '').replace(/^.*\) /s, '').split(' ');
  return state === 'Z' || state === 'X' ? undefined : fields[18];
}

/** Starts it; returns at once. It ends when its program does, and with this process, however that ends. */
export async function startVm({ image, work, directory }: VmOptions): Promise<Vm> {
  makeDirectory(directory);
  const [tar, console, results, log] = ['work.tar', 'console', 'results', 'qemu.log'].map((name) =>
    join(directory, name),
  ) as [string, string, string, string];
  for (const path of [tar, console, results, log]) remove(path);
  await run(['tar', '-C', work, '-cf', tar, '--owner=0', '--group=0', '.']);
  const qemu = qemuWords({ folder: image, work: tar }, { console, results });
  const pid = spawnDetached(['setpriv', '--pdeathsig', 'KILL', ...qemu], log);
  const began = startOf(pid);
  // By its start as well: another process may have the number by now.
  const isUp = (): boolean => began !== undefined && startOf(pid) === began;
  const said = (): string => `${readTextIfAny(log) ?? ''}${readTextIfAny(console) ?? ''}`;
  return {
    lines: () => (readTextIfAny(results) ?? '').split('\n').slice(0, -1),
    console: said,
    isUp,
    stop: async () => {
      if (isUp()) killNow([pid]);
      if (await until(PATIENCE, () => !isUp())) return;
      throw new Fault({
        what: `QEMU does not end (process ${pid})`,
        next: `see what it waits for: ps -o pid,stat,wchan,args ${pid}`,
        code: EXIT.failed,
      });
    },
  };
}
