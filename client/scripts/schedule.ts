/** `schedule.ts`: what a seed gives, without a tunnel and without root: as a file, as a plot. */
import { randomInt } from 'node:crypto';
import { command, main } from './lib/command.ts';
import { Fault } from './lib/fault.ts';
import { readWhole, requirePlace, writeFile } from './lib/files.ts';
import { badFlag, decimal, whole } from './lib/flags.ts';
import { namesIn } from './lib/interfaces.ts';
import { kernelRuns } from './lib/kernel-cycle.ts';
import type { Mode } from './lib/mode.ts';
import { cycleOf, packetChoice } from './lib/packet-strategy.ts';
import type { Plot } from './lib/plot.ts';
import { plotSvg } from './lib/plot-svg.ts';
import { coloursFor, plotText } from './lib/plot-text.ts';
import { entries as entriesOf } from './lib/schedule.ts';
import { readAnySchedule } from './lib/schedule-file.ts';
import {
  batchFlag,
  drawnModeFlag,
  firstFlag,
  modePeriodFlag,
  orderFlag,
  periodIn,
  refuseFlags,
  requireMovable,
  STRATEGY_HELP,
  seedFlag,
  strategyFlag,
  weightsFlag,
} from './lib/schedule-flags.ts';
import { countsPlot, plotOf } from './lib/schedule-plot.ts';
import { type Drawn, SCHEDULE_VERSION, scheduleText } from './lib/schedule-text.ts';
import {
  choose,
  isKernel,
  isTimed,
  type Order,
  requireExtras,
  STRATEGIES,
  type StrategyName,
} from './lib/strategy.ts';

interface Given {
  mode: Mode;
  strategy: StrategyName;
  paths?: number;
  interfaces?: string[];
  seed?: number;
  first: number | 'random';
  period?: number;
  weights?: number[];
  order?: Order;
  batch?: [number, number];
  entries?: number;
  duration?: number;
  packets?: number;
  out?: string;
  svg?: string;
  show?: string;
}
type Flags = Given & { period: number };

/** Lines that a schedule has at most. */
const MOST = 1_000_000;
const USUAL = { paths: 3, entries: 100, packets: 2000 };

const program = command(
  'schedule.ts',
  'Shows the schedule that a strategy draws from a seed, or writes it to a file. Needs no tunnels and no root.',
)
  .addOption(strategyFlag('rr', STRATEGIES))
  .option('--paths <number>', `how many (default: ${USUAL.paths})`, whole('--paths', { min: 1, max: 1000 }))
  .option('--interfaces <names>', 'their names, as in wgnet1,wgnet2', namesIn)
  .addOption(seedFlag('the same number gives the same schedule (default: random, and said)'))
  .addOption(firstFlag())
  .addOption(modePeriodFlag())
  .addOption(drawnModeFlag())
  .addOption(weightsFlag())
  .addOption(orderFlag())
  .addOption(batchFlag())
  .option(
    '--entries <number>',
    `choices, of a strategy with a period (default: ${USUAL.entries})`,
    whole('--entries', { min: 1, max: MOST }),
  )
  .option(
    '--duration <seconds>',
    'those of so long a time instead',
    decimal('--duration', { min: 0.001, max: 1e9, of: 'of seconds' }),
  )
  .option(
    '--packets <number>',
    `packets, of a strategy that counts them (default: ${USUAL.packets})`,
    whole('--packets', { min: 1, max: MOST }),
  )
  .option('-o, --out <file>', 'write JSON lines, as migrate.ts --plan prints them; "-" is standard output')
  .option('--svg <file>', 'write the plot as a picture')
  .option('--show <file>', 'plot this file instead: one of -o or --plan, or the switch log of a run')
  .addHelpText('after', `\n${STRATEGY_HELP}`)
  .action(run);

/** The entries whose time comes before `duration`, or so many. */
function timed(flags: Flags, paths: Iterable<number>): Drawn['entries'] {
  const {
    period,
    duration = Infinity,
    entries: most = flags.duration === undefined ? USUAL.entries : MOST,
  } = flags;
  const list: Drawn['entries'][number][] = [];
  for (const entry of entriesOf(paths, period)) {
    if (entry.at >= duration || list.length === most) break;
    list.push(entry);
  }
  if (list.length === MOST && flags.entries === undefined)
    throw badFlag('--duration', String(duration), `a time of ${MOST} entries at most, of --period each`);
  return list;
}

function draw(flags: Flags, seed: number): Drawn {
  const { strategy, period, weights, order, batch } = flags;
  const names =
    flags.interfaces ?? Array.from({ length: flags.paths ?? USUAL.paths }, (_, i) => `wgnet${i + 1}`);
  requireExtras(strategy, { weights, order, batch });
  if (flags.first !== 'random' && flags.first > names.length)
    throw badFlag('--first', String(flags.first), `the number of a path: there are ${names.length}`);
  const input = { seed, paths: names.length, first: flags.first === 'random' ? undefined : flags.first - 1 };
  const heading = (used: readonly number[] | null, more: object): Drawn['heading'] => ({
    event: 'plan',
    ...{ version: SCHEDULE_VERSION, strategy, ...more, seed, first: flags.first, weights: used as number[] },
    interfaces: names,
  });
  if (isTimed(strategy)) {
    const choice = choose(strategy, { ...input, weights });
    return { heading: heading(choice.weights, { period }), entries: timed(flags, choice.paths), runs: [] };
  }
  const choice = packetChoice(strategy, { ...input, weights, order, batch });
  const packets = flags.packets ?? USUAL.packets;
  // The kernel has a list that begins again.
  const runs = isKernel(strategy) ? kernelRuns(strategy, choice, packets) : cycleOf(choice, packets);
  const more = { ...(order && { order }), ...(batch && { batch }) };
  return { heading: heading(choice.weights, more), entries: [], runs };
}

/** Flags that say nothing here are refused, not left unheard. */
function checkFlags(flags: Flags): void {
  const given = (names: string[]): string[] =>
    names.filter((name) => program.getOptionValueSource(name) === 'cli');
  if (flags.show !== undefined) {
    const all = [
      'mode',
      'strategy',
      'paths',
      'interfaces',
      'seed',
      'first',
      'period',
      'weights',
      'order',
      'batch',
    ];
    const extra = given([...all, 'entries', 'duration', 'packets', 'out']);
    refuseFlags(extra, 'with --show the file says it all');
  } else if (isTimed(flags.strategy)) refuseFlags(given(['packets']), `${flags.strategy} counts no packets`);
  else refuseFlags(given(['period', 'entries', 'duration']), `${flags.strategy} counts packets, not seconds`);
  requireMovable(flags.mode, flags.strategy);
  if (flags.paths !== undefined) refuseFlags(given(['interfaces']), '--paths says how many already');
}

function readPlot(file: string): Plot {
  const read = readAnySchedule(readWhole(file, '--show'), file, { which: 'used', warn: console.error });
  if (read.entries.length > 0 || read.runs.length > 0) return plotOf(read, read.end);
  if (read.counts !== undefined) return countsPlot(read);
  throw new Fault({
    at: file,
    what: 'has no entry and no run: there is nothing to plot',
    next: 'migrate.ts --plan or schedule.ts -o make such a file',
  });
}

async function run(given: Given): Promise<void> {
  const flags: Flags = { ...given, period: periodIn(given.mode, given.period) };
  checkFlags(flags);
  for (const [at, file] of [
    ['-o', flags.out],
    ['--svg', flags.svg],
  ] as const)
    if (file !== undefined && file !== '-') requirePlace(file, at);
  let plot: Plot;
  if (flags.show !== undefined) plot = readPlot(flags.show);
  else {
    const drawn = draw(flags, flags.seed ?? randomInt(2 ** 48 - 1));
    plot = plotOf(drawn);
    const text = scheduleText(drawn);
    // A pipe takes it piece by piece, and the end of the program waits for none of them.
    if (flags.out === '-') await new Promise<void>((done) => void process.stdout.write(text, () => done()));
    else if (flags.out !== undefined) writeFile(flags.out, Buffer.from(text), '-o');
  }
  if (flags.svg !== undefined) writeFile(flags.svg, Buffer.from(plotSvg(plot)), '--svg');
  const out = flags.out === '-' ? process.stderr : process.stdout;
  for (const line of plotText(plot, out.columns || 80, coloursFor(out, process.env))) out.write(`${line}\n`);
}

await main(program);
