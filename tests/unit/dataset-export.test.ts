import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Arrays, attempts, exported, folder, packetsOf, python, RUN, successes } from '../exported.ts';
import { asciiJson, type MadeAttempt, OTHER_RUN, writeRun } from '../synthetic-run.ts';

/** A row of a matrix. */
const rowOf = (matrix: Arrays[string] | undefined, row: number): number[] =>
  (matrix?.values[row] ?? []) as number[];
const rowsIn = (matrix: Arrays[string] | undefined): number[][] => (matrix?.values ?? []) as number[][];

test('records as json, standard base64 and a pcap reader of others see them', () => {
  for (const { folder: name, records } of successes) {
    const read = python('records', join(RUN, 'visits', name, 'records.jsonl'));
    assert.equal(read.length, records.length);
    const all = read.flatMap((one: { packets: unknown[][]; interface: string }) => one.packets);
    const expected = packetsOf({ records } as MadeAttempt).map(([us, direction, size]) => [
      us,
      direction,
      size,
      true,
    ]);
    assert.deepEqual(
      all.sort((a: number[], b: number[]) => (a[0] as number) - (b[0] as number)),
      expected,
    );
  }
});

test('npz: numpy reads direction × time, labels from 0, sizes, and which visit a row is', async () => {
  const { out, rows, longer } = await exported({ length: 50 });
  const { X, y, S, visit, run, ...rest } = python('arrays', out) as Arrays;
  assert.deepEqual(Object.keys(rest), []);
  assert.deepEqual([X?.dtype, X?.shape, y?.dtype, y?.shape, S?.shape], ['<f8', [8, 50], '<i8', [8], [8, 50]]);
  assert.deepEqual(y?.values, [0, 0, 0, 1, 1, 2, 2, 2]);
  assert.deepEqual(
    visit?.values,
    successes.map(({ summary }) => summary.visit),
  );
  assert.equal(new Set(run?.values).size, 1);
  for (const [row, attempt] of successes.entries()) {
    const packets = packetsOf(attempt);
    const begin = packets[0]?.[0] ?? 0;
    const pad = <T>(values: T[], zero: T): T[] =>
      [...values.slice(0, 50), ...Array<T>(50).fill(zero)].slice(0, 50);
    assert.deepEqual(
      X?.values[row],
      pad(
        packets.map(([us, direction]) => (direction * (us - begin + 1)) / 1e6),
        0,
      ),
    );
    assert.deepEqual(
      S?.values[row],
      pad(
        packets.map(([, direction, size]) => direction * size),
        0,
      ),
    );
  }
  assert.deepEqual([rows, longer], [8, successes.filter((attempt) => packetsOf(attempt).length > 50).length]);
});

test('npz: every path as a trace of its own, or one path; shorter traces are left out', async () => {
  const rowsOf = (least: number, only?: string) =>
    successes.flatMap((attempt) =>
      attempt.summary.interfaces.flatMap((name) => {
        const own = packetsOf(attempt).filter(([, , , path]) => path === name);
        return own.length >= least && (only ?? name) === name ? [{ name, own }] : [];
      }),
    );
  for (const [path, least] of [
    ['each', 1],
    ['each', 20],
    ['wgnet3', 1],
  ] as const) {
    const { out } = await exported({ path, least, origin: path === 'each' ? 'own' : 'visit' });
    const { X, path: names, y } = python('arrays', out) as Arrays;
    const expected = rowsOf(least, path === 'each' ? undefined : path);
    assert.deepEqual(
      names?.values,
      expected.map(({ name }) => name),
    );
    assert.equal(Math.max(...(y?.values ?? [])) + 1, new Set(y?.values).size, 'labels are contiguous');
    const counts = rowsIn(X).map((row) => row.filter((value) => value !== 0).length);
    assert.deepEqual(
      counts,
      expected.map(({ own }) => Math.min(own.length, 100)),
    );
    if (path === 'each') assert.ok(rowsIn(X).every(([first]) => Math.abs(first as number) === 1e-6));
  }
});

test('--cut load leaves out what came after the load event', async () => {
  const { out } = await exported({ cut: 'load', length: 1000 });
  const { X } = python('arrays', out) as Arrays;
  for (const [row, attempt] of successes.entries()) {
    const loaded = Math.round((attempt.summary.loaded as number) * 1e6);
    const kept = packetsOf(attempt).filter(([us]) => us <= loaded);
    assert.ok(kept.length < packetsOf(attempt).length);
    assert.equal(rowOf(X, row).filter((value) => value !== 0).length, kept.length);
  }
});

test('the same from a records file, in disorder too, and with a run that is there twice', async () => {
  const { out } = await exported({});
  const lines = attempts.flatMap(({ records }) => records).map((record) => `${asciiJson(record)}\n`);
  const file = join(folder, 'all.jsonl');
  writeFileSync(file, lines.join(''));
  const mixed = join(folder, 'mixed.jsonl');
  writeFileSync(
    mixed,
    [...lines.filter((_, i) => i % 2 === 0), ...lines.filter((_, i) => i % 2 === 1)].join(''),
  );
  const expected = python('arrays', out) as Arrays;
  const byVisit = ({ X, visit }: Arrays) =>
    Object.fromEntries((visit?.values ?? []).map((name, i) => [name as string, X?.values[i]]));
  for (const sources of [[file], [mixed], [RUN, file]]) {
    const other = await exported({}, sources);
    assert.deepEqual(byVisit(python('arrays', other.out)), byVisit(expected), sources.join());
    assert.equal(other.rows, 8);
  }
});

test('two runs of the same seed keep all their visits, labels go by URL', async () => {
  const again = join(folder, 'again');
  const urls = ['https://large.example/file', 'https://small.example/', 'https://new.example/'];
  writeRun(again, { urls, run: OTHER_RUN, failures: {} });
  const { plan } = await exported({}, [RUN, again]);
  assert.deepEqual(
    plan.labels.map(({ url, count }) => [url, count]),
    [
      ['https://small.example/', 6],
      ['https://many.example/page?q=ü', 2],
      ['https://large.example/file', 6],
      ['https://new.example/', 3],
    ],
  );
});

test('records that cannot be read are told and left out; the rest is exported', async () => {
  const file = join(folder, 'broken.jsonl');
  const [first, second] = successes.map(({ records }) => records[0]);
  writeFileSync(file, `${asciiJson(first)}\n${asciiJson({ ...second, packets: 'AAAA' })}\n`);
  appendFileSync(file, '{"cut');
  const { rows, told, plan } = await exported({}, [file]);
  assert.equal(rows, 1);
  assert.deepEqual(
    told.map((line) => line.replace(file, '')),
    [':2: packets: shorter than the header of a pcap file', ':3: no JSON, or cut off'],
  );
  assert.deepEqual([...plan.left], [['broken', 1]]);
});
