/** The split by packet in the kernel of a lab's client: `migrate.ts --strategy packet` and `bwr`. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, afterEach, test } from 'node:test';
import { cycleOf, packetChoice, type Run } from '../../client/scripts/lib/packet-strategy.ts';
import { splitTable } from '../../client/scripts/lib/split-rules.ts';
import { type Capture, capture, leakFilter } from '../../scripts/lib/lab/capture.ts';
import { clientRun } from '../../scripts/lib/lab/client.ts';
import { exchange, startEcho, upload } from './echo.ts';
import { goodSetup, nothingIn, useLab } from './fixture.ts';
import { inClient, killAll, Migrator, outcome, until } from './migrator.ts';

const SITE = '203.0.113.80';
const SETUP = '/etc/wireguard/setup.sh';
const NAMES = ['wgnet1', 'wgnet2', 'wgnet3'];
const PACKETS = 100_000;

let endEcho: (() => void) | undefined;
let leaks: Capture;
const lab = useLab('ksplit', {}, async (up) => {
  await goodSetup(up);
  await clientRun(up, 'sh', '-c', `${SETUP} up; ping -c 1 -w 60 ${SITE}`);
  endEcho = await startEcho(up);
  leaks = await capture(up, 'split', leakFilter(up));
});
const sh = async (line: string): Promise<string> => (await clientRun(lab(), 'sh', '-c', line)).trim();
const migrator = (...words: string[]): Migrator => new Migrator(inClient(lab(), words));
const inForce = (one: Migrator) => one.line('the split', ({ event }) => event === 'split');
/** As Ctrl-C in the client; its exit code. */
async function end(one: Migrator): Promise<number | null> {
  await sh('pkill -INT -f "[m]igrate.ts"');
  return one.ended;
}

afterEach(killAll);
after(() => endEcho?.());

/** Packets that each path's device was given, by the kernel. */
async function carried(): Promise<number[]> {
  const table = await sh('cat /proc/net/dev');
  return NAMES.map((name) => Number(new RegExp(`${name}:(?:\\s+\\d+){9}\\s+(\\d+)`).exec(table)?.[1]));
}
const since = (now: readonly number[], then: readonly number[]): number[] =>
  now.map((count, i) => count - (then[i] ?? 0));
const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);

/** Packets of each path among the first so many of a schedule that repeats. */
function expected(runs: readonly Run[], packets: number): number[] {
  const counts = NAMES.map(() => 0);
  for (let left = packets; left > 0; )
    for (const { path, packets: length } of runs) {
      const taken = Math.min(length, left);
      counts[path] = (counts[path] ?? 0) + taken;
      left -= taken;
    }
  return counts;
}

/** What is left of a split: rules, tables, rules of nftables, and wg0 that hands over packets one by one. */
const remains = () =>
  sh(`ip -4 rule | grep -c '^99:' || true; ip -4 route show table all | grep -c 'table 519' || true
    nft list tables | grep -c comps_split || true; ip -d link show wg0 | grep -c 'gso_max_segs 1 ' || true`);
const NOTHING = '0\n0\n0\n0';

test(`${PACKETS} packets: each takes the path that the seed gives it, none is lost, none goes past the tunnels`, async () => {
  const choice = packetChoice('packet', { seed: 42, paths: 3, weights: [0.5, 0.3, 0.2] });
  const one = migrator('--strategy', 'packet', '--weights', '5,3,2', '--seed', '42');
  assert.equal((await inForce(one)).cycle, 65_536);
  const before = await carried();
  const { sent, lost } = await exchange(lab(), PACKETS);
  const wire = since(await carried(), before);
  assert.equal(await end(one), 0, one.stderr);
  assert.deepEqual([sent, lost], [PACKETS, 0]);
  const counted = Object.values(one.of('counts')[0]?.packets as Record<string, number>);
  // The tunnel's own keepalives are packets as well.
  assert.ok(sum(counted) >= PACKETS && sum(counted) < PACKETS + 100);
  assert.deepEqual(counted, expected(cycleOf(choice, 65_536), sum(counted)));
  for (const [i, weight] of choice.weights.entries()) {
    assert.ok(Math.abs((wire[i] ?? 0) - (counted[i] ?? 0)) < 20, `${wire} on the wire, ${counted} counted`);
    assert.ok(Math.abs((wire[i] ?? 0) / sum(wire) - weight) < 0.01, `${wire} on the wire`);
  }
  assert.deepEqual(
    one.lines.map(({ event }) => event),
    ['start', 'split', 'counts', 'end'],
  );
  assert.equal(await remains(), NOTHING);
});

test('a split begins and ends in mid-traffic without a loss, also the one of bwr', async () => {
  const traffic = exchange(lab(), 40_000);
  for (const words of [
    ['--strategy', 'bwr', '--batch', '5-9'],
    ['--strategy', 'packet'],
  ]) {
    const one = migrator(...words, '--duration', '1');
    await inForce(one);
    assert.equal(await one.ended, 0, one.stderr);
  }
  assert.equal((await traffic).lost, 0);
});

test('TCP is split packet by packet too, not in the bursts that wireguard-go would join', async () => {
  const one = migrator('--strategy', 'packet', '--order', 'rr', '--seed', '1');
  await inForce(one);
  const before = await carried();
  await upload(lab(), 20e6);
  const wire = since(await carried(), before);
  assert.equal(await end(one), 0, one.stderr);
  assert.ok(sum(wire) > 14_000);
  for (const count of wire) assert.ok(Math.abs(count / sum(wire) - 1 / 3) < 0.01, `${wire} on the wire`);
});

test('kill -9 leaves it in force, `up` leaves it as it is, the next migrate.ts of any strategy takes it away', async () => {
  const killed = migrator('--strategy', 'packet');
  await inForce(killed);
  await sh('pkill -KILL -f "[m]igrate.ts"');
  await killed.ended;
  const state = () =>
    sh(
      'ip rule; for t in 51901 51902 51903; do ip route show table $t; done; nft -s list chain inet comps_split postrouting',
    );
  const before = await state();
  await sh(`${SETUP} up`);
  assert.equal(await state(), before);
  const then = await carried();
  assert.equal((await exchange(lab(), 3000)).lost, 0);
  for (const count of since(await carried(), then)) assert.ok(count > 800, 'all three carry their share');
  const traffic = exchange(lab(), 6000);
  const next = await outcome(inClient(lab(), ['--strategy', 'rr', '--switches', '1']));
  assert.equal(next.code, 0, next.stderr);
  assert.equal(await remains(), NOTHING);
  assert.equal((await traffic).lost, 0);
});

test('--detach leaves it in force without a process, --stop and `down` end it', async () => {
  const detached = await outcome(inClient(lab(), ['--strategy', 'packet', '--seed', '7', '--detach']));
  assert.equal(detached.code, 0, detached.stderr);
  assert.equal((await exchange(lab(), 3000)).lost, 0);
  const stopped = await outcome(inClient(lab(), ['--stop']));
  assert.equal(stopped.code, 0);
  assert.ok(sum(Object.values(stopped.of('counts')[0]?.packets as Record<string, number>)) >= 3000);
  assert.equal(await remains(), NOTHING);
  assert.match((await outcome(inClient(lab(), ['--stop']))).stderr, /^there is no split to end\n$/);
  await outcome(inClient(lab(), ['--strategy', 'bwr', '--detach']));
  // What is open behind `down` is not this test's.
  await nothingIn(leaks);
  await sh(`${SETUP} down`);
  const left = await sh('ip -4 rule; ip -4 route show table all; nft list ruleset');
  assert.doesNotMatch(left, /519\d\d|comps/);
  await sh(`${SETUP} up; ping -c 1 -w 60 ${SITE}`);
  leaks = await capture(lab(), 'split-2', leakFilter(lab()));
});

test('two at once: the second one is refused, and changes nothing of the first', async () => {
  const first = migrator('--strategy', 'packet');
  await inForce(first);
  for (const words of [['--strategy', 'packet'], ['--strategy', 'rr'], ['--stop']]) {
    const second = await outcome(inClient(lab(), words));
    assert.equal(second.code, 1);
    assert.match(
      second.stderr,
      /^error: another migrate\.ts, or a check\.ts, runs .*\n {2}next: kill \d+\n$/,
    );
  }
  assert.equal((await exchange(lab(), 3000)).lost, 0);
  assert.equal(await end(first), 0, first.stderr);
  assert.ok(sum(Object.values(first.of('counts')[0]?.packets as Record<string, number>)) >= 3000);
});

test('an interface deleted under it: its packets take another path at once, and its own again when it is back', async () => {
  const one = migrator('--strategy', 'packet', '--seed', '3');
  await inForce(one);
  const traffic = exchange(lab(), 30_000, { patience: 3 });
  await sh('ip link delete wgnet2');
  await one.line('wgnet2 left out', ({ event, out }) => event === 'health' && String(out) === 'wgnet2');
  const { lost } = await traffic;
  // Those that its program had in hand went with it.
  assert.ok(lost <= 48, `${lost} lost`);
  assert.equal((await exchange(lab(), 3000)).lost, 0);
  await sh(`${SETUP} up`);
  await one.line('wgnet2 back', ({ event, back }) => event === 'health' && String(back) === 'wgnet2');
  const then = await carried();
  assert.equal((await exchange(lab(), 3000)).lost, 0);
  for (const count of since(await carried(), then)) assert.ok(count > 800, 'all three carry their share');
  assert.equal(await end(one), 0);
  assert.match(one.stderr, /^wgnet2: the interface is gone or down; .*\nwgnet2: is back\n$/);
});

test('--hold: a split a `run`, its counts and nothing of it left at each `stop`', async () => {
  const one = migrator('--strategy', 'bwr', '--no-health', '--hold');
  await one.line('it to wait', ({ event }) => event === 'ready');
  for (const [i, seed] of [5, 6, 5].entries()) {
    one.process.stdin?.write(`run ${seed}\n`);
    await until('the split', () => one.of('split').length === i + 1);
    await exchange(lab(), 500);
    one.process.stdin?.write('stop\n');
    await until('its end', () => one.of('end').length === i + 1);
    assert.equal(await remains(), NOTHING);
  }
  const weights = one.of('start').map(({ weights }) => String(weights));
  assert.equal(weights[0], weights[2]);
  assert.notEqual(weights[0], weights[1]);
  assert.deepEqual(
    one.lines.map(({ event }) => event).filter((event) => event !== 'ready'),
    new Array(3).fill(['start', 'split', 'counts', 'end']).flat(),
  );
  one.process.stdin?.end();
  assert.equal(await one.ended, 0, one.stderr);
});

test('rules taken away under a split that nobody watches: nothing past the tunnels and nothing in circles', async () => {
  await outcome(inClient(lab(), ['--strategy', 'packet', '--detach']));
  // Without their rules, what is marked is to go into wg0; without wg0's either, to the real interface.
  await sh('for p in 99 99 99; do ip rule delete pref $p; done');
  const inCircles = await sh(
    `s=/sys/class/net/wg0/statistics/tx_packets; a=$(cat $s); ping -q -c 5 -i 0.2 -W 1 ${SITE} >&2 || true; echo $(($(cat $s) - a))`,
  );
  assert.ok(Number(inCircles) < 50, `${inCircles} packets into wg0, for 5`);
  await sh('ip rule delete pref 102');
  assert.ok((await exchange(lab(), 20, { patience: 2 })).lost > 0);
  await sh(`${SETUP} up`);
  assert.equal((await outcome(inClient(lab(), ['--stop']))).code, 0);
  assert.equal(await remains(), NOTHING);
});

test('tunnels made anew, or rules gone, under a split that nobody watches: `up` makes it whole again', async () => {
  const paths = ['--interfaces', 'wgnet3,wgnet1,wgnet2'];
  await outcome(inClient(lab(), ['--strategy', 'packet', '--detach', ...paths]));
  const state = () =>
    sh(
      'ip rule show pref 99; for i in 1 2 3; do ip route show table 5190$i; done; ip -d link show wg0 | grep -o "gso_max_segs [0-9]*"',
    );
  const whole = await state();
  assert.match(whole, /^99:[\s\S]*default dev wgnet2 scope link ?\n[\s\S]*gso_max_segs 1$/);
  assert.equal(await sh(`${SETUP} up`).then(state), whole);
  // A standby that is laid again may have another place among them.
  const parts = (text: string) =>
    text
      .replace(/ metric \d{4}\b/g, ' standby')
      .split('\n')
      .sort();
  await sh('ip link delete wg0; ip link delete wgnet2');
  for (const harm of ['true', 'for i in 1 2 3; do ip rule delete pref 99; ip route flush table 5190$i; done'])
    assert.deepEqual(parts(await sh(`${harm}; ${SETUP} up`).then(state)), parts(whole), harm);
  await sh(`ping -c 1 -w 60 ${SITE}`);
  assert.equal((await exchange(lab(), 3000)).lost, 0);
  const { code, stderr } = await outcome(inClient(lab(), ['--stop']));
  assert.equal(code, 0, stderr);
  assert.equal(await remains(), NOTHING);
});

test('a rule or routes taken away by hand are laid again and told of; the table taken away: it ends, and says so', async () => {
  const one = migrator('--strategy', 'packet', '--no-health', '--hold');
  const errors = (): string =>
    one
      .of('error')
      .map(({ message }) => message)
      .join('\n');
  const run = async (seed: number): Promise<void> => {
    one.process.stdin?.write(`run ${seed}\n`);
    await until('the split', () => one.of('split').length === seed);
  };
  await run(1);
  const state = () => sh('ip rule show pref 99 | sort; ip route show table 51902');
  const before = await state();
  await sh('ip rule delete pref 99 lookup 51901; ip route flush table 51902');
  await until('both told', () => /rule to 51901/.test(errors()) && /table 51902/.test(errors()));
  assert.equal((await exchange(lab(), 3000)).lost, 0);
  assert.equal(await state(), before);
  await sh('nft delete table inet comps_split');
  // By its own looks alone.
  await until('its end', () => one.of('end').length === 1);
  assert.match(errors(), /\nsplit gone: its table was taken away/);
  one.process.stdin?.write('stop\n');
  await run(2);
  await sh('nft delete table inet comps_split');
  one.process.stdin?.write('stop\n');
  await until('its end', () => one.of('end').length === 2);
  assert.deepEqual(
    one.of('end').map(({ reason }) => reason),
    ['split gone', 'split gone'],
  );
  assert.deepEqual(one.of('counts'), []);
  one.process.stdin?.end();
  assert.equal(await one.ended, 2);
  assert.match(one.stderr, /error: the split was taken away by somebody else\n$/);
  assert.equal(await remains(), NOTHING);
  assert.equal((await exchange(lab(), 1000)).lost, 0);
});

test('nothing went past the tunnels in all of this', () => nothingIn(leaks));

test('nft takes what is made for it, of any size', () => {
  const namespace = `comps-split-${process.pid}`;
  execFileSync('ip', ['netns', 'add', namespace]);
  try {
    const paths = Array.from({ length: 95 }, (_, i) => ({
      name: `wgnet${i + 1}`,
      address: `10.45.0.${5 + i}`,
      mtu: 1420,
    }));
    for (const [count, runs] of [
      [1, [{ path: 0, packets: 1 }]],
      [95, cycleOf(packetChoice('packet', { seed: 1, paths: 95, order: 'rr' }), 95)],
      [95, cycleOf(packetChoice('bwr', { seed: 1, paths: 95 }), 1_048_576)],
    ] as const) {
      const input = splitTable({ paths: paths.slice(0, count), runs, joins: true });
      execFileSync('ip', ['netns', 'exec', namespace, 'nft', '-c', '-f', '-'], { input });
      execFileSync('ip', ['netns', 'exec', namespace, 'nft', '-f', '-'], { input });
    }
  } finally {
    execFileSync('ip', ['netns', 'delete', namespace]);
  }
});
