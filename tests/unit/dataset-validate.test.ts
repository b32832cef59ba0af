import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Packet, readPcap } from '../../client/scripts/lib/trace/pcap.ts';
import type { TraceRecord } from '../../client/scripts/lib/trace/record.ts';
import { validate } from '../../scripts/lib/dataset/validate.ts';
import { pcapBytes, udpPacket } from '../pcap-writer.ts';
import { asciiJson, OTHER_RUN, writeRun } from '../synthetic-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-validate-'));
after(() => rmSync(folder, { recursive: true }));

const RUN = join(folder, 'run');
const attempts = writeRun(RUN);
const large = attempts.find(({ folder: name }) => name === '0002-0000.1')?.records ?? [];
const LARGE = 'visits/0002-0000.1';

/** Findings of a copy of the run that was changed, without its own path. */
async function findingsAfter(change: (run: string) => void): Promise<string[]> {
  const copy = mkdtempSync(join(folder, 'copy-'));
  cpSync(RUN, copy, { recursive: true });
  change(copy);
  const { findings } = await validate([copy]);
  rmSync(copy, { recursive: true });
  return findings.map(({ at, what }) => `${at.replace(copy, '').replace('/', '')}: ${what}`);
}

const text = (path: string): string => readFileSync(path, 'utf8');

/** Writes a file of an attempt, and its checksum into visit.json. */
function put(run: string, attempt: string, name: string, bytes: Buffer): void {
  writeFileSync(join(run, attempt, name), bytes);
  const summary = JSON.parse(text(join(run, attempt, 'visit.json')));
  summary.files[name] = { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  writeFileSync(join(run, attempt, 'visit.json'), JSON.stringify(summary));
}

const putRecords = (run: string, records: readonly object[]): void =>
  put(run, LARGE, 'records.jsonl', Buffer.from(records.map((record) => `${asciiJson(record)}\n`).join('')));

test('what the collector leaves is valid; failures, retries and unused paths are', async () => {
  const found = await validate([RUN]);
  assert.deepEqual(found.findings, []);
  const { visits, success, failures, attempts: tried, records } = found;
  assert.deepEqual(
    { visits, success, failures, tried },
    { visits: 9, success: 8, failures: { 'bot-wall': 1 }, tried: 11 },
  );
  assert.equal(records, attempts.flatMap((attempt) => attempt.records).length);
});

test('headers only, one path that holds, one URL: valid too', async () => {
  const runs: Parameters<typeof writeRun>[1][] = [
    { headersOnly: true },
    { strategy: 'none' },
    { strategy: 'rr', period: 0.013 },
    { strategy: 'fixed', weights: [5, 3, 2] },
    { strategy: 'packet' },
    { strategy: 'packet', weights: [5, 3, 0], order: 'rr' },
    { strategy: 'bwr', headersOnly: true },
    { strategy: 'bwr', weights: [1, 1, 2], batch: [2, 5] },
    { urls: ['https://one.example'], visits: 1, interfaces: ['wgnet1'], strategy: 'ur', failures: {} },
  ];
  for (const [i, options] of runs.entries()) {
    writeRun(join(folder, `other-${i}`), options);
    assert.deepEqual((await validate([join(folder, `other-${i}`)])).findings, []);
  }
});

const damages: [string, (run: string) => void, RegExp][] = [
  [
    'a capture with another byte',
    (run) => {
      const file = join(run, LARGE, 'wgnet2.pcap');
      const bytes = readFileSync(file);
      bytes[bytes.length - 1] = 7;
      writeFileSync(file, bytes);
    },
    /wgnet2\.pcap: its checksum is not that/,
  ],
  [
    'a capture that is shorter',
    (run) => writeFileSync(join(run, LARGE, 'wgnet2.pcap'), ''),
    /wgnet2\.pcap: 0 bytes, visit\.json says/,
  ],
  ['a file that is gone', (run) => rmSync(join(run, LARGE, 'switches.jsonl')), /switches\.jsonl: missing/],
  [
    'a file that nobody knows',
    (run) => writeFileSync(join(run, LARGE, 'core'), ''),
    /core: not in visit\.json/,
  ],
  ['visit.json is gone', (run) => rmSync(join(run, LARGE, 'visit.json')), /visit\.json: missing/],
  [
    'visit.json is cut',
    (run) => writeFileSync(join(run, LARGE, 'visit.json'), '{"format":1,'),
    /visit\.json: no JSON/,
  ],
  [
    'a visit is gone',
    (run) => rmSync(join(run, LARGE), { recursive: true }),
    /^: not finished: 8 of 9 visits$/,
  ],
  [
    'a last attempt is gone',
    (run) => rmSync(join(run, 'visits/0001-0002.2'), { recursive: true }),
    /^: not finished: 8 of 9 visits; with attempts left: 0001-0002$/,
  ],
  ['a strange folder', (run) => mkdirSync(join(run, 'visits/new')), /visits\/new: no attempt/],
  [
    'work is not empty',
    (run) => mkdirSync(join(run, 'work/0000-0000.2'), { recursive: true }),
    /^work: holds a visit under way, or cut off$/,
  ],
  [
    'an attempt under another name',
    (run) => cpSync(join(run, LARGE), join(run, 'visits/0002-0000.2'), { recursive: true }),
    /0002-0000\.2\/visit\.json: says visit 0002-0000, attempt 1/,
  ],
  [
    'the same records twice',
    (run) => putRecords(run, [...large, ...large]),
    /records\.jsonl:4: a second record of wgnet1/,
  ],
  ['a record is gone', (run) => putRecords(run, large.slice(1)), /records\.jsonl: no record of wgnet1/],
  [
    'a record is cut',
    (run) => put(run, LARGE, 'records.jsonl', Buffer.from(asciiJson(large[0]).slice(0, 5000))),
    /records\.jsonl:1: no JSON/,
  ],
  [
    'a record of another visit',
    (run) =>
      putRecords(
        run,
        large.map((one) => ({ ...one, seed: 3 })),
      ),
    /:1: seed is not that in visit\.json/,
  ],
  [
    'records of another run',
    (run) =>
      putRecords(
        run,
        large.map((one) => ({ ...one, run: OTHER_RUN })),
      ),
    /:1: run is not that in visit\.json/,
  ],
  [
    'packets of another path',
    (run) =>
      putRecords(
        run,
        large.map((one) => ({ ...one, packets: large[0]?.packets })),
      ),
    /:2: packets are not those in wgnet2\.pcap/,
  ],
  [
    'a switch log that says otherwise',
    (run) => {
      const lines = text(join(run, LARGE, 'switches.jsonl'))
        .trimEnd()
        .split('\n');
      put(run, LARGE, 'switches.jsonl', Buffer.from(lines.slice(0, -1).join('\n')));
    },
    /:1: switch \d+ is not in the switch log/,
  ],
  [
    'a switch log that is cut',
    (run) => {
      const file = join(run, LARGE, 'switches.jsonl');
      put(run, LARGE, 'switches.jsonl', Buffer.from(`${text(file)}{"event":"sw`));
    },
    /switches\.jsonl:\d+: no line of a switch log/,
  ],
  [
    'a manifest of another seed',
    (run) => {
      const file = join(run, 'manifest.json');
      writeFileSync(file, text(file).replace('"seed": 42', '"seed": 43'));
    },
    /run_seed is not the seed of the manifest/,
  ],
  [
    'a manifest of another run',
    (run) => {
      const file = join(run, 'manifest.json');
      writeFileSync(file, text(file).replace(/"run": "[^"]*"/, `"run": "${OTHER_RUN}"`));
    },
    /0002-0000\.1\/visit\.json: run is not that of the manifest/,
  ],
  [
    'a manifest without the UUID of its run',
    (run) => {
      const file = join(run, 'manifest.json');
      writeFileSync(file, text(file).replace(/"run": "[^"]*",/, ''));
    },
    /^manifest\.json: run: no UUID/,
  ],
  [
    'a manifest that is cut',
    (run) => writeFileSync(join(run, 'manifest.json'), '{'),
    /^manifest\.json: no JSON/,
  ],
];
for (const [name, change, said] of damages)
  test(`found: ${name}`, async () => {
    const found = await findingsAfter(change);
    assert.ok(
      found.some((line) => said.test(line)),
      found.slice(0, 5).join('\n'),
    );
  });

test('a damaged attempt that was taken away before a later one is a note, and nothing is invalid', async () => {
  const run = join(folder, 'taken');
  writeRun(run);
  assert.deepEqual((await validate([run])).notes, []);
  rmSync(join(run, 'visits/0000-0001.1'), { recursive: true });
  const { findings, notes } = await validate([run]);
  assert.deepEqual(findings, []);
  const at = join(run, 'visits/0000-0001.2');
  assert.deepEqual(notes, [{ at, what: 'attempt 1 is missing, and not made again' }]);
});

test('entries that the migrator left out since it was late are no fault', async () => {
  const found = await findingsAfter((run) => {
    const log = text(join(run, LARGE, 'switches.jsonl'))
      .trimEnd()
      .split('\n');
    const kept = large[0]?.switches.filter(({ n }) => n !== 2 && n !== 3) ?? [];
    const switches = kept.map((one, i) => ({ ...one, from: kept[i - 1]?.path ?? null }));
    const late = { event: 'late', n: 2, time: kept[2]?.time, skipped: 2, late: 0.2 };
    const lines = [log[0], ...[...switches, late].map((line) => JSON.stringify(line))];
    put(run, LARGE, 'switches.jsonl', Buffer.from(`${lines.join('\n')}\n`));
    putRecords(
      run,
      large.map((one) => ({ ...one, switches })),
    );
  });
  assert.deepEqual(found, []);
});

test('a path may have one direction only, a visit may not', async () => {
  const file = join(folder, 'one-way.jsonl');
  const [first, second] = large as [TraceRecord, TraceRecord];
  const up = readPcap(Buffer.from(first.packets, 'base64'), first.client_address).packets.find(
    ({ direction }) => direction === 1,
  ) as Packet;
  const bytes = udpPacket(first.client_address, '192.0.2.20', up.size);
  const recorded = [first.interface, second.interface];
  const oneWay = {
    ...{
      ...first,
      packets_out: 1,
      packets_in: 0,
      bytes_out: up.size,
      bytes_in: 0,
      recorded: [first.interface],
    },
    packets: pcapBytes([{ us: Math.round(up.time * 1e6), bytes }]).toString('base64'),
  };
  writeFileSync(file, [oneWay, second].map((one) => `${asciiJson({ ...one, recorded })}\n`).join(''));
  const both = await validate([file]);
  assert.deepEqual([both.findings, both.one_way], [[], 1]);
  writeFileSync(file, `${asciiJson(oneWay)}\n`);
  assert.match((await validate([file])).findings[0]?.what ?? '', /packets in one direction only, over all/);
});

test('two runs of one seed are two; a copy of a run is told', async () => {
  const again = join(folder, 'again');
  writeRun(again, { run: OTHER_RUN });
  const { findings, visits, attempts: tried } = await validate([RUN, again]);
  assert.deepEqual({ findings, visits, tried }, { findings: [], visits: 18, tried: 22 });
  const copy = join(folder, 'copied');
  cpSync(RUN, copy, { recursive: true });
  const both = await validate([RUN, copy]);
  assert.equal(both.visits, 9);
  assert.equal(both.findings.length, both.records / 2);
  assert.match(both.findings[0]?.what ?? '', /the record that .*run\/visits\/.* has too/);
});

test('a records file: valid by itself, and each record once', async () => {
  const file = join(folder, 'all.jsonl');
  const lines = attempts.flatMap((attempt) => attempt.records).map((one) => `${asciiJson(one)}\n`);
  writeFileSync(file, lines.join(''));
  const { findings, visits, success, attempts: tried } = await validate([file]);
  assert.deepEqual({ findings, visits, success, tried }, { findings: [], visits: 9, success: 8, tried: 11 });
  writeFileSync(file, [...lines, lines[0]].join(''));
  const again = await validate([file]);
  assert.match(again.findings[0]?.what ?? '', /the record that .*all\.jsonl:1 has too/);
  writeFileSync(file, '');
  assert.deepEqual((await validate([file])).findings, [{ at: file, what: 'empty' }]);
});
