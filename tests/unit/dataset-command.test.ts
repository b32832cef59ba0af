import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { attempt } from '../../scripts/lib/transport/local.ts';
import { runHere } from '../command.ts';
import { pcapBytes } from '../pcap-writer.ts';
import { writeRun } from '../synthetic-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-dataset-command-'));
after(() => rmSync(folder, { recursive: true }));
const RUN = join(folder, 'run');
const made = writeRun(RUN);
const PCAP = join(RUN, 'visits/0002-0000.1/wgnet1.pcap');

const at = (name: string): string => join(folder, name);
const file = (name: string, bytes: string | Buffer): string => {
  writeFileSync(at(name), bytes);
  return at(name);
};
const command = ([name, ...words]: readonly string[]) => runHere(`scripts/${name}.ts`, words);
/** As a program of its own, which others may make wait, or end. */
const started = (...[name, ...words]: string[]) =>
  attempt(['node', '--import=tsx', `scripts/${name}.ts`, ...words]);

const PIPE = at('pipe');
execFileSync('mkfifo', [PIPE]);

const table: [string[], number, RegExp][] = [
  [['dataset', 'validate', RUN], 0, /✓ valid\n {2}visits {4}9: 8 success, failed: 1 bot-wall/],
  [['dataset', 'validate', RUN, '--json'], 0, /"findings": \[\]/],
  [['dataset', 'validate', file('empty', '')], 2, /empty: empty\n1 finding/],
  [['dataset', 'validate', file('text', 'no json\n')], 2, /text:1: no JSON, or cut off/],
  [
    ['dataset', 'validate', file('cut.gz', gzipSync('{}\n').subarray(0, 12))],
    2,
    /cut\.gz:1: the gzip file is cut off/,
  ],
  [['dataset', 'validate', at('nothing')], 1, /nothing: no such file/],
  [['dataset', 'validate', folder], 1, /a folder without manifest\.json/],
  [['dataset', 'validate'], 1, /missing required argument/],
  [['dataset', 'stats', RUN, '--csv'], 0, /^url,visits,attempts,success,/],
  [['dataset', 'stats', RUN, '--csv', '--json'], 1, /not together with --csv/],
  [['dataset', 'stats', at('text')], 2, /left out: .*text:1/],
  [['dataset', 'export', RUN, '--format', 'npz'], 1, /required option '-o/],
  [
    ['dataset', 'export', RUN, '--format', 'zip', '-o', at('x')],
    1,
    /Allowed choices are npz, cell, csv, parquet/,
  ],
  [['dataset', 'export', RUN, '--format', 'npz', '-o', at('x'), '--length', '0'], 1, /--length: "0"/],
  [
    ['dataset', 'export', RUN, '--format', 'npz', '-o', at('x'), '--path', 'both'],
    1,
    /"both" is for cell and csv/,
  ],
  [['dataset', 'export', RUN, '--format', 'npz', '-o', '/proc/x'], 1, /\/proc\/x: cannot write/],
  [['dataset', 'export', RUN, '--format', 'cell', '-o', '/proc/x'], 1, /\/proc\/x: cannot create/],
  [['dataset', 'export', at('empty'), '--format', 'npz', '-o', at('x')], 1, /there is no visit/],
  [['dataset', 'merge', at('text'), '-o', at('x')], 1, /there is no record to merge/],
  [['split', PCAP, '-o', at('s-pcap'), '--seed', '1'], 0, /✓ 1 trace over 3 paths in .*s-pcap \(seed 1\)/],
  [
    ['split', RUN, '-o', at('s-run'), '--seed', '1', '--paths', '2'],
    0,
    /✓ 8 traces over 2 paths in .* \(seeds 1 to 8, one a trace\)/,
  ],
  [['split', RUN, '--compare'], 0, /^overall( +100\.00 %){5}$/m],
  [['dataset', 'export', PIPE, '--format', 'npz', '-o', at('x')], 1, /pipe: is no file, and is read twice/],
  [['split', PIPE, '-o', at('x')], 1, /pipe: is no file, and is read twice/],
  [['split', PCAP], 1, /a folder is needed, or --compare/],
  [['split', at('empty'), '-o', at('x')], 1, /empty: empty/],
  [['split', file('nan.cell', '0\t1\nNaN\t1\n'), '-o', at('x')], 1, /nan\.cell:2: its time is no number/],
  [
    ['split', file('odd.csv', 'time,signed_size\n0,100\n1,\n'), '-o', at('x')],
    1,
    /odd\.csv:3: its direction/,
  ],
  [
    ['split', file('back.csv', '5,100\n1,-100\n'), '-o', at('s-back')],
    0,
    /back: was not in the order of time, and is now/,
  ],
  [
    ['split', file('far.csv', '0,100\n1e10,100\n'), '-o', at('x')],
    1,
    /far: lasts longer than 10000000 periods/,
  ],
  [
    ['split', file('ms.csv', '1760000000000,100\n'), '-o', at('x')],
    1,
    /ms\.csv:1: its time is 1760000000000/,
  ],
  [['split', file('bom.csv', '\ufefftime,signed_size\n0,100\n'), '-o', at('s-bom')], 0, /✓ 1 trace/],
  [['split', file('bom.cell', '\ufeff0\t1\n'), '-o', at('s-bom2')], 0, /✓ 1 trace/],
  [
    ['split', file('x.npz', Buffer.from('504b030414000000', 'hex')), '-o', at('x')],
    1,
    /x\.npz: is a ZIP archive, as \.npz files are.*\n {2}next: /,
  ],
  [['split', file('x.parquet', 'PAR1....'), '-o', at('x')], 1, /x\.parquet: is a Parquet file/],
  [['split', file('link.pcap', pcapBytes([], { link: 105 })), '-o', at('x')], 1, /link type 105/],
  [['split', file('none.pcap', pcapBytes([])), '-o', at('x')], 1, /not one IP packet/],
  [['split', PCAP, '--client', '10.9.9.9', '-o', at('x')], 1, /not one packet of the client/],
  [['split', PCAP, PCAP, '-o', at('x')], 1, /two traces are called wgnet1/],
  [['split', PCAP, '-o', RUN, '--force'], 1, /leaves this folder alone/],
  [
    ['split', PCAP, '--first', '4', '-o', at('x')],
    1,
    /--first: "4" is not the number of a path: there are 3/,
  ],
  [
    ['split', PCAP, '--strategy', 'packet', '--period', '1', '-o', at('x')],
    1,
    /--period: packet counts packets/,
  ],
  [
    ['split', PCAP, '--strategy', 'hywf', '--seed', '1', '-o', at('s-hywf')],
    0,
    /1 trace over 3 paths in .*seed 1/,
  ],
];
for (const [words, exit, said] of table)
  test(`exit ${exit}: ${words.join(' ').replaceAll(folder, '…')}`, async () => {
    const { code, stdout, stderr } = await command(words);
    assert.equal(code, exit, stdout + stderr);
    assert.match(stdout + stderr, said);
    assert.doesNotMatch(stderr, /^ +at /m, 'no stack trace');
  });

test('the paths of a split, joined again, are the trace', async () => {
  const name = join(at('s-all'), 'wgnet1');
  assert.equal(
    (await started('split', PCAP, '-o', at('s-all'), '--strategy', 'rr', '--seed', '3', '--origin', 'visit'))
      .code,
    0,
  );
  const lines = (suffix: string): string[] =>
    readFileSync(`${name}_${suffix}.cell`, 'utf8').split('\n').slice(0, -1);
  const parts = [0, 1, 2].map((path) => lines(`split_${path}`));
  assert.deepEqual(parts.flat().sort(), lines('join').sort());
  const path = made.find((one) => one.folder === '0002-0000.1')?.summary.paths[0];
  assert.equal(lines('join').length, (path?.packets_in ?? 0) + (path?.packets_out ?? 0));
  assert.ok(parts.every((part) => part.length > 0 && part.length < lines('join').length));
});

/** Ends a command by Ctrl-C once it has begun to write; its exit, and what is left of its output. */
async function interrupted(name: string, source: string): Promise<{ code: number; left: string[] }> {
  const child = spawn('node', ['--import=tsx', 'scripts/dataset.ts', 'merge', source, '-o', at(name)]);
  while (!readdirSync(folder).some((entry) => entry.startsWith(`.${name}.`)))
    await new Promise((resolve) => setTimeout(resolve, 20));
  const ended = once(child, 'exit', { signal: AbortSignal.timeout(60_000) });
  child.kill('SIGINT');
  const [code] = await ended;
  return { code, left: readdirSync(folder).filter((entry) => entry.includes(name)) };
}

test('a pipe is read as a file is, also where its writer comes later', async () => {
  const reading = started('dataset', 'stats', PIPE, '--csv');
  spawn('sh', ['-c', `cat ${RUN}/visits/*/records.jsonl > ${PIPE}`]);
  const { code, stdout, stderr } = await reading;
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^overall,9,11,8,/m);
});

test('Ctrl-C ends a command that waits for a pipe', async () => {
  assert.deepEqual(await interrupted('waits', PIPE), { code: 99, left: [] });
});

test('a refused or interrupted command leaves nothing under any name', async () => {
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('.') || name === 'x'),
    [],
  );
  // Hundreds of millions of empty lines: it is at work when the signal comes.
  const part = gzipSync(Buffer.alloc(1e8, '\n'), { level: 1 });
  const long = file('long', Buffer.concat([part, part, part, part]));
  assert.deepEqual(await interrupted('big', long), { code: 99, left: [] });
});
