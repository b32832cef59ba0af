import assert from 'node:assert/strict';
import { chownSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../../scripts/lib/poll.ts';
import { run as local } from '../../scripts/lib/transport/local.ts';
import { runHere } from '../command.ts';
import { lastRecordsIn, SITES, summariesOf } from '../lab/collector.ts';
import { goodSetup } from '../lab/fixture.ts';
import { PATIENCE, useEngine } from './fixture.ts';
import { wgclient } from './wgclient.ts';

const { lab, engine } = useEngine('wgcollect', { vpn: 2 }, (lab) => goodSetup(lab));
const { goodCompose, healthy, leaksDuring, logs, sh, trustSites, trySh } = wgclient(lab, engine);

/** As it stands in the documentation, with flags; a visit for which a busy machine was too slow is made again. */
const collect = (urls: readonly string[], ...flags: string[]) => {
  const words = ['npx', 'zx', '/comps/fetch_websites.ts', '--retries', '6', ...flags];
  const input = urls.map((url) => `${url}\n`).join('');
  return engine().exec(['docker', 'exec', '-i', 'wgclient', ...words], { input });
};

/** Where the container's /runs is on the computer itself. */
const runs = (...path: string[]): string => join(lab().directory, 'runs', ...path);

test('echo https://… | docker exec -i wgclient npx zx /comps/fetch_websites.ts: a record a path, nothing past the tunnels', async () => {
  const leaked = await leaksDuring('collect', async () => {
    await goodCompose('up', '-d');
    assert.ok(await healthy(), await logs());
    await trustSites();
    const { code, stdout, stderr } = await collect(['https://many.example.org']);
    assert.equal(code, 0, stderr);
    const records = lastRecordsIn(stdout);
    assert.ok(records.length > 1, `${records.length} paths`);
    for (const record of records) {
      assert.deepEqual([record.status, record.url], ['success', 'https://many.example.org']);
      assert.equal(record.final_url, 'https://many.example.org/');
      assert.ok(record.packets_out > 0 && record.packets_in > 0);
      assert.equal(Buffer.from(record.packets, 'base64').readUInt32LE(0), 0xa1b2c3d4);
    }
  });
  assert.equal(leaked, 0);
});

test('a run in /runs belongs to the user whose folder that is', async () => {
  // As where somebody who is not root has cloned the project.
  chownSync(runs(), 12_345, 12_346);
  const [small = ''] = SITES;
  const { code, stderr } = await collect([small], '--run', '/runs/theirs', '--seed', '1', '--keylog');
  assert.equal(code, 0, stderr);
  const all = await local(['find', runs('theirs'), '-printf', '%U:%G %P\\n']);
  const strange = all
    .trim()
    .split('\n')
    .filter((line) => !line.startsWith('12345:12346 '));
  assert.deepEqual(strange, []);
  assert.match(all, /manifest\.json[\s\S]*visit\.json/);
  chownSync(runs(), 0, 0);
});

test('a run in /runs is on the computer itself; the container killed in mid-visit, the same command finishes it', async () => {
  const flags = ['--run', '/runs/first', '--visits', '4', '--seed', '42', '--strategy', 'wr'];
  const first = collect(SITES, ...flags);
  const visits = () =>
    existsSync(runs('first', 'visits')) ? readdirSync(runs('first', 'visits')).length : 0;
  assert.ok(await until(PATIENCE, () => visits() >= 3));
  // Not by docker-compose, which takes long enough for many visits.
  assert.equal((await engine().exec(['docker', 'kill', 'wgclient'])).code, 0);
  assert.notEqual((await first).code, 0);
  const before = summariesOf(runs('first')).filter(({ status }) => status === 'success').length;
  assert.ok(before < 12);
  await goodCompose('up', '-d');
  assert.ok(await healthy(), await logs());
  const { code, stdout, stderr } = await collect(SITES, ...flags);
  assert.deepEqual([code, stdout], [0, ''], stderr);
  assert.match(stderr, new RegExp(`^${before} of 12 visits are there already`, 'm'));
  const made = summariesOf(runs('first')).filter(({ status }) => status === 'success');
  assert.equal(made.length, 12);
  assert.equal(new Set(made.map(({ visit }) => visit)).size, 12);
  for (const [script, ...words] of [['dataset', 'validate'], ['report']])
    assert.equal((await runHere(`scripts/${script}.ts`, [...words, runs('first')])).code, 0, script);
  assert.ok(existsSync(runs('first', 'report.html')));
});

test('Chromium keeps its sandbox in a visit, as the user browser; the profile is gone behind it', async () => {
  const large = SITES.slice(2);
  const visit = collect(large, '--linger', '8', '--seed', '1');
  const renderer = "$(pgrep -o -u browser -f '[t]ype=renderer')";
  const isolated = `[ "$(readlink /proc/${renderer}/ns/pid)" != "$(readlink /proc/1/ns/pid)" ] && grep -q '^Seccomp:.2$' /proc/${renderer}/status && ! pgrep -f '[-]-no-sandbox'`;
  assert.ok(await until(PATIENCE, async () => (await trySh(isolated)).code === 0));
  assert.equal(await sh("pgrep -u root -f '[/]chromium' || true"), '');
  const { code, stderr } = await visit;
  assert.equal(code, 0, stderr);
  const left = () => sh("ls -d /tmp/comps-fetch-* 2>/dev/null; pgrep -f '[c]hromium|[t]cpdump' || true");
  assert.ok(await until(PATIENCE, async () => (await left()) === ''), await left());
});
