/** `wg-migrate.ts`: renders the wg-migrate demo; `perf` measures and `status` shows one that is up. */
import { isAbsolute, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decimal, whole } from '../client/scripts/lib/flags.ts';
import { command, Fault, main, paint } from './lib/cli.ts';
import { makeDirectory, readTextIfAny, realPath, writeText } from './lib/files.ts';
import { step } from './lib/progress.ts';
import { quote } from './lib/shell.ts';
import { requireOpenssl } from './lib/tls/certificate.ts';
import { preflight } from './lib/transport/docker.ts';
import { inClient, machines, requireDemo } from './lib/wg-migrate/machines.ts';
import { currentPath, measure, takeClient } from './lib/wg-migrate/perf.ts';
import { type Measured, roundOf, rowsOf, tableOf } from './lib/wg-migrate/perf-plan.ts';
import { MOST_PATHS, planOf, WEBDRIVER_PORT, type Wishes } from './lib/wg-migrate/plan.ts';
import { COMPOSE, renderDemo, requireOwnFolder } from './lib/wg-migrate/render.ts';
import { carriedIn, machineLines, pathLines } from './lib/wg-migrate/status.ts';
import { goneFrom } from './lib/wg-migrate/texts.ts';

interface RenderFlags extends Wishes {
  out: string;
}

const CLIENT = fileURLToPath(new URL('../client', import.meta.url));
const PROJECT = fileURLToPath(new URL('..', import.meta.url));

/** Relative inside the project, which may be moved then; absolute outside of it. */
function pathFrom(directory: string, target: string): string {
  const within = relative(PROJECT, directory);
  return within.startsWith('..') || isAbsolute(within) ? target : relative(directory, target);
}

/** A folder as a person would name it from here. */
function shown(directory: string): string {
  const here = relative(process.cwd(), directory) || '.';
  return here.startsWith('..') ? directory : here;
}

function tellNext(directory: string, compose: string, port: number): void {
  const elsewhere = port === WEBDRIVER_PORT ? '' : ` --webdriver http://127.0.0.1:${port}`;
  console.log(
    `  up       cd ${quote(shown(directory))} && ${compose} up   ${paint.dim('(the first time builds the images)')}`,
  );
  console.log('  switch   docker exec -d wg_client /etc/wireguard/migrate.sh 0.1');
  console.log('  stay     docker exec wg_client pkill -f migrate.ts');
  console.log(`  open     npx zx client/scripts/open_website.ts www.example.org${elsewhere}`);
  console.log('  measure  npx zx scripts/wg-migrate.ts perf');
}

async function render({ out, ...wishes }: RenderFlags): Promise<void> {
  const plan = planOf(wishes);
  const named = resolve(out);
  requireOwnFolder(named);
  await requireOpenssl('the demo’s site');
  makeDirectory(named, 0o700);
  // Without symbolic links, since docker-compose takes its relative paths from there.
  const directory = realPath(named);
  const file = join(directory, COMPOSE);
  const before = readTextIfAny(file) ?? '';
  await renderDemo(plan, directory, { client: pathFrom(directory, CLIENT) });
  console.log(`${paint.green('✓')} the demo is in ${shown(directory)}, with new keys`);
  const { compose, troubles } = await preflight();
  tellNext(directory, compose, plan.port);
  const gone = goneFrom(before, readTextIfAny(file) ?? '');
  if (gone.length > 0)
    console.log(
      `${paint.cyan('notice:')} the one before had ${gone.join(', ')}; if it is up, first: ${compose} down --remove-orphans`,
    );
  for (const trouble of troubles)
    console.log(`${paint.cyan('notice:')} ${trouble.message}\n  next: ${trouble.next}`);
}

interface PerfFlags {
  sizes: number[];
  periods: number[];
  repeat: number;
  json?: string;
}

async function perf({ sizes, periods, repeat, json }: PerfFlags): Promise<void> {
  const measured: Measured[] = [];
  // From the start on, so that a place that cannot be written is known before the work is done.
  const save = (): void => {
    if (json !== undefined)
      writeText(json, `${JSON.stringify({ rows: rowsOf(measured), downloads: measured }, null, 2)}\n`);
  };
  await requireDemo();
  await takeClient();
  save();
  await measure({ size: 1, period: null });
  for (let round = 0; round < repeat; round++)
    for (const size of sizes)
      await step(`round ${round + 1} of ${repeat}: ${size} MiB`, async () => {
        for (const download of roundOf(round, [size], periods)) measured.push(...(await measure(download)));
        save();
      });
  console.log(`\n${paint.bold('Downloads through the tunnels')}`);
  for (const line of tableOf(measured)) console.log(`  ${line}`);
  if (measured.some(({ seconds, period }) => period !== null && seconds < period))
    console.log(paint.dim('  (A download shorter than the time between two switches mostly sees none.)'));
}

async function status(): Promise<void> {
  const all = await machines();
  if (all.length === 0)
    throw new Fault({
      what: 'the demo is not up',
      next: 'npx zx scripts/wg-migrate.ts && cd wg-migrate && docker-compose up -d',
    });
  for (const line of machineLines(all)) console.log(line);
  await requireDemo();
  console.log(paint.bold('\nBytes a path since it came up'));
  const carried = carriedIn(await inClient('wg', 'show', 'all', 'transfer'));
  for (const line of pathLines(carried, await currentPath())) console.log(line);
}

/** A list of a flag’s values: `1,10,100`. */
const listOf =
  (each: (text: string) => number) =>
  (text: string): number[] => [...new Set(text.split(',').map(each))];

const size = (text: string): number => {
  if (['1', '10', '100'].includes(text.trim())) return Number(text);
  throw new Fault({
    at: '--sizes',
    what: `${JSON.stringify(text)} is none of the site’s files: 1, 10, 100 (MiB)`,
  });
};

const program = command('wg-migrate.ts', 'renders the wg-migrate demo: `docker-compose up` brings it up')
  .enablePositionalOptions()
  .option('-o, --out <folder>', 'where it goes', 'wg-migrate')
  .option('--paths <number>', 'proxies', whole('--paths', { min: 1, max: MOST_PATHS }), 2)
  .option(
    '--port <number>',
    'of the WebDriver on this computer',
    whole('--port', { min: 1, max: 65535 }),
    WEBDRIVER_PORT,
  )
  .option('--subnet <network>', 'of all its machines, a private /16', '10.210.0.0/16')
  .option('--internet', 'the comp server gets a way to the real Internet', false)
  .action(render);

program
  .command('perf')
  .description('downloads in wg_client, with and without migration; the demo must be up')
  .configureHelp({ showGlobalOptions: false })
  .option('--sizes <list>', 'files, MiB: of 1, 10, 100', listOf(size), [1, 10, 100])
  .option(
    '--periods <list>',
    'seconds from switch to switch, besides none',
    listOf(decimal('--periods', { min: 0.001, max: 3600, of: 'of seconds' })),
    [1, 0.1, 0.01],
  )
  .option('--repeat <number>', 'rounds', whole('--repeat', { min: 1, max: 1000 }), 3)
  .option('--json <file>', 'every download, and the table')
  .action(perf);

program
  .command('status')
  .description('its machines, and the bytes that each path has carried')
  .configureHelp({ showGlobalOptions: false })
  .action(status);

await main(program);
