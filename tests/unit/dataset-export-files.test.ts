import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { Fault } from '../../scripts/lib/cli.ts';
import type { ExportWish } from '../../scripts/lib/dataset/export.ts';
import { exported, folder, packetsOf, RUN, successes } from '../exported.ts';
import { type MadeAttempt, writeRun } from '../synthetic-run.ts';

test('cell and csv: a file a path and one of all, and what they are', async () => {
  const cell = await exported({ format: 'cell', path: 'both' });
  const names = readdirSync(cell.out);
  assert.ok(
    names.includes('2-1_split_2.cell') &&
      names.includes('2-1_join.cell') &&
      !names.includes('0-1_split_0.cell'),
  );
  const attempt = successes.find(({ summary }) => summary.visit === '0002-0001') as MadeAttempt;
  const lines = (only?: string): string => {
    const some = packetsOf(attempt).filter(([, , , path]) => (only ?? path) === path);
    return some
      .map(
        ([us, direction, size]) =>
          `${((us - (some[0]?.[0] ?? 0)) / 1e6).toFixed(6)}\t${direction}\t${size}\n`,
      )
      .join('');
  };
  assert.equal(readFileSync(join(cell.out, '2-1_join.cell'), 'utf8'), lines());
  assert.equal(readFileSync(join(cell.out, '2-1_split_1.cell'), 'utf8'), lines('wgnet2'));
  const labels = readFileSync(join(cell.out, 'labels.csv'), 'utf8').split('\n');
  assert.equal(
    labels[2],
    `1,https://many.example/page?q=ü,${names.filter((name) => name.startsWith('1-')).length}`,
  );
  assert.match(
    readFileSync(join(cell.out, 'visits.csv'), 'utf8'),
    /^2-1_split_1\.cell,2,.*,0002-0001,wgnet2$/m,
  );
  const csv = await exported({ format: 'csv' });
  const [head, first] = readFileSync(join(csv.out, '0-0_join.csv'), 'utf8').split('\n');
  assert.equal(head, 'time,signed_size');
  assert.match(first ?? '', /^0\.000000,\d+$/);
});

test('parquet: a row a packet', async () => {
  const { out } = await exported({ format: 'parquet' });
  const rows = await parquetReadObjects({ file: await asyncBufferFromFile(out) });
  const expected = successes.flatMap((attempt) => {
    const packets = packetsOf(attempt);
    const { visit, url, label } = attempt.summary;
    return packets.map(([us, direction, size, path]) => ({
      ...{ visit, label, url, path, direction, size, time: (us - (packets[0]?.[0] ?? 0)) / 1e6 },
    }));
  });
  assert.deepEqual(
    rows.map(({ run, ...row }) => row),
    expected,
  );
});

const FILE = join(folder, 'there.labels.csv');
writeFileSync(FILE, '');
const refused: [string, Partial<ExportWish>, RegExp][] = [
  ['a file that is there', { out: FILE }, /is there already/],
  ['labels that are there', { out: FILE.replace('.labels.csv', '') }, /is there already/],
  [
    'a folder that is no folder of traces',
    { format: 'cell', out: RUN, force: true },
    /leaves this folder alone/,
  ],
  ['a folder for a file', { out: RUN, force: true }, /is a folder/],
  ['a file for a folder', { format: 'csv', out: join(RUN, 'manifest.json'), force: true }, /is a file/],
  ['a folder that is not there', { out: join(folder, 'no/x') }, /there is no folder/],
  [
    'a path that is none',
    { path: 'wgnet9' },
    /of 9 visits none gives a trace \(8 too few packets, 1 bot-wall\)/,
  ],
];
for (const [name, wish, said] of refused)
  test(`refused: ${name}, and nothing is left of it`, async () => {
    const before = readdirSync(folder);
    await assert.rejects(exported(wish), (error) => error instanceof Fault && said.test(error.message));
    assert.deepEqual(readdirSync(folder), before);
  });

test('no success at all is refused with what there was', async () => {
  const failed = join(folder, 'failed');
  const failures = { '0000-0000': ['timeout' as const, 'network' as const] };
  writeRun(failed, { urls: ['https://gone.example'], visits: 1, failures });
  await assert.rejects(exported({}, [failed]), /of 1 visits none gives a trace \(1 network\)/);
});

test('--force puts a new folder of traces in the old one’s place', async () => {
  const out = join(folder, 'forced');
  mkdirSync(out);
  writeFileSync(join(out, '9-9_join.cell'), '');
  await exported({ format: 'cell', path: 'joined', out, force: true });
  assert.ok(existsSync(join(out, '0-0_join.cell')) && !existsSync(join(out, '9-9_join.cell')));
});
