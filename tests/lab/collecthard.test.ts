/** What is killed, stopped or refused while a run is under way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WORK } from '../../client/scripts/lib/trace/layout.ts';
import { clientScript } from '../../scripts/lib/lab/client.ts';
import { until } from '../../scripts/lib/lab/poll.ts';
import { ready } from './collector.ts';
import { useLab } from './fixture.ts';
import {
  begun,
  COLLECTOR,
  collector,
  FLAGS,
  inShell,
  loading,
  nothingLies,
  nothingRuns,
  once,
  soundRun,
} from './sabotage.ts';

const lab = useLab('hard', { browser: true }, ready);

const [SMALL, LARGE] = ['https://small.example.org/', 'https://large.example.org/'];
const GOOD = [[1, 'success', undefined]];

/** Milliseconds within which a run that is told to stop must have stopped. */
const AT_ONCE = 4000;

test('the collector is killed in any phase: every visit once, nothing lost, nothing left', async () => {
  const go = () => collector(lab(), [SMALL, LARGE], '--run', '/tmp/run-killed', '--visits', '2');
  const records = `/tmp/run-killed/${WORK}/0001-0001.1/records.jsonl`;
  for (const [condition, action] of [
    [begun('/tmp/run-killed', '0000-0000.1'), `kill -9 ${COLLECTOR}`],
    [loading('/tmp/run-killed', '0001-0000.1'), `kill -9 ${COLLECTOR}`],
    // A loop without a pause: writing takes some ten milliseconds.
    [
      loading('/tmp/run-killed', '0001-0001.1'),
      `pid=${COLLECTOR}; until [ -s ${records} ]; do :; done; kill -9 $pid; [ -e ${records} ]`,
    ],
  ] as const) {
    const run = go();
    await once(lab(), condition, action);
    assert.notEqual((await run).code, 0);
    await nothingRuns(lab());
  }
  const { code, stderr } = await go();
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^3 of 4 visits are there already$/m);
  const { attempts } = await soundRun(lab(), '/tmp/run-killed');
  assert.deepEqual(Object.fromEntries(attempts), {
    '0000-0000': GOOD,
    '0000-0001': GOOD,
    '0001-0000': GOOD,
    '0001-0001': GOOD,
  });
  await nothingLies(lab());
  const again = await go();
  assert.equal(again.code, 0, again.stderr);
  assert.equal((await soundRun(lab(), '/tmp/run-killed')).attempts.size, 4);
});

/** What is done to the first attempt of each visit, and the kind of failure that it must be. */
const SABOTAGE = [
  ['pkill -9 -o -u browser chromium', 'crash'],
  ['pkill -9 -u browser -f type=renderer', 'crash'],
  ['pkill -9 -f "^tcpdump.* -i wgnet2"', 'capture'],
  ['pkill -9 -f "^tcpdump.* -i eth0"', 'capture'],
  ['pkill -9 -f "^[^ ]*node .*/comps/migrate"', 'migration'],
  ['pkill -STOP -u browser -f chromium', 'timeout'],
  ['pkill -STOP -f "^tcpdump.* -i wgnet1"', 'capture'],
  ['pkill -STOP -f "^[^ ]*node .*/comps/migrate"', 'migration'],
] as const;

test('a tool is killed or stopped in mid-visit: a failure of its kind without packets, then a success', async () => {
  const flags = ['--run', '/tmp/run-tools', '--visits', String(SABOTAGE.length), '--timeout', '4'];
  const run = collector(lab(), [LARGE], ...flags, '--retries', '1');
  for (const [i, [action]] of SABOTAGE.entries())
    await once(lab(), loading('/tmp/run-tools', `0000-${String(i).padStart(4, '0')}.1`), action);
  const { code, stderr } = await run;
  assert.equal(code, 0, stderr);
  const { attempts } = await soundRun(lab(), '/tmp/run-tools');
  assert.deepEqual(
    [...attempts.values()],
    SABOTAGE.map(([, kind]) => [
      [1, kind === 'timeout' ? 'timeout' : 'failure', kind],
      [2, 'success', undefined],
    ]),
  );
  await nothingRuns(lab());
  await nothingLies(lab());
});

test('Ctrl-C and SIGTERM: 99, the next step, nothing left; meanwhile another collector is refused', async () => {
  const go = () => collector(lab(), [SMALL, LARGE], '--run', '/tmp/run-told');
  const toldTo = async (condition: string, action: string): Promise<void> => {
    const run = go();
    await once(lab(), condition, action);
    const began = performance.now();
    const { code, stderr } = await run;
    assert.equal(code, 99, stderr);
    assert.match(stderr, /same command again/i);
    assert.ok(performance.now() - began < AT_ONCE, `${performance.now() - began} ms`);
    await nothingRuns(lab());
    await nothingLies(lab());
  };
  // At its start; before a page is asked for; in mid-load; while it waits.
  await toldTo('[ -e /tmp/run-told/manifest.json ]', `kill -INT ${COLLECTOR}`);
  const second = `printf '${SMALL}' | env -C / npx zx /comps/fetch_websites.ts 2>/tmp/run-refused >/dev/null`;
  await toldTo(
    begun('/tmp/run-told', '0000-0000.1'),
    `pid=${COLLECTOR}; ${second}; [ $? = 1 ] && grep -q "process $pid" /tmp/run-refused && kill -INT $pid`,
  );
  await toldTo(loading('/tmp/run-told', '0001-0000.1'), `kill -TERM ${COLLECTOR}`);
  const { code, stderr } = await go();
  assert.equal(code, 0, stderr);
  const { attempts } = await soundRun(lab(), '/tmp/run-told');
  assert.deepEqual(Object.fromEntries(attempts), { '0000-0000': GOOD, '0001-0000': GOOD });
});

test('Ctrl-C under npx, in a terminal: the whole group gets it, and all is ended', async () => {
  const words = clientScript('fetch_websites.ts', ...FLAGS, '--run', '/tmp/run-npx', '--visits', '20');
  const shell = `setsid -w script -qec 'stty -echo; ${words.join(' ')} --urls /tmp/run-urls' /dev/null </dev/null >/tmp/run-npx.log`;
  await inShell(lab(), `echo ${SMALL} >/tmp/run-urls`);
  const run = inShell(lab(), shell);
  const group = `$(ps -o pgid= "$(pgrep -f '^node [^ ]*zx /comps/fetch_websites')" | tr -d ' ')`;
  await once(lab(), begun('/tmp/run-npx', '0000-0001.1'), `env kill -INT -- -${group}`);
  await run;
  await nothingRuns(lab());
  await nothingLies(lab());
  assert.match((await inShell(lab(), 'cat /tmp/run-npx.log')).stdout, /same command again/i);
});

test('refused before anything is changed: no such interface, a migrate.ts that runs already', async () => {
  const absent = await collector(lab(), [SMALL], '--run', '/tmp/run-none', '--interfaces', 'wgnet1,wgnet9');
  assert.equal(absent.code, 1, absent.stderr);
  assert.match(absent.stderr, /wgnet9/);
  const migrate = lab().exec('client', clientScript('migrate.ts', '--duration', '60'));
  const own = "pgrep -f '^node .*/comps/migrate'";
  assert.ok(
    await until(10_000, async () => (await inShell(lab(), 'ss -xl | grep -q comps-migrate')).code === 0),
  );
  const beside = await collector(lab(), [SMALL], '--run', '/tmp/run-none');
  const { stdout: pid } = await inShell(lab(), own);
  await inShell(lab(), `kill $(${own})`);
  await migrate;
  assert.equal(beside.code, 1, beside.stderr);
  assert.match(beside.stderr, new RegExp(`migrate\\.ts.*\\(process ${pid.trim()}\\)`));
  assert.equal((await inShell(lab(), 'ls -d /tmp/run-none')).stdout, '');
});

test('the reader of its records goes away: it ends soon, and says so', async () => {
  const line = `cd / && { for i in 1 2 3 4 5 6; do echo ${SMALL}$i; done | node --import tsx /comps/fetch_websites.ts ${FLAGS.join(' ')}; echo $? >/tmp/run-code; } | head -n 1`;
  const { stdout, stderr } = await inShell(lab(), line);
  assert.equal((await inShell(lab(), 'cat /tmp/run-code')).stdout, '2\n');
  assert.match(stderr, /standard output: its reader has gone/);
  assert.equal(JSON.parse(stdout).visit, '0000-0000');
  assert.ok(stderr.split('\n').filter((each) => /^\d\/6 /.test(each)).length <= 2, stderr);
  await nothingRuns(lab());
  await nothingLies(lab());
});
