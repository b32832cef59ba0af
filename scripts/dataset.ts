/** `dataset.ts validate|stats|export|merge`: what can be done with the visits of runs. */
import { Option } from 'commander';
import { whole } from '../client/scripts/lib/flags.ts';
import { command, EXIT, exitWith, Fault, main, paint } from './lib/cli.ts';
import { type ExportWish, exportTraces, FORMATS, labelsFile } from './lib/dataset/export.ts';
import { type Merged, mergeInto } from './lib/dataset/merge.ts';
import { readStats } from './lib/dataset/read-stats.ts';
import { itemsOf, openSource } from './lib/dataset/source.ts';
import { statsCsv, statsTable } from './lib/dataset/stats-table.ts';
import { type Validation, validate } from './lib/dataset/validate.ts';
import { writePieces } from './lib/files/output.ts';
import { requireFilePlace } from './lib/files/place.ts';

/** Problems that are printed; more are counted. */
const SHOWN = 100;

/** Tells what is wrong on standard error; `count` says how often. Such records are left out, and the command ends with 2. */
function teller(): { tell: (at: string, what: string) => void; end: () => void } {
  let count = 0;
  const tell = (at: string, what: string): void => {
    if (++count <= SHOWN) console.error(`${paint.yellow('left out:')} ${at}: ${what}`);
  };
  const end = (): void => {
    if (count > SHOWN) console.error(`and ${count - SHOWN} more`);
    if (count > 0) exitWith(EXIT.failed);
  };
  return { tell, end };
}

const counts = (some: Iterable<[string, number]>): string =>
  [...some].map(([name, count]) => `${count} ${name}`).join(', ');

function summaryLines(found: Validation): string[] {
  const { visits, success, attempts, records, one_way: oneWay, bytes, failures } = found;
  const failed = counts(Object.entries(failures));
  return [
    `  visits    ${visits}: ${success} success${failed && `, failed: ${failed}`}`,
    `  attempts  ${attempts}`,
    `  records   ${records}, ${(bytes / 1e6).toFixed(1)} MB on the wire`,
    ...(oneWay > 0
      ? [`  one-way   ${oneWay} of these: paths with one direction only, which some readers drop`]
      : []),
  ];
}

async function runValidate(paths: string[], { json }: { json?: true }): Promise<void> {
  const found = await validate(paths);
  const all = found.findings.length + found.more;
  if (all > 0) exitWith(EXIT.failed);
  if (json) return console.log(JSON.stringify(found, null, 2));
  for (const { at, what } of found.findings.slice(0, SHOWN)) console.log(`${paint.red('✗')} ${at}: ${what}`);
  if (all > SHOWN) console.log(`and ${all - SHOWN} more (--json has ${found.more > 0 ? 'most' : 'all'})`);
  for (const { at, what } of found.notes.slice(0, SHOWN)) console.log(`note: ${at}: ${what}`);
  if (found.notes.length > SHOWN)
    console.log(`and ${found.notes.length - SHOWN} more notes (--json has them)`);
  console.log(all === 0 ? `${paint.green('✓')} valid` : paint.red(`${all} finding${all === 1 ? '' : 's'}`));
  for (const line of summaryLines(found)) console.log(line);
}

async function runStats(paths: string[], { json, csv }: { json?: true; csv?: true }): Promise<void> {
  if (json && csv) throw new Fault({ at: '--json', what: 'not together with --csv' });
  const { tell, end } = teller();
  const stats = await readStats(paths.map(openSource), tell);
  end();
  if (json) return console.log(JSON.stringify(stats, null, 2));
  if (csv) return void process.stdout.write(statsCsv(stats));
  for (const line of statsTable(stats)) console.log(line);
}

interface ExportFlags extends Omit<ExportWish, 'path' | 'least'> {
  path?: string;
  minPackets: number;
}

async function runExport(paths: string[], { minPackets: least, ...flags }: ExportFlags): Promise<void> {
  const { format, out } = flags;
  const folder = format === 'cell' || format === 'csv';
  const path = flags.path ?? (format === 'cell' ? 'both' : 'joined');
  if (path === 'both' && !folder)
    throw new Fault({
      at: '--path',
      what: `"both" is for cell and csv; ${format} takes joined, each or a path`,
    });
  const { tell, end } = teller();
  const { plan, rows, longer, oneWay } = await exportTraces(
    paths.map(openSource),
    { ...flags, path, least },
    tell,
  );
  end();
  const { labels, left, duplicates } = plan;
  console.log(
    `${paint.green('✓')} ${rows} traces of ${plan.chosen.size} visits, ${labels.length} labels, in ${out}`,
  );
  console.log(`  labels    ${folder ? `${out}/labels.csv` : labelsFile(out)}`);
  if (left.size > 0) console.log(`  not taken ${counts(left)}`);
  if (duplicates > 0) console.log(`  ${duplicates} records are there more than once and are taken once`);
  if (oneWay.packets > 0)
    console.log(
      `  ${oneWay.packets} packets on ${oneWay.paths} path${oneWay.paths === 1 ? '' : 's'} with one direction only are not in it`,
    );
  if (longer > 0) console.log(`  ${longer} traces are longer than --length ${flags.length} and end there`);
}

function tellMerged({ records, runs, urls, duplicates, relabelled }: Merged, out: string): void {
  console.log(`${paint.green('✓')} ${records} records of ${runs} run${runs === 1 ? '' : 's'} in ${out}`);
  if (duplicates > 0) console.log(`  ${duplicates} records were there more than once and are there once now`);
  if (relabelled > 0)
    console.log(
      `  ${relabelled} records have a new label: the number of their URL by first appearance, in all runs alike`,
    );
  console.log(
    `  labels    ${urls.length}; visits keep the names of their own run, which "run" in a record says`,
  );
}

async function runMerge(paths: string[], { out, force }: { out: string; force: boolean }): Promise<void> {
  requireFilePlace(out, force);
  const sources = paths.map(openSource);
  const { tell, end } = teller();
  const merged = await writePieces(out, async (write) => {
    const all = await mergeInto(write, itemsOf(sources), { gzip: out.endsWith('.gz'), tell });
    if (all.records === 0) throw new Fault({ what: 'there is no record to merge' });
    return all;
  });
  end();
  tellMerged(merged, out);
}

const SOURCES = ['<src...>', 'run folders and records files (JSON lines, also gzip)'] as const;
const FORCE = ['--force', 'replace what is there', false] as const;

const program = command('dataset.ts', 'Data sets of visits: check, count, convert, merge')
  .enablePositionalOptions()
  .addHelpText('after', '\nExit 2: something is wrong with the data, and it is named as FILE:LINE.');

program
  .command('validate')
  .description(
    'check files, checksums, records, captures and switch logs against each other and against the seed',
  )
  .argument(...SOURCES)
  .option('--json', 'for programs')
  .action(runValidate);

program
  .command('stats')
  .description('numbers a site and over all: median (5th-95th percentile) of the successes')
  .argument(...SOURCES)
  .option('--json', 'for programs')
  .option('--csv', 'for spreadsheets')
  .action(runStats);

program
  .command('export')
  .description('traces for classifiers: of each visit the last attempt that is a success')
  .argument(...SOURCES)
  .addOption(new Option('--format <name>', 'what is written').choices(FORMATS).makeOptionMandatory())
  .requiredOption('-o, --out <path>', 'a file, or a folder for cell and csv')
  .option(
    '--path <which>',
    'joined: all paths of a visit in one trace; each: every path is one; or a path, as wgnet1 (default: joined; cell: both)',
  )
  .addOption(new Option('--cut <where>', 'leave out what is after').choices(['load', 'none']).default('none'))
  .addOption(
    new Option('--origin <which>', "times count from a trace's own first packet, or from the visit's")
      .choices(['own', 'visit'])
      .default('own'),
  )
  .option('--length <packets>', 'of a row of X', whole('--length', { min: 1, max: 1e7 }), 5000)
  .option('--sizes', 'npz: also S, signed bytes on the wire', false)
  .option(
    '--min-packets <number>',
    'leave out shorter traces',
    whole('--min-packets', { min: 1, max: 1e9 }),
    1,
  )
  .option(...FORCE)
  .addHelpText(
    'after',
    `
npz: X [n, length] = direction × (seconds since the trace's first packet + 0.000001), zeros behind its end; y [n] the
label; visit, run and path [n] say which. A label is the number of the URL by first appearance, from 0.
cell: LABEL-INSTANCE_split_K.cell for path K (from 0) and _join.cell: time, direction, size. csv: time,signed_size.
parquet: a row a packet. Sizes are bytes on the wire of the tunnel; +1 is from the client.
A path with packets in one direction only has no record: they are in no trace, nor in the joined ones. Of run folders it
is said how many these are. A visit that lacks a record is left out.`,
  )
  .action(runExport);

program
  .command('merge')
  .description('one records file of many, each record once')
  .argument(...SOURCES)
  .requiredOption('-o, --out <file>', 'JSON lines; gzip where it ends in .gz')
  .option(...FORCE)
  .addHelpText(
    'after',
    '\nA path with packets in one direction only has no record in its run either: these packets are not in the file.',
  )
  .action(runMerge);

await main(program);
