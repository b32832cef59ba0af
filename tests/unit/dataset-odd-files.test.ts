import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readStats } from '../../scripts/lib/dataset/read-stats.ts';
import { openSource } from '../../scripts/lib/dataset/source.ts';
import { validate } from '../../scripts/lib/dataset/validate.ts';
import { attempt } from '../../scripts/lib/transport/local.ts';
import { writeRun } from '../synthetic-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-odd-'));
after(() => rmSync(folder, { recursive: true }));

const fifo = (path: string): void => {
  rmSync(path, { force: true });
  execFileSync('mkfifo', [path]);
};
const toFolder = (path: string): void => {
  rmSync(path, { force: true });
  mkdirSync(path);
};
/** A link to the file itself, which is elsewhere. */
const toLink = (path: string): void => {
  const elsewhere = join(mkdtempSync(join(folder, 'target-')), 'file');
  renameSync(path, elsewhere);
  symlinkSync(elsewhere, path);
};

let number = 0;
function runWith(change: (attempt: string) => void): string {
  const run = join(folder, `run-${number++}`);
  writeRun(run, { visits: 1, failures: {} });
  change(join(run, 'visits/0002-0000.1'));
  return run;
}

const PIPE = 'is a device, a pipe or a socket, a file was expected';
const odd: [string, (attempt: string) => void, string][] = [
  [
    'visit.json as a folder',
    (at) => toFolder(join(at, 'visit.json')),
    'visit.json: is a folder, a file was expected',
  ],
  ['visit.json as a pipe', (at) => fifo(join(at, 'visit.json')), `visit.json: ${PIPE}`],
  ['records.jsonl as a pipe', (at) => fifo(join(at, 'records.jsonl')), `records.jsonl: ${PIPE}`],
  ['a capture as a pipe', (at) => fifo(join(at, 'wgnet1.pcap')), `wgnet1.pcap: ${PIPE}`],
  [
    'a capture as a folder',
    (at) => toFolder(join(at, 'wgnet1.pcap')),
    'wgnet1.pcap: is a folder, a file was expected',
  ],
  [
    'a capture as a pipe, and another checksum',
    (at) => {
      fifo(join(at, 'wgnet1.pcap'));
      const summary = JSON.parse(readFileSync(join(at, 'visit.json'), 'utf8'));
      summary.files['wgnet1.pcap'].sha256 = '';
      writeFileSync(join(at, 'visit.json'), JSON.stringify(summary));
    },
    'records.jsonl:1: packets are not those in wgnet1.pcap',
  ],
  ['the switch log as a pipe', (at) => fifo(join(at, 'switches.jsonl')), `switches.jsonl: ${PIPE}`],
  [
    'records.jsonl as a link',
    (at) => toLink(join(at, 'records.jsonl')),
    'records.jsonl: is a symbolic link, a file was expected',
  ],
  [
    'a capture as a link',
    (at) => toLink(join(at, 'wgnet2.pcap')),
    'wgnet2.pcap: is a symbolic link, a file was expected',
  ],
  [
    'a way out of its folder in visit.json',
    (at) => {
      const summary = JSON.parse(readFileSync(join(at, 'visit.json'), 'utf8'));
      summary.files['..'] = { bytes: 1, sha256: '' };
      writeFileSync(join(at, 'visit.json'), JSON.stringify(summary));
    },
    ': visit.json names "..", no file of this folder',
  ],
];
for (const [name, change, said] of odd)
  test(`${name}: a finding, and the other visits are checked`, { timeout: 120_000 }, async () => {
    const run = runWith(change);
    const place = join(run, 'visits/0002-0000.1');
    const { findings, visits } = await validate([run]);
    const found = findings.map(({ at, what }) => `${at.replace(place, '').replace('/', '')}: ${what}`);
    assert.ok(found.includes(said), found.join('\n'));
    assert.equal(visits, said.startsWith('visit.json') ? 2 : 3);
    const told: string[] = [];
    const { overall } = await readStats([openSource(run)], (_, what) => told.push(what));
    assert.deepEqual([overall.visits, told.length], said.startsWith('visit.json') ? [2, 1] : [3, 0]);
  });

test('a pipe in a run’s folder holds up no report', { timeout: 120_000 }, async () => {
  const run = runWith((at) => {
    for (const name of ['wgnet1.pcap', 'switches.jsonl', 'page.png', 'leak.pcap']) fifo(join(at, name));
    fifo(join(at, '../0001-0000.1/visit.json'));
  });
  const { code, stderr } = await attempt(['node', '--import=tsx', 'scripts/report.ts', run, '--screenshots']);
  assert.equal(code, 2);
  for (const name of ['wgnet1.pcap', 'switches.jsonl', 'page.png', 'leak.pcap', 'visit.json'])
    assert.ok(stderr.includes(`${name}: ${PIPE}`), stderr);
});

test('what is no folder where one is expected ends neither the check nor the numbers', async () => {
  const run = runWith((at) => {
    rmSync(at, { recursive: true });
    writeFileSync(at, '');
  });
  writeFileSync(join(run, 'work'), '');
  const { findings, visits } = await validate([run]);
  assert.equal(visits, 2);
  assert.ok(findings.some(({ at, what }) => at.endsWith('work') && /cannot list/.test(what)));
  rmSync(join(run, 'visits'), { recursive: true });
  writeFileSync(join(run, 'visits'), '');
  assert.match((await validate([run])).findings[0]?.what ?? '', /cannot list/);
  const told: string[] = [];
  await readStats([openSource(run)], (at, what) => told.push(`${at}: ${what}`));
  assert.match(told.join(), /cannot list/);
});

test('a manifest that is no file is said, not waited for', { timeout: 120_000 }, async () => {
  const run = runWith(() => undefined);
  fifo(join(run, 'manifest.json'));
  assert.match((await validate([run])).findings[0]?.what ?? '', /is a device, a pipe/);
});
