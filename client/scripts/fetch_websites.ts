import { randomInt, randomUUID } from 'node:crypto';
import { systemClock } from './lib/clock.ts';
import { beforeFrom, collect } from './lib/collect/collect.ts';
import { versions as findVersions, hostFacts } from './lib/collect/host.ts';
import { allEndpoints, existingRealInterfaces, leakFilter, published } from './lib/collect/leak.ts';
import { Migrator } from './lib/collect/migrator.ts';
import { checkCount, plan } from './lib/collect/plan.ts';
import { browserUser, openScratch, sweepScratch } from './lib/collect/profile.ts';
import { Progress } from './lib/collect/progress.ts';
import { openRun, readManifest, remaining } from './lib/collect/run.ts';
import { placeFault, RunSink, type Sink, StreamSink } from './lib/collect/sink.ts';
import { Probe, tunnelsOf } from './lib/collect/tunnels.ts';
import { readUrls } from './lib/collect/urls.ts';
import { atEnd, command, exitWith, main, takeSignal } from './lib/command.ts';
import { EXIT, Fault, messageOf } from './lib/fault.ts';
import { readInput, readText, requireFolderPlace, requirePlace } from './lib/files.ts';
import { decimal, whole } from './lib/flags.ts';
import { remove } from './lib/folders.ts';
import { existingTunnels, namesIn, selectTunnels } from './lib/interfaces.ts';
import { refuseWhileHeld, takeLock } from './lib/lock.ts';
import { weightsFor } from './lib/packet-strategy.ts';
import { requireNetAdmin } from './lib/privilege.ts';
import {
  batchFlag,
  orderFlag,
  periodFlag,
  refuseFlags,
  seedFlag,
  strategyFlag,
  weightsFlag,
} from './lib/schedule-flags.ts';
import { isTimed, KERNEL, type Order, requireExtras, type StrategyName, TIMED } from './lib/strategy.ts';
import type { Manifest, Settings } from './lib/trace/layout.ts';

interface Flags {
  urls?: string;
  out?: string;
  run?: string;
  visits: number;
  strategy: StrategyName;
  period: number;
  weights?: number[];
  order?: Order;
  batch?: [number, number];
  seed?: number;
  interfaces?: string[];
  timeout: number;
  linger: number;
  retries: number;
  patience: number;
  minFree: number;
  headersOnly?: true;
  screenshots?: true;
  keylog?: true;
  har?: true;
  sandbox: boolean;
}

/** Bytes of captures that a visit may have: in base64 one string of Node's holds half a gigabyte. */
const MOST_BYTES = 256e6;

const program = command(
  'fetch_websites.ts',
  'Visits web pages with Chromium under migration, and captures each path: one record a path, JSON lines.',
)
  .option('--urls <file>', 'URLs, one a line (default: standard input)')
  .option('--run <folder>', 'keep everything in a folder; the same command again goes on with it')
  .option('--out <file>', 'append records to this file (default: standard output, where that is no terminal)')
  .option('--visits <number>', 'visits of each URL', whole('--visits', { min: 1, max: 1e6 }), 1)
  .addOption(strategyFlag('rr', [...TIMED, ...KERNEL]))
  .addOption(periodFlag())
  .addOption(weightsFlag())
  .addOption(orderFlag())
  .addOption(batchFlag())
  .addOption(
    seedFlag('the same number gives every visit the same schedule again (default: random, and recorded)'),
  )
  .option(
    '--interfaces <names>',
    'tunnels to use, as in wgnet1,wgnet2 (default: every wgnetN there is)',
    namesIn,
  )
  .option(
    '--timeout <seconds>',
    'for a page to load',
    decimal('--timeout', { min: 0.1, max: 3600, of: 'of seconds' }),
    30,
  )
  .option(
    '--linger <seconds>',
    'stay on a page after its load event',
    decimal('--linger', { min: 0, max: 3600, of: 'of seconds' }),
    0,
  )
  .option('--retries <number>', 'attempts after one that failed', whole('--retries', { min: 0, max: 100 }), 2)
  .option(
    '--patience <seconds>',
    'wait so long for a tunnel that does not answer',
    decimal('--patience', { min: 0, max: 1e6, of: 'of seconds' }),
    60,
  )
  .option(
    '--min-free <megabytes>',
    'stop where less is free on the disk',
    whole('--min-free', { min: 0, max: 1e9 }),
    500,
  )
  .option('--headers-only', 'capture the first 128 bytes of each packet; sizes stay those on the wire')
  .option('--screenshots', 'of each page that loaded; with --run')
  .option('--keylog', "Chromium's TLS keys, for Wireshark; with --run")
  .option('--har', "the browser's own record of all requests, without bodies; with --run")
  .option('--no-sandbox', 'Chromium without its sandbox, where it may not make one')
  .addHelpText(
    'after',
    `
With packet and bwr the kernel splits: each packet of wg0 takes a path of its own. hywf is there for traces alone (split.ts).
Every visit has a fresh browser, its own schedule (drawn from the seed, the URL and the number of the visit), a tcpdump
for each path, and one on the real interfaces that counts what leaves past the tunnels.
Exit 0: every visit is a success. 2: some failed, or the disk is full. 4: the network is gone; run it again when it is back.`,
  )
  .action(run);

/** Refuses what does not go together, before anything is read. */
function checkFlags({ run, out, screenshots, keylog, har, strategy, ...extras }: Flags): void {
  requireExtras(strategy, extras);
  if (!isTimed(strategy) && program.getOptionValueSource('period') === 'cli')
    refuseFlags(['period'], `${strategy} counts packets, not seconds`);
  if (run !== undefined && out !== undefined)
    throw new Fault({
      at: '--out',
      what: 'a run keeps its records in its folder',
      next: `npx zx scripts/dataset.ts merge ${run} -o ${out}`,
    });
  const wish = screenshots ? '--screenshots' : keylog ? '--keylog' : har ? '--har' : undefined;
  if (wish !== undefined && run === undefined)
    throw new Fault({ at: wish, what: 'has no place to go to', next: `--run FOLDER ${wish}` });
  if (run === undefined && out === undefined && process.stdout.isTTY)
    throw new Fault({
      what: 'records are long lines, and standard output is a terminal',
      next: '--run FOLDER, --out FILE, or a pipe',
    });
}

async function readList({ urls }: Flags): Promise<string[]> {
  if (urls === undefined && process.stdin.isTTY) console.error('URLs, one a line; Ctrl-D ends the list:');
  const text = urls === undefined ? await readInput() : readFile(urls);
  const list = readUrls(text, urls ?? 'standard input');
  for (const notice of list.notices) console.error(notice);
  return list.urls;
}

function readFile(path: string): string {
  try {
    return readText(path);
  } catch (error) {
    throw new Fault({ at: '--urls', what: messageOf(error) });
  }
}

function settingsOf(flags: Flags, urls: string[], interfaces: string[], seed: number): Settings {
  const { visits, strategy, weights, order, batch, timeout, linger, retries } = flags;
  const period = isTimed(strategy) ? flags.period : null;
  // Whatever does not fit the number of paths is said now.
  weightsFor(strategy, { seed, paths: interfaces.length, weights, order, batch });
  return {
    ...{ urls, visits, strategy, period, seed, interfaces, timeout, linger, retries },
    ...(weights && { weights }),
    ...(order && { order }),
    ...(batch && { batch }),
    headers_only: flags.headersOnly ?? false,
    screenshots: flags.screenshots ?? false,
    keylog: flags.keylog ?? false,
    har: flags.har ?? false,
  };
}

/** Where visits go, which there are still to make, and the run's UUID. */
function openSink(flags: Flags, scratch: string, settings: Settings, open: () => Manifest) {
  const planned = plan(settings.urls, settings.visits, settings.seed);
  try {
    if (flags.run === undefined) {
      const todo = planned.map((visit) => ({ planned: visit, before: beforeFrom([]) }));
      return { id: randomUUID(), sink: new StreamSink(flags.out, scratch) as Sink, todo, finished: 0 };
    }
    const { run: id } = open();
    const sink = new RunSink(flags.run);
    return { id, sink: sink as Sink, ...remaining(sink, planned, settings.retries) };
  } catch (error) {
    throw placeFault(flags.run ?? flags.out ?? scratch, error);
  }
}

async function run(flags: Flags): Promise<void> {
  checkFlags(flags);
  const urls = await readList(flags);
  checkCount(urls.length, flags.visits);
  requireNetAdmin();
  const interfaces = selectTunnels(flags.interfaces, existingTunnels());
  const tunnels = tunnelsOf(interfaces);
  const versions = findVersions();
  const user = browserUser();
  if (flags.out !== undefined) requirePlace(flags.out, '--out');
  if (flags.run !== undefined) requireFolderPlace(flags.run, '--run');
  await takeLock('comps-fetch', 'another fetch_websites.ts');
  await refuseWhileHeld('comps-migrate', 'a migrate.ts that is not this program’s');

  const earlier = flags.run === undefined ? undefined : readManifest(flags.run)?.settings.seed;
  const settings = settingsOf(flags, urls, interfaces, flags.seed ?? earlier ?? randomInt(2 ** 48 - 1));
  await sweepScratch();
  const scratch = openScratch();
  atEnd(() => remove(scratch));
  const stop = new AbortController();
  takeSignal((signal) => stop.abort(signal));

  const { id, sink, todo, finished } = openSink(flags, scratch, settings, () => {
    const started = new Date().toISOString();
    return openRun(flags.run ?? '', settings, tunnels, { started, versions, host: hostFacts() });
  });
  atEnd(() => sink.close());
  const progress = new Progress(todo.length + finished, finished, interfaces);
  const seedNote = flags.seed === undefined ? `; seed ${settings.seed}` : '';
  if (finished > 0)
    progress.say(`${finished} of ${todo.length + finished} visits are there already${seedNote}`);
  else if (seedNote !== '') progress.say(`seed ${settings.seed}`);
  const migrator = new Migrator(settings);
  atEnd(() => migrator.abandon());
  const stage = {
    ...{ run: id, settings, tunnels, migrator, user, scratch, sandbox: flags.sandbox, mostBytes: MOST_BYTES },
    clock: systemClock(),
    // Anew for each visit: setup.sh may have been run meanwhile, or an interface have come.
    exits: () => ({ real: existingRealInterfaces(), leaks: leakFilter(allEndpoints(), published()) }),
  };
  const probe = new Probe(interfaces);
  const [minFree, patience] = [flags.minFree * 1e6, flags.patience];
  const failed = await collect(
    { stage, sink, probe, progress, versions, todo, minFree, patience },
    stop.signal,
  );
  progress.end();
  if (failed > 0) exitWith(EXIT.failed);
}

await main(program);
