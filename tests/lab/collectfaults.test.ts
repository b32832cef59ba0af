/** What gives out while a run is under way: the disk, a proxy, the comp server, an interface, a table. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, test } from 'node:test';
import type { Manifest } from '../../client/scripts/lib/trace/layout.ts';
import { capture, leakFilter } from '../../scripts/lib/lab/capture.ts';
import { clientRun } from '../../scripts/lib/lab/client.ts';
import { inClient, ready, recordsIn } from './collector.ts';
import { nothingIn, useLab } from './fixture.ts';
import { closeGate, heldPage, openGate, startNasty } from './nasty.ts';
import {
  collector,
  endTools,
  inShell,
  loading,
  NEEDS,
  nothingLies,
  nothingRuns,
  once,
  soundRun,
} from './sabotage.ts';

const lab = useLab('faults', NEEDS, async (made) => {
  await ready(made);
  await startNasty(made);
});

afterEach(() => endTools(lab()));

/** Shell condition: every tunnel has had its handshake, and a packet goes all the way and back. */
const SHAKEN = `[ "$(wg show all latest-handshakes | awk '$3 > 0' | wc -l)" = 3 ] && ping -q -c 1 -W 5 203.0.113.80 >/dev/null`;

const [SMALL, LARGE] = ['https://small.example.org/', 'https://large.example.org/'];
const GOOD = [1, 'success', undefined];

/** Nothing of a schedule can be too late: what a visit needs of the disk, no machine is too slow for. */
const ONE_PATH = ['--period', '600'];

/** A disk of its own in the client, so small. */
async function disk(place: string, megabytes: number): Promise<void> {
  await clientRun(lab(), 'mkdir', '-p', place);
  await clientRun(lab(), 'mount', '-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', place);
}
const grow = (place: string, megabytes: number) =>
  clientRun(lab(), 'mount', '-o', `remount,size=${megabytes}m`, place);

test('the disk is full, while captures and while records are written: what is finished stays, the rest follows', async () => {
  const run = '/mnt/full/run';
  const go = (...flags: string[]) =>
    collector(lab(), [SMALL, LARGE], ...ONE_PATH, '--run', run, '--visits', '2', '--min-free', '0', ...flags);
  // A visit of the large page has 9 MB of captures and 12 MB of records; one of the small page 0.1 MB.
  await disk('/mnt/full', 24);
  for (const megabytes of [24, 34]) {
    await grow('/mnt/full', megabytes);
    const { code, stderr } = await go();
    assert.equal(code, 2, stderr);
    assert.match(stderr, /\/mnt\/full\/run: the disk is full; .* are kept\n {2}next: make room/);
    const { attempts } = await soundRun(lab(), run);
    assert.deepEqual([...attempts.keys()], ['0000-0000', '0000-0001', '0001-0000']);
    await nothingRuns(lab());
  }
  await clientRun(lab(), 'sh', '-c', 'cat /dev/zero >/mnt/full/fill 2>/dev/null || true');
  assert.match((await go()).stderr, /the disk is full/);
  await clientRun(lab(), 'rm', '/mnt/full/fill');
  const guarded = await go('--min-free', '1000000');
  assert.equal(guarded.code, 2, guarded.stderr);
  assert.match(guarded.stderr, /less than 1000000 MB are free\n {2}next: make room/);
  await grow('/mnt/full', 100);
  const { code, stderr } = await go();
  assert.equal(code, 0, stderr);
  const { attempts } = await soundRun(lab(), run);
  assert.deepEqual([...attempts.values()], [[GOOD], [GOOD], [GOOD], [GOOD]]);
  await nothingLies(lab());
});

test('a run whose first manifest could not be written begins anew', async () => {
  await disk('/mnt/none', 1);
  await clientRun(lab(), 'sh', '-c', 'cat /dev/zero >/mnt/none/fill 2>/dev/null || true');
  const go = () => collector(lab(), [SMALL], '--run', '/mnt/none/run', '--min-free', '0');
  const full = await go();
  assert.equal(full.code, 2, full.stderr);
  assert.match(full.stderr, /the disk is full/);
  await clientRun(lab(), 'rm', '/mnt/none/fill');
  const { code, stderr } = await go();
  assert.equal(code, 0, stderr);
  await soundRun(lab(), '/mnt/none/run');
  // Other tunnels than the run's are told, and noted.
  const mtu = (await clientRun(lab(), 'cat', '/sys/class/net/wgnet1/mtu')).trim();
  await clientRun(lab(), 'ip', 'link', 'set', 'wgnet1', 'mtu', '1400');
  const later = await go();
  await clientRun(lab(), 'ip', 'link', 'set', 'wgnet1', 'mtu', mtu);
  assert.match(later.stderr, new RegExp(`others than before: wgnet1: MTU 1400, was ${mtu}$`, 'm'));
  const manifest = readFileSync(await inClient(lab(), '/mnt/none/run/manifest.json'), 'utf8');
  const sessions = (JSON.parse(manifest) as Manifest).sessions.map(({ tunnels }) => tunnels?.[0]?.mtu);
  assert.deepEqual(sessions, [Number(mtu), 1400]);
});

test('the disk of --out is full: whole visits only, and a line that somebody was cut off in is taken away', async () => {
  await disk('/mnt/out', 6);
  const go = () => collector(lab(), [SMALL, LARGE], '--out', '/mnt/out/all.jsonl', '--min-free', '0');
  const visits = async () => {
    const text = readFileSync(await inClient(lab(), '/mnt/out/all.jsonl'), 'utf8');
    assert.ok(text.endsWith('}\n'));
    return [...new Set(recordsIn(text).map(({ visit }) => visit))];
  };
  const full = await go();
  assert.equal(full.code, 2, full.stderr);
  assert.match(full.stderr, /\/mnt\/out\/all\.jsonl: the disk is full; .*\n {2}next: make room/);
  assert.deepEqual(await visits(), ['0000-0000']);
  await inShell(lab(), 'printf \'{"format":1,"vi\' >>/mnt/out/all.jsonl');
  await grow('/mnt/out', 100);
  const { code, stderr } = await go();
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^\/mnt\/out\/all\.jsonl: its last line was cut off; its 15 bytes are taken away$/m);
  assert.deepEqual(await visits(), ['0000-0000', '0001-0000']);
  await nothingLies(lab());
});

test('a proxy, then the comp server loses its power in mid-visit: no fault of the page, and the run goes on later', async () => {
  const run = '/tmp/run-power';
  const go = (patience: number) =>
    collector(
      lab(),
      [heldPage('power')],
      ...['--run', run, '--visits', '2', '--timeout', '12', '--patience', `${patience}`],
    );
  // Where a first handshake is lost, the next one comes after five seconds; wg0's goes through a path that has one.
  for (const [attempt, role, tunnel, patience] of [
    [1, 'vpn2', 'wgnet2', 5],
    [2, 'comp1', 'wg0', 10],
  ] as const) {
    closeGate(lab(), 'power');
    const under = go(patience);
    await once(lab(), loading(run, `0000-0000.${attempt}`), ':');
    await lab().stop(role);
    openGate(lab(), 'power');
    const { code, stderr } = await under;
    assert.equal(code, 4, stderr);
    assert.match(stderr, new RegExp(`error: ${tunnel} does not answer; .* kept\n {2}next: .*${tunnel}`));
    await nothingRuns(lab());
    await lab().start(role);
    await ready(lab());
    await once(lab(), SHAKEN, ':');
  }
  const { code, stderr } = await go(60);
  assert.equal(code, 0, stderr);
  const { attempts } = await soundRun(lab(), run);
  assert.deepEqual(Object.fromEntries(attempts), {
    '0000-0000': [
      [1, 'failure', 'tunnel'],
      [2, 'failure', 'tunnel'],
      [3, 'success', undefined],
    ],
    '0000-0001': [GOOD],
  });
});

test('somebody deletes an interface, then flushes a table: the run waits for setup.sh, and nothing leaves meanwhile', async () => {
  const run = '/tmp/run-cut';
  const leaks = await capture(lab(), 'cut', leakFilter(lab()));
  const cuts = [
    'ip link delete wgnet2',
    'ip route flush table 51820',
    'ip rule delete fwmark 51820 lookup 51821',
  ];
  const urls = cuts.map((_, i) => heldPage(`cut${i}`));
  const flags = ['--run', run, '--timeout', '12', '--patience', '600'];
  const under = collector(lab(), urls, ...flags);
  for (const [i, cut] of cuts.entries()) {
    await once(lab(), loading(run, `000${i}-0000.1`), cut);
    openGate(lab(), `cut${i}`);
    await once(lab(), `[ -d ${run}/visits/000${i}-0000.1 ]`, '/etc/wireguard/setup.sh');
  }
  const { code, stderr } = await under;
  await nothingIn(leaks);
  assert.equal(code, 0, stderr);
  const { attempts } = await soundRun(lab(), run);
  const twice = [
    [1, 'failure', 'tunnel'],
    [2, 'success', undefined],
  ];
  assert.deepEqual([...attempts.values()], [twice, twice, twice], stderr);
});
