/** The page: one file that asks nobody for anything, written while the visits are read one after the other. */
import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { FILE, VISITS } from '../../../client/scripts/lib/trace/layout.ts';
import { Fault, messageOf } from '../cli.ts';
import { whyNoFile } from '../files/input.ts';
import { writePieces } from '../files/output.ts';
import { exists, readBytes, readText } from '../files.ts';
import { fromTemplate } from '../template.ts';
import { escaped, Raw, scriptJson } from './escape.ts';
import { bytes, count } from './format.ts';
import { plotOf } from './packets.ts';
import type { Attempt, Run } from './read.ts';
import { failuresView, numbering, summaryView } from './summary-view.ts';
import { sitesOf, visitsOf } from './totals.ts';
import { attemptView, type Drawn, type Picture, sitesView } from './visits-view.ts';

interface PageOptions {
  /** Of an attempt: are its packets in the report? */
  wanted: (attempt: Attempt) => boolean;
  /** Points a plot. */
  points: number;
  screenshots: boolean;
}

const inProject = (path: string): string =>
  readText(fileURLToPath(new URL(`../../../${path}`, import.meta.url)));

const SCRIPTS = ['data', 'theme', 'marks', 'packets', 'growth', 'plots', 'filter', 'sort', 'main'];

/** A module of the page's script, to stand behind those that it imports from. */
const unmoduled = (text: string): string => text.replace(/^import [^;]*;\n/gm, '').replace(/^export /gm, '');

/** Style and script of the page, with the policy that allows these two and nothing else. */
function assets(): { policy: string; style: Raw; script: Raw } {
  const style = [
    inProject('node_modules/uplot/dist/uPlot.min.css'),
    ...['palette', 'report', 'visits', 'media'].map((name) => inProject(`templates/report/${name}.css`)),
  ].join('\n');
  const licence = inProject('node_modules/uplot/LICENSE').trim();
  const script = [
    `/*!\nuPlot, in this page under its licence:\n\n${licence}\n*/`,
    inProject('node_modules/uplot/dist/uPlot.iife.min.js'),
    `(() => {\n'use strict';`,
    ...SCRIPTS.map((name) => unmoduled(inProject(`templates/report/${name}.js`))),
    '})();',
  ].join('\n');
  const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  const policy = [
    `default-src 'none'`,
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    ...['img-src data:', `base-uri 'none'`, `form-action 'none'`],
  ].join('; ');
  return { policy, style: new Raw(style), script: new Raw(script) };
}

/** A screenshot beyond this is left out: a page has hundreds of them. */
const LARGEST_PICTURE = 1_000_000;
const PNG = Buffer.from('89504e470d0a1a0a', 'hex');

/** What the page shows of a screenshot, and its bytes where they are in it. */
function pictureOf(path: string, wish: boolean): { picture: Picture; data: string } {
  const none = (note: string) => ({ picture: { embedded: false, note }, data: '' });
  const why = whyNoFile(path);
  if (why !== undefined) throw new Fault({ at: FILE.screenshot, what: why });
  const image = readBytes(path);
  const size = bytes(image.length);
  if (!wish) return none(`Its screenshot (${FILE.screenshot}, ${size}) is not in this report: --screenshots`);
  if (image.length > LARGEST_PICTURE)
    return none(`Its screenshot (${FILE.screenshot}, ${size}) is above ${bytes(LARGEST_PICTURE)}, left out`);
  if (!image.subarray(0, PNG.length).equals(PNG)) return none(`${FILE.screenshot} is no PNG picture`);
  return { picture: { embedded: true, note: '' }, data: image.toString('base64') };
}

/** Reads an attempt's packets and picture, writes them, and gives back what the page says of them. */
function draw(
  run: Run,
  attempt: Attempt,
  options: PageOptions,
  numberOf: (name: string) => number,
  write: (piece: string) => void,
): Drawn {
  const { folder, summary, troubles } = attempt;
  if (summary === undefined) return { plot: undefined, picture: undefined };
  const plot = plotOf(run.folder, folder, summary, { limit: options.points, numberOf }, troubles);
  const file = join(run.folder, VISITS, folder, FILE.screenshot);
  let shot: ReturnType<typeof pictureOf> | undefined;
  try {
    if (exists(file)) shot = pictureOf(file, options.screenshots);
  } catch (error) {
    troubles.push(messageOf(error));
  }
  const element = (prefix: string, value: unknown): void =>
    write(`<script type="application/json" id="${prefix}-${folder}">${scriptJson(value)}</script>\n`);
  if (plot !== undefined) element('plot', plot);
  if (shot?.picture.embedded) element('picture', shot.data);
  // The numbers are in the file now: the page itself needs the few that it says in words.
  const kept = plot && { ...plot, times: '', sizes: '', tags: '', growth: '', switches: '', current: '' };
  return { plot: kept, picture: shot?.picture };
}

/** Writes the report of a run. */
export async function writePage(run: Run, path: string, options: PageOptions): Promise<void> {
  const { attempts, manifest } = run;
  const names = manifest.settings.interfaces;
  const numberOf = numbering(names);
  const { policy, style, script } = assets();
  const drawn = new Map<Attempt, Drawn>();
  await writePieces(path, async (write) => {
    write(fromTemplate('report-head.html', { policy, style, title: escaped(basename(run.folder)) }));
    for (const attempt of attempts) {
      // Lets a signal in.
      await setImmediate();
      if (options.wanted(attempt)) drawn.set(attempt, draw(run, attempt, options, numberOf, write));
    }
    const visits = visitsOf(attempts);
    const articles = visits.flatMap((visit) =>
      visit.attempts.map((attempt) => attemptView(attempt, visit, drawn.get(attempt), numberOf)),
    );
    const view = {
      ...summaryView(run, visits, numberOf),
      ...sitesView(sitesOf(manifest, visits), manifest.settings.visits, names, numberOf),
      ...failuresView(attempts),
      ...{ attempts: articles, attemptCount: count(articles.length), none: articles.length === 0 },
      ...{ points: count(options.points), script },
    };
    write(fromTemplate('report.html', escaped(view) as object));
  });
}
