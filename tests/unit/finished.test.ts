import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { FailureKind } from '../../client/scripts/lib/trace/record.ts';
import { isFinished } from '../../client/scripts/lib/trace/record.ts';
import { validate } from '../../scripts/lib/dataset/validate.ts';
import { type Attempt, type Run, readRun } from '../../scripts/lib/report/read.ts';
import { tilesOf } from '../../scripts/lib/report/tiles.ts';
import { isOpen, visitsOf } from '../../scripts/lib/report/totals.ts';
import { writeRun } from '../synthetic-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-finished-'));
after(() => rmSync(folder, { recursive: true }));

test('a visit is finished by a success, or when the failures of its page use up the retries', () => {
  assert.equal(isFinished([], 0), false);
  assert.equal(isFinished(['timeout', null], 5), true);
  assert.equal(isFinished(['timeout'], 0), true);
  assert.equal(isFinished(['timeout', 'crash'], 2), false);
  assert.equal(isFinished(['tunnel', 'leak', 'tunnel'], 0), false);
  assert.equal(isFinished(['tunnel', 'empty', 'leak', 'crash'], 1), true);
  assert.equal(isFinished([undefined, 'unheard-of' as FailureKind], 1), true);
});

/** A run of one visit, whose two attempts failed. */
function failedRun(name: string, ...kinds: FailureKind[]): Run {
  writeRun(join(folder, name), { urls: ['https://x.example'], visits: 1, failures: { '0000-0000': kinds } });
  return readRun(join(folder, name));
}
const openOf = (run: Run): boolean[] =>
  visitsOf(run.attempts).map((visit) => isOpen(visit, run.manifest.settings.retries));

test('report and validation agree with the collector on what is finished', async () => {
  const network = failedRun('network', 'tunnel', 'leak');
  assert.deepEqual(openOf(network), [true]);
  const found = (await validate([network.folder])).findings.map(({ what }) => what);
  assert.deepEqual(found, ['not finished: 0 of 1 visits; with attempts left: 0000-0000']);
  const page = failedRun('page', 'timeout', 'crash');
  assert.deepEqual(openOf(page), [false]);
  assert.deepEqual((await validate([page.folder])).findings, []);
});

test('a run under way is one line, and one for the visit under way', async () => {
  const run = join(folder, 'early');
  writeRun(run, { visits: 6, failures: {} });
  for (const instance of [3, 4, 5])
    for (const label of [0, 1, 2]) {
      if (label === 0 && instance === 3) continue;
      rmSync(join(run, `visits/000${label}-000${instance}.1`), { recursive: true });
    }
  mkdirSync(join(run, 'work/0001-0003.1'), { recursive: true });
  const { findings } = await validate([run]);
  assert.deepEqual(findings, [
    { at: join(run, 'work'), what: 'holds a visit under way, or cut off' },
    { at: run, what: 'not finished: 10 of 18 visits' },
  ]);
});

test('of two successes of a visit the report shows the last, as an export takes it', () => {
  const run = failedRun('twice');
  const [one] = run.attempts as [Attempt];
  const two: Attempt = { ...one, attempt: 2, folder: '0000-0000.2' };
  assert.equal(visitsOf([one, two])[0]?.decisive, two);
});

test('attempts whose leaks nobody counted are told on top', () => {
  const run = failedRun('leaks');
  const [one] = run.attempts as [Attempt];
  const tileOf = (leaked: number | null) => {
    const attempts = [one, { ...one, summary: one.summary && { ...one.summary, leaked } }];
    return tilesOf({ ...run, attempts }, visitsOf(attempts), []).find(({ label }) => /tunnels/.test(label));
  };
  const label = 'Past the tunnels';
  const none = { label, value: '0 packets' };
  assert.deepEqual(tileOf(0), { ...none, detail: 'counted in every attempt', tone: 'good' });
  assert.deepEqual(tileOf(null), { ...none, detail: 'not counted in 1 attempt', tone: 'bad' });
  assert.equal(tileOf(3)?.value, '3 packets');
});
