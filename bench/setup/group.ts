/** A control group of this bench's own: what all processes of a command cost together, also those that it left behind. */
import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { readTextIfStill } from '../../scripts/lib/files.ts';
import { until } from '../../scripts/lib/poll.ts';
import { killNow } from '../../scripts/lib/transport/local.ts';

const ROOT = '/sys/fs/cgroup';

/**
 * Bytes of memory that processes have together, by their `/proc/PID/status`: what each has of its own, and the files of
 * the one that has most of them mapped. Those are the runtime's, the same pages in all.
 */
export function memoryIn(statuses: readonly string[]): number {
  const bytes = (status: string, name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) * 1024;
  const own = statuses.map((status) => bytes(status, 'RssAnon') + bytes(status, 'RssShmem'));
  const files = statuses.map((status) => bytes(status, 'RssFile'));
  return own.reduce((sum, one) => sum + one, 0) + Math.max(0, ...files);
}

export class Group {
  private readonly folder: string;
  private readonly old: boolean;

  /** In either of the two kinds of hierarchy that there are. */
  constructor(name: string) {
    this.old = existsSync(join(ROOT, 'cpuacct/cpuacct.usage'));
    this.folder = join(ROOT, this.old ? 'cpuacct' : '', name);
    mkdirSync(this.folder, { recursive: true });
  }

  /** The command that runs `words` in it. */
  words(words: readonly string[]): string[] {
    return ['sh', '-c', 'echo $$ >"$0" && exec "$@"', join(this.folder, 'cgroup.procs'), ...words];
  }

  /** Seconds of the processors that all in it had up to now. */
  seconds(): number {
    if (this.old) return Number(readFileSync(join(this.folder, 'cpuacct.usage'), 'utf8')) / 1e9;
    const [, microseconds] =
      /^usage_usec (\d+)$/m.exec(readFileSync(join(this.folder, 'cpu.stat'), 'utf8')) ?? [];
    return Number(microseconds) / 1e6;
  }

  private pids(): number[] {
    const text = readTextIfStill(join(this.folder, 'cgroup.procs')) ?? '';
    return text.split('\n').filter(Boolean).map(Number);
  }

  /** Bytes of memory that all its processes have now. */
  memory(): number {
    return memoryIn(this.pids().map((pid) => readTextIfStill(`/proc/${pid}/status`) ?? ''));
  }

  /** Ends what is left in it: ssh's masters, for one. */
  async clear(): Promise<void> {
    await until(10_000, () => {
      killNow(this.pids());
      return this.pids().length === 0;
    });
  }

  async remove(): Promise<void> {
    await this.clear();
    rmdirSync(this.folder);
  }
}
