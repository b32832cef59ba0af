/** What the demo fetches through the tunnels while the path moves. */
import { join } from 'node:path';
import { EXIT, Fault } from '../cli.ts';
import { writeText } from '../files.ts';
import { until } from '../poll.ts';
import { clientRun, pathBytes } from './client.ts';
import type { Lab } from './open.ts';

/** How the demo moves the path, and for how many seconds it downloads meanwhile. */
export interface Migration {
  seconds: number;
  period: number;
  strategy: string;
  seed: string;
}

/** 10 MB through the tunnels, at a pace that takes about as long as asked. */
async function download(lab: Lab, lasting: number): Promise<void> {
  const rate = String(Math.round(10_485_760 / lasting));
  await clientRun(lab, 'curl', '-sS', '--limit-rate', rate, '-o', '/dev/null', 'http://www.example.org/10m');
}

/** Where the client keeps its switch log while it runs. */
const SWITCH_LOG = '/tmp/switches.jsonl';

/** Milliseconds that its first switch may take. */
const PATIENCE = 60_000;

/** Starts migration in the client, and returns once its first path is set; `stop` ends it as its users do. */
async function startMigration(lab: Lab, { strategy, period, seed }: Migration) {
  const flags = ['--strategy', strategy, '--seed', seed, '--period', String(period), '--log', SWITCH_LOG];
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

/** The page, a download and the address that the site sees, all while the path moves. */
export async function fetchUnderMigration(lab: Lab, options: Migration) {
  const before = await pathBytes(lab);
  const migration = await startMigration(lab, options);
  const page = await clientRun(lab, 'curl', '-sS', 'http://www.example.org/');
  const sawAddress = (await clientRun(lab, 'curl', '-sS', 'http://www.example.org/ip')).trim();
  await download(lab, options.seconds);
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
  const title = /<title>(.*)<\/title>/.exec(page)?.[1];
  return { bytes, sawAddress, scheduled, switches, title };
}
