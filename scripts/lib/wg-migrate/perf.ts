/** Downloads in the client, with and without migration. */
import { randomBytes } from 'node:crypto';
import { atEnd, EXIT, Fault } from '../cli.ts';
import { until } from '../poll.ts';
import { inClient, tryInClient } from './machines.ts';
import type { Download, Measured } from './perf-plan.ts';

/** Seconds after which a download counts as hung, and a migrator that nobody stops ends by itself. */
const LONGEST = 600;
/** Milliseconds for a migrator to begin or to end. */
const PATIENCE = 10_000;
const SITE = 'http://www.example.org';

/** In the command line of everything that this run starts in the client, so that it finds its own and no other’s. */
const TOKEN = `perf-${randomBytes(4).toString('hex')}`;
const LOG = `/tmp/${TOKEN}.jsonl`;
const SAID = `/tmp/${TOKEN}.out`;

const MIGRATOR = '^node /comps/migrate.ts';

/** The interface of table 51821’s current path. */
export async function currentPath(): Promise<string | undefined> {
  const routes = await inClient('ip', '-4', 'route', 'show', 'table', '51821');
  return /^default dev (wgnet\d+) scope link ?$/m.exec(routes)?.[1];
}

/** Refuses where somebody else’s migration runs: it would be measured, and its end be this run’s. */
async function requireIdle(): Promise<void> {
  const { stdout } = await tryInClient('pgrep', '-f', MIGRATOR);
  if (stdout.trim() === '') return;
  throw new Fault({
    at: 'wg_client',
    what: `a migration is running already (process ${stdout.trim().split('\n').join(', ')})`,
    next: `docker exec wg_client pkill -f migrate.ts`,
  });
}

const hasEnded = async (): Promise<boolean> =>
  (await tryInClient('grep', '-q', '"event":"end"', LOG)).code === 0;

/** Ends what this run has in the client. */
async function stopOwn(): Promise<void> {
  await tryInClient('pkill', '-TERM', '-f', TOKEN);
}
const hasOwn = async (): Promise<boolean> => (await tryInClient('pgrep', '-f', TOKEN)).code === 0;

/** Set once this command is told to stop: nothing is started in the client any more. */
let ended = false;
/** What was started last. */
let running: Promise<unknown> = Promise.resolve();

/** Runs what leaves processes in the client, in such a way that the end of this command finds them. */
function tracked<T>(work: () => Promise<T>): Promise<T> {
  if (ended) throw new Fault({ what: 'stopped', code: EXIT.interrupted });
  const started = work();
  running = started;
  return started;
}

/** Makes sure that the client is idle, and that it is left as it was found, however this command ends. */
export async function takeClient(): Promise<void> {
  await requireIdle();
  const path = await currentPath();
  atEnd(async () => {
    ended = true;
    let settled = false;
    void Promise.allSettled([running]).then(() => {
      settled = true;
    });
    // Again and again: what was just being started is there a moment later.
    await until(PATIENCE, async () => {
      await stopOwn();
      return settled && !(await hasOwn());
    });
    await tryInClient('rm', '-f', LOG, SAID);
    if (path !== undefined)
      await tryInClient('ip', '-4', 'route', 'replace', 'default', 'dev', path, 'table', '51821');
  });
}

/**
 * Starts migration, or with null the same program staying on the path that it begins with, so that the switches are
 * all that differs. Returns once its first path is set; what comes back ends it.
 */
async function startMigration(period: number | null): Promise<() => Promise<void>> {
  await inClient('rm', '-f', LOG);
  const way = period === null ? ['1', '--strategy', 'none'] : [String(period)];
  const flags = [...way, '--log', LOG, '--duration', String(LONGEST)];
  // In the background of a shell that ends, with no output to hold this call up.
  const script = 'said=$1; shift; /etc/wireguard/migrate.sh "$@" >"$said" 2>&1 </dev/null &';
  await tracked(() => inClient('sh', '-c', script, 'sh', SAID, ...flags));
  const begun = async () => (await tryInClient('grep', '-q', '"event":"switch"', LOG)).code === 0;
  if (!(await until(PATIENCE, begun))) {
    const said = (await tryInClient('cat', SAID)).stdout.trim();
    const [, error = said.split('\n').at(-1)] = /^error: (.*)/m.exec(said) ?? [];
    const [, next = 'docker exec wg_client pkill -f migrate.ts'] = /^ +next: (.*)/m.exec(said) ?? [];
    throw new Fault({
      at: 'wg_client',
      what: `migration does not begin: ${error}`,
      next,
      code: EXIT.failed,
    });
  }
  return async () => {
    await stopOwn();
    if (await until(PATIENCE, hasEnded)) return;
    throw new Fault({ at: 'wg_client', what: 'the migrator does not end', code: EXIT.failed });
  };
}

/** Fetches a file so often, each time by a connection of its own; curl’s own clock, and how much came. */
async function fetchFile(size: number, times: number): Promise<{ seconds: number; bytes: number }[]> {
  const words = ['--silent', '--show-error', '--fail', '--max-time', String(LONGEST), '--user-agent', TOKEN];
  const tell = ['--output', '/dev/null', '--write-out', '%{time_total} %{size_download}\\n'];
  const url = `${SITE}/${size}m`;
  // Whatever a variable of the client says: by a proxy it would be another's download that is measured.
  const apart = ['--noproxy', '*', '--header', 'Connection: close', `${url}?[1-${times}]`];
  const { code, stdout, stderr } = await tracked(() => tryInClient('curl', ...words, ...tell, ...apart));
  const fetched = stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [seconds = 0, bytes = 0] = line.split(' ').map(Number);
      return { seconds, bytes };
    });
  if (code === 0 && fetched.length === times && fetched.every(({ bytes }) => bytes === size * 2 ** 20))
    return fetched;
  throw new Fault({
    at: url,
    what: `the download failed: ${stderr.trim() || stdout.trim() || 'nothing came'}`,
    next: 'npx zx scripts/wg-migrate.ts status',
    code: EXIT.failed,
  });
}

/** Downloads of one size, under migration or not; small files are fetched more often, as chance rules them more. */
export async function measure({ size, period }: Download): Promise<Measured[]> {
  const stop = await startMigration(period);
  const fetched = await fetchFile(size, Math.max(1, Math.round(10 / size)));
  await stop();
  return fetched.map((one) => ({ size, period, ...one }));
}
