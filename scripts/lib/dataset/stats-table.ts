/** Statistics as lines for a terminal and as CSV. Pure. */
import type { SiteStats, Spread } from './stats.ts';
import { csvLine } from './texts.ts';

/** Longest URL that a table shows whole. */
const WIDEST = 44;

const number = (value: number): string =>
  value >= 1e5 ? `${Math.round(value / 1000)}k` : String(Math.round(value));

const spread = (value: Spread | null, show: (n: number) => string): string =>
  value === null ? '-' : `${show(value.median)} (${show(value.p5)}-${show(value.p95)})`;

const kilobytes = (value: number): string => number(value / 1000);
const percent = (value: number): string => `${(100 * value).toFixed(value < 0.1 && value > 0 ? 1 : 0)} %`;

const HEAD = [
  'site',
  'visits',
  'success',
  'packets up',
  'packets down',
  'kB up',
  'kB down',
  'load s',
  'switches',
];

function cells(site: SiteStats): string[] {
  const { url } = site;
  return [
    url.length > WIDEST ? `${url.slice(0, WIDEST - 1)}…` : url,
    String(site.visits),
    site.visits === 0 ? '-' : percent(site.success / site.visits),
    spread(site.packets_out, number),
    spread(site.packets_in, number),
    spread(site.bytes_out, kilobytes),
    spread(site.bytes_in, kilobytes),
    spread(site.load, (n) => n.toFixed(2)),
    spread(site.switches, number),
  ];
}

const shares = (site: SiteStats): string =>
  Object.entries(site.shares)
    .map(([name, share]) => `${name} ${percent(share)}`)
    .join('  ');

const failures = (site: SiteStats): string =>
  Object.entries(site.failures)
    .map(([kind, count]) => `${kind} ${count}`)
    .join(', ');

/** Columns as wide as their widest cell; the first to the left, numbers to the right. */
function aligned(rows: readonly string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] as string).length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number)))
      .join('  '),
  );
}

/** Median (5th to 95th percentile) of the successes; then the bytes' share a path, visits in mode quic, and the failures. */
export function statsTable({ sites, overall }: { sites: SiteStats[]; overall: SiteStats }): string[] {
  const all = sites.length > 1 ? [...sites, overall] : sites;
  const table = aligned([HEAD, ...all.map(cells)]);
  const byPath = aligned([
    ['bytes a path', ''],
    ...all.map((site) => [cells(site)[0] as string, shares(site)]),
  ]);
  const failed = all.filter((site) => Object.keys(site.failures).length > 0);
  const lost = failed.map((site) => `${cells(site)[0]}: ${failures(site)}`);
  const quic = all.flatMap((site) =>
    site.quic === undefined ? [] : [`${cells(site)[0]}: ${site.quic} of ${site.visits} visits`],
  );
  const modes = quic.length > 0 ? ['', 'mode quic', ...quic] : [];
  return [...table, '', ...byPath, ...modes, ...(lost.length > 0 ? ['', 'failed visits', ...lost] : [])].map(
    (line) => line.trimEnd(),
  );
}

const SPREADS = ['packets_out', 'packets_in', 'bytes_out', 'bytes_in', 'load', 'switches'] as const;

/** A line a site, then `overall`; a share and a failure kind are columns of their own. */
export function statsCsv({ sites, overall }: { sites: SiteStats[]; overall: SiteStats }): string {
  const all = [...sites, overall];
  const names = Object.keys(overall.shares);
  const kinds = Object.keys(overall.failures);
  const isQuic = overall.quic !== undefined;
  const head = [
    ...['url', 'visits', 'attempts', 'success'],
    ...(isQuic ? ['quic'] : []),
    ...SPREADS.flatMap((name) => [`${name}_p5`, `${name}_median`, `${name}_p95`]),
    ...names.map((name) => `share_${name}`),
    ...kinds.map((kind) => `failed_${kind}`),
  ];
  const lines = all.map((site) => [
    ...[site.url, site.visits, site.attempts, site.success],
    ...(isQuic ? [site.quic ?? 0] : []),
    ...SPREADS.flatMap((name) => [
      site[name]?.p5 ?? null,
      site[name]?.median ?? null,
      site[name]?.p95 ?? null,
    ]),
    ...names.map((name) => site.shares[name] ?? 0),
    ...kinds.map((kind) => site.failures[kind] ?? 0),
  ]);
  return [head, ...lines].map(csvLine).join('');
}
