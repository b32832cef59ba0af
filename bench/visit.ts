/** `npx zx bench/visit.ts`: what a visit costs beside its page's own load, in the lab, against a bare load in the same run. */
import { cpus, loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { VisitSummary } from '../client/scripts/lib/trace/record.ts';
import { command, EXIT, exitWith, Fault, main } from '../scripts/lib/cli.ts';
import { makeDirectory, writeText } from '../scripts/lib/files.ts';
import { clientRun, clientScript } from '../scripts/lib/lab/client.ts';
import type { Lab } from '../scripts/lib/lab/lab.ts';
import { step } from '../scripts/lib/progress.ts';
import { median, type Timed, table, timed } from './figures.ts';
import { labSetUp, putFile } from './lab.ts';

const HERE = dirname(fileURLToPath(import.meta.url));
const SITES = ['small', 'many', 'large'];
const urlOf = (site: string): string => `https://${site}.example.org/`;

/** Seconds of a visit; the original waits this long in each besides (trace-format.md: its sleeps alone). */
const ORIGINAL_SLEEPS = 4;

interface Bare {
  url: string;
  start: number;
  load: number;
  end: number;
}

interface Row {
  site: string;
  /** Medians, seconds. */
  bare_load: number;
  load: number;
  visit: number;
  /** Of the visit over its own load. */
  overhead: number;
  /** Of the two loads: what captures and migration cost the page. */
  load_ratio: number;
}

/** Bare loads, each in a browser of its own. */
async function bareLoads(lab: Lab, rounds: number): Promise<Bare[]> {
  await putFile(lab, 'client', join(HERE, 'bare-load.mjs'), 'bare-load.mjs');
  const urls = Array.from({ length: rounds }, () => SITES.map(urlOf)).flat();
  const text = await clientRun(lab, 'env', '-C', '/', 'node', '--import=tsx', '/bare-load.mjs', ...urls);
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Bare);
}

/** Visits of a run, with the time that each took until the next one could begin. */
async function visits(lab: Lab, rounds: number): Promise<Timed<VisitSummary>[]> {
  const run = `/tmp/bench-${process.pid}`;
  const flags = [
    '--strategy',
    'wr',
    '--period',
    '0.1',
    '--seed',
    '42',
    '--visits',
    String(rounds),
    '--run',
    run,
  ];
  const input = SITES.map((site) => `${urlOf(site)}\n`).join('');
  const { code, stderr } = await lab.exec('client', clientScript('fetch_websites.ts', ...flags), { input });
  if (code !== EXIT.ok) throw new Fault({ at: 'fetch_websites.ts', what: stderr, code: EXIT.failed });
  const text = await clientRun(
    lab,
    'sh',
    '-c',
    `for f in ${run}/visits/*/visit.json; do tr -d '\\n' <$f; echo; done`,
  );
  const all = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as VisitSummary);
  const made = timed(all);
  const without = SITES.find((site) => !made.some(({ url }) => url === urlOf(site)));
  if (without === undefined) return made;
  throw new Fault({
    at: urlOf(without),
    what: 'no success of it is followed by another success at once',
    next: 'more --rounds',
    code: EXIT.failed,
  });
}

function rowsOf(bare: readonly Bare[], made: readonly Timed<VisitSummary>[]): Row[] {
  return SITES.map((site) => {
    const own = made.filter(({ url }) => url === urlOf(site));
    const loads = own.map(({ navigated, loaded }) => (loaded ?? 0) - (navigated ?? 0));
    const bare_load = median(bare.filter(({ url }) => url === urlOf(site)).map(({ load }) => load));
    const load = median(loads);
    return {
      site,
      bare_load,
      load,
      visit: median(own.map(({ took }) => took)),
      overhead: median(own.map(({ took }, i) => took - (loads[i] ?? 0))),
      load_ratio: load / bare_load,
    };
  });
}

async function bench({ rounds }: { rounds: string }): Promise<void> {
  const count = Number(rounds);
  if (!Number.isInteger(count) || count < 2)
    throw new Fault({ at: '--rounds', what: 'is a whole number from 2' });
  const { result: lab } = await step('a lab with Chromium, set up', () => labSetUp({ browser: true }));
  const before = loadavg()[0] ?? Number.NaN;
  const { result: bare } = await step(`${count} rounds of bare loads`, () => bareLoads(lab, count));
  const { result: made } = await step(`${count} rounds of visits`, () => visits(lab, count + 1));
  const load = { before, after: loadavg()[0] ?? Number.NaN };
  const rows = rowsOf(bare, made);
  const overhead = median(rows.map((row) => row.overhead));
  const s = (value: number): string => value.toFixed(2);
  const head = ['seconds, medians', 'bare load', 'load', 'ratio', 'visit', 'overhead'];
  for (const line of table(
    head,
    rows.map((row) => [
      row.site,
      s(row.bare_load),
      s(row.load),
      s(row.load_ratio),
      s(row.visit),
      s(row.overhead),
    ]),
  ))
    console.log(line);
  console.log(
    `A visit takes ${s(overhead)} s beside its page's load: ${s(overhead / ORIGINAL_SLEEPS)} of the original's sleeps alone.`,
  );
  console.log(
    `Load average (1 min) ${s(load.before)} before and ${s(load.after)} after, on ${cpus().length} processors.`,
  );
  const machine = { cpus: cpus().length, cpu: cpus()[0]?.model, node: process.version };
  const date = new Date().toISOString();
  const result = {
    ...{ bench: 'visit', date, machine, load_average: load, rounds: count, visits: made.length },
    ...{ overhead, rows },
  };
  makeDirectory(join(HERE, 'results'));
  writeText(join(HERE, 'results', 'visit.json'), `${JSON.stringify(result, null, 2)}\n`);
  exitWith(EXIT.ok);
}

await main(
  command('bench/visit.ts', 'What a visit costs beside its page’s own load; writes bench/results/visit.json')
    .option('--rounds <count>', 'visits of each of three sites', '10')
    .action(bench),
);
