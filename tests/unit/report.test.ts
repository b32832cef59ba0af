import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Manifest, Session } from '../../client/scripts/lib/trace/layout.ts';
import { count } from '../../scripts/lib/report/format.ts';
import { readRun } from '../../scripts/lib/report/read.ts';
import { successesOf, sumsByPath, visitsOf } from '../../scripts/lib/report/totals.ts';
import { run } from '../../scripts/lib/transport/local.ts';
import { runHere } from '../command.ts';
import { type MadeAttempt, writeRun } from '../synthetic-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-report-'));
after(() => rmSync(folder, { recursive: true }));

const report = (words: string[]) => runHere('scripts/report.ts', words);
const place = (name: string): string => join(folder, name);
const htmlOf = (name: string): string => readFileSync(join(place(name), 'report.html'), 'utf8');
const jsonOf = (html: string, id: string) =>
  JSON.parse(new RegExp(`id="${id}">([^<]*)</script>`).exec(html)?.[1] ?? 'null');

describe('a whole run', () => {
  let made: MadeAttempt[];
  before(async () => {
    made = writeRun(place('whole'));
    const { code, stderr } = await report([place('whole')]);
    assert.equal(code, 0, stderr);
  });

  test('sums are those of the visits', () => {
    const { attempts, manifest } = readRun(place('whole'));
    const sums = sumsByPath(manifest.settings.interfaces, successesOf(visitsOf(attempts)));
    const html = htmlOf('whole');
    for (const [name, { packetsUp, down }] of sums) {
      const of = made
        .filter(({ summary }) => summary.status === 'success')
        .flatMap(({ summary }) => summary.paths);
      const own = of.filter((path) => path.interface === name);
      assert.equal(
        packetsUp,
        own.reduce((sum, path) => sum + path.packets_out, 0),
      );
      assert.equal(
        down,
        own.reduce((sum, path) => sum + path.bytes_in, 0),
      );
      assert.ok(html.includes(`>${count(down)}<`));
    }
    assert.match(html, /8 of 9 visits/);
    assert.match(html, /<strong>Complete<\/strong>/);
  });

  test('each visit with packets has all of them, and its switches', () => {
    const html = htmlOf('whole');
    const one = made.find(({ folder: name }) => name === '0002-0000.1') as MadeAttempt;
    const data = jsonOf(html, 'plot-0002-0000.1');
    const total = one.summary.paths.reduce((sum, path) => sum + path.packets_in + path.packets_out, 0);
    assert.equal(data.packets, total);
    assert.equal(Buffer.from(data.times, 'base64').length, 4 * total);
    assert.equal(Buffer.from(data.current, 'base64').length, one.summary.switch_count + 1);
    assert.ok(html.includes('id="v-0001-0002.2"'), 'a failed attempt is told as well');
  });

  test('the page names nothing outside of itself', () => {
    const html = htmlOf('whole').replace(/<script>[\s\S]*<\/script>/, '');
    assert.doesNotMatch(html, /<(link|iframe|object|embed|base|img|form [^>]*action)|@import|url\(/);
    assert.match(html, /Content-Security-Policy" content="default-src &#39;none&#39;|default-src 'none'/);
    assert.doesNotMatch(html, / (src|href)="(?!#)/);
  });

  test('flags: another place, a choice of visits', async () => {
    const out = place('some.html');
    assert.equal(
      (await report([place('whole'), '-o', out, '--visits', '2,0001-0000', '--limit', '2'])).code,
      0,
    );
    const ids = [...readFileSync(out, 'utf8').matchAll(/id="plot-([^"]*)"/g)].map(([, id]) => id);
    assert.deepEqual(ids, ['0001-0000.1', '0002-0000.1', '0002-0001.1']);
  });
});

test('a run that has begun, or was cut off, is reported as far as it came', async () => {
  writeRun(place('early'));
  rmSync(join(place('early'), 'visits'), { recursive: true });
  assert.equal((await report([place('early')])).code, 0);
  assert.match(htmlOf('early'), /There is no visit yet/);
  writeRun(place('cut'));
  rmSync(join(place('cut'), 'visits/0002-0002.1'), { recursive: true });
  mkdirSync(join(place('cut'), 'work'));
  // It went on over another network.
  const file = join(place('cut'), 'manifest.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  const tunnels = manifest.tunnels.map((tunnel) => ({ ...tunnel, endpoint: '192.0.2.99:51820' }));
  manifest.sessions.push({
    ...(manifest.sessions[0] as Session),
    started: '2030-01-02T03:04:05.678Z',
    tunnels,
  });
  writeFileSync(file, JSON.stringify(manifest));
  assert.equal((await report([place('cut')])).code, 0);
  assert.match(htmlOf('cut'), /Not complete<\/strong> 1 visit of 9 still to come/);
  for (const [since, endpoint] of [
    [manifest.created.slice(0, 19).replace('T', ' '), '203.0.113.1:51820'],
    ['2030-01-02 03:04:05', '192.0.2.99:51820'],
  ])
    assert.match(htmlOf('cut'), new RegExp(`>${since}</td><td>wgnet1</td><td>[\\d.]+</td><td>${endpoint}<`));
});

const faults: [string, (visit: string) => void, RegExp][] = [
  [
    'visit.json that is no JSON',
    (visit) => writeFileSync(join(visit, 'visit.json'), '{"format":1,'),
    /visit\.json: no JSON/,
  ],
  [
    'visit.json of another form',
    (visit) => writeFileSync(join(visit, 'visit.json'), '{"format":1}'),
    /visit\.json: run: no UUID/,
  ],
  [
    'visit.json of a later format',
    (visit) => writeFileSync(join(visit, 'visit.json'), '{"format":2}'),
    /reads format 1/,
  ],
  ['no visit.json', (visit) => rmSync(join(visit, 'visit.json')), /visit\.json: missing/],
  [
    'a pcap that is none',
    (visit) => writeFileSync(join(visit, 'wgnet2.pcap'), 'x'.repeat(99)),
    /wgnet2\.pcap: no pcap/,
  ],
  [
    'a pcap cut off',
    (visit) => truncateSync(join(visit, 'wgnet1.pcap'), 300),
    /wgnet1\.pcap: cut off[\s\S]*visit\.json says/,
  ],
  ['no pcap', (visit) => rmSync(join(visit, 'wgnet1.pcap')), /wgnet1\.pcap: missing/],
  [
    'a broken switch log',
    (visit) => writeFileSync(join(visit, 'switches.jsonl'), '{"event":"switch"}\n\n{'),
    /switches\.jsonl: 2 of its lines/,
  ],
];
for (const [what, spoil, said] of faults)
  test(`told, with exit code 2: ${what}`, async () => {
    const name = `fault-${faults.findIndex(([other]) => other === what)}`;
    writeRun(place(name), { visits: 1, failures: {} });
    spoil(join(place(name), 'visits/0002-0000.1'));
    const { code, stderr } = await report([place(name)]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, said);
    const html = htmlOf(name);
    assert.match(html, /Files with faults: 1/);
    assert.ok(html.includes('id="plot-0001-0000.1"'), 'the others are there');
  });

const refusals: [string, string[], RegExp][] = [
  [
    'no folder',
    [place('nowhere')],
    /nowhere: no such folder\n {2}next: npx zx client\/scripts\/fetch_websites\.ts/,
  ],
  ['a folder that is no run', [folder], /it holds no manifest\.json\n {2}next: /],
  ['no argument', [], /missing required argument 'run'/],
  ['a choice that is none', [place('whole'), '--visits', 'x'], /--visits: "x" is not a list such as/],
  [
    'a number out of range',
    [place('whole'), '--points', '5'],
    /--points: "5" is not a whole number from 1000/,
  ],
  [
    'a place that cannot be written',
    [place('whole'), '-o', join(folder, 'no/such/r.html')],
    /-o: there is no folder .*\n {2}next: mkdir -p /,
  ],
];
for (const [what, words, said] of refusals)
  test(`refused, with exit code 1: ${what}`, async () => {
    const { code, stderr } = await report(words);
    assert.equal(code, 1, stderr);
    assert.match(stderr, said);
  });

test('a manifest that cannot be read is refused, and the report before it stays', async () => {
  writeRun(place('manifest'), { visits: 1 });
  assert.equal((await report([place('manifest')])).code, 0);
  writeFileSync(join(place('manifest'), 'manifest.json'), '{"format":1}');
  const { code, stderr } = await report([place('manifest')]);
  assert.equal(code, 1);
  assert.match(stderr, /manifest\.json: run: no UUID/);
  assert.ok(existsSync(join(place('manifest'), 'report.html')));
  assert.ok(
    readdirSync(place('manifest')).every((name) => !name.startsWith('.')),
    'no half is left',
  );
});

test('the page’s scripts agree with their types', async () => {
  await run(['npx', 'tsc', '--project', 'templates/report']);
});
