/**
 * Mode quic: no packet but the tunnels' own leaves the client's real interface, whatever is done to the client, nor while its
 * mode changes. As leaks.test.ts, with the same probes. And what becomes of TCP: refused, or each connection kept on its path.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { capture, leakFilter } from '../../scripts/lib/lab/capture.ts';
import { clientRun } from '../../scripts/lib/lab/client.ts';
import { exchange, startEcho } from './echo.ts';
import { useLab } from './fixture.ts';
import { bundleMigrator, cutEverywhere, killMigrators } from './leak-cuts.ts';
import { FEWER, QUIC, STICKY, WIREGUARD, writeAllModes } from './leak-files.ts';
import { MIGRATOR, QUIC_STATES, STICKY_STATES, type State } from './leak-states.ts';
import { inWords, LeakWatch, packetsIn, type Row } from './leak-watch.ts';
import { answerToRouter } from './neighbour.ts';
import { FRAMES, KINDS, type Probers, startProbers } from './prober.ts';
import { type TcpPaths, tcpPaths } from './tcp-paths.ts';

const SITE = '203.0.113.80';
let probers: Probers;
const lab = useLab('quicleaks', {}, async (up) => {
  await writeAllModes(up);
  await bundleMigrator(up);
  probers = await startProbers(up);
});
const sh = async (line: string): Promise<string> => (await clientRun(lab(), 'bash', '-c', line)).trim();
const pinged = () => sh(`ping -q -i 0.1 -c 1 -w 20 ${SITE}`);
/** All that a set-up makes but counters. */
const state = () =>
  sh(`ip rule; ip -6 rule; { ip -4 route show table all; ip -6 route show table all; } | grep ' table 5'; nft -s list ruleset
    tc filter show dev eth0 egress; { ip -br -4 addr; ip -br link; } | grep -E '^(eth0|wg)' | sort`);

let watch: LeakWatch;

/** Nothing left in this state; it is a line of the table that is printed. */
function none(row: Row, say: (line: string) => void): void {
  say(`${row.state}: ${row.probes} probes, ${row.past.length} packets past the tunnels`);
  assert.equal(row.past.length, 0, inWords(row));
}

/** A test a state, each mended by this script. */
function eachState(states: readonly State[], setup: string): void {
  for (const { name, enter, leave, except } of states)
    test(`${name}: nothing leaves, and \`up\` mends it`, async (t) => {
      const mend = async () => {
        if (leave !== undefined) await sh(leave);
        await sh(`${setup} up`);
        await pinged();
      };
      none(await watch.state(name, () => sh(enter), mend, except), (line) => t.diagnostic(line));
    });
}

/** Does something while every kind of packet is tried; nothing leaves. */
const closedDuring = async (name: string, work: () => Promise<unknown>, say: (line: string) => void) =>
  none(await watch.state(name, work, pinged), say);

/** Connects by TCP; what comes of it. */
const dial = (address: string) =>
  sh(
    `perl -MSocket -MErrno -e 'socket(S, PF_INET, SOCK_STREAM, 0); print connect(S, pack_sockaddr_in(80, inet_aton("${address}"))) ? "connected" : $!{ECONNREFUSED} ? "refused" : "$!"'`,
  );
const refused = async (): Promise<number> =>
  Number(/packets (\d+)/.exec(await sh('nft list counter inet comps refused_tcp'))?.[1]);

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

/** What each setup.sh makes out of nothing. */
const fresh = new Map<string, string>();

test('up: rules, tables and addresses of mode quic; `up` again changes nothing', async () => {
  for (const setup of [WIREGUARD, STICKY, QUIC]) {
    await sh(`ip link show dev wgnet1 >/dev/null 2>&1 && ${QUIC} down; ${setup} up`);
    fresh.set(setup, await state());
  }
  await pinged();
  watch = new LeakWatch(lab(), probers, 'leaks');
  await watch.start();
  const first = await state();
  for (const family of ['', '-6'])
    assert.match(
      await sh(`ip ${family} rule`),
      /^0:.* local\s+100:\s+from all fwmark 0xca6d lookup main\s+101:\s+not from all fwmark 0xca6d lookup 51821\s+32766:/,
    );
  assert.match(
    await sh('ip route show table 51821'),
    /^default dev wgnet1 scope link\s+default dev wgnet1 scope link metric 1001\s+default dev wgnet2 scope link metric 1002\s+default dev wgnet3 scope link metric 1003\s+unreachable default metric 4294967295$/,
  );
  for (const table of ['-4 route show table 51820', '-6 route show table 51820', '-6 route show table 51821'])
    assert.match(await sh(`ip ${table}`), /^unreachable default (dev lo )?metric 4294967295( pref medium)?$/);
  assert.equal(first, fresh.get(QUIC));
  for (const path of ['wgnet1', 'wgnet2', 'wgnet3'])
    assert.match(first, new RegExp(`^${path} +UNKNOWN +10\\.45\\.0\\.5/32 *$`, 'm'));
  assert.doesNotMatch(first, /wg0\b/);
  await sh(`${QUIC} up`);
  assert.equal(await state(), first);
});

test('TCP is refused at once, and counted; names are asked for by the current path; IPv6 is closed', async () => {
  const before = await refused();
  assert.equal(await dial(SITE), 'refused');
  assert.ok((await refused()) > before);
  await sh('ip route replace default dev wgnet2 table 51821; dig +time=5 nobody.quicleaks.example.org');
  const asked = readFileSync(join(lab().directory, 'site', 'dns.log'), 'utf8');
  const askers = [...asked.matchAll(/query\[A\] nobody\.quicleaks\.example\.org from (\S+)/g)];
  assert.deepEqual([...new Set(askers.map(([, asker]) => asker))], [lab().addressOf('vpn2')]);
  assert.match(await sh('ping -6 -c 1 -W 5 2001:db8:b::1 2>&1 || true'), /unreachable|No route/);
  await sh('ip route replace default dev wgnet1 table 51821');
});

test('the next router is answered while every path is down', async () => {
  await sh('for i in 1 2 3; do ip link set wgnet$i down; done');
  const answer = await answerToRouter(lab());
  await sh(`${QUIC} up`);
  assert.match(answer, / REACHABLE/);
});

eachState(QUIC_STATES, QUIC);

test('the watch sees a leak: with nftables and tc both gone, what routes have no say about', async (t) => {
  const open = () => sh('nft flush ruleset; tc qdisc delete dev eth0 clsact');
  const row = await watch.state('nftables and tc gone', open, () => sh(`${QUIC} up`));
  t.diagnostic(`${row.state}: ${row.probes} probes, ${row.past.length} packets past the tunnels`);
  assert.ok(row.past.length > 0);
});

test('routes deleted and added by hand under traffic: no packet lost, nothing leaves', async (t) => {
  const stop = await startEcho(lab());
  let lost = Number.NaN;
  const byHand = async () => {
    const switching = sh(
      'rm -f /run/enough; n=0; until [ -e /run/enough ]; do for i in 1 2 3; do ip -4 route delete 0.0.0.0/0 dev wgnet$i table 51821; ip -4 route add 0.0.0.0/0 dev wgnet$((i % 3 + 1)) table 51821; n=$((n + 1)); sleep 0.02; done; done; echo $n',
    );
    ({ lost } = await exchange(lab(), 5_000));
    await sh('touch /run/enough');
    assert.ok(Number(await switching) > 5, 'it moved while packets went');
  };
  await closedDuring('routes deleted and added by hand', byHand, (line) => t.diagnostic(line));
  stop();
  assert.equal(lost, 0);
});

test('the migrator killed outright 20 times in mid-switching', async (t) => {
  const moments = Array.from({ length: 20 }, (_, i) => (i * 37) % 60);
  const kill = () => killMigrators(lab(), moments, 'node', MIGRATOR, '--period', '0.01', '--strategy', 'ur');
  await closedDuring('migrator killed 20 times', kill, (line) => t.diagnostic(line));
});

/** Cuts one `up` off at some places; every time the next one completes it. `from`: a setup.sh that was up before, else nothing was. */
async function cutSome(setup: string, every: number, from?: string) {
  const plan = { setup, every, ...(from === undefined ? {} : { from: `${from} up` }) };
  const { cuts, end } = await cutEverywhere(lab(), probers.shell, SITE, plan);
  assert.ok(cuts.length > 4, `${cuts.length} places`);
  for (const { line, codes } of cuts) assert.match(codes, /^137(,0,0)?$/, `line ${line}`);
  assert.ok(cuts.filter(({ codes }) => codes !== '137').length > 3);
  return { cuts, end };
}

test('`up` cut off at some lines, from nothing: closed from its first step on, and the next `up` completes it', async (t) => {
  const cutting = new LeakWatch(lab(), probers, 'cuts');
  await cutting.start(FRAMES);
  const { cuts, end } = await cutSome(STICKY, 12);
  await cutting.stop();
  const packets = await cutting.packets();
  assert.ok(packets.length > 0, 'it is open while nothing is set up');
  const rows = cuts.map(({ line, closed }, i): Row => {
    const until = cuts[i + 1]?.opened ?? end;
    return {
      state: `line ${line}`,
      probes: 0,
      past: packets.filter((p) => p.time > closed && p.time < until),
    };
  });
  t.diagnostic(`cut off at ${cuts.length} places`);
  assert.equal(rows.map(inWords).join(''), '');
});

for (const [name, from, to] of [
  ['wireguard to quic', WIREGUARD, QUIC],
  ['quic to wireguard', QUIC, WIREGUARD],
  ['sticky TCP to wireguard', STICKY, WIREGUARD],
  ['wireguard to sticky TCP', WIREGUARD, STICKY],
] as const)
  test(`the mode changes in place, ${name}: nothing leaves, and nothing of the other one is left`, async (t) => {
    const change = async () => {
      await sh(`${from} up; ip route replace default dev wgnet1 table 51821`);
      await pinged();
      assert.equal(await state(), fresh.get(from));
      await sh(`${to} up`);
    };
    await closedDuring(name, change, (line) => t.diagnostic(line));
    assert.equal(await state(), fresh.get(to));
  });

for (const [name, from, to] of [
  ['wireguard to quic', WIREGUARD, QUIC],
  ['sticky TCP to wireguard', STICKY, WIREGUARD],
] as const)
  test(`the change from ${name} cut off at some lines: closed all the time, and the next \`up\` completes it`, (t) =>
    closedDuring(
      `${name}, cut off`,
      () => cutSome(to, 30, from),
      (line) => t.diagnostic(line),
    ));

test('sticky TCP: the mode changes to it while it is up', async () => {
  await sh(`${QUIC} up; ${STICKY} up`);
  assert.match(
    await sh('ip rule show pref 98; for i in 1 2 3; do ip route show table 5200$i; done'),
    /^(98:\s+from all fwmark 0xcb2[123] lookup 5200[123]\s+){3}(default dev wgnet[123] scope link\s+unreachable default metric 4294967295\s*){3}$/,
  );
  assert.equal(await state(), fresh.get(STICKY));
  await sh(`${STICKY} up`);
  assert.equal(await state(), fresh.get(STICKY));
});

eachState(STICKY_STATES, STICKY);

test('sticky TCP: each connection stays on its path; one whose path is gone waits, or is reset where there is none any more', async (t) => {
  const proxies = (['vpn1', 'vpn2', 'vpn3'] as const).map((name) => lab().addressOf(name));
  let seen: TcpPaths | undefined;
  const work = async () => {
    seen = await tcpPaths(lab(), STICKY, FEWER);
  };
  await closedDuring('connections over 20 switches', work, (line) => t.diagnostic(line));
  assert.ok(seen);
  assert.deepEqual([seen.seen, seen.later], [proxies, proxies]);
  assert.equal(seen.moved, proxies[1]);
  assert.match(seen.gone, /No route to host/);
  assert.equal(seen.renumbered, 'ECONNRESET');
  for (const k of [1, 2, 3])
    for (const way of ['out', 'in']) {
      assert.ok((seen.bytes[`own${k}${way}`] ?? 0) >= 20 * 50_000 * k, JSON.stringify(seen.bytes));
      assert.equal(seen.bytes[`other${k}${way}`], 0, JSON.stringify(seen.bytes));
    }
});

for (const [name, dead] of [
  ['the current path’s proxy dead', ['vpn1']],
  ['every proxy dead', ['vpn2', 'vpn3']],
] as const)
  test(`${name}: nothing leaves`, async (t) => {
    const work = async () => {
      await sh('ip route replace default dev wgnet1 table 51821');
      for (const role of dead) await lab().stop(role);
    };
    none(await watch.state(name, work, () => sh(`${STICKY} up`)), (line) => t.diagnostic(line));
  });

test('the capture has seen to the end; down leaves nothing of either mode', async () => {
  await watch.stop();
  await sh(`${QUIC} down`);
  assert.doesNotMatch(await sh('ip -br link; ip rule; ip -6 rule'), /wg|fwmark/);
  assert.doesNotMatch(await sh('ip -4 route show table all; ip -6 route show table all'), /table 5[12]\d{3}/);
  assert.equal(await sh('nft list ruleset'), '');
  assert.doesNotMatch(await sh('tc qdisc show'), /clsact/);
});
