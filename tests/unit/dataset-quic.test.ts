/** Runs of mode quic as readers see them. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readStats } from '../../scripts/lib/dataset/read-stats.ts';
import { openSource } from '../../scripts/lib/dataset/source.ts';
import { statsCsv, statsTable } from '../../scripts/lib/dataset/stats-table.ts';
import { validate } from '../../scripts/lib/dataset/validate.ts';
import { readRun } from '../../scripts/lib/report/read.ts';
import { numbering, summaryView } from '../../scripts/lib/report/summary-view.ts';
import { visitsOf } from '../../scripts/lib/report/totals.ts';
import { writeRun } from '../synthetic-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-quic-'));
after(() => rmSync(folder, { recursive: true }));
const none = (at: string, what: string): never => assert.fail(`${at}: ${what}`);

/** A run, and in its manifest, and in the visits that are named, the mode. */
function made(name: string, mode: object, within: (visit: string) => boolean): string {
  const run = join(folder, name);
  writeRun(run);
  const edit = (file: string, change: (value: Record<string, unknown>) => object): void =>
    writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')))));
  edit(join(run, 'manifest.json'), (value) => ({
    ...value,
    settings: { ...(value.settings as object), ...mode },
  }));
  for (const visit of readdirSync(join(run, 'visits')).filter(within))
    edit(join(run, 'visits', visit, 'visit.json'), (value) => ({ ...value, ...mode }));
  return run;
}

const settingsOf = (path: string) => {
  const run = readRun(path);
  return summaryView(run, visitsOf(run.attempts), numbering(run.manifest.settings.interfaces)).settings;
};

test('statistics and the report tell of mode quic, and of nothing where it is not', async () => {
  const quic = made('quic', { mode: 'quic', allow_tcp: 'sticky' }, (visit) => visit.startsWith('0001'));
  const stats = await readStats([openSource(quic)], none);
  assert.deepEqual(
    [stats.overall.quic, ...stats.sites.map((site) => site.quic)],
    [3, undefined, 3, undefined],
  );
  assert.match(statsTable(stats).join('\n'), /\n\nmode quic\n.*: 3 of 3 visits\noverall: 3 of 9 visits/);
  assert.match(statsCsv(stats), /^url,visits,attempts,success,quic,/);
  assert.deepEqual(
    settingsOf(quic).filter(({ name }) => name === 'Mode'),
    [{ name: 'Mode', value: 'quic, TCP each connection on one path' }],
  );
  const plain = made('plain', {}, () => false);
  const usual = await readStats([openSource(plain)], none);
  assert.equal('quic' in usual.overall, false);
  assert.doesNotMatch(statsTable(usual).join('\n') + statsCsv(usual), /quic/);
  assert.deepEqual(
    settingsOf(plain).filter(({ name }) => name === 'Mode'),
    [],
  );
});

test('a visit of another mode than its run’s is found, and a mode that there is not', async () => {
  const mixed = made('mixed', { mode: 'quic', allow_tcp: 'none' }, (visit) => visit !== '0001-0000.1');
  const found = (await validate([mixed])).findings.map(({ at, what }) => `${at.split('/').at(-2)}: ${what}`);
  assert.ok(found.includes('0001-0000.1: mode is not that of the manifest'), found.join('\n'));
  assert.ok(!found.includes('0000-0000.1: mode is not that of the manifest'));
  const odd = made('odd', { mode: 'tcp' }, () => false);
  assert.match(JSON.stringify((await validate([odd])).findings), /settings\.mode/);
});

test('records, visit.json and manifest of mode quic contradict neither themselves nor each other', async () => {
  const quic = { mode: 'quic', allow_tcp: 'none', protocol: 'quic' };
  const good = made('good', { mode: 'quic', allow_tcp: 'none' }, () => true);
  const attempts = readdirSync(join(good, 'visits')).map((name) => join(good, 'visits', name));
  const linesOf = (path: string) => readFileSync(path, 'utf8').trimEnd().split('\n');
  const records = attempts.flatMap((one) =>
    linesOf(join(one, 'records.jsonl')).map((line) => JSON.parse(line)),
  );
  const success = records.filter(({ visit, status }) => visit === '0002-0000' && status === 'success');
  assert.ok(success.length > 1);
  const file = join(folder, 'records.jsonl');
  const foundIn = async (change: object, first: object = change) => {
    const lines = success.map((one, i) => JSON.stringify({ ...one, ...(i === 0 ? first : change) }));
    writeFileSync(file, `${lines.join('\n')}\n`);
    return (await validate([file])).findings.map(({ at, what }) => `${at.split(':').at(-1)}: ${what}`);
  };
  assert.deepEqual(await foundIn(quic), []);
  assert.deepEqual(await foundIn({}), []);
  assert.deepEqual(await foundIn({ mode: 'wireguard' }), []);
  const all = success.map((_, i) => i + 1);
  const each = (what: string) => all.map((line) => `${line}: ${what}`);
  const pairing = 'allow_tcp: is there in mode quic, and in no other';
  for (const wrong of [{ mode: 'quic' }, { allow_tcp: 'none' }, { mode: 'wireguard', allow_tcp: 'sticky' }])
    assert.deepEqual((await foundIn(wrong)).slice(0, all.length), each(pairing), JSON.stringify(wrong));
  assert.deepEqual(
    await foundIn({ ...quic, protocol: 'tcp' }),
    each('a success of mode quic by tcp, and not by HTTP/3'),
  );
  assert.deepEqual(
    (await foundIn({ ...quic, strategy: 'packet', period: null })).slice(0, all.length),
    each('strategy: is by packet, and mode quic has none of those'),
  );
  const rest = all
    .slice(1)
    .map((line) => `${line}: mode is not that of the other records of visit 0002-0000.1`);
  assert.deepEqual(await foundIn({ protocol: 'quic' }, quic), rest);

  // In a run’s folder: a mode in visit.json alone, and in records alone.
  const told = (await validate([good])).findings.map(
    ({ at, what }) => `${at.slice(good.length + 1)}: ${what}`,
  );
  assert.ok(
    told.includes('visits/0002-0000.1/records.jsonl:1: mode is not that in visit.json'),
    told.join('\n'),
  );
  const plain = made('bare', {}, () => false);
  const lines = linesOf(join(plain, 'visits/0002-0000.1/records.jsonl')).map((line) => JSON.parse(line));
  const moded = lines.map((line) => JSON.stringify({ ...line, ...quic, protocol: line.protocol }));
  writeFileSync(join(plain, 'visits/0002-0000.1/records.jsonl'), `${moded.join('\n')}\n`);
  const alone = (await validate([plain])).findings.map(({ what }) => what);
  assert.ok(alone.includes('mode is not that in visit.json'), alone.join('\n'));
  const settings = made('settings', { mode: 'wireguard', allow_tcp: 'none' }, () => false);
  assert.match(
    JSON.stringify((await validate([settings])).findings),
    /settings\.allow_tcp: is there in mode/,
  );
});
