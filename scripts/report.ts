/** `report.ts`: one HTML page, complete in itself, of what a run has collected. */
import { resolve } from 'node:path';
import { badFlag, whole } from '../client/scripts/lib/flags.ts';
import { command, EXIT, exitWith, main, paint } from './lib/cli.ts';
import { step } from './lib/progress.ts';
import { writePage } from './lib/report/page.ts';
import { ownReport, requireReportPlace } from './lib/report/place.ts';
import { type Attempt, readRun } from './lib/report/read.ts';

interface Flags {
  out?: string;
  visits?: (attempt: Attempt) => boolean;
  limit?: number;
  points: number;
  screenshots: boolean;
  force: boolean;
}

/** Reads `3,0004-0007`: all visits of URL 3, and one of URL 4. */
function selection(text: string): (attempt: Attempt) => boolean {
  const parts = text.split(',').map((part) => {
    const [, label, instance] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part.trim()) ?? [];
    if (label === undefined) throw badFlag('--visits', text, 'a list such as 3,0004-0007');
    return { label: Number(label), instance: instance === undefined ? undefined : Number(instance) };
  });
  return (attempt) =>
    parts.some(
      ({ label, instance }) =>
        attempt.label === label && (instance === undefined || attempt.instance === instance),
    );
}

async function report(folder: string, flags: Flags): Promise<number> {
  const { out, visits, limit, points, screenshots, force } = flags;
  const run = readRun(resolve(folder));
  const file = out ?? ownReport(folder);
  await requireReportPlace(file, folder, force);
  const wanted = (attempt: Attempt): boolean =>
    (visits?.(attempt) ?? true) && (limit === undefined || attempt.instance < limit);
  await step(`${file}: ${run.attempts.length} attempts`, () =>
    writePage(run, file, { wanted, points, screenshots }),
  );
  const broken = run.attempts.filter(({ troubles }) => troubles.length > 0);
  for (const { folder: name, troubles } of broken.slice(0, 10))
    console.error(`${paint.yellow('warning:')} ${name}: ${troubles.join('; ')}`);
  if (broken.length > 10) console.error(`… and ${broken.length - 10} more; the report names them all`);
  if (visits !== undefined && !run.attempts.some(visits))
    console.error(`${paint.yellow('warning:')} no visit of this run is in --visits`);
  return broken.length > 0 ? EXIT.failed : EXIT.ok;
}

await main(
  command('report.ts', 'one HTML page, complete in itself, of what a run has collected')
    .argument('<run>', 'folder of the run')
    .option('-o, --out <file>', 'where it goes (default: report.html in that folder)')
    .option('--visits <list>', 'plots of these only: URL numbers and visits, as in 3,0004-0007', selection)
    .option(
      '--limit <number>',
      'plots of the first visits of each URL only',
      whole('--limit', { min: 0, max: 1_000_000 }),
    )
    .option(
      '--points <number>',
      'packets drawn a plot at most; sums are exact always',
      whole('--points', { min: 1000, max: 100_000 }),
      4000,
    )
    .option('--screenshots', 'with the screenshots, those of up to 1 MB', false)
    .option('--force', 'replace what is there, also where it is no report', false)
    .action(async (folder: string, flags: Flags) => exitWith(await report(folder, flags))),
);
