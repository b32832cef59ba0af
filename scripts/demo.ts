/** The whole network on this computer: lab, set-up, client, migration, a page through it, and what came of it. */
import { join, relative } from 'node:path';
import { atEnd, command, EXIT, exitWith, Fault, main, paint, positive } from './lib/cli.ts';
import { readText, writeText } from './lib/files.ts';
import { capture, leakFilter } from './lib/lab/capture.ts';
import { clientRun, clientScript, pathBytes } from './lib/lab/client.ts';
import { bringUp, type Lab, labDown, prepareLab } from './lib/lab/lab.ts';
import { runSetup, total } from './lib/lab/setup.ts';
import { seconds, step } from './lib/progress.ts';

interface Options {
  keep: boolean;
  name: string;
  seconds: number;
  period: number;
  strategy: string;
  seed: string;
}

/** What the summary tells. */
interface Findings {
  times: [string, number][];
  bytes: Map<string, number>;
  downloaded: number;
  switches: number;
  sawAddress: string;
  comp: string;
  leaked: number;
  secondRunChanged: number;
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

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

/** Bytes of a download through the tunnels that lasts about as long as asked. */
async function download(lab: Lab, duration: number): Promise<number> {
  const rate = Math.round(10_485_760 / duration);
  const said = await clientRun(
    lab,
    'curl',
    '-sS',
    '--limit-rate',
    String(rate),
    '-o',
    '/dev/null',
    '-w',
    '%{size_download}',
    'http://www.example.org/10m',
  );
  return Number(said);
}

/** Migration runs while the page and a download are fetched; then the migrator is ended by its own `--duration`. */
async function fetchUnderMigration(lab: Lab, { strategy, period, seed, seconds: duration }: Options) {
  const before = await pathBytes(lab);
  const flags = [
    '--strategy',
    strategy,
    '--period',
    String(period),
    '--seed',
    seed,
    '--duration',
    String(duration),
  ];
  const migration = clientRun(lab, ...clientScript('migrate.ts', ...flags));
  const page = clientRun(lab, 'curl', '-sS', '--retry', '3', 'http://www.example.org/');
  const downloaded = await download(lab, duration);
  const sawAddress = (await clientRun(lab, 'curl', '-sS', 'http://www.example.org/ip')).trim();
  const title = /<title>(.*)<\/title>/.exec(await page)?.[1];
  if (title === undefined)
    throw new Fault({ at: 'www.example.org', what: 'the page came without its title', code: EXIT.failed });
  const log = join(lab.directory, 'migration.jsonl');
  writeText(log, await migration);
  const after = await pathBytes(lab);
  const bytes = new Map([...after].map(([name, count]) => [name, count - (before.get(name) ?? 0)]));
  const end = JSON.parse(readText(log).trim().split('\n').at(-1) ?? '{}') as { switches?: number };
  return { bytes, downloaded, sawAddress, switches: end.switches ?? 0 };
}

const verdict = (good: boolean, text: string, wanted: string): string =>
  good
    ? `${text} ${paint.green(`(${wanted})`)}`
    : `${paint.red(text)} ${paint.red(`(not as it must be: ${wanted})`)}`;

function summary(found: Findings, lab: Lab, { period, strategy, seed, keep }: Options): string[] {
  const sum = [...found.bytes.values()].reduce((a, b) => a + b, 0) || 1;
  const bar = (share: number): string => paint.cyan('█'.repeat(Math.round(share * 30)));
  const here = (path: string): string => relative(process.cwd(), path) || '.';
  return [
    '',
    paint.bold('What happened'),
    ...found.times.map(([name, ms]) => `  ${name.padEnd(34)} ${seconds(ms).padStart(6)}`),
    '',
    paint.bold(
      `Bytes a path (${found.switches} switches, one every ${period * 1000} ms, ${strategy}, seed ${seed})`,
    ),
    ...[...found.bytes].map(
      ([name, bytes]) =>
        `  ${name.padEnd(8)} ${`${Math.round((bytes / sum) * 100)} %`.padStart(5)}  ${megabytes(bytes).padStart(8)}  ${bar(bytes / sum)}`,
    ),
    '',
    paint.bold('What must hold'),
    `  the site saw               ${verdict(found.sawAddress === found.comp, found.sawAddress, `the comp server's address ${found.comp}`)}`,
    `  packets past the tunnels   ${verdict(found.leaked === 0, String(found.leaked), '0')}`,
    `  second set-up changed      ${verdict(found.secondRunChanged === 0, String(found.secondRunChanged), '0')}`,
    '',
    paint.bold('Files'),
    `  client     ${here(lab.clientDirectory)}`,
    ...(keep
      ? [
          `  inventory  ${here(join(lab.directory, 'hosts.ini'))}`,
          `  switches   ${here(join(lab.directory, 'migration.jsonl'))}`,
          `  leaks      ${here(join(lab.directory, 'leaks.pcap'))} (a capture of all that left past the tunnels)`,
        ]
      : ['  the lab is taken down with its own; `npm run demo -- --keep` leaves it standing']),
  ];
}

/** Whether everything that the demo is there to show was so; a migration goes over every path. */
const holds = ({ leaked, sawAddress, comp, secondRunChanged, bytes }: Findings): boolean =>
  leaked === 0 &&
  sawAddress === comp &&
  secondRunChanged === 0 &&
  [...bytes.values()].every((count) => count > 0);

async function demo(options: Options): Promise<number> {
  const times: [string, number][] = [];
  const timed = async <T>(title: string, work: () => Promise<T>): Promise<T> => {
    const { result, ms } = await step(title, work);
    times.push([title, ms]);
    return result;
  };
  await prepareLab();
  const { lab, decision } = await timed('lab up', () => bringUp({ name: options.name }));
  // A lab that stood before is not the demo's to take down.
  if (!options.keep && decision.do === 'build') atEnd(async () => void (await labDown(options.name)));

  await timed(`set-up of ${lab.shape.vpn + lab.shape.comp} servers`, () => setUp(lab));
  const secondRunChanged = await timed('set-up again', () => setUp(lab));
  await timed('client up', () => clientRun(lab, '/etc/wireguard/setup.sh', 'up'));
  const leaks = await capture(lab, 'client', 'leaks', leakFilter(lab));
  const fetched = await timed('a page and 10 MB under migration', () => fetchUnderMigration(lab, options));
  const leaked = await leaks.stop();

  const found: Findings = { times, secondRunChanged, leaked, comp: lab.addressOf('comp1'), ...fetched };
  for (const line of summary(found, lab, options)) console.log(line);
  if (options.keep)
    console.log(
      `\nThe lab stands. Look around: npx zx scripts/lab.ts exec client -- ip rule\nTake it down:                npx zx scripts/lab.ts down`,
    );
  return holds(found) ? EXIT.ok : EXIT.failed;
}

await main(
  command('npm run demo --', 'the whole network on this computer, and a page through it')
    .option('--keep', 'leave the lab standing', false)
    .option('--name <name>', 'which lab', 'lab')
    .option('--seconds <seconds>', 'how long migration runs', positive, 5)
    .option('--period <seconds>', 'time between two switches', positive, 0.1)
    .option('--strategy <name>', 'none, rr, ur or wr', 'rr')
    .option('--seed <number>', 'repeats the schedule', '1')
    .action(async (options: Options) => exitWith(await demo(options))),
);
