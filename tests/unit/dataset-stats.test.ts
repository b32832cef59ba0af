import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { TraceRecord } from '../../client/scripts/lib/trace/record.ts';
import { mergeInto } from '../../scripts/lib/dataset/merge.ts';
import { readStats } from '../../scripts/lib/dataset/read-stats.ts';
import { itemsOf, openSource } from '../../scripts/lib/dataset/source.ts';
import { quantile, statsOf } from '../../scripts/lib/dataset/stats.ts';
import { statsCsv, statsTable } from '../../scripts/lib/dataset/stats-table.ts';
import { csvLine } from '../../scripts/lib/dataset/texts.ts';
import { asciiJson, OTHER_RUN, writeRun } from '../synthetic-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-stats-'));
after(() => rmSync(folder, { recursive: true }));
const RUN = join(folder, 'run');
const attempts = writeRun(RUN);
const FILE = join(folder, 'all.jsonl');
writeFileSync(
  FILE,
  attempts
    .flatMap(({ records }) => records)
    .map((one) => `${asciiJson(one)}\n`)
    .join(''),
);

const none = (at: string, what: string): never => assert.fail(`${at}: ${what}`);
const statsFrom = (...paths: string[]) => readStats(paths.map(openSource), none);

test('quantiles are numpy’s', () => {
  assert.equal(quantile([7], 0.95), 7);
  assert.equal(quantile([1, 2, 3, 4], 0.5), 2.5);
  assert.ok(Math.abs(quantile([1, 2, 3, 4, 10], 0.95) - 8.8) < 1e-12);
});

test('a visit counts once, whatever its attempts; numbers are of the successes', async () => {
  const { sites, overall } = await statsFrom(RUN);
  assert.deepEqual(
    sites.map(({ visits, success, attempts: tried, failures }) => [visits, success, tried, failures]),
    [
      [3, 3, 4, {}],
      [3, 2, 4, { 'bot-wall': 1 }],
      [3, 3, 3, {}],
    ],
  );
  const ends = attempts.filter(({ summary }) => summary.status === 'success');
  const bytes = (name?: string) =>
    ends
      .flatMap(({ summary }) => summary.paths)
      .filter((path) => (name ?? path.interface) === path.interface)
      .reduce((sum, { bytes_in, bytes_out }) => sum + bytes_in + bytes_out, 0);
  assert.ok(Math.abs((overall.shares.wgnet2 ?? 0) - bytes('wgnet2') / bytes()) < 1e-12);
  const ups = ends.map(({ summary }) => summary.paths.reduce((sum, { packets_out }) => sum + packets_out, 0));
  const sorted = ups.sort((a, b) => a - b);
  assert.deepEqual(overall.packets_out, {
    p5: quantile(sorted, 0.05),
    median: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
  });
});

test('a records file gives the same numbers as its run, and a run that is there twice counts once', async () => {
  const fromRun = await statsFrom(RUN);
  const fromFile = await statsFrom(FILE);
  const { shares, ...all } = fromRun.overall;
  const { shares: others, ...other } = fromFile.overall;
  assert.deepEqual(other, all);
  assert.deepEqual(Object.keys(others), Object.keys(shares));
  assert.deepEqual((await statsFrom(RUN, FILE)).overall, fromRun.overall);
});

test('no visit at all, and visits without a success, have no numbers', () => {
  const empty = statsOf('x', []);
  assert.deepEqual([empty.visits, empty.load, empty.shares], [0, null, {}]);
  assert.match(statsTable({ sites: [empty], overall: empty })[1] ?? '', /^x +0 +- +- /);
});

test('the table and the CSV', async () => {
  const stats = await statsFrom(RUN);
  const table = statsTable(stats).join('\n');
  assert.match(table, /^https:\/\/many\.example\/page\?q=ü +3 +67 % /m);
  assert.match(table, /^overall +9 +89 % /m);
  assert.match(table, /^https:\/\/many\.example\/page\?q=ü: bot-wall 1$/m);
  const [head, ...lines] = statsCsv(stats)
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','));
  assert.ok(lines.every((line) => line.length === head?.length));
  assert.equal(lines.at(-1)?.[0], 'overall');
  assert.equal(lines.at(-1)?.[head?.indexOf('failed_bot-wall') ?? 0], '1');
  assert.equal(csvLine(['a,b', 'say "x"', 'two\nlines', 3, null]), '"a,b","say ""x""","two\nlines",3,\n');
});

async function merged(paths: string[], gzip = false) {
  const parts: Buffer[] = [];
  const write = (piece: string | Uint8Array): void => void parts.push(Buffer.from(piece));
  const told: string[] = [];
  const tell = (at: string, what: string): void => void told.push(`${at}: ${what}`);
  const result = await mergeInto(write, itemsOf(paths.map(openSource)), { gzip, tell });
  const bytes = Buffer.concat(parts);
  const text = (gzip ? gunzipSync(bytes) : bytes).toString('latin1');
  const records = text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as TraceRecord);
  return { ...result, text, records, told };
}

test('a merge has each record once, unchanged, in ASCII and with packets last', async () => {
  const { records, text, duplicates, relabelled } = await merged([RUN, FILE, RUN]);
  const originals = attempts.flatMap((one) => one.records);
  assert.equal(duplicates, 2 * originals.length);
  assert.equal(relabelled, 0);
  const sorted = (some: object[]) => some.map((one) => JSON.stringify(one)).sort();
  assert.deepEqual(sorted(records), sorted(originals));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
  assert.match(text, /^[\x00-\x7e]*$/);
  for (const line of text.trimEnd().split('\n'))
    assert.match(line.slice(-100), /("packets":")?[A-Za-z0-9+/=]*"}$/);
});

test('merged runs of the same seed and names: labels by URL, and a gzip file that can be merged again', async () => {
  const again = join(folder, 'again');
  writeRun(again, {
    urls: ['https://large.example/file', 'https://new.example/'],
    run: OTHER_RUN,
    failures: {},
  });
  const both = await merged([RUN, again], true);
  assert.deepEqual([both.runs, both.urls.length], [2, 4]);
  const labels = new Map(both.records.map(({ url, label }) => [url, label]));
  for (const { url, label } of both.records) assert.equal(label, labels.get(url));
  assert.equal(labels.get('https://large.example/file'), 2);
  assert.ok(both.relabelled > 0);
  const file = join(folder, 'both.jsonl');
  writeFileSync(file, both.text);
  const twice = await merged([file]);
  assert.equal(twice.text, both.text);
  assert.equal((await statsFrom(file)).overall.visits, 9 + 6);
  assert.equal(readFileSync(file, 'utf8').split('\n').length - 1, both.records.length);
});

test('what is no record is told and left out', async () => {
  const file = join(folder, 'bad.jsonl');
  writeFileSync(file, `${asciiJson(attempts[0]?.records[0])}\nnothing\n`);
  const { records, told } = await merged([file]);
  assert.deepEqual([records.length, told], [1, [`${file}:2: no JSON, or cut off`]]);
});
