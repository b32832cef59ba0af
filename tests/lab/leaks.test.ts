/**
 * No packet but the tunnels' own leaves the client's real interface, whatever is done to the client: a capture at the other
 * end of its cable, while programs in it, and one behind it, send every kind of packet twenty times a second.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capture, leakFilter } from '../../scripts/lib/lab/capture.ts';
import { clientRun } from '../../scripts/lib/lab/client.ts';
import { goodSetup, useLab } from './fixture.ts';
import { bundleMigrator, cutEverywhere, killMigrators } from './leak-cuts.ts';
import { MIGRATOR, STATES } from './leak-states.ts';
import { inWords, LeakWatch, packetsIn, type Row } from './leak-watch.ts';
import { FRAMES, KINDS, type Probers, startProbers } from './prober.ts';

const SITE = '203.0.113.80';
const SETUP = '/etc/wireguard/setup.sh';
/** Of the moments at which migrators are killed; another one: COMPS_SEED=7. */
const SEED = Number(process.env.COMPS_SEED ?? 42);

let probers: Probers;
const lab = useLab('leaks', {}, async (up) => {
  await goodSetup(up);
  await bundleMigrator(up);
  probers = await startProbers(up);
});
const sh = async (line: string): Promise<string> => (await clientRun(lab(), 'bash', '-c', line)).trim();
const pinged = () => sh(`ping -q -i 0.1 -c 1 -w 60 ${SITE}`);

let watch: LeakWatch;

/** Nothing left in this state; it is a line of the table that is printed. */
function none(row: Row, say: (line: string) => void): void {
  say(`${row.state}: ${row.probes} probes, ${row.past.length} packets past the tunnels`);
  assert.equal(row.past.length, 0, inWords(row));
}

test('the capture sees every kind of packet that is tried, while the client is not set up', async () => {
  const open = await capture(lab(), 'open', leakFilter(lab()));
  await probers.rounds(5);
  await open.stop();
  const seen = await Promise.all(
    Object.entries(KINDS).map(async ([kind, filter]) => [kind, (await packetsIn(open.file, filter)).length]),
  );
  assert.deepEqual(
    seen.filter(([, count]) => count === 0),
    [],
  );
});

test('set up, and watched from there on', async () => {
  await sh(`${SETUP} up`);
  await pinged();
  watch = new LeakWatch(lab(), probers, 'leaks');
  await watch.start();
});

for (const { name, enter, leave, except } of STATES)
  test(`${name}: nothing leaves, and \`up\` mends it`, async (t) => {
    const mend = async () => {
      if (leave !== undefined) await sh(leave);
      await sh(`${SETUP} up`);
      await pinged();
    };
    none(await watch.state(name, () => sh(enter), mend, except), (line) => t.diagnostic(line));
  });

test('the watch sees a leak: with nftables and tc both gone, what routes have no say about', async (t) => {
  const open = () => sh('nft flush ruleset; tc qdisc delete dev eth0 clsact');
  const row = await watch.state('nftables and tc gone', open, () => sh(`${SETUP} up`));
  t.diagnostic(`${row.state}: ${row.probes} probes, ${row.past.length} packets past the tunnels`);
  assert.ok(row.past.length > 0);
});

test('the migrator killed outright 100 times in mid-switching', async (t) => {
  // A linear congruential generator (Numerical Recipes): the same moments for the same seed.
  let state = SEED;
  const moments = Array.from({ length: 100 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * 60);
  });
  const kill = () => killMigrators(lab(), moments, 'node', MIGRATOR, '--period', '0.01', '--strategy', 'ur');
  none(await watch.state(`migrator killed 100 times, seed ${SEED}`, kill, pinged), (line) =>
    t.diagnostic(line),
  );
});

test('`up` cut off at every line, from nothing: closed from its first step on, and the next `up` completes it', async (t) => {
  const cutting = new LeakWatch(lab(), probers, 'cuts');
  await cutting.start(FRAMES);
  const tried = probers.tried();
  const { cuts, end } = await cutEverywhere(lab(), probers.shell, SITE);
  await cutting.stop();
  assert.ok(cuts.length > 40, `${cuts.length} places`);
  const packets = await cutting.packets();
  assert.ok(packets.length > 0, 'it is open while nothing is set up');
  const rows = cuts.map(({ line, closed, codes }, i): Row => {
    assert.match(codes, /^137(,0,0)?$/, `line ${line}`);
    const until = cuts[i + 1]?.opened ?? end;
    const past = packets.filter(({ time }) => time > closed && time < until);
    return { state: `cut off at line ${line}`, probes: 0, past };
  });
  const left = cuts.filter(({ codes }) => codes !== '137').length;
  assert.ok(left > 15, `${left} states`);
  const probes = Object.entries(probers.tried()).reduce((sum, [kind, n]) => sum + n - (tried[kind] ?? 0), 0);
  t.diagnostic(
    `held still or cut off at ${cuts.length} moments, which leave ${left} states: ${probes} probes`,
  );
  assert.equal(rows.map(inWords).join(''), '');
});

for (const [name, cut] of [
  ['the current path’s proxy dead', ['vpn1']],
  ['every proxy dead', ['vpn2', 'vpn3']],
  ['the comp server dead', ['comp1']],
] as const)
  test(`${name}: nothing leaves`, async (t) => {
    const work = async () => {
      await sh('ip route replace default dev wgnet1 table 51821');
      for (const role of cut) await lab().stop(role);
    };
    none(await watch.state(name, work, () => sh(`${SETUP} up`)), (line) => t.diagnostic(line));
  });

test('the capture has seen to the end', () => watch.stop());
