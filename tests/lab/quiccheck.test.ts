/** The privacy verdict in a real client in mode quic: good as it is, not ok where something is wrong, and its remedies work. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { capture, leakFilter } from '../../scripts/lib/lab/capture.ts';
import { clientRun } from '../../scripts/lib/lab/client.ts';
import { good, type Run, runCheck, SCRIPT } from './checker.ts';
import { goodSetup, useLab } from './fixture.ts';

const SETUP = '/etc/wireguard/setup.sh';
/** Of the site's network, and nobody's: nothing answers. */
const NOBODY = '203.0.113.9';

const lab = useLab('quiccheck', { vpn: 2, comp: 0 }, async (up) => {
  await goodSetup(up, '--mode', 'quic');
  await clientRun(up, SETUP, 'up');
});

const sh = async (line: string): Promise<string> => (await clientRun(lab(), 'sh', '-c', line)).trim();
const check = (...flags: string[]): Promise<Run> => runCheck(lab(), ...flags);

/** All is ok, nothing is left out; from outside nothing left, and all is as it was. */
async function wholly(...flags: string[]): Promise<Run> {
  const state = () => sh('ip rule; ip route show table all | sort; ip -br address | sort; nft list chains');
  const before = await state();
  const outside = await capture(lab(), 'quiccheck', leakFilter(lab()));
  const run = await check(...flags);
  assert.equal(await outside.stop(), 0);
  assert.equal(await state(), before);
  good(run);
  assert.deepEqual(
    run.checks.filter(({ ok }) => ok === null),
    [],
  );
  assert.deepEqual([run.mode, run.tunnels, run.leaks], ['quic', ['wgnet1', 'wgnet2'], []]);
  return run;
}

/** Sabotages the client, has it judged, and mends it by the judge's own remedies. */
async function mended(line: string, ids: readonly string[]): Promise<void> {
  try {
    await sh(line);
    const run = await check('--gentle');
    assert.deepEqual([run.verdict, run.code], ['not ok', 2]);
    for (const id of ids) assert.ok(run.wrong.includes(id), `${id} is among ${run.wrong.join(', ')}`);
    const remedies = new Set(ids.map((id) => run.of(id).remedy ?? assert.fail(`no remedy for ${id}`)));
    for (const remedy of remedies)
      if (!remedy.includes('(on the host')) await sh(remedy.replace(/; where that is not it: .*/, ''));
    good(await check('--gentle'));
  } finally {
    await sh(`${SETUP} up`);
  }
}

test('a good client whose TCP is refused: all is ok, exits by HTTP/3', async () => {
  // A page of the site that does not move: only that each path brings it is seen by it.
  writeFileSync(join(lab().directory, 'site/quic/address'), '198.51.100.99\n');
  const run = await wholly('--exit-url', 'https://quic.example.org/address', '--mode', 'quic');
  assert.match(run.of('tcp').found, /^refused, \d+ so far; allow_tcp: sticky/);
  assert.match(run.of('exit-programs').found, /^198\.51\.100\.99, another address/);
  assert.match(run.of('drill-migrator-killed').found, /nothing left; flows again/);
  const { code, stderr } = await lab().exec('client', [
    'sh',
    '-c',
    `cd / && ${SCRIPT} --gentle --mode wireguard`,
  ]);
  assert.equal(code, 1);
  assert.match(stderr, /--mode wireguard: this client is in mode quic[\s\S]*next: .*--mode wireguard/);
});

for (const [what, line, ids] of [
  [
    'a rule and a wg0 of the other mode, another address on one path, a standby less, and QUIC shut out',
    `nft insert rule inet comps output oifname '"wgnet*"' udp dport 443 drop; ip rule add pref 102 not fwmark 51820 lookup 51820; ip tuntap add wg0 mode tun
     ip address replace 10.45.0.9/32 dev wgnet2; ip address delete 10.45.0.5/32 dev wgnet2; ip route delete default dev wgnet2 metric 1002 table 51821`,
    ['rules-ipv4', 'tunnel-wg0', 'address', 'table-51821', 'quic'],
  ],
  [
    'rules of the other mode in the place of ours, TCP’s refusal deleted, and a path down',
    `nft delete rule inet comps output handle $(nft -a list chain inet comps output | sed -n 's/.*refused_tcp.*handle //p')
     ip link set wgnet2 down; ip rule delete pref 101
     ip rule add pref 101 fwmark 51820 lookup 51821; ip rule add pref 102 not fwmark 51820 lookup 51820`,
    ['mode', 'rules-ipv4', 'door-tcp', 'tunnel-wgnet2'],
  ],
] as const)
  test(`not ok, and mended by its own remedies: ${what}`, () => mended(line, ids));

test('a hole by which probes really leave: they are named', async () => {
  await sh(
    'tc qdisc delete dev eth0 clsact 2>/dev/null; nft insert rule inet comps output oifname eth0 counter accept; ip rule add pref 50 lookup main',
  );
  try {
    const run = await check('--gentle', '--target', NOBODY);
    for (const id of [
      'rules-ipv4',
      'door',
      'resolver-way',
      'tcp',
      'probe-udp',
      'probe-tcp',
      'probe-bound-device',
    ])
      assert.ok(run.wrong.includes(id), `${id} is among ${run.wrong.join(', ')}`);
    await sh(`${run.of('door').remedy}; ${run.of('rules-ipv4').remedy}; ${run.of('guard').remedy}`);
    good(await check('--gentle'));
  } finally {
    await sh(`ip rule delete pref 50 2>/dev/null; ${SETUP} up`);
  }
});

test('sticky TCP: setup.sh says so and was not run, then it is good, and each path’s exit is its own', async () => {
  await goodSetup(lab(), '--mode', 'quic', '--allow-tcp', 'sticky');
  const stale = await check('--gentle');
  assert.match(stale.of('rules-ipv4').reason ?? '', /missing: fwmark 52001 lookup 52001; fwmark 52002/);
  await sh(stale.of('rules-ipv4').remedy ?? '');
  const run = await wholly('--exit-url', 'http://203.0.113.80/ip', '--target', NOBODY);
  assert.equal(
    run.of('tcp').found,
    'sticky, each connection on one path (one that was tried got the mark 52001)',
  );
  for (const i of [1, 2])
    assert.equal(run.of(`exit-wgnet${i}`).found, `${lab().addressOf(`vpn${i}`)}, its server`);
  await mended(
    'nft insert rule inet comps output meta nfproto ipv6 oifname "wgnet*" accept; ip route delete unreachable default table 52002; nft flush chain inet comps stick; ip rule delete pref 98 lookup 52001',
    ['door', 'rules-ipv4', 'table-52002', 'door-tcp', 'tcp'],
  );
});
