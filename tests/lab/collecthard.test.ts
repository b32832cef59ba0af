/** What is killed, stopped or refused while a run is under way. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { WORK } from '../../client/scripts/lib/trace/layout.ts';
import { clientScript } from '../../scripts/lib/lab/client.ts';
import type { Outcome } from '../../scripts/lib/lab/open.ts';
import { until } from '../../scripts/lib/poll.ts';
import { attemptsOf, fetchRun, ready, summariesOf } from './collector.ts';
import { useLab } from './fixture.ts';
import { heldPage, openGate, startNasty } from './nasty.ts';
import {
  begun,
  COLLECTOR,
  collector,
  endTools,
  FLAGS,
  inShell,
  loading,
  NEEDS,
  nothingLies,
  nothingRuns,
  once,
  soundRun,
} from './sabotage.ts';

const lab = useLab('hard', NEEDS, async (made) => {
  await ready(made);
  await startNasty(made);
});

afterEach(() => endTools(lab()));

const [SMALL, LARGE] = ['https://small.example.org/', 'https://large.example.org/'];
const GOOD = [[1, 'success', undefined]];

/**
 * Kills the collector as soon as records of any visit are being written: some ten milliseconds, so without a pause between
 * two looks. (Not stopped first: nsenter, its parent, stops with it, and for good.)
 */
const killWriting = (run: string): string => `pid=${COLLECTOR}
  while kill -0 $pid; do
    set -- ${run}/${WORK}/*/records.jsonl; [ -s "$1" ] && exec kill -9 $pid
  done; exit 1`;

test('the collector is killed in any phase: every visit once, nothing lost, nothing left', async () => {
  const run = '/tmp/run-killed';
  const urls = [SMALL, heldPage('killed'), LARGE];
  const go = () => collector(lab(), urls, '--run', run, '--visits', '2', '--timeout', '60');
  for (const [condition, action] of [
    [begun(run, '0000-0000.1'), `kill -9 ${COLLECTOR}`],
    [loading(run, '0001-0000.1'), `kill -9 ${COLLECTOR}`],
    [begun(run, '0002-0000.1'), killWriting(run)],
  ] as const) {
    const collecting = go();
    await once(lab(), condition, action);
    assert.notEqual((await collecting).code, 0);
    await nothingRuns(lab());
    openGate(lab(), 'killed');
  }
  const made = summariesOf(await fetchRun(lab(), run)).filter(({ status }) => status === 'success').length;
  assert.ok(made >= 2 && made < 6, `${made}`);
  const { code, stderr } = await go();
  assert.equal(code, 0, stderr);
  assert.match(stderr, new RegExp(`^${made} of 6 visits are there already$`, 'm'));
  const { attempts } = await soundRun(lab(), run);
  assert.deepEqual(
    [...attempts],
    [0, 1, 2].flatMap((label) => [0, 1].map((instance) => [`000${label}-000${instance}`, GOOD])),
  );
  await nothingLies(lab());
  const again = await go();
  assert.equal(again.code, 0, again.stderr);
  assert.equal((await soundRun(lab(), run)).attempts.size, 6);
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
  const urls = SABOTAGE.map((_, i) => heldPage(`tool${i}`));
  const run = collector(lab(), urls, '--run', '/tmp/run-tools', '--timeout', '20');
  for (const [i, [action]] of SABOTAGE.entries()) {
    await once(lab(), loading('/tmp/run-tools', `000${i}-0000.1`), action);
    openGate(lab(), `tool${i}`);
  }
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

// Where one that is told to stop would see its visit to the end, it would wait for an hour.
const FOR_EVER = ['--timeout', '3600'];

test('Ctrl-C and SIGTERM: 99, the next step, nothing left; meanwhile another collector is refused', {
  timeout: 300_000,
}, async () => {
  const toldTo = async (collecting: Promise<Outcome>, condition: string, action: string): Promise<void> => {
    await once(lab(), condition, action);
    const { code, stderr } = await collecting;
    assert.equal(code, 99, stderr);
    assert.match(stderr, /same command again/i);
    await nothingRuns(lab());
    await nothingLies(lab());
  };
  const run = '/tmp/run-told';
  const go = () => collector(lab(), [SMALL, heldPage('told')], '--run', run, ...FOR_EVER);
  // At its start; before a page is asked for; in mid-load.
  await toldTo(go(), `[ -e ${run}/manifest.json ]`, `kill -INT ${COLLECTOR}`);
  await toldTo(go(), begun(run, '0000-0000.1'), `kill -INT ${COLLECTOR}`);
  await toldTo(go(), loading(run, '0001-0000.1'), `kill -TERM ${COLLECTOR}`);
  openGate(lab(), 'told');
  const { code, stderr } = await go();
  assert.equal(code, 0, stderr);
  const { attempts } = await soundRun(lab(), run);
  assert.deepEqual(Object.fromEntries(attempts), { '0000-0000': GOOD, '0001-0000': GOOD });

  // While it stays on a page.
  const stays = collector(lab(), [SMALL], '--run', '/tmp/run-stays', '--linger', '3600');
  const second = `printf '${SMALL}' | env -C / npx zx /comps/fetch_websites.ts 2>/tmp/run-refused >/dev/null`;
  await toldTo(
    stays,
    begun('/tmp/run-stays', '0000-0000.1'),
    `pid=${COLLECTOR}; ${second}; [ $? = 1 ] && grep -q "process $pid" /tmp/run-refused && kill -INT $pid`,
  );
  assert.deepEqual(attemptsOf(await fetchRun(lab(), '/tmp/run-stays')), []);
});

test('Ctrl-C under npx, in a terminal: the whole group gets it, and all is ended', async () => {
  const words = clientScript('fetch_websites.ts', ...FLAGS, '--run', '/tmp/run-npx', '--visits', '20');
  const shell = `setsid -w script -qec 'stty -echo; ${words.join(' ')} --urls /tmp/run-urls' /dev/null </dev/null >/tmp/run-npx.log`;
  await inShell(lab(), `echo ${SMALL} >/tmp/run-urls`);
  const run = inShell(lab(), shell);
  const group = `$(ps -o pgid= "$(pgrep -of '^node [^ ]*zx /comps/fetch_websites')" | tr -d ' ')`;
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
  const own = "pgrep -of '^node .*/comps/migrate'";
  assert.ok(
    await until(60_000, async () => (await inShell(lab(), 'ss -xl | grep -q comps-migrate')).code === 0),
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
