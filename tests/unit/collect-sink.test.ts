import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { holdRun } from '../../client/scripts/lib/collect/hold.ts';
import type { Outcome } from '../../client/scripts/lib/collect/outcome.ts';
import { isFull, placeFault, RunSink, StreamSink } from '../../client/scripts/lib/collect/sink.ts';
import type { VisitSummary } from '../../client/scripts/lib/trace/record.ts';
import { writeRun } from '../synthetic-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-sink-'));
after(() => rmSync(folder, { recursive: true }));
let number = 0;
const fresh = (): string => join(folder, `${number++}`);

const { summary: SUMMARY } = writeRun(join(folder, 'made'))[0] as { summary: VisitSummary };

function outcome(visit: string, attempt: number, texts: readonly (string | Error)[]): Outcome {
  const { files: _, ...summary } = { ...SUMMARY, visit, attempt };
  async function* records() {
    for (const text of texts) {
      if (text instanceof Error) throw text;
      yield text;
    }
  }
  return { facts: summary, summary, records };
}

/** A StreamSink with a scratch folder of its own. */
function stream(out: string): StreamSink {
  const scratch = fresh();
  mkdirSync(scratch);
  return new StreamSink(out, scratch);
}

test('a run’s folder is held: another collector is refused with the holder’s name, until that ends', async () => {
  const run = fresh();
  const release = await holdRun(run);
  assert.deepEqual(readdirSync(run), ['lock']);
  const name = new RegExp(`^--run .*\\(process ${process.pid} of ${hostname()}, since 20`);
  await assert.rejects(holdRun(run), { name: 'Fault', code: 1, message: name });
  await (await holdRun(fresh()))();
  await release();
  assert.match(readFileSync(join(run, 'lock'), 'utf8'), /^process \d+/);
  await (await holdRun(run))();
});

test('a folder with other things in it is not locked, and left alone', async () => {
  const run = fresh();
  mkdirSync(run);
  writeFileSync(join(run, 'thesis.tex'), 'x');
  await assert.rejects(holdRun(run), { name: 'Fault', message: /a folder with other things in it$/ });
  assert.deepEqual(readdirSync(run), ['thesis.tex']);
});

test('an attempt appears in the run’s folder whole, with a checksum of each file', async () => {
  const run = fresh();
  const sink = new RunSink(run);
  const work = sink.open('0003-0007', 2);
  writeFileSync(join(work, 'wgnet1.pcap'), 'capture');
  writeFileSync(join(work, 'empty'), '');
  assert.deepEqual(readdirSync(join(run, 'visits')), []);
  await sink.keep(work, outcome('0003-0007', 2, ['{"a":', '1}\n', '{"b":2}\n']));
  assert.equal(existsSync(work), false);
  const place = join(run, 'visits', '0003-0007.2');
  assert.deepEqual(readdirSync(place).sort(), ['empty', 'records.jsonl', 'visit.json', 'wgnet1.pcap']);
  assert.equal(readFileSync(join(place, 'records.jsonl'), 'utf8'), '{"a":1}\n{"b":2}\n');
  const { files, ...rest }: VisitSummary = JSON.parse(readFileSync(join(place, 'visit.json'), 'utf8'));
  assert.deepEqual({ ...rest, files: SUMMARY.files }, { ...SUMMARY, visit: '0003-0007', attempt: 2 });
  assert.deepEqual(Object.keys(files).sort(), ['empty', 'records.jsonl', 'wgnet1.pcap']);
  for (const [name, { bytes, sha256 }] of Object.entries(files)) {
    const there = readFileSync(join(place, name));
    assert.equal(bytes, there.length);
    assert.equal(sha256, createHash('sha256').update(there).digest('hex'));
  }
  await sink.close();
  assert.deepEqual(readdirSync(run), ['visits']);
});

test('an attempt whose records cannot be written is not there', async () => {
  const run = fresh();
  const sink = new RunSink(run);
  const work = sink.open('0000-0000', 1);
  const broken = outcome('0000-0000', 1, ['{"a":', new Error('ENOSPC: no space left on device, read')]);
  await assert.rejects(sink.keep(work, broken), /ENOSPC/);
  assert.deepEqual(readdirSync(join(run, 'visits')), []);
  assert.equal(sink.kept().size, 0);
});

test('what a visit that was cut off has left is cleared, at the start and before each attempt', () => {
  const run = fresh();
  mkdirSync(join(run, 'work', '0000-0000.1'), { recursive: true });
  writeFileSync(join(run, 'work', '0000-0000.1', 'wgnet1.pcap'), 'half');
  const sink = new RunSink(run);
  assert.equal(existsSync(join(run, 'work')), false);
  writeFileSync(join(sink.open('0000-0000', 1), 'wgnet1.pcap'), 'half');
  assert.deepEqual(readdirSync(sink.open('0000-0000', 1)), []);
  writeFileSync(join(sink.open('0000-0000', 1), 'wgnet1.pcap'), 'half');
  assert.deepEqual(readdirSync(sink.open('0001-0000', 1)), []);
  assert.deepEqual(readdirSync(join(run, 'work')), ['0001-0000.1']);
});

test('kept attempts are those with an attempt’s name, by visit', () => {
  const run = fresh();
  const names = ['0000-0000.1', '0000-0000.10', '0000-0000.2', '0001-0000.1', '10000-0000.1'];
  for (const name of [...names, '0000-0000', '0000-0000.0', 'x', '0000-0000.1.half', '000-0000.1'])
    mkdirSync(join(run, 'visits', name), { recursive: true });
  const kept = new RunSink(run).kept();
  assert.deepEqual([...kept.keys()], ['0000-0000', '0001-0000', '10000-0000']);
  assert.deepEqual(kept.get('0000-0000')?.sort(), ['0000-0000.1', '0000-0000.10', '0000-0000.2']);
  assert.deepEqual(kept.get('10000-0000'), ['10000-0000.1']);
});

test('records are appended to a file, and an attempt’s files go', async () => {
  const out = fresh();
  for (const visit of ['0000-0000', '0001-0000']) {
    const sink = stream(out);
    const work = sink.open(visit, 1);
    writeFileSync(join(work, 'wgnet1.pcap'), 'x');
    await sink.keep(work, outcome(visit, 1, [`{"visit":"${visit}"`, ',"ü":"€"}\n']));
    assert.equal(existsSync(work), false);
    await sink.close();
  }
  assert.equal(readFileSync(out, 'utf8'), '{"visit":"0000-0000","ü":"€"}\n{"visit":"0001-0000","ü":"€"}\n');
});

for (const [what, half] of [
  ['a single character', '{'],
  ['a short one', '{"format":1,"visit":"00'],
  ['one longer than is read at a time', `{"format":1,"url":"${'x'.repeat(200_000)}`],
  ['one of exactly as much as is read at a time', `{"format":${'1'.repeat(65_526)}`],
] as const)
  test(`half a line that a killed collector left, ${what}, spoils no record`, async () => {
    const out = fresh();
    writeFileSync(out, `{"visit":"0000-0000"}\n{"visit":"0001-0000"}\n${half}`);
    const sink = stream(out);
    await sink.keep(sink.open('0002-0000', 1), outcome('0002-0000', 1, ['{"visit":"0002-0000"}\n']));
    await sink.close();
    const records = readFileSync(out, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).visit);
    assert.deepEqual(records, ['0000-0000', '0001-0000', '0002-0000']);
  });

for (const text of ['my notes', '{"other":"json"}', 'a\nb\n{"form":1', '\u0000\u0001'])
  test(`a file that ends with no record, as ${JSON.stringify(text)}, is refused and left as it is`, () => {
    const out = fresh();
    writeFileSync(out, text);
    assert.throws(() => stream(out), { name: 'Fault', message: /^--out: .* is no file of records/ });
    assert.equal(readFileSync(out, 'utf8'), text);
  });

test('a last line that is a whole record of another program, with its end, is none of ours to judge', async () => {
  const out = fresh();
  writeFileSync(out, 'anything\n');
  await stream(out).close();
  assert.equal(readFileSync(out, 'utf8'), 'anything\n');
});

test('of an attempt whose records cannot be written in full a file has nothing', async () => {
  const out = fresh();
  writeFileSync(out, '{"visit":"0000-0000"}\n');
  const sink = stream(out);
  const broken = outcome('0001-0000', 1, ['{"a":1}\n', '{"half":', new Error('the capture is gone')]);
  await assert.rejects(sink.keep(sink.open('0001-0000', 1), broken), {
    name: 'Fault',
    message: `${out}: the capture is gone`,
  });
  assert.equal(readFileSync(out, 'utf8'), '{"visit":"0000-0000"}\n');
  await sink.keep(sink.open('0001-0000', 2), outcome('0001-0000', 2, ['{"a":2}\n']));
  await sink.close();
  assert.equal(readFileSync(out, 'utf8'), '{"visit":"0000-0000"}\n{"a":2}\n');
});

test('a file that cannot be opened is refused by its flag; a full one is a full disk', async () => {
  assert.throws(() => stream(folder), { name: 'Fault', message: /^--out: EISDIR/ });
  const sink = stream('/dev/full');
  const full = await sink.keep(sink.open('0000-0000', 1), outcome('0000-0000', 1, ['x\n'])).catch(String);
  assert.match(String(full), /^error: .dev.full: the disk is full/);
  await sink.close();
});

test('a full disk in any tool’s words', () => {
  for (const text of [
    'ENOSPC: no space left on device, write',
    'tcpdump: Unable to write output: No space left on device',
    'EDQUOT: disk quota exceeded, write',
    'Disk quota exceeded',
  ])
    assert.equal(isFull(text), true, text);
  for (const text of ['', 'EACCES: permission denied', 'tcpdump on wgnet1 ended early'])
    assert.equal(isFull(text), false, text);
});

test('a place that cannot be written is told as one; a defect stays a defect', () => {
  const system = Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS', syscall: 'open' });
  const fault = placeFault('/run', system) as Error & { code: number };
  assert.deepEqual([fault.name, fault.message, fault.code], ['Fault', `/run: ${system.message}`, 2]);
  const full = placeFault('/run', new Error('ENOSPC: no space left on device')) as Error;
  assert.match(full.message, /^\/run: the disk is full; all visits/);
  const defect = new TypeError('undefined is not a function');
  assert.equal(placeFault('/run', defect), defect);
});
