import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readLines } from '../../scripts/lib/dataset/lines.ts';
import { recordsIn } from '../../scripts/lib/dataset/source.ts';
import { decodeBase64 } from '../../scripts/lib/dataset/trace.ts';
import { type AttemptOf, Visits } from '../../scripts/lib/dataset/visits.ts';
import { readRecord } from '../../scripts/lib/trace-schema.ts';
import { writeRun } from '../synthetic-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-dataset-'));
after(() => rmSync(folder, { recursive: true }));

const file = (bytes: string | Buffer, name = 'x'): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

async function linesOf(bytes: string | Buffer): Promise<[number, string][]> {
  const lines: [number, string][] = [];
  for await (const line of readLines(file(bytes)))
    lines.push([line.number, 'problem' in line ? `! ${line.problem}` : line.bytes.toString()]);
  return lines;
}

test('lines keep their numbers over empty ones; the last may lack its end', async () => {
  assert.deepEqual(await linesOf(''), []);
  assert.deepEqual(await linesOf('\n\n'), []);
  assert.deepEqual(await linesOf('a\n\nb'), [
    [1, 'a'],
    [3, 'b'],
  ]);
});

test('lines longer than what is read at a time, gzip or not, gzip of several parts', async () => {
  const long = 'x'.repeat(3_500_000);
  const text = `${long}\nb\n${long}`;
  const parts = Buffer.concat([gzipSync(text.slice(0, 5000)), gzipSync(text.slice(5000))]);
  for (const bytes of [text, gzipSync(text), parts])
    assert.deepEqual(await linesOf(bytes), [
      [1, long],
      [2, 'b'],
      [3, long],
    ]);
});

test('a gzip file that is cut off, or broken, gives its lines up to there and says so', async () => {
  const bytes = gzipSync('a\nb\nc\n');
  const cut = await linesOf(bytes.subarray(0, bytes.length - 9));
  assert.match(cut.at(-1)?.[1] ?? '', /^! the gzip file is cut off here/);
  const broken = Buffer.from(bytes);
  broken[12] = (broken[12] as number) ^ 0xff;
  assert.match((await linesOf(broken)).at(-1)?.[1] ?? '', /^! .*not read/);
});

test('base64 is the standard one with its padding, and nothing that decoders let pass', () => {
  assert.deepEqual(decodeBase64('+/8='), Buffer.from([0xfb, 0xff]));
  assert.deepEqual(decodeBase64(''), Buffer.alloc(0));
  for (const text of ['-_8=', '+/8', '+/8=\n', ' +/8=', '+/9=', '====', 'a', '+/8==', '+/8=+/8='])
    assert.equal(decodeBase64(text), undefined, JSON.stringify(text));
});

const [made] = writeRun(join(folder, 'run'), { visits: 1 });
const good = made?.records[0] as object;

test('a record of wrong types names its key', () => {
  const problem = (change: object): string => {
    const read = readRecord(JSON.stringify({ ...good, ...change }));
    return 'problem' in read ? read.problem : '';
  };
  assert.equal(problem({ more: 1 }), '');
  assert.match(problem({ packets: null }), /^packets: /);
  assert.match(problem({ run: 'first' }), /^run: no UUID/);
  assert.match(problem({ run: undefined }), /^run: /);
  assert.match(problem({ seed: -1 }), /^seed: /);
  assert.match(problem({ started: 'now' }), /^started: /);
  assert.match(problem({ failure: { kind: 7, message: '' } }), /^failure\.kind: /);
  assert.match(problem({ interface: 'wgnet9' }), /^interface: is none of interfaces/);
  assert.match(problem({ http_trace: [1], switches: 2 }), /and 1 more/);
  for (const text of ['', '{', 'null', '[]', '3', '{"format":1}'])
    assert.ok('problem' in readRecord(text), text);
});

test('a records file with all that can be wrong: each is FILE:LINE, the good ones come through', async () => {
  const line = readFileSync(join(folder, 'run/visits/0000-0000.1/records.jsonl'), 'utf8').split(
    '\n',
  )[0] as string;
  const path = file(`${line}\nno json\n{"a":1}\n${line}\n${line.slice(0, 2000)}`, 'records');
  const found: string[] = [];
  for await (const item of recordsIn(path))
    found.push('problem' in item ? `${item.at}: ${item.problem}` : 'good');
  assert.equal(found.length, 5);
  assert.deepEqual([found[0], found[3]], ['good', 'good']);
  assert.equal(found[1], `${path}:2: no JSON, or cut off`);
  assert.match(found[2] as string, /records:3: format: /);
  assert.equal(found[4], `${path}:5: no JSON, or cut off`);
});

test('attempts by visit of a run, in the order of their numbers', () => {
  const visits = new Visits<AttemptOf & { id: string }>();
  const add = (visit: string, attempt: number, id: string, run = 'r') =>
    visits.add({ run, visit, attempt, id });
  add('a', 3, 'last');
  add('a', 1, 'first');
  add('b', 1, 'other visit');
  add('a', 2, 'its retry');
  add('a', 1, 'other run', 's');
  assert.deepEqual(
    [...visits.all()].map((chain) => chain.map(({ id }) => id)),
    [['first', 'its retry', 'last'], ['other visit'], ['other run']],
  );
});
