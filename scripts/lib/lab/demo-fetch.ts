/** What the demo fetches through the tunnels while the path moves. */
import { join } from 'node:path';
import { EXIT, Fault } from '../cli.ts';
import { writeText } from '../files.ts';
import { until } from '../poll.ts';
import { clientRun, pathBytes } from './client.ts';
import type { Lab } from './open.ts';

/** How the demo moves the path, and for how many seconds it downloads meanwhile. */
export interface Migration {
  mode: 'wireguard' | 'quic';
  seconds: number;
  period: number;
  strategy: string;
  seed: string;
}

/** Size of the file that is downloaded. */
export const BYTES = 10_485_760;

/** curl's pace by which that takes about as many seconds as asked. */
export const paceOf = (lasting: number): string[] => ['--limit-rate', String(Math.round(BYTES / lasting))];

/** 10 MB through the tunnels. */
const download = (lab: Lab, lasting: number): Promise<string> =>
  clientRun(lab, 'curl', '-sS', ...paceOf(lasting), '-o', '/dev/null', 'http://www.example.org/10m');

/** Where the client keeps its switch log while it runs. */
const SWITCH_LOG = '/tmp/switches.jsonl';

/** Milliseconds that its first switch may take. */
const PATIENCE = 60_000;

/** Starts migration in the client, and returns once its first path is set; `stop` ends it as its users do. */
async function startMigration(lab: Lab, { mode, strategy, period, seed }: Migration) {
  const flags = [
    '--mode',
    mode,
    '--strategy',
    strategy,
    '--seed',
    seed,
    '--period',
    String(period),
    '--log',
    SWITCH_LOG,
  ];
  await clientRun(lab, 'rm', '-f', SWITCH_LOG);
  // Not by npx, which passes no SIGTERM on.
  const ended = clientRun(lab, 'env', '-C', '/', 'node', '--import=tsx', '/comps/migrate.ts', ...flags);
  let over = false;
  const note = (): void => {
    over = true;
  };
  void ended.then(note, note);
  const stop = async (): Promise<void> => {
    await clientRun(lab, 'pkill', '-TERM', '-f', '^node --import=tsx /comps/migrate.ts');
    await ended;
  };
  const begun = async () =>
    over || (await lab.exec('client', ['grep', '-q', '"switch"', SWITCH_LOG])).code === EXIT.ok;
  if (await until(PATIENCE, begun)) {
    // A migrator that refuses says why.
    if (over) await ended;
    return { stop };
  }
  await stop();
  throw new Fault({
    at: 'client: migrate.ts',
    what: `set no path in ${PATIENCE / 1000} s`,
    next: 'npm run demo, with fewer other programs beside it',
    code: EXIT.failed,
  });
}

/** What the demo reads of a line of the switch log. */
interface SwitchLine {
  event: string;
  path?: string;
  switches?: number;
}

/** What the demo saw of the paths while it fetched. */
export interface Moves {
  /** Bytes by interface, as {@link pathBytes} counts them. */
  bytes: Map<string, number>;
  /** Paths that the switch log names. */
  scheduled: readonly string[];
  switches: number;
}

/** Does something while the path moves. */
export async function underMigration<T>(
  lab: Lab,
  options: Migration,
  work: () => Promise<T>,
): Promise<T & Moves> {
  const before = await pathBytes(lab);
  const migration = await startMigration(lab, options);
  const result = await work();
  await migration.stop();
  const after = await pathBytes(lab);
  const log = await clientRun(lab, 'cat', SWITCH_LOG);
  writeText(join(lab.directory, 'switches.jsonl'), log);
  const lines = log
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as SwitchLine);
  const { switches = 0 } = lines.at(-1) ?? {};
  const scheduled = [
    ...new Set(lines.flatMap(({ event, path }) => (event === 'switch' && path ? [path] : []))),
  ];
  const bytes = new Map([...after].map(([name, count]) => [name, count - (before.get(name) ?? 0)]));
  return { ...result, bytes, scheduled, switches };
}

/** The page, a download and the address that the site sees, all while the path moves. */
export const fetchUnderMigration = (lab: Lab, options: Migration) =>
  underMigration(lab, options, async () => {
    const page = await clientRun(lab, 'curl', '-sS', 'http://www.example.org/');
    const sawAddress = (await clientRun(lab, 'curl', '-sS', 'http://www.example.org/ip')).trim();
    await download(lab, options.seconds);
    return { sawAddress, title: /<title>(.*)<\/title>/.exec(page)?.[1] };
  });
