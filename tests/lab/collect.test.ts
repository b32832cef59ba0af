import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { WORK } from '../../client/scripts/lib/trace/layout.ts';
import { hasBothWays, type VisitSummary } from '../../client/scripts/lib/trace/record.ts';
import { capture, leakFilter } from '../../scripts/lib/lab/capture.ts';
import { clientRun, clientScript } from '../../scripts/lib/lab/client.ts';
import { until } from '../../scripts/lib/poll.ts';
import { run as local } from '../../scripts/lib/transport/local.ts';
import { runHere } from '../command.ts';
import {
  attemptsOf,
  collect,
  fetchRun,
  lastRecordsIn,
  linesOf,
  ready,
  recordsIn,
  recordsOf,
  SITES,
  summariesOf,
} from './collector.ts';
import { nothingIn, useLab } from './fixture.ts';
import { wasTooSlow } from './sabotage.ts';

const lab = useLab('collect', { browser: true }, ready);

/** A visit for which the machine was too slow is made again, as often as a busy one needs. */
const RETRIES = ['--retries', '6'];
const FLAGS = ['--strategy', 'wr', '--period', '0.1', '--seed', '42', ...RETRIES];
/** Of each site, in each of the two runs; COMPS_VISITS=10 for more. */
const VISITS = Number(process.env.COMPS_VISITS ?? 5);

/** What each visit's schedule did: path by number of the entry. One that came too late is left out. */
const scheduleOf = (run: string): Map<string, Map<number, string>> =>
  new Map(
    recordsOf(run).map(({ visit, switches }) => [visit, new Map(switches.map(({ n, path }) => [n, path]))]),
  );

const successes = (run: string): VisitSummary[] =>
  summariesOf(run).filter(({ status }) => status === 'success');

const runs: string[] = [];

// What is kept of a visit beside its records is nothing to its schedule.
for (const [which, kept] of [
  ['first', ['--har', '--screenshots', '--keylog']],
  ['second', []],
] as const)
  test(`the ${which} run: ${3 * VISITS} successes with seed 42, each checked, and nothing past the tunnels`, async () => {
    const leaks = await capture(lab(), `collect-${which}`, leakFilter(lab()));
    const more = ['--run', `/tmp/${which}`, '--visits', String(VISITS), ...kept];
    const { code, stdout, stderr } = await collect(lab(), SITES, ...FLAGS, ...more);
    await nothingIn(leaks);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, '');
    const run = await fetchRun(lab(), `/tmp/${which}`);
    runs.push(run);
    const visits = successes(run);
    const expected = Array.from({ length: VISITS }, (_, i) =>
      [0, 1, 2].map((label) => `${String(label).padStart(4, '0')}-${String(i).padStart(4, '0')}`),
    ).flat();
    assert.deepEqual(visits.map(({ visit }) => visit).sort(), expected.sort());
    for (const visit of visits) {
      assert.deepEqual(
        visit.checks.filter(({ ok }) => !ok),
        [],
      );
      assert.deepEqual([visit.leaked, visit.http_status, visit.run_seed], [0, 200, 42]);
      const sum = (key: 'bytes_in' | 'bytes_out') => visit.paths.reduce((all, path) => all + path[key], 0);
      const least = [2e3, 1e6, 8e6][visit.label] as number;
      assert.ok(
        sum('bytes_in') > least && sum('bytes_in') < 2 * least + 20e3,
        `${sum('bytes_in')} in ${visit.visit}`,
      );
    }
  });

test('the records decode as the original’s reader does it, and each has both directions', async () => {
  const [run = ''] = runs;
  const file = join(lab().directory, 'records.jsonl');
  const good = recordsOf(run).filter(({ status }) => status === 'success');
  writeFileSync(file, good.map((record) => `${JSON.stringify(record)}\n`).join(''));
  const merged = join(lab().directory, 'merged.jsonl');
  assert.equal((await runHere('scripts/dataset.ts', ['merge', run, '-o', merged])).code, 0);
  const rows = linesOf(await local(['/usr/bin/python3', 'tests/lab/reader.py', merged])).map((line) =>
    JSON.parse(line),
  );
  const kept = rows.filter(({ status }) => status === 'success');
  assert.equal(kept.length, good.length);
  for (const row of kept) {
    assert.ok(row.sent > 0 && row.received > 0, JSON.stringify(row));
    assert.deepEqual([row.sent, row.received], row.totals);
    assert.equal(row.clients.length, 1);
    assert.equal(row.final_url, row.url);
    assert.equal(row.protocol, 'tcp');
    assert.ok(row.source > 100 && row.trace > 5);
    assert.ok(row.methods.every((method: string) => method.startsWith('Network.')));
  }
});

test('a record for each path with packets both ways', () => {
  for (const run of runs) {
    const all = recordsOf(run);
    for (const { visit, attempt, paths } of successes(run)) {
      const records = all.filter((record) => record.visit === visit && record.attempt === attempt);
      const have = records.map((record) => record.interface);
      assert.deepEqual(
        have,
        paths.filter(hasBothWays).map((path) => path.interface),
      );
      assert.ok(have.length > 0);
    }
  }
});

test('the same seed: the same weights and the same schedule for each visit, the one that migrate.ts plans', async () => {
  const [first = '', second = ''] = runs;
  const [one, two] = [scheduleOf(first), scheduleOf(second)];
  assert.equal(one.size, 3 * VISITS);
  let compared = 0;
  for (const [visit, paths] of one)
    for (const [n, path] of two.get(visit) ?? [])
      if (paths.has(n)) {
        assert.equal(path, paths.get(n), `${visit}, entry ${n}`);
        compared++;
      }
  assert.ok(compared >= 3 * VISITS);
  const seeds = (run: string) =>
    new Map(summariesOf(run).map(({ visit, seed, weights }) => [visit, { seed, weights }]));
  assert.deepEqual(seeds(first), seeds(second));
  assert.equal(new Set([...seeds(first).values()].map(({ seed }) => seed)).size, 3 * VISITS);
  // Any one of them by hand.
  const [visit, { seed }] = [...seeds(first)][7] as [string, { seed: number }];
  const plan = await clientRun(
    lab(),
    ...clientScript('migrate.ts', '--strategy', 'wr', '--seed', String(seed), '--plan', '100'),
  );
  const planned = linesOf(plan)
    .map((line) => JSON.parse(line))
    .flatMap((line) => (line.event === 'entry' ? [line.path] : []));
  for (const [n, path] of one.get(visit) as Map<number, string>) assert.equal(path, planned[n]);
});

test('a run’s folder holds what was asked for, and nothing secret', async () => {
  const [run = ''] = runs;
  const [attempt = ''] = attemptsOf(run);
  for (const file of ['page.har', 'page.png', 'keys.log', 'switches.jsonl', 'wgnet1.pcap'])
    assert.ok(existsSync(join(run, 'visits', attempt, file)), file);
  assert.ok(!existsSync(join(run, 'work')));
  const keys = (await clientRun(lab(), 'sh', '-c', 'cat /etc/wireguard/*.conf')).match(
    /(?<=PrivateKey = ).*/g,
  );
  assert.equal(keys?.length, 4);
  for (const key of keys)
    await assert.rejects(local(['grep', '-rqF', '-e', key, run]), 'a private key in the run’s folder');
});

test('dataset.ts finds nothing to object to in it', async () => {
  const { code, stdout } = await runHere('scripts/dataset.ts', ['validate', ...runs]);
  assert.equal(code, 0, stdout);
});

test('without a run: records on standard output, one a path; the same visit again appends to --out', async () => {
  const [small = ''] = SITES;
  const { code, stdout, stderr } = await collect(lab(), [small], ...RETRIES, '--seed', '7', '--headers-only');
  assert.equal(code, 0, stderr);
  const records = lastRecordsIn(stdout);
  assert.ok(records.length > 0);
  for (const record of records) {
    assert.deepEqual([record.status, record.url, record.headers_only], ['success', small, true]);
    // A file of 128 bytes a packet at most, behind headers of 16, and the sizes on the wire.
    const bytes = Buffer.from(record.packets, 'base64').length;
    const packets = record.packets_in + record.packets_out;
    assert.ok(bytes <= 24 + packets * 144, `${bytes} for ${packets}`);
  }
  assert.ok(records.some((record) => record.bytes_in > 128 * record.packets_in));
  for (const lines of [1, 2]) {
    const again = await collect(
      lab(),
      [small],
      '--seed',
      '7',
      '--strategy',
      'none',
      '--period',
      '60',
      '--out',
      '/tmp/out.jsonl',
    );
    assert.deepEqual([again.code, again.stdout], [0, ''], again.stderr);
    assert.equal(recordsIn(await clientRun(lab(), 'cat', '/tmp/out.jsonl')).length, lines);
  }
});

test('a visit split by packet, in the kernel: its counters are what the captures hold, and it is valid', async () => {
  const [, many = ''] = SITES;
  const flags = ['--strategy', 'packet', '--weights', '5,3,2', '--seed', '7', ...RETRIES];
  const { code, stderr } = await collect(lab(), [many], ...flags, '--run', '/tmp/packet');
  assert.equal(code, 0, stderr);
  const run = await fetchRun(lab(), '/tmp/packet');
  const visit = summariesOf(run).at(-1);
  assert.deepEqual(
    [visit?.status, visit?.weights],
    ['success', [0.5, 0.3, 0.2]],
    JSON.stringify(visit?.failure),
  );
  const records = recordsOf(run).filter(({ attempt }) => attempt === visit?.attempt);
  assert.equal(records.length, 3);
  for (const { packets_out, packets_in } of records) assert.ok(packets_out > 0 && packets_in > 0);
  const checked = await runHere('scripts/dataset.ts', ['validate', run]);
  assert.equal(checked.code, 0, checked.stdout);
});

test('one packet past the tunnels, and the visit is a failure; the next attempt is none', async () => {
  const [small = ''] = SITES;
  await clientRun(lab(), 'sh', '-c', 'nft delete table inet comps; tc qdisc delete dev eth0 clsact');
  const visit = collect(
    lab(),
    [small],
    '--seed',
    '7',
    '--linger',
    '4',
    '--period',
    '0.5',
    '--run',
    '/tmp/leak',
  );
  // The file has its header as soon as what leaves is captured.
  const counted = () => lab().exec('client', ['sh', '-c', `[ -s /tmp/leak/${WORK}/*/leak.pcap ]`]);
  assert.ok(await until(60_000, async () => (await counted()).code === 0));
  // To the next router, past tables and rules, as only a root of this machine can.
  assert.equal(
    (await lab().exec('client', ['ping', '-c', '1', '-W', '30', '-I', 'eth0', '192.0.2.1'])).code,
    0,
  );
  const { code, stderr } = await visit;
  await clientRun(lab(), '/etc/wireguard/setup.sh', 'up');
  assert.equal(code, 0, stderr);
  const all = summariesOf(await fetchRun(lab(), '/tmp/leak'));
  const [first, second] = all.filter((each) => !wasTooSlow(each));
  assert.deepEqual([first?.failure?.kind, first?.status], ['leak', 'failure']);
  // Without the table the kernel's own IPv6 greetings may leave as well.
  const leaked = first?.leaked ?? 0;
  assert.ok(leaked >= 1 && leaked <= 5, `${leaked}`);
  assert.equal(first?.failure?.message, `${leaked} packet${leaked === 1 ? '' : 's'} left past the tunnels`);
  assert.ok('leak.pcap' in (first?.files ?? {}));
  assert.deepEqual([second?.status, second?.leaked], ['success', 0]);
});
