/** `split.ts`: what migration would make of a trace of one path, by the client's own strategies and seeds. */
import { randomInt } from 'node:crypto';
import { Option } from 'commander';
import { decimal, whole } from '../client/scripts/lib/flags.ts';
import {
  batchFlag,
  orderFlag,
  periodFlag,
  STRATEGY_HELP,
  seedFlag,
  strategyFlag,
  weightsFlag,
} from '../client/scripts/lib/schedule-flags.ts';
import { STRATEGIES } from '../client/scripts/lib/strategy.ts';
import { command, EXIT, exitWith, Fault, main, paint } from './lib/cli.ts';
import { type Compared, compareVisit, overall } from './lib/dataset/compare.ts';
import { openSource } from './lib/dataset/source.ts';
import { MOST_ENTRIES, split } from './lib/dataset/split.ts';
import { modelOf, planFor, requireFit, type SplitFlags } from './lib/dataset/split-flags.ts';
import { liveVisits, type NamedTrace, tracesIn } from './lib/dataset/split-input.ts';
import { type TextFormat, traceFile, traceText } from './lib/dataset/texts.ts';
import type { TracePacket } from './lib/dataset/trace.ts';
import { requireTraceFolder, writeFolder } from './lib/dataset/trace-folder.ts';
import type { Origin } from './lib/dataset/traces.ts';
import { requireFolderPlace } from './lib/files/place.ts';

interface Flags extends SplitFlags {
  seed?: number;
  client?: string;
  out?: string;
  format: TextFormat;
  origin: Origin;
  force: boolean;
  compare?: true;
  json?: true;
}

/** Says on standard error what was left out; the command ends with 2 then. */
function tell(at: string, what: string): void {
  console.error(`${paint.yellow('left out:')} ${at}: ${what}`);
  exitWith(EXIT.failed);
}

/** A schedule that never ends within a trace's time is a defect of the trace's times, not ours. */
function bounded<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Fault({ at: name, what: `lasts longer than ${MOST_ENTRIES} periods; are its times seconds?` });
  }
}

function texts(named: NamedTrace, seed: number, flags: Flags): { path: number | null; text: string }[] {
  const { paths, format, origin } = flags;
  const begin = (named.packets[0] as TracePacket).time;
  const plan = planFor(flags, seed, begin);
  const all = bounded(named.name, () => split(named.packets, plan, modelOf(flags)));
  const text = (packets: TracePacket[]): string =>
    traceText(format, packets, origin === 'own' ? (packets[0]?.time ?? begin) : begin);
  const own = Array.from({ length: paths }, (_, path) => ({
    path,
    text: text(all.filter((packet) => packet.path === path)),
  }));
  return [...own, { path: null, text: text(all) }];
}

async function splitAll(inputs: string[], out: string, flags: Flags): Promise<void> {
  const { paths, force, client, format } = flags;
  const names = ['period', 'start'];
  requireFit(
    flags,
    names.filter((name) => program.getOptionValueSource(name) === 'cli'),
  );
  requireFolderPlace(out, force);
  requireTraceFolder(out);
  const seed = flags.seed ?? randomInt(2 ** 48 - 1);
  const done = new Set<string>();
  await writeFolder(out, async (put) => {
    for await (const named of tracesIn(inputs, client, tell)) {
      const { name, notes } = named;
      if (done.has(name))
        throw new Fault({ what: `two traces are called ${name}`, next: 'split them one by one' });
      for (const note of notes) console.error(`${paint.cyan('notice:')} ${name}: ${note}`);
      for (const { path, text } of texts(named, seed + done.size, flags))
        put(traceFile(name, path, format), text);
      done.add(name);
    }
  });
  const seeds = done.size > 1 ? `seeds ${seed} to ${seed + done.size - 1}, one a trace` : `seed ${seed}`;
  console.log(
    `${paint.green('✓')} ${done.size} trace${done.size === 1 ? '' : 's'} over ${paths} paths in ${out} (${seeds})`,
  );
}

const share = (same: number, all: number): string =>
  all === 0 ? '-' : `${((100 * same) / all).toFixed(2)} %`;

function shares({ up, settled, down, all }: Omit<Compared, 'run' | 'visit' | 'url'>): string {
  const cells = [
    share(all.samePackets, all.packets),
    share(all.sameBytes, all.bytes),
    share(up.samePackets, up.packets),
    share(settled.samePackets, settled.packets),
    share(down.samePackets, down.packets),
  ];
  return cells.map((cell) => cell.padStart(9)).join('');
}

async function compare(inputs: string[], { json, downlink = 'roaming', delay }: Flags): Promise<void> {
  if (downlink === 'own')
    throw new Fault({ at: '--downlink', what: 'no live visit has a comp server that splits' });
  const visits: Compared[] = [];
  let without = 0;
  for await (const visit of liveVisits(inputs.map(openSource), tell)) {
    const compared = bounded(visit.visit, () => compareVisit(visit, { downlink, delay }));
    if (compared === undefined) without++;
    else visits.push(compared);
  }
  const all = overall(visits);
  if (json) return console.log(JSON.stringify({ visits, overall: all, without }, null, 2));
  console.log('On the same path as live');
  console.log(
    `${''.padEnd(12)}${['packets', 'bytes', 'up', 'settled', 'down'].map((head) => head.padStart(9)).join('')}`,
  );
  for (const one of visits) console.log(`${one.visit.padEnd(12)}${shares(one)}  ${paint.dim(one.url)}`);
  console.log(`${'overall'.padEnd(12)}${shares(all)}`);
  if (without > 0)
    console.log(`${without} visits have no switches (a strategy by packet, or no log) and are not compared`);
}

async function run(inputs: string[], flags: Flags): Promise<void> {
  if (flags.compare) return compare(inputs, flags);
  if (flags.out === undefined) throw new Fault({ at: '-o', what: 'a folder is needed, or --compare' });
  return splitAll(inputs, flags.out, flags);
}

const program = command(
  'split.ts',
  'Splits recorded single-path traces over paths, by the strategies of migrate.ts',
)
  .argument(
    '<trace...>',
    'a pcap, .cell or CSV file, a records file or run folder (its paths are joined first)',
  )
  .option('-o, --out <folder>', 'where NAME_split_K and NAME_join go')
  .addOption(strategyFlag('wr', STRATEGIES))
  .addOption(periodFlag())
  .addOption(weightsFlag())
  .addOption(orderFlag())
  .addOption(batchFlag())
  .addOption(seedFlag('of the first trace, the next has one more (default: random, and said)', 2 ** 52))
  .option('--paths <number>', 'how many', whole('--paths', { min: 1, max: 1000 }), 3)
  .option(
    '--first <path>',
    'the first path, from 1 (default: drawn)',
    whole('--first', { min: 1, max: 1000 }),
  )
  .option(
    '--start <seconds>',
    "when the schedule begins, after the trace's first packet",
    decimal('--start', { min: 0, max: 1e6, of: 'of seconds' }),
    0,
  )
  .addOption(
    new Option(
      '--downlink <model>',
      'what comes in takes the path of what went out last, the one in force, or one of its own (default: own for hywf, else roaming)',
    ).choices(['roaming', 'schedule', 'own']),
  )
  .option(
    '--delay <seconds>',
    'one way between client and comp server',
    decimal('--delay', { min: 0, max: 60, of: 'of seconds' }),
    0,
  )
  .option(
    '--client <address>',
    "in a pcap (default: the private end of its first packet, else that packet's sender)",
  )
  .addOption(new Option('--format <name>', 'what is written').choices(['cell', 'csv']).default('cell'))
  .addOption(
    new Option('--origin <which>', "times count from a path's own first packet, or from the whole trace's")
      .choices(['own', 'visit'])
      .default('own'),
  )
  .option('--force', 'replace a folder of traces that is there', false)
  .option(
    '--compare',
    'runs and records: each visit by its own seed and schedule, against the paths that it took',
  )
  .option('--json', 'with --compare: for programs')
  .addHelpText(
    'after',
    `
${STRATEGY_HELP}

An outgoing packet takes the path in force at its time, an incoming one that of the outgoing packet which the comp
server heard last (WireGuard answers to where it was called from): sent 2 × delay earlier, or just before it.
By packet, the client's outgoing packets are counted, and its incoming ones follow in the same way. With hywf the comp server
splits what it sends by itself: with the load's own chances, and draws of its own from the same seed.
--compare ends the schedule with the last entry that was live. "settled" is what of "up" was sent while no switch was
due and not carried out yet; a machine that switches late shows in "up" alone.`,
  )
  .action(run);

await main(program);
