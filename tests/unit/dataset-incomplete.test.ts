import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { hasBothWays, type TraceRecord } from '../../client/scripts/lib/trace/record.ts';
import { exportTraces } from '../../scripts/lib/dataset/export.ts';
import { mergeInto } from '../../scripts/lib/dataset/merge.ts';
import { planOf } from '../../scripts/lib/dataset/plan.ts';
import { readStats } from '../../scripts/lib/dataset/read-stats.ts';
import { itemsOf, openSource } from '../../scripts/lib/dataset/source.ts';
import { validate } from '../../scripts/lib/dataset/validate.ts';
import { readRecord } from '../../scripts/lib/trace-schema.ts';
import { runHere } from '../command.ts';
import { pcapBytes, udpPacket } from '../pcap-writer.ts';
import { asciiJson, writeRun } from '../synthetic-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-incomplete-'));
after(() => rmSync(folder, { recursive: true }));
const RUN = join(folder, 'run');
const attempts = writeRun(RUN);
const LARGE = '0002-0000.1';
const large = attempts.find((made) => made.folder === LARGE)?.records as [TraceRecord, ...TraceRecord[]];
const WISH = { path: 'joined', cut: 'none', least: 1 } as const;

let number = 0;
const recordsFile = (records: readonly object[], end = ''): string => {
  const path = join(folder, `records-${number++}`);
  writeFileSync(path, records.map((record) => `${asciiJson(record)}\n`).join('') + end);
  return path;
};
const copyOfRun = (change: (attempt: string) => void): string => {
  const copy = join(folder, `copy-${number++}`);
  cpSync(RUN, copy, { recursive: true });
  change(join(copy, 'visits', LARGE));
  return copy;
};

async function planned(path: string) {
  const told: string[] = [];
  const plan = await planOf(itemsOf([openSource(path)]), WISH, (at, what) =>
    told.push(`${at}: ${what}`.replace(path, '')),
  );
  return { plan, told, left: [...plan.left], chosen: [...plan.chosen.values()].map(({ visit }) => visit) };
}

const MISSING = 'visit 0002-0000.1 is incomplete: no record of wgnet3';

test('a records file that lost a line of a visit: the visit is left out, told, and no valid data set', async () => {
  const path = recordsFile(large.slice(0, 2));
  const { told, left, chosen } = await planned(path);
  assert.deepEqual([told, left, chosen], [[`:1: ${MISSING}`], [['incomplete', 1]], []]);
  assert.deepEqual((await validate([path])).findings, [{ at: `${path}:1`, what: MISSING }]);
  const said: string[] = [];
  const { overall } = await readStats([openSource(path)], (_, what) => said.push(what));
  assert.deepEqual([said, overall.visits], [[MISSING], 0]);
});

test('a cut line is the record that is missing; from two files together the visit is whole', async () => {
  const path = recordsFile(large.slice(0, 2), asciiJson(large[2]).slice(0, 900));
  assert.deepEqual((await planned(path)).left, [['incomplete', 1]]);
  const rest = recordsFile(large.slice(2));
  assert.deepEqual((await validate([recordsFile(large.slice(0, 2)), rest])).findings, []);
});

test('the command says it and ends with 2; the other visits are exported', async () => {
  const other = attempts.find((made) => made.folder === '0001-0000.1')?.records ?? [];
  const out = join(folder, 'half.npz');
  const words = ['export', recordsFile([...other, ...large.slice(1)]), '--format', 'npz', '-o', out];
  const { code, stdout, stderr } = await runHere('scripts/dataset.ts', words);
  assert.equal(code, 2);
  assert.match(stderr, /left out: .*:4: visit 0002-0000\.1 is incomplete: no record of wgnet1/);
  assert.match(stdout, /1 traces of 1 visits, 1 labels[\s\S]*not taken 1 incomplete/);
});

const inRuns: [string, (attempt: string) => void, RegExp][] = [
  ['no records file', (place) => rmSync(join(place, 'records.jsonl')), /records\.jsonl: missing/],
  [
    'an empty records file',
    (place) => writeFileSync(join(place, 'records.jsonl'), ''),
    /records\.jsonl: holds no record/,
  ],
  [
    'a line more that is no record',
    (place) => writeFileSync(join(place, 'records.jsonl'), '{"cut', { flag: 'a' }),
    /records\.jsonl:4: no JSON/,
  ],
];
for (const [name, change, said] of inRuns)
  test(`a run whose visit has ${name}: the visit is incomplete`, async () => {
    const { told, left, chosen } = await planned(copyOfRun(change));
    assert.equal(told.length, 1);
    assert.match(told[0] ?? '', said);
    assert.deepEqual(
      [left, chosen.length, chosen.includes('0002-0000')],
      [
        [
          ['bot-wall', 1],
          ['incomplete', 1],
        ],
        7,
        false,
      ],
    );
  });

test('a record says the records of its attempt, itself among them', async () => {
  const problem = (change: object): string => {
    const read = readRecord(JSON.stringify({ ...large[0], ...change }));
    return 'problem' in read ? read.problem : '';
  };
  assert.equal(problem({}), '');
  assert.match(problem({ recorded: undefined }), /^recorded: /);
  assert.match(problem({ recorded: ['wgnet2'] }), /^recorded: has not the interface of this record/);
  assert.match(problem({ recorded: ['wgnet1', 'wgnet9'] }), /^recorded: has one that is none of interfaces/);
  const lines = large.slice(0, 2).map((one) => ({ ...one, recorded: ['wgnet1', 'wgnet2'] }));
  const run = copyOfRun((place) =>
    writeFileSync(join(place, 'records.jsonl'), lines.map((one) => `${asciiJson(one)}\n`).join('')),
  );
  const { findings } = await validate([run]);
  assert.ok(findings.some(({ what }) => what === 'recorded is not what the paths in visit.json give'));
});

const other = { ...large[1], packets: large[0].packets };
const late = Math.round((large[0].ended + 1.5) * 1e6);
const [to, from] = [large[0].client_address, '192.0.2.20'];
const astray = {
  ...{ ...large[0], packets_out: 1, packets_in: 1, bytes_out: 60, bytes_in: 60 },
  packets: pcapBytes([
    { us: late, bytes: udpPacket(to, from, 60) },
    { us: late, bytes: udpPacket(from, to, 60) },
  ]).toString('base64'),
};
const corrupt: [string, object[], RegExp][] = [
  ['other counts', [{ ...large[0], packets_out: 1 }, ...large.slice(1)], /packets: \d+ out and \d+ in, the/],
  [
    'the packets of another path',
    [large[0], other, large[2] as object],
    /packets: 0 out and 0 in, the record/,
  ],
  ['packets of another time', [astray, ...large.slice(1)], /packets: some are outside of started to ended/],
  ['packets that are none', [{ ...large[0], packets: 'AAAA' }, ...large.slice(1)], /packets: shorter than/],
];
for (const [name, records, said] of corrupt)
  test(`a record with ${name} is neither exported nor merged, and told`, async () => {
    const path = recordsFile(records);
    const { told, left, chosen } = await planned(path);
    assert.deepEqual([told.length, left, chosen], [1, [['broken', 1]], []]);
    assert.match(told[0] ?? '', said);
    const merge: string[] = [];
    const tell = (at: string, what: string): void => void merge.push(`${at}: ${what}`);
    const { records: kept } = await mergeInto(() => undefined, itemsOf([openSource(path)]), {
      ...{ gzip: false, tell },
    });
    assert.deepEqual([kept, merge.length], [2, 1]);
    assert.match(merge[0] ?? '', said);
  });

test('a clock that is half a second off is no other time', async () => {
  const path = recordsFile(large.map((one) => ({ ...one, ended: one.ended - 0.9 })));
  assert.deepEqual((await planned(path)).told, []);
});

test('of two attempts that are successes the last is taken', async () => {
  const second = large.map((one) => ({ ...one, attempt: 2 }));
  const { plan } = await planned(recordsFile([...second, ...large]));
  assert.deepEqual([...plan.chosen.keys()], [`${large[0].run} 0002-0000.2`]);
});

test('packets of paths with one direction only are counted, where a run folder is exported', async () => {
  const tell = (at: string, what: string): never => assert.fail(`${at}: ${what}`);
  const run = copyOfRun((place) => {
    // What came in on wgnet1 is lost: the path has no record.
    const summary = JSON.parse(readFileSync(join(place, 'visit.json'), 'utf8'));
    Object.assign(summary.paths[0], { packets_in: 0, bytes_in: 0, packets_out: 37 });
    writeFileSync(join(place, 'visit.json'), JSON.stringify(summary));
    const lines = large.slice(1).map((one) => ({ ...one, recorded: ['wgnet2', 'wgnet3'] }));
    writeFileSync(join(place, 'records.jsonl'), lines.map((one) => `${asciiJson(one)}\n`).join(''));
  });
  const paths = attempts
    .filter(({ summary, folder: name }) => summary.status === 'success' && name !== LARGE)
    .flatMap(({ summary }) => summary.paths)
    .filter((path) => !hasBothWays(path) && path.packets_out + path.packets_in > 0);
  const before = paths.reduce((sum, path) => sum + path.packets_out + path.packets_in, 0);
  const wish = { ...WISH, format: 'npz', length: 9, sizes: false, origin: 'own', force: false } as const;
  const made = await exportTraces([openSource(run)], { ...wish, out: join(folder, 'one-way.npz') }, tell);
  assert.deepEqual(made.oneWay, { packets: before + 37, paths: paths.length + 1 });
  const words = ['export', run, '--format', 'npz', '-o', join(folder, 'said.npz')];
  const { stdout } = await runHere('scripts/dataset.ts', words);
  assert.match(
    stdout,
    new RegExp(`${before + 37} packets on ${paths.length + 1} paths? with one direction only`),
  );
});

test('sources that change between the two looks are refused, and nothing is written', async () => {
  const path = recordsFile(large, '{"cut');
  const out = join(folder, 'changed.npz');
  const wish = { ...WISH, format: 'npz', length: 9, sizes: false, origin: 'own', force: false, out } as const;
  const change = (): void => writeFileSync(path, `${asciiJson(large[0])}\n`);
  await assert.rejects(exportTraces([openSource(path)], wish, change), /the sources changed while they were/);
  for (const file of [out, `${out}.labels.csv`]) assert.throws(() => readFileSync(file), /ENOENT/);
});
