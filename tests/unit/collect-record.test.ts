import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { asciiJson, PIECE, recordText } from '../../client/scripts/lib/collect/record.ts';
import { pieces } from '../../client/scripts/lib/folders.ts';
import type { TraceRecord } from '../../client/scripts/lib/trace/record.ts';
import { writeRun } from '../synthetic-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-record-'));
after(() => rmSync(folder, { recursive: true }));

const made = writeRun(join(folder, 'run')).flatMap(({ records }) => records);
const { packets, ...RECORD } = made.find((record) => record.packets !== '') as TraceRecord;
assert.ok(packets.length > 100);

const NASTY = 'ü\u2028\u2029\u0085\u007f😀\ud800 "\\\u0000\ufeff\uffff\r\n';

async function* of(...buffers: Buffer[]): AsyncGenerator<Buffer> {
  yield* buffers;
}

async function textOf(record: typeof RECORD, capture: AsyncIterable<Buffer> | undefined): Promise<string> {
  let text = '';
  for await (const piece of recordText(record, capture)) text += piece;
  return text;
}

test('JSON of any text is ASCII in one line, and gives that text again', () => {
  for (const text of ['', 'a/b', NASTY]) assert.equal(JSON.parse(asciiJson(text)), text);
  assert.equal(asciiJson('\u2028😀\ud800\u007f'), '"\\u2028\\ud83d\\ude00\\ud800\\u007f"');
  const units = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 50 });
  fc.assert(
    fc.property(units, (codes) => {
      const value = { [String.fromCharCode(...codes)]: [String.fromCharCode(...codes), 1, null] };
      const json = asciiJson(value);
      assert.match(json, /^[\u0020-\u007e]*$/);
      assert.deepEqual(JSON.parse(json), value);
    }),
  );
});

test('a capture is the same base64 however its pieces are cut', async () => {
  const bytes = fc.uint8Array({ maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(fc.array(bytes, { maxLength: 8 }), async (list) => {
      const buffers = list.map((each) => Buffer.from(each));
      const line = await textOf(RECORD, of(...buffers));
      assert.equal(JSON.parse(line).packets, Buffer.concat(buffers).toString('base64'));
    }),
  );
});

for (const size of [0, 1, 2, 3, 4, 5, 6, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 2])
  test(`the base64 of a file of ${size} bytes`, async () => {
    const bytes = Buffer.from(Array.from({ length: size }, (_, i) => (i * 7 + (i >> 8)) & 0xff));
    const file = join(folder, 'capture');
    writeFileSync(file, bytes);
    for (const piece of [1000, PIECE]) {
      const found = JSON.parse(await textOf(RECORD, pieces(file, piece))).packets;
      assert.ok(found === bytes.toString('base64'), `in pieces of ${piece}`);
    }
  });

test('a record is one line, with packets as its last key, and none without a capture', async () => {
  const line = await textOf({ ...RECORD, page_source: NASTY }, of(Buffer.from('ab')));
  assert.ok(line.endsWith(',"packets":"YWI="}\n'));
  assert.match(line.slice(0, -1), /^[\u0020-\u007e]+$/);
  assert.deepEqual(JSON.parse(line), { ...RECORD, page_source: NASTY, packets: 'YWI=' });
  assert.equal(Object.keys(JSON.parse(line)).at(-1), 'packets');
  assert.equal(JSON.parse(await textOf(RECORD, undefined)).packets, '');
});

const READER = `
import base64, json, sys
for line in sys.stdin.read().splitlines():
    record = json.loads(line)
    pcap = base64.standard_b64decode(record["packets"])
    print(json.dumps([record["url"], record["page_source"], pcap.hex()]))
`;

test('Python’s json and standard_b64decode read it', async () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  const lines = await Promise.all([
    textOf({ ...RECORD, page_source: NASTY }, of(bytes.subarray(0, 100), bytes.subarray(100))),
    textOf({ ...RECORD, page_source: null }, undefined),
  ]);
  const input = lines.join('');
  const said = execFileSync('/usr/bin/python3', ['-c', READER], { input, encoding: 'utf8' });
  assert.deepEqual(
    said
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [
      [RECORD.url, NASTY, bytes.toString('hex')],
      [RECORD.url, null, ''],
    ],
  );
});
