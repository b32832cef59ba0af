/** The network on a kernel that has WireGuard, as servers have it: all of it in one virtual machine. kernel/guest.ts runs there. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { cycleOf, packetChoice } from '../../client/scripts/lib/packet-strategy.ts';
import { remove } from '../../scripts/lib/files.ts';
import { placeOf } from '../../scripts/lib/lab/place.ts';
import { Guest } from './kernel/host.ts';
import type { Counts, Migration } from './kernel/results.ts';
import { SPLIT } from './kernel/wish.ts';
import { sweep } from './sweep.ts';

const { directory } = placeOf(`t-kernel-${process.pid}`);
const COMP = '198.51.100.201';
const PATHS = ['wgnet1', 'wgnet2', 'wgnet3'];

let guest: Guest;
before(async () => {
  await sweep();
  guest = await Guest.start(directory);
});
after(async () => {
  await guest?.stop();
  remove(directory);
});

const sum = (counts: Counts): number => Object.values(counts).reduce((a, b) => a + b, 0);

test('it is the kernel’s own WireGuard, on the client and on every server', async (t) => {
  const { kernel, uptime } = await guest.result('machine');
  assert.match(kernel, /-cloud-amd64$/);
  t.diagnostic(`Linux ${kernel}, its first program after ${uptime.toFixed(1)} s`);
  const { kinds, modules, processes, userspace } = await guest.result('setup');
  assert.deepEqual(Object.keys(kinds), ['wg0', ...PATHS, 'vpn1', 'vpn2', 'vpn3', 'comp1']);
  for (const [name, kind] of Object.entries(kinds)) assert.equal(kind, 'wireguard', name);
  assert.deepEqual(modules, ['wireguard']);
  assert.deepEqual([processes, userspace], [[], '']);
});

test('set-up: every tunnel has a handshake, the site sees the comp server, and a second `up` changes nothing', async () => {
  const { codes, errors, same, handshakes, seen } = await guest.result('setup');
  assert.deepEqual([codes, errors], [[0, 0], '']);
  assert.deepEqual(Object.keys(handshakes).sort(), ['wg0', ...PATHS]);
  for (const [name, time] of Object.entries(handshakes)) assert.ok(time > 0, name);
  assert.equal(seen, COMP);
  assert.ok(same);
});

test('MTU: full-size packets pass whole on both layers, and nothing larger does', async () => {
  const { mtu, whole, tooLarge, fragments, control } = await guest.result('mtu');
  assert.deepEqual(mtu, { wg0: 1360, wgnet1: 1420, wgnet2: 1420, wgnet3: 1420 });
  assert.ok(whole);
  assert.match(tooLarge, /Message too long/i);
  assert.ok(control > 0, 'the capture sees fragments');
  assert.equal(fragments, 0);
});

test('the leak matrix’s core: no packet past the tunnels, and each state is healed', async (t) => {
  const [open, ...states] = await guest.results('state');
  // Where nothing protects the client the same capture sees all kinds.
  const leaked = open?.examples.join('\n') ?? '';
  for (const kind of [/UDP/, /ICMP echo/, /Flags \[S\]/, /\.53: /, /IP6 /, /igmp/, /IP 10\.9\.9\.2/])
    assert.match(leaked, kind, 'the capture sees what leaks');
  assert.equal(open?.seen, '192.0.2.2');
  assert.ok(states.length >= 10);
  for (const { name, tried, past, examples, seen } of states) {
    const counts = Object.values(tried);
    assert.ok(counts.length > 30 && Math.min(...counts) >= 3, `${name}: everything was tried`);
    assert.equal(past, 0, `${name}:\n${examples.slice(0, 20).join('\n')}`);
    assert.equal(seen, COMP, name);
    t.diagnostic(`${name}: ${sum(tried)} tried, ${past} past the tunnels`);
  }
});

/** What holds for paths that change under load, whoever changes them; a line for a person. */
function judge({ words, load, paths, past, end, code, errors }: Migration): string {
  assert.deepEqual([code, errors, end.reason], [0, '', 'SIGINT'], words);
  assert.ok(load.sent >= 1500, words);
  assert.deepEqual([load.back, load.refused], [load.sent, 0], `${words}: no packet is lost`);
  assert.equal(past, 0, words);
  assert.deepEqual(Object.keys(paths).sort(), PATHS);
  const shares = Object.entries(paths).map(([name, count]) => `${name} ${count}`);
  return `${words}: ${load.sent} packets there and back, ${load.sent - load.back} lost, ${past} past; ${shares.join(', ')}`;
}

test('migration at 100 ms and at 10 ms loses nothing, and each path carries its part', async (t) => {
  const runs = await guest.results('migration');
  assert.equal(runs.length, 2);
  for (const run of runs) {
    t.diagnostic(`${judge(run)}; ${run.events.switch} entries, ${run.end.skipped} left out`);
    assert.equal(run.end.errors, 0);
    assert.ok((run.events.switch ?? 0) > 20);
    for (const [name, count] of Object.entries(run.paths)) assert.ok(count > sum(run.paths) / 10, name);
  }
});

test('the kernel splits by packet: packet for packet as drawn, so with the weights’ shares, and nothing is lost', async (t) => {
  const { start, counted, paths, left, ...run } = await guest.result('split');
  t.diagnostic(judge({ ...run, topic: 'migration', paths: counted }));
  const { seed, weights } = SPLIT;
  assert.deepEqual(start.weights, weights);
  const total = sum(counted);
  const drawn: Counts = Object.fromEntries(PATHS.map((name) => [name, 0]));
  const list = cycleOf(packetChoice('packet', { seed, paths: PATHS.length, weights }), total);
  for (const { path, packets } of list) drawn[PATHS[path] ?? ''] = (drawn[PATHS[path] ?? ''] ?? 0) + packets;
  assert.deepEqual(counted, drawn);
  for (const [i, name] of PATHS.entries()) {
    assert.ok(Math.abs((counted[name] ?? 0) / total - (weights[i] ?? 0)) < 0.01, name);
    // The path's own keepalives, and what went just before and after the load.
    assert.ok(Math.abs((paths[name] ?? 0) - (counted[name] ?? 0)) < 50, `${name} carried what was counted`);
  }
  assert.equal(left, '', 'its end leaves nothing');
});

test('the machine ends by itself', async () => {
  await guest.result('end');
  await guest.ended();
});
