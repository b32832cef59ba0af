import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../../client/scripts/lib/clock.ts';
import { decimal, whole } from '../../client/scripts/lib/flags.ts';
import { namesIn, selectTunnels, tunnelNames } from '../../client/scripts/lib/interfaces.ts';
import { readReports } from '../../client/scripts/lib/ip-batch.ts';
import { JsonLog } from '../../client/scripts/lib/json-log.ts';
import { mayChangeRoutes } from '../../client/scripts/lib/privilege.ts';
import { firstEntries } from '../../client/scripts/lib/schedule.ts';

test('entries keep to the clock: no drift, times to the microsecond', () => {
  assert.deepEqual(firstEntries([2, 0, 1, 2], 0.1, 4), [
    { n: 0, at: 0, path: 2 },
    { n: 1, at: 0.1, path: 0 },
    { n: 2, at: 0.2, path: 1 },
    { n: 3, at: 0.3, path: 2 },
  ]);
  assert.deepEqual(firstEntries([1], 0.1, 0), []);
  const last = firstEntries(new Array(100_001).fill(0), 0.001, 100_001).at(-1);
  assert.equal(last?.at, 100);
});

test('reports of ip are read whole, however the text is cut', () => {
  const text = [
    'Object "done?" is unknown, try "ip help".\nCommand failed -:2\n',
    'RTNETLINK answers: Network is down\nCommand failed -:3\n',
    'Object "done?" is unknown, try "ip help".\nCommand failed -:4\n',
    'Error: Device for nexthop is not up.\nand more\nCommand failed -:5\n',
  ].join('');
  const expected = [
    { line: 2, message: 'Object "done?" is unknown, try "ip help".' },
    { line: 3, message: 'RTNETLINK answers: Network is down' },
    { line: 4, message: 'Object "done?" is unknown, try "ip help".' },
    { line: 5, message: 'Error: Device for nexthop is not up.; and more' },
  ];
  assert.deepEqual(readReports(text), { reports: expected, rest: '' });
  fc.assert(
    fc.property(fc.array(fc.nat(text.length)), (cuts) => {
      const ends = [...cuts, text.length].sort((a, b) => a - b);
      let rest = '';
      const all = ends.flatMap((end, i) => {
        const read = readReports(rest + text.slice(ends[i - 1] ?? 0, end));
        rest = read.rest;
        return read.reports;
      });
      assert.deepEqual(all, expected);
    }),
  );
});

test('tunnels are found in numeric order, and nothing else is taken for one', () => {
  const json = JSON.stringify(
    ['lo', 'wgnet10', 'eth0', 'wgnet2', 'wg0', 'wgnet', 'wgnet0', 'xwgnet1', 'wgnet1'].map((ifname) => ({
      ifname,
    })),
  );
  assert.deepEqual(tunnelNames(json), ['wgnet1', 'wgnet2', 'wgnet10']);
  assert.throws(() => selectTunnels(undefined, []), {
    message: /no wgnet interface/,
    next: '/etc/wireguard/setup.sh',
  });
  assert.throws(() => selectTunnels(['wgnet2', 'wgnet9'], ['wgnet1', 'wgnet2']), {
    message: '--interfaces: no interface wgnet9; there is wgnet1, wgnet2',
  });
  assert.deepEqual(selectTunnels(['wgnet2', 'wgnet1'], ['wgnet1', 'wgnet2']), ['wgnet2', 'wgnet1']);
});

test('flags refuse what they cannot use, with flag, value and what is expected', () => {
  const period = decimal('--period', { min: 0.001, max: 10, of: 'of seconds' });
  assert.deepEqual(['0.1', '.5', '1e-3', '10'].map(period), [0.1, 0.5, 0.001, 10]);
  for (const bad of ['', ' ', '0', '-1', '11', 'NaN', 'Infinity', '0x1', '1,5', '100ms', '1e', '1.'])
    assert.throws(() => period(bad), {
      message: `--period: ${JSON.stringify(bad)} is not a number of seconds from 0.001 to 10`,
    });
  const seed = whole('--seed', { min: 0, max: Number.MAX_SAFE_INTEGER });
  assert.equal(seed('9007199254740991'), Number.MAX_SAFE_INTEGER);
  for (const bad of ['9007199254740992', '-1', '1.5', '1e3', 'abc', ''])
    assert.throws(() => seed(bad), {
      message: `--seed: ${JSON.stringify(bad)} is not a whole number from 0 to 9007199254740991`,
    });
  assert.deepEqual(namesIn('wgnet3, wgnet1'), ['wgnet3', 'wgnet1']);
  for (const bad of ['', 'eth0', 'wgnet1,', 'wgnet0', 'wgnet1;reboot', 'wgnet1 table main'])
    assert.throws(() => namesIn(bad), { message: /^--interfaces: ".*" is not the name of a tunnel/ });
  assert.throws(() => namesIn('wgnet1,wgnet1'), { message: '--interfaces: wgnet1 is there more than once' });
});

test('CAP_NET_ADMIN is read from the effective set', () => {
  assert.equal(mayChangeRoutes('CapInh:\t0000000000000000\nCapEff:\t000001ffffffffff\n'), true);
  assert.equal(mayChangeRoutes('CapPrm:\t000001ffffffffff\nCapEff:\t000001ffffffefff\n'), false);
  assert.equal(mayChangeRoutes('CapEff:\t0000000000001000\n'), true);
  assert.equal(mayChangeRoutes(''), false);
});

test('the clock waits for a time, gives epoch seconds, and stops at once at a signal', async () => {
  const clock = systemClock();
  const due = clock.now() + 12;
  await clock.until(due, new AbortController().signal, () => false);
  assert.ok(clock.now() >= due);
  const between = [Date.now() / 1000, clock.epoch(clock.now()), (Date.now() + 1) / 1000] as const;
  assert.ok(between[0] - 1e-4 <= between[1] && between[1] <= between[2] + 1e-4, String(between));
  assert.equal(clock.follow(), 0);
  const stop = new AbortController();
  setTimeout(() => stop.abort('enough'), 1);
  await clock.until(clock.now() + 3_600_000, stop.signal, () => false);
});

test('the log keeps every line in order, and appends', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'comps-log-'));
  try {
    const file = join(folder, 'switches');
    for (const run of [0, 1]) {
      const log = JsonLog.open(file, { gone: assert.fail, trouble: assert.fail });
      for (let i = 0; i < 5000; i++) {
        log.line({ run, i });
        if (i % 1000 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      }
      assert.equal(await log.close(), true);
    }
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      [0, 1].flatMap((run) => Array.from({ length: 5000 }, (_, i) => ({ run, i }))),
    );
    assert.throws(() => JsonLog.open(folder, { gone: assert.fail, trouble: assert.fail }), {
      name: 'Fault',
      message: /^--log: EISDIR/,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a full disk is said and tried again; a log that lost lines does not call itself complete', async () => {
  let said = '';
  const log = JsonLog.open('/dev/full', {
    gone: assert.fail,
    trouble: (message) => {
      said = message;
    },
  });
  log.line({ event: 'start' });
  assert.equal(await log.close(100), false);
  assert.match(said, /ENOSPC/);
});
