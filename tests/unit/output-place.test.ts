import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Fault } from '../../scripts/lib/cli.ts';
import { exportTraces } from '../../scripts/lib/dataset/export.ts';
import { openSource } from '../../scripts/lib/dataset/source.ts';
import { writePieces } from '../../scripts/lib/files/output.ts';
import { requireFilePlace, requireFolderPlace } from '../../scripts/lib/files/place.ts';
import { removeHalves } from '../../scripts/lib/files.ts';
import { requireReportPlace } from '../../scripts/lib/report/place.ts';
import { runHere } from '../command.ts';
import { writeRun } from '../synthetic-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-place-'));
after(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const RUN = at('run');
writeRun(RUN, { visits: 1, failures: {} });
mkdirSync(at('there'));
writeFileSync(at('file'), 'mine');
execFileSync('mkfifo', [at('fifo')]);
symlinkSync(at('file'), at('to-file'));
symlinkSync('/dev/null', at('to-null'));
symlinkSync(at('there'), at('to-there'));
symlinkSync(at('nothing'), at('to-nothing'));
symlinkSync(RUN, at('to-run'));

const everywhere: [string, RegExp][] = [
  ['', /-o: is empty/],
  ['/dev/null', /\/dev\/null is a device, a pipe or a socket/],
  [at('fifo'), /fifo is a device/],
  [at('to-null'), /to-null is a symbolic link/],
  [at('to-file'), /to-file is a symbolic link/],
  [at('to-there'), /to-there is a symbolic link/],
  [`${at('to-there')}/`, /is a symbolic link/],
  [at('to-nothing'), /to-nothing is a symbolic link/],
  [at('no/x'), /there is no folder/],
  [join(RUN, 'x'), /is inside .*run, a run/],
  [join(RUN, 'visits/0000-0000.1/x'), /is inside .*run, a run/],
  [join(at('to-run'), 'visits/x'), /is inside .*run, a run/],
];
for (const [path, said] of everywhere)
  test(`refused with --force too, for files, folders and reports: ${path.replace(folder, '…')}`, async () => {
    assert.throws(() => requireFilePlace(path, true), said);
    assert.throws(() => requireFolderPlace(path, true), said);
    await assert.rejects(requireReportPlace(path, RUN, true), said);
  });

test('a file for a folder, a folder for a file; what is there stays without --force', () => {
  assert.throws(() => requireFilePlace(at('there'), true), /is a folder, a file is written here/);
  assert.throws(() => requireFolderPlace(at('file'), true), /is a file, a folder is written here/);
  assert.throws(() => requireFilePlace(at('file'), false), /is there already/);
  assert.throws(() => requireFolderPlace(at('there'), false), /is there already/);
  requireFilePlace(at('file'), true);
  requireFolderPlace(at('there'), true);
  requireFilePlace(at('new'), false);
  requireFolderPlace(at('new'), false);
});

test('a report replaces a report of ours, and anything else with --force only', async () => {
  const report = (...words: string[]) => runHere('scripts/report.ts', words);
  for (const words of [[RUN], [RUN], [RUN, '-o', at('r.html')], [RUN, '-o', at('r.html')]])
    assert.equal((await report(...words)).code, 0, words.join(' '));
  const refused = await report(RUN, '-o', at('file'));
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /file is there already\n {2}next: another name, or --force/);
  assert.equal(readFileSync(at('file'), 'utf8'), 'mine');
  writeFileSync(join(RUN, 'report.html'), '<!doctype html><title>notes</title>');
  assert.match((await report(RUN)).stderr, /report\.html is there already/);
  assert.equal((await report(RUN, '--force')).code, 0);
  assert.match(readFileSync(join(RUN, 'report.html'), 'utf8'), /<title>run: CoMPS run</);
  assert.equal((await report(RUN, '-o', '')).code, 1);
  const manifest = readFileSync(join(RUN, 'manifest.json'));
  assert.equal((await report(RUN, '-o', join(RUN, 'manifest.json'), '--force')).code, 1);
  assert.deepEqual(readFileSync(join(RUN, 'manifest.json')), manifest);
  const own = join(RUN, 'report.html');
  rmSync(own);
  symlinkSync(at('file'), own);
  assert.match((await report(RUN, '--force')).stderr, /is a symbolic link/);
  rmSync(own);
  await assert.rejects(requireReportPlace(join(RUN, 'visits/report.html'), RUN, false), /is inside/);
});

test('the commands refuse a device, and it stays one', async () => {
  const pcap = join(RUN, 'visits/0002-0000.1/wgnet1.pcap');
  for (const [name, ...words] of [
    ['dataset', 'merge', RUN, '-o', at('to-null'), '--force'],
    ['dataset', 'export', RUN, '--format', 'npz', '-o', at('to-null'), '--force'],
    ['dataset', 'export', RUN, '--format', 'cell', '-o', at('fifo'), '--force'],
    ['split', pcap, '-o', at('to-there'), '--force'],
    ['report', RUN, '-o', at('fifo'), '--force'],
    ['dataset', 'merge', RUN, '-o', ''],
  ]) {
    const { code, stderr } = await runHere(`scripts/${name}.ts`, words);
    assert.equal(code, 1, `${name} ${words.join(' ')}`);
    assert.match(stderr, /-o: .*(is a symbolic link|is a device|is empty)/);
  }
  assert.ok(lstatSync(at('to-null')).isSymbolicLink() && lstatSync(at('fifo')).isFIFO());
});

test('labels are not written where the file itself cannot be', async () => {
  const out = at('late.npz');
  const wish = { path: 'joined', cut: 'none', least: 1, length: 9, sizes: false, origin: 'own' } as const;
  const all = { ...wish, format: 'npz', force: true, out } as const;
  const tell = (at: string, what: string): never => assert.fail(`${at}: ${what}`);
  const source = openSource(RUN);
  const exporting = exportTraces([source], all, tell);
  // Comes into being while the export is at work: its name is taken then.
  mkdirSync(join(out, 'x'), { recursive: true });
  await assert.rejects(exporting, (error) => error instanceof Fault && /late\.npz/.test(error.message));
  assert.equal(existsSync(`${out}.labels.csv`), false);
});

test('halves of its own name that a kill left behind are removed, others are not', async () => {
  const place = at('halves');
  mkdirSync(place);
  const old = ['.x.jsonl.0123abcd', '.x.jsonl.gz.0123abcd', '.y.0123abcd'];
  for (const name of [...old, '.x.jsonl.99999999']) writeFileSync(join(place, name), '');
  for (const name of old) utimesSync(join(place, name), 1e9, 1e9);
  await writePieces(join(place, 'x.jsonl'), async (write) => write('text'));
  const left = ['.x.jsonl.99999999', '.x.jsonl.gz.0123abcd', '.y.0123abcd', 'x.jsonl'];
  assert.deepEqual(readdirSync(place).sort(), left);
  removeHalves(place);
  assert.deepEqual(readdirSync(place).sort(), ['.x.jsonl.99999999', 'x.jsonl']);
});
