/** What the page says of each site and of each attempt. */
import type { VisitSummary } from '../../../client/scripts/lib/trace/record.ts';
import { clip } from './escape.ts';
import { bytes, count, kilobytes, moment, NONE, percent, plural, seconds } from './format.ts';
import type { PlotData } from './packets.ts';
import type { Attempt } from './read.ts';
import { barOf, pathClass } from './summary-view.ts';
import { loadTime, type Outcome, outcomeOf, type Site, sumOf, sumsByPath, type Visit } from './totals.ts';

const SIGNS: Record<Outcome, string> = { success: '✓', timeout: '✗', failure: '✗', broken: '!' };

/** A site's visits side by side: a bar as high as its bytes, a cross for a visit without a success. */
function strip({ visits }: Site, most: number) {
  const last = visits.reduce((n, { instance }) => Math.max(n, instance), 0);
  const width = 160 / Math.max(last + 1, 20);
  return visits.map(({ instance, decisive: { summary, folder }, outcome }) => {
    const sums = outcome === 'success' && summary ? sumOf(summary) : undefined;
    const part = sums === undefined || most === 0 ? 0 : (sums.up + sums.down) / most;
    const height = outcome === 'success' ? Math.max(1, 26 * part) : 6;
    return {
      ...{ x: (instance * width).toFixed(2), width: Math.max(0.4, width * 0.8).toFixed(2) },
      ...{
        y: (28 - height).toFixed(2),
        height: height.toFixed(2),
        tone: outcome === 'success' ? 'good' : 'bad',
      },
      tip: `${folder}: ${sums === undefined ? outcome : bytes(sums.up + sums.down)}`,
    };
  });
}

function siteView(site: Site, asked: number, names: readonly string[], numberOf: (name: string) => number) {
  const { label, url, visits, successes, up, down, load } = site;
  const sums = [...sumsByPath(names, successes)];
  const parts = sums.map(([name, sum]) => ({ name, number: numberOf(name), size: sum.up + sum.down }));
  const most = successes.map(sumOf).reduce((n, sum) => Math.max(n, sum.up + sum.down), 0);
  const bar = barOf(parts);
  return {
    ...{ label: String(label), url: clip(url), visits: `${count(visits.length)} of ${count(asked)}` },
    ...{ success: percent(successes.length, visits.length), up: kilobytes(up), down: kilobytes(down) },
    ...{ load: seconds(load), bar, strip: strip(site, most), allGood: successes.length === visits.length },
    shares: bar.map(({ name, share }) => `${name} ${share}`).join(', ') || 'no traffic',
  };
}

export function sitesView(
  sites: readonly Site[],
  asked: number,
  names: readonly string[],
  numberOf: (name: string) => number,
) {
  return { sites: sites.map((site) => siteView(site, asked, names, numberOf)) };
}

function pathRows({ paths, weights, interfaces }: VisitSummary, numberOf: (name: string) => number) {
  const whole = paths.reduce((sum, path) => sum + path.bytes_in + path.bytes_out, 0);
  const time = paths.reduce((sum, path) => sum + path.in_force, 0);
  return paths.map((path, i) => ({
    ...{ name: path.interface, color: pathClass(numberOf(path.interface)), index: String(i) },
    ...{ packetsUp: count(path.packets_out), packetsDown: count(path.packets_in) },
    ...{ up: count(path.bytes_out), down: count(path.bytes_in) },
    width: whole === 0 ? '0' : ((100 * (path.bytes_in + path.bytes_out)) / whole).toFixed(2),
    ...{ share: percent(path.bytes_in + path.bytes_out, whole), inForce: percent(path.in_force, time) },
    weight: percent(weights?.[interfaces.indexOf(path.interface)] ?? 0, weights === null ? 0 : 1),
  }));
}

function factsOf(summary: VisitSummary) {
  const sums = sumOf(summary);
  const load = loadTime(summary);
  return [
    { name: 'Load', value: load === undefined ? NONE : `${seconds(load)} s` },
    { name: 'Visit', value: `${seconds(summary.ended - summary.started)} s` },
    { name: 'Up', value: `${bytes(sums.up)}, ${plural(sums.packetsUp, 'packet')}` },
    { name: 'Down', value: `${bytes(sums.down)}, ${plural(sums.packetsDown, 'packet')}` },
    { name: 'Switches', value: count(summary.switch_count) },
    {
      name: 'Answer',
      value: summary.http_status === null ? 'none' : `${summary.http_status}, ${clip(summary.protocol)}`,
    },
    { name: 'Past the tunnels', value: summary.leaked === null ? 'not counted' : count(summary.leaked) },
    { name: 'Seed', value: String(summary.seed) },
    { name: 'Start', value: `${moment(summary.started)} UTC` },
  ];
}

/** A picture of the page, or why there is none. */
export interface Picture {
  embedded: boolean;
  note: string;
}

export interface Drawn {
  plot: PlotData | undefined;
  picture: Picture | undefined;
}

const spoken = (summary: VisitSummary, plot: PlotData): string => {
  const { packetsUp, packetsDown } = sumOf(summary);
  return (
    `Packets over time: ${plural(packetsUp, 'packet')} up and ${count(packetsDown)} down ` +
    `on ${plural(plot.paths.length, 'path')} in ${(plot.to - plot.from).toFixed(1)} seconds`
  );
};

const plotView = (summary: VisitSummary, plot: PlotData) => ({
  spoken: spoken(summary, plot),
  thinned:
    plot.points < plot.packets ? `${count(plot.points)} of ${count(plot.packets)} packets are drawn` : '',
});

/** One attempt; `drawn` is undefined where the page was asked to leave its packets out. */
export function attemptView(
  attempt: Attempt,
  visit: Visit,
  drawn: Drawn | undefined,
  numberOf: (name: string) => number,
) {
  const { folder, summary, troubles } = attempt;
  const status = outcomeOf(attempt);
  const plot = drawn?.plot;
  const failed = summary?.checks.filter(({ ok }) => !ok) ?? [];
  const passed = summary?.checks.filter(({ ok }) => ok) ?? [];
  const url = summary?.url ?? '';
  const moved = summary?.final_url !== null && summary?.final_url !== url ? (summary?.final_url ?? '') : '';
  return {
    ...{ folder, visit: attempt.visit, label: String(attempt.label), status, sign: SIGNS[status] },
    attempt: visit.attempts.length > 1 ? `attempt ${attempt.attempt} of ${visit.attempts.length}` : '',
    others: visit.attempts.filter((one) => one !== attempt).map((one) => ({ folder: one.folder })),
    ...{ url: clip(url), moved: clip(moved), title: clip(summary?.title ?? '') },
    search: `${folder} ${url} ${summary?.title ?? ''} ${summary?.failure?.kind ?? ''}`
      .slice(0, 600)
      .toLowerCase(),
    failure: summary?.failure ? [{ kind: summary.failure.kind, message: clip(summary.failure.message) }] : [],
    troubles: troubles.map((text) => ({ text: clip(text) })),
    notes: (summary?.notes ?? []).map((text) => ({ text: clip(text) })),
    facts: summary === undefined ? [] : factsOf(summary),
    plot: summary !== undefined && plot !== undefined ? [plotView(summary, plot)] : [],
    empty:
      plot !== undefined || summary === undefined
        ? ''
        : drawn === undefined
          ? 'Left out of this report (see --visits, --limit).'
          : 'No packets.',
    picture: drawn?.picture === undefined ? [] : [drawn.picture],
    hasPaths: summary !== undefined && summary.paths.length > 0,
    paths: summary === undefined ? [] : pathRows(summary, numberOf),
    hasChecks: failed.length + passed.length > 0,
    checksFailed: failed.map(({ name, detail }) => ({ name, detail: clip(detail) })),
    checksPassed: passed.map(({ name, detail }) => ({ name, detail: clip(detail) })),
    checksTitle:
      failed.length === 0
        ? `All checks passed (${count(passed.length)})`
        : `${plural(failed.length, 'check')} failed, ${count(passed.length)} passed`,
    checksOpen: failed.length > 0,
  };
}
