/** Starts and ends the lab's Docker daemons, whoever started them. */
import { EXIT, Fault } from '../cli.ts';
import { exists, list, makeDirectory, readTextIfAny, readTextIfStill, remove, writeText } from '../files.ts';
import { until } from '../poll.ts';
import { attempt, killNow, spawnDetached } from '../transport/local.ts';
import { dockerEnvironment, type Seat } from './engine-place.ts';
import { daemonJson, daemonWords, isOfDaemon, type Net, REMOVE_CGROUPS } from './engine-settings.ts';

/** Milliseconds that a daemon may take to answer, to stop its containers and end, and to be gone after SIGKILL. */
const PATIENCE = { start: 60_000, stop: 30_000, kill: 20_000 } as const;

/** Process ids and command lines on this computer. */
export const commandLines = (): { pid: number; line: string }[] =>
  list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), line: readTextIfStill(`/proc/${name}/cmdline`) ?? '' }));

const processesOf = (seat: Seat) => commandLines().filter(({ line }) => isOfDaemon(line, seat));

/** Process 1 of a daemon that runs, by the number it has outside. */
export const leaderOf = (seat: Seat): number | undefined =>
  processesOf(seat).find(({ line }) => line.startsWith('docker-init\0'))?.pid;

const gone = (seat: Seat): boolean => processesOf(seat).length === 0;

/** Kills a daemon and all that it runs; whether there was one. Nothing of it is left but its data. */
export async function killDaemon(seat: Seat): Promise<boolean> {
  const ran = !gone(seat);
  const ended = await until(PATIENCE.kill, () => {
    killNow(processesOf(seat).map(({ pid }) => pid));
    return gone(seat);
  });
  if (!ended)
    throw new Fault({
      what: `the Docker daemon ${seat.name} does not end`,
      next: `see what it waits for (ps -o pid,stat,wchan,args -p ${processesOf(seat)[0]?.pid}), then repeat it`,
    });
  await attempt(['sh', '-c', REMOVE_CGROUPS, seat.cgroup]);
  const left = exists(seat.folder);
  remove(seat.folder);
  return ran || left;
}

/** Lets a daemon stop its containers and end; kills it where it does not. */
export async function stopDaemon(seat: Seat): Promise<void> {
  const leader = leaderOf(seat);
  if (leader !== undefined) {
    await attempt(['kill', '-TERM', String(leader)]);
    await until(PATIENCE.stop, () => gone(seat));
  }
  await killDaemon(seat);
}

export const docker = (seat: Seat, words: readonly string[]) =>
  attempt(['docker', ...words], { env: dockerEnvironment(seat) });

/** Whether the daemon answers. */
export const answers = async (seat: Seat): Promise<boolean> =>
  exists(seat.socket) && (await docker(seat, ['version', '--format', '{{.Server.Version}}'])).code === 0;

/** What a daemon said before it ended: its last error, in short. */
export function lastWords(log: string): string {
  const lines = log
    .trim()
    .split('\n')
    .filter((line) => !/level=(?:info|debug)/.test(line));
  return lines.at(-1) || 'it printed nothing';
}

export interface Start {
  net: Net;
  /** Its data folder, and the file whose lock it holds. */
  data: string;
  lock: string;
  log: string;
  /** It ends with this process. */
  bound: boolean;
}

/** Starts a daemon, and returns when it answers. */
export async function startDaemon(seat: Seat, { net, data, lock, log, bound }: Start): Promise<void> {
  await killDaemon(seat);
  remove(log);
  makeDirectory(seat.folder, 0o700);
  writeText(seat.settings, daemonJson(seat, data, net));
  const words = daemonWords(seat, lock, net);
  const pid = spawnDetached(bound ? ['setpriv', '--pdeathsig', 'KILL', ...words] : words, log);
  const up = await until(PATIENCE.start, async () => !exists(`/proc/${pid}`) || (await answers(seat)));
  if (up && exists(`/proc/${pid}`)) return;
  await killDaemon(seat);
  const what = up ? 'did not start' : `did not answer in ${PATIENCE.start / 1000} s`;
  throw new Fault({
    at: log,
    what: `the Docker daemon ${what}: ${lastWords(readTextIfAny(log) ?? '')}`,
    code: EXIT.failed,
  });
}
