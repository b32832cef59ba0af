/** The privacy verdict in a real client: good as it is, not ok where something is wrong, and its remedies work. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { capture, leakFilter } from '../../scripts/lib/lab/capture.ts';
import { clientRun } from '../../scripts/lib/lab/client.ts';
import { until } from '../../scripts/lib/poll.ts';
import { attempt } from '../../scripts/lib/transport/local.ts';
import { good, type Report, type Run, runCheck, SCRIPT } from './checker.ts';
import { goodSetup, useLab } from './fixture.ts';

const SETUP = '/etc/wireguard/setup.sh';
const PAGE = 'http://203.0.113.80/ip';
/** Milliseconds for what a test waits for; against hanging only. */
const PATIENCE = 60_000;

const lab = useLab('check', {}, async (up) => {
  await goodSetup(up);
  await clientRun(up, SETUP, 'up');
});

const sh = async (line: string): Promise<string> => (await clientRun(lab(), 'sh', '-c', line)).trim();
const trySh = (line: string) => lab().exec('client', ['sh', '-c', line]);

const check = (...flags: string[]): Promise<Run> => runCheck(lab(), ...flags);

test('a good client: all is ok, nothing is left out; from outside nothing left, and all is as it was', async () => {
  const state = () =>
    sh(
      'ip rule; ip route show table 51820; ip route show table 51821; ip -br address | sort; nft list ruleset; ls /run /tmp | grep comps',
    );
  const before = await state();
  const outside = await capture(lab(), 'check', leakFilter(lab()));
  const run = await check('--exit-url', PAGE);
  assert.equal(await outside.stop(), 0);
  assert.equal(await state(), before);
  good(run);
  assert.deepEqual(
    run.checks.filter(({ ok }) => ok === null),
    [],
  );
  assert.deepEqual([run.devices, run.tunnels], [['eth0'], ['wgnet1', 'wgnet2', 'wgnet3', 'wg0']]);
  assert.deepEqual(run.leaks, []);
  for (const { id, group, what, found } of run.checks) {
    assert.match(id, /^[a-z\d-]+$/);
    assert.ok(['rules', 'tunnels', 'probes', 'mtu', 'drills'].includes(group) && what && found, id);
  }
  assert.equal(new Set(run.checks.map(({ id }) => id)).size, run.checks.length);
  for (const [name, role] of [
    ['wgnet1', 'vpn1'],
    ['wgnet3', 'vpn3'],
    ['wg0', 'comp1'],
  ] as const)
    assert.equal(run.of(`exit-${name}`).found, `${lab().addressOf(role)}, its server`);
  assert.match(run.of('drill-migrator-killed').found, /nothing left; flows again/);
  assert.match(run.of('mtu-wg0').found, /^1360; 1360 of it/);
  const keys = ['wg0', 'wgnet1'].map((name) =>
    readFileSync(join(lab().clientDirectory, `${name}.conf`), 'utf8'),
  );
  for (const conf of keys)
    assert.ok(!JSON.stringify(run).includes(/^PrivateKey = (\S+)$/m.exec(conf)?.[1] ?? assert.fail()));
});

/** What is done to the client, and the checks that must be not ok for it. */
const SABOTAGE: [what: string, line: string, ids: string[]][] = [
  ['a rule deleted', 'ip rule delete pref 101', ['rules-ipv4']],
  [
    'a rule before ours, and the door’s policy turned to accept',
    "ip rule add pref 50 lookup main; nft 'chain inet comps output { policy accept; }'",
    ['rules-ipv4', 'resolver-way', 'door'],
  ],
  [
    'layers taken from tables, another resolver, wg0’s MTU too large',
    `ip route delete unreachable default table 51821; ip -6 route delete unreachable default table 51820
     ip route delete unreachable default table 51820; echo 'nameserver 192.0.2.53' >/etc/resolv.conf; ip link set wg0 mtu 1420`,
    ['table-51821', 'table-51820', 'table-51820-ipv6', 'resolver', 'mtu-wg0'],
  ],
  [
    'the nftables table and tc’s filters deleted, and a tunnel’s MTU too large',
    'nft delete table inet comps; ip link set wgnet2 mtu 1500; tc qdisc delete dev eth0 clsact',
    ['guard', 'door', 'door-endpoints', 'mtu-wgnet2', 'fragments'],
  ],
  [
    'the nftables table asleep, a filter before tc’s, a path without its mark',
    `nft add table inet comps '{ flags dormant; }'; wg set wgnet2 fwmark 0
     tc filter add dev eth0 egress pref 1 bpf bytecode '1,6 0 0 0' direct-action`,
    ['door', 'guard', 'tunnel-wgnet2'],
  ],
  ['wg0 down', 'ip link set wg0 down', ['table-51820', 'resolver-way', 'tunnel-wg0', 'answer-wg0']],
  ['a tunnel deleted', 'ip link delete wgnet3', ['table-51821', 'tunnel-wgnet3', 'answer-wgnet3']],
];

for (const [what, line, ids] of SABOTAGE)
  test(`not ok, and mended by its own remedies: ${what}`, async () => {
    try {
      await sh(line);
      const run = await check('--gentle');
      assert.deepEqual([run.verdict, run.code], ['not ok', 2]);
      for (const id of ids) assert.ok(run.wrong.includes(id), `${id} is among ${run.wrong.join(', ')}`);
      const remedies = new Set(ids.map((id) => run.of(id).remedy ?? assert.fail(`no remedy for ${id}`)));
      for (const remedy of remedies)
        if (!remedy.includes('(on the host')) await sh(remedy.split('; where')[0] ?? '');
      good(await check('--gentle'));
    } finally {
      await sh(`${SETUP} up`);
    }
  });

test('a hole by which probes really leave: they are named, and the command closes it', async () => {
  // The third layer is taken away as well, where there is one.
  await sh(
    'tc qdisc delete dev eth0 clsact 2>/dev/null; nft insert rule inet comps output oifname eth0 counter accept',
  );
  try {
    const run = await check('--gentle', '--target', '192.0.2.1', '--target', '203.0.113.9');
    for (const id of ['door', 'probe-bound-device', 'probe-multicast', 'probe-broadcast', 'probe-others'])
      assert.ok(run.wrong.includes(id), `${id} is among ${run.wrong.join(', ')}`);
    assert.match(
      run.of('probe-broadcast').reason ?? '',
      /\d\d:\d\d:\d\d\.\d{3} eth0 UDP 192\.0\.2\.2\.\d+ > 255\.255\.255\.255\./,
    );
    // A neighbour is asked for that is none: the address is given away before there is a packet.
    assert.ok(run.leaks.some(({ protocol, to }) => protocol === 'ARP' && to === '203.0.113.9'));
    assert.equal(run.of('probe-udp').ok, true);
    await sh(`${run.of('door').remedy}; ${run.of('guard').remedy}`);
    // The kernel goes on asking for a while for what got out before: none of the next check's packets.
    await sh(
      'ip neigh replace 203.0.113.9 dev eth0 use; ip -j neigh show nud incomplete | grep -q 203.0.113.9',
    );
    good(await check('--gentle'));
  } finally {
    await sh(`${SETUP} up`);
  }
});

test('a proxy that is dead: its path is not ok, and wgnet-setup mends it', async () => {
  await lab().exec('vpn3', ['ip', 'link', 'delete', 'wg0']);
  const run = await check('--gentle').finally(() => goodSetup(lab()));
  assert.deepEqual([run.code, run.wrong], [2, ['answer-wgnet3']]);
  assert.match(run.of('answer-wgnet3').remedy ?? '', /wgnet-setup\.ts/);
  // A handshake that was refused is tried again after some seconds.
  let last: Run | undefined;
  await until(PATIENCE, async () => {
    last = await check('--gentle');
    return last.verdict === 'ok';
  });
  good(last ?? assert.fail());
});

test('a capture that sees nothing is not ok, and nothing is believed of it', async () => {
  await sh(
    'mkdir -p /tmp/blind; for p in tcpdump nft; do printf "#!/bin/sh\\nexit 1\\n" >/tmp/blind/$p; chmod +x /tmp/blind/$p; done',
  );
  const { code, stdout } = await trySh(`cd / && PATH=/tmp/blind:$PATH ${SCRIPT} --json --gentle`);
  await sh('rm -r /tmp/blind');
  const { checks } = JSON.parse(stdout) as Report;
  assert.equal(code, 2);
  for (const { id, ok } of checks.filter(({ group }) => group === 'probes'))
    assert.equal(ok, id === 'capture' ? false : null, id);
  const remedy = (wanted: string) => checks.find(({ id, ok }) => id === wanted && ok === false)?.remedy ?? '';
  assert.match(remedy('capture'), /apt-get install --reinstall tcpdump$/);
  assert.equal(remedy('door'), 'apt-get install nftables');
});

/** Starts a check, and does something to it (`$p`) as soon as a condition holds; what it ended with. */
const during = (condition: string, action: string): Promise<string> =>
  sh(`cd /; ${SCRIPT} >/tmp/check.out 2>&1 & p=$!
      i=0; until ${condition}; do i=$((i + 1)); [ $i -gt 3000 ] && exit 9; sleep 0.02; done
      ${action}; wait $p; echo $?; rm /tmp/check.out`);
const DOWN = 'ip -br link show wg0 | grep -q DOWN';

test('killed in a drill: closed, and `setup.sh up` heals it; so does the next check', async () => {
  const leaks = await capture(lab(), 'check-killed', leakFilter(lab()));
  assert.equal(await during(DOWN, 'kill -KILL $p'), '137');
  assert.match(await sh('ip -br link show wg0'), /DOWN/);
  assert.notEqual((await trySh(`curl -sS -m 1 ${PAGE}`)).code, 0);
  await sh(`${SETUP} up`);
  assert.equal(await sh(`curl -sS -m 60 ${PAGE}`), lab().addressOf('comp1'));
  assert.equal(await during('nft list table inet comps_check >/dev/null 2>&1', 'kill -KILL $p'), '137');
  good(await check('--gentle'));
  assert.equal(
    await sh('nft list tables; ls /tmp /run | grep comps-check || true'),
    'table inet comps\ntable arp comps',
  );
  assert.equal(await leaks.stop(), 0);
});

test('killed in a drill, and taken down since: the next check brings nothing up', async () => {
  const record = '/run/comps-check-$(readlink /proc/self/ns/net | tr -dc 0-9).json';
  try {
    assert.equal(await during(DOWN, `kill -KILL $p; cp ${record} /root/record`), '137');
    await sh(`${SETUP} down; cp /root/record ${record}; rm /root/record`);
    const { stderr } = await trySh(`cd / && ${SCRIPT} --gentle`);
    assert.match(stderr, /^(?![\s\S]*put back)[\s\S]*no wgnet interface/);
    assert.equal(await sh('nft list tables; ls /tmp /run | grep comps-check || true'), '');
  } finally {
    await sh(`${SETUP} up`);
  }
});

test('a migrate.ts started while something is broken on purpose is refused, and all is as it was', async () => {
  const before = await sh('ip route show table 51821');
  const migrate = 'node --import tsx /comps/migrate.ts --period 0.1 --duration 1';
  assert.equal(await during(DOWN, `${migrate} >/dev/null 2>/tmp/refused; echo $?`), '1\n0');
  assert.match(
    await sh('cat /tmp/refused; rm /tmp/refused'),
    /migrate\.ts, or a check\.ts, runs in this network namespace/,
  );
  assert.equal(await sh('ip route show table 51821'), before);
});

test('Ctrl-C in a drill puts everything back', async () => {
  assert.equal(await during(DOWN, 'kill -INT $p'), '99');
  assert.doesNotMatch(await sh('ip -br link show wg0'), /DOWN/);
  assert.equal(await sh('ls /tmp /run | grep comps-check || true'), '');
  assert.equal(await sh(`curl -sS -m 60 ${PAGE}`), lab().addressOf('comp1'));
});

test('while a migrate.ts runs nothing is interrupted, and all else is ok', async () => {
  await sh(
    'cd /; node --import tsx /comps/migrate.ts --period 0.1 >/tmp/migrate.log 2>&1 & echo $! >/tmp/migrate.pid',
  );
  assert.ok(await until(PATIENCE, async () => (await trySh('grep -q switch /tmp/migrate.log')).code === 0));
  const run = await check();
  await sh('kill -INT $(cat /tmp/migrate.pid); rm /tmp/migrate.pid');
  good(run);
  assert.deepEqual([run.of('drill-wg0-down').ok, run.of('probe-udp').ok], [null, true]);
  assert.match(run.of('drill-wg0-down').reason ?? '', /migrate\.ts runs/);
});

test('where it cannot run: exit 1, and what to do', async () => {
  const bare = await trySh(`cd / && unshare -n ${SCRIPT}`);
  assert.equal(bare.code, 1);
  assert.match(bare.stderr, /no wgnet interface[\s\S]*next: .*setup\.sh/);
  const powerless = await trySh(`cd / && setpriv --reuid 65534 --clear-groups ${SCRIPT}`);
  assert.equal(powerless.code, 1);
  assert.match(powerless.stderr, /needs root/);
  const wrong = await trySh(`cd / && ${SCRIPT} --target here`);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /--target: "here" is not an IPv4 or IPv6 address/);
});

const HOST = [process.execPath, '--import=tsx', 'scripts/check.ts'];

test('on the host: the same in the lab’s client, with its flags and its exit code; colours only where wanted', async () => {
  const told = await attempt([...HOST, '--lab', lab().name, '--gentle']);
  assert.equal(told.code, 0, told.stderr);
  assert.match(told.stdout, /^Rules and tables\n {2}ok {8}mode +wireguard\n {2}ok {8}rules, IPv4/);
  assert.match(told.stdout, /\nok: \d+ checks ok, \d+ left out/);
  assert.ok(!told.stdout.includes('\u001b'));
  await sh('nft delete table inet comps');
  const open = await attempt([...HOST, '--lab', lab().name, '--gentle']);
  await sh(`${SETUP} up`);
  assert.equal(open.code, 2);
  assert.match(
    open.stdout,
    / {2}NOT OK {4}nftables table[\s\S]*\n {12}next {2}\/etc\/wireguard\/setup\.sh up\n/,
  );
});
