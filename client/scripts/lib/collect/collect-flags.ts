/** What fetch_websites.ts can be told. */
import type { Command } from 'commander';
import { command } from '../command.ts';
import { Fault } from '../fault.ts';
import { decimal, whole } from '../flags.ts';
import { namesIn } from '../interfaces.ts';
import { type Mode, modeFlag } from '../mode.ts';
import {
  batchFlag,
  modePeriodFlag,
  orderFlag,
  refuseFlags,
  seedFlag,
  strategyFlag,
  weightsFlag,
} from '../schedule-flags.ts';
import { isTimed, KERNEL, type Order, requireExtras, type StrategyName, TIMED } from '../strategy.ts';

export interface CollectFlags {
  urls?: string;
  out?: string;
  run?: string;
  visits: number;
  mode?: Mode;
  strategy: StrategyName;
  /** The mode's own where it is not there. */
  period?: number;
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

export const collectProgram = (): Command =>
  command(
    'fetch_websites.ts',
    'Visits web pages with Chromium under migration, and captures each path: one record a path, JSON lines.',
  )
    .option('--urls <file>', 'URLs, one a line (default: standard input)')
    .addOption(modeFlag())
    .option('--run <folder>', 'keep everything in a folder; the same command again goes on with it')
    .option(
      '--out <file>',
      'append records to this file (default: standard output, where that is no terminal)',
    )
    .option('--visits <number>', 'visits of each URL', whole('--visits', { min: 1, max: 1e6 }), 1)
    .addOption(strategyFlag('rr', [...TIMED, ...KERNEL]))
    .addOption(modePeriodFlag())
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
    .option(
      '--retries <number>',
      'attempts after one that failed',
      whole('--retries', { min: 0, max: 100 }),
      2,
    )
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
In mode quic Chromium asks by HTTP/3, for everything where TCP is refused, else for the page's own origin: a page that does
not come by it is a failure, no-http3. A split by packet is refused there, and so is http://, which is TCP.
Every visit has a fresh browser, its own schedule (drawn from the seed, the URL and the number of the visit), a tcpdump
for each path, and one on the real interfaces that counts what leaves past the tunnels.
The same command with more --retries tries again what failed for good.
Exit 0: every visit is a success. 2: some failed, now or earlier, the disk is full, or this machine starts no\nbrowser or capture. 4: the network is gone; run it again when it is back.`,
    );

/** Refuses what does not go together, before anything is read. */
export function checkFlags(program: Command, flags: CollectFlags): void {
  const { run, out, screenshots, keylog, har, strategy, ...extras } = flags;
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
