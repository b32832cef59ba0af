/** The whole network on this computer: lab, set-up, client, migration, a page through it, and what came of it. */
import { join, relative } from 'node:path';
import { Option } from 'commander';
import { STRATEGIES } from '../client/scripts/lib/strategy.ts';
import { atEnd, command, duration, EXIT, exitWith, Fault, main } from './lib/cli.ts';
import { writeText } from './lib/files.ts';
import { capture, leakFilter } from './lib/lab/capture.ts';
import { clientRun, pathBytes } from './lib/lab/client.ts';
import { bringUp, type Lab, labDown, prepareLab } from './lib/lab/lab.ts';
import { withLock } from './lib/lab/lock.ts';
import { placeOf } from './lib/lab/place.ts';
import { until } from './lib/lab/poll.ts';
import { addressOf } from './lib/lab/roles.ts';
import { runSetup, total } from './lib/lab/setup.ts';
import { type Findings, holds, summary } from './lib/lab/summary.ts';
import { step } from './lib/progress.ts';
import { endpointIn } from './lib/wireguard/write-client.ts';

interface Options {
  keep: boolean;
  name: string;
  seconds: number;
  period: number;
  strategy: string;
  seed: string;
}

/** One set-up that must reach every host; what it said is shown when it does not. */
async function setUp(lab: Lab): Promise<number> {
  const outcome = await runSetup(lab);
  if (outcome.code !== EXIT.ok)
    throw new Fault({
      at: 'wgnet-setup',
      what: `exit code ${outcome.code}\n${outcome.stdout}${outcome.stderr}`,
      code: outcome.code,
    });
  return total(outcome, 'changed');
}

/** 10 MB through the tunnels, at a pace that takes about as long as asked. */
async function download(lab: Lab, lasting: number): Promise<void> {
  const rate = String(Math.round(10_485_760 / lasting));
  await clientRun(lab, 'curl', '-sS', '--limit-rate', rate, '-o', '/dev/null', 'http://www.example.org/10m');
}

/** Where the client keeps its switch log while it runs. */
const SWITCH_LOG = '/tmp/switches.jsonl';

/** Starts migration in the client, and returns once its first path is set; `stop` ends it as its users do. */
async function startMigration(lab: Lab, { strategy, period, seed }: Options) {
  const flags = ['--strategy', strategy, '--seed', seed, '--period', String(period), '--log', SWITCH_LOG];
  await clientRun(lab, 'rm', '-f', SWITCH_LOG);
  // Not by npx, which passes no SIGTERM on.
  const ended = clientRun(lab, 'env', '-C', '/', 'node', '--import=tsx', '/comps/migrate.ts', ...flags);
  const begun = async () =>
    (await lab.exec('client', ['grep', '-q', '"switch"', SWITCH_LOG])).code === EXIT.ok;
  // Whichever comes first: a migrator that refuses says why.
  await Promise.race([until(20_000, begun), ended]);
  const stop = async (): Promise<void> => {
    await clientRun(lab, 'pkill', '-TERM', '-f', '^node --import=tsx /comps/migrate.ts');
    await ended;
  };
  return { stop };
}

/** What the demo reads of a line of the switch log. */
interface SwitchLine {
  event: string;
  path?: string;
  switches?: number;
}

/** The page, a download and the address that the site sees, all while the path moves. */
async function fetchUnderMigration(lab: Lab, options: Options) {
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

/** One demo of a name at a time: both would move the same route. */
const alone = (name: string, work: () => Promise<number>): Promise<number> =>
  withLock(
    `demo ${placeOf(name).prefix}`,
    () => {
      throw new Fault({
        what: `another demo of the lab "${name}" is running`,
        next: 'npm run demo -- --name second',
      });
    },
    work,
  );

/** Refuses to write over the client's files of a real network. */
function spareRealFiles(directory: string): void {
  const endpoint = endpointIn(directory);
  if (endpoint === undefined || endpoint.startsWith(`${addressOf('comp1')}:`)) return;
  throw new Fault({
    at: relative(process.cwd(), directory),
    what: `holds the client's files of a network of yours (comp server ${endpoint}), and the demo would write over them`,
    next: 'npm run demo -- --name try',
  });
}

async function demo(options: Options): Promise<number> {
  const times: [string, number][] = [];
  const timed = async <T>(title: string, work: () => Promise<T>): Promise<T> => {
    const { result, ms } = await step(title, work);
    times.push([title, ms]);
    return result;
  };
  spareRealFiles(placeOf(options.name).clientDirectory);
  await prepareLab();
  const { lab, decision } = await timed('lab up', () => bringUp({ name: options.name }));
  // A lab that stood before is not the demo's to take down.
  const stays = options.keep || decision.do !== 'build';
  if (!stays) atEnd(async () => void (await labDown(options.name)));

  await timed(`set-up of ${lab.shape.vpn + lab.shape.comp} servers`, () => setUp(lab));
  const secondRunChanged = await timed('set-up again', () => setUp(lab));
  await timed('client up', () => clientRun(lab, '/etc/wireguard/setup.sh', 'up'));
  const leaks = await capture(lab, 'leaks', leakFilter(lab));
  const fetched = await timed('a page and 10 MB under migration', () => fetchUnderMigration(lab, options));
  const leaked = await leaks.stop();

  const found: Findings = { times, secondRunChanged, leaked, comp: lab.addressOf('comp1'), ...fetched };
  for (const line of summary(found, lab, { ...options, stays })) console.log(line);
  const flag = options.name === 'lab' ? '' : ` --name ${options.name}`;
  if (stays) {
    console.log(`\nThe lab stands. Look around: npx zx scripts/lab.ts exec${flag} client -- ip rule`);
    console.log(`Take it down:                npx zx scripts/lab.ts down${flag}`);
  }
  return holds(found) ? EXIT.ok : EXIT.failed;
}

await main(
  command('npm run demo --', 'the whole network on this computer, and a page through it')
    .option('--keep', 'leave the lab standing', false)
    .option('--name <name>', 'which lab', 'lab')
    .option('--seconds <seconds>', 'how long the download under migration is to last', duration, 5)
    .option('--period <seconds>', 'time between two switches', duration, 0.1)
    .addOption(
      new Option('--strategy <name>', 'how the next path is chosen').choices(STRATEGIES).default('rr'),
    )
    .option('--seed <number>', 'repeats the schedule', '1')
    .action(async (options: Options) => exitWith(await alone(options.name, () => demo(options)))),
);
