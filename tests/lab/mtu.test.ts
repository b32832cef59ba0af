import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { capture } from '../../scripts/lib/lab/capture.ts';
import { clientRun } from '../../scripts/lib/lab/client.ts';
import type { Role } from '../../scripts/lib/lab/lab.ts';
import { goodSetup, useLab } from './fixture.ts';

const SITE = '203.0.113.80';
const SETUP = '/etc/wireguard/setup.sh';

const lab = useLab('mtu', { vpn: 2, ipv6: true });

/** A shell line in a machine that must succeed. */
async function on(role: Role, line: string): Promise<string> {
  const { code, stdout, stderr } = await lab().exec(role, ['sh', '-c', line]);
  assert.equal(code, 0, `${role}: ${line}\n${stderr}`);
  return stdout.trim();
}
const sh = async (line: string): Promise<string> => (await clientRun(lab(), 'sh', '-c', line)).trim();

function edit(name: string, change: (text: string) => string): void {
  const file = join(lab().directory, name);
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}

/** Under names that stay, so that only the endpoints change, and no key does. */
const nameProxies = (address: (role: Role) => string): void =>
  edit('hosts.ini', (text) => {
    const lines = (['vpn1', 'vpn2'] as const).map((role) => `${role} ansible_host=${address(role)}\n`);
    return text.replace(/\[vpn\][^[]*/, `[vpn]\n${lines.join('')}\n`);
  });

const wireguardMtu = (mtu: number): void =>
  edit('config.cfg', (text) => `wireguard_mtu: ${mtu}\n${text.replace(/^wireguard_mtu.*\n/m, '')}`);

/** `up`, and what it said. */
async function up(): Promise<string> {
  const { code, stderr } = await lab().exec('client', [SETUP]);
  assert.equal(code, 0, stderr);
  return stderr;
}

/** MTU of wgnet1, wgnet2, wg0. */
const mtus = (): Promise<string> =>
  sh('for i in wgnet1 wgnet2 wg0; do cat /sys/class/net/$i/mtu; done | xargs');

/** The router sends packets of so many bytes at most to proxy 2, and to the client. */
async function narrow(mtu: number): Promise<void> {
  for (const [family, client, proxy] of [
    ['-4', '192.0.2.2/32', '198.51.100.12/32'],
    ['-6', '2001:db8:2::2/128', '2001:db8:100::12/128'],
  ] as const) {
    await on('net', `ip ${family} route replace ${client} dev home0 mtu lock ${mtu}`);
    await on('net', `ip ${family} route replace ${proxy} dev cloud0 mtu lock ${mtu}`);
  }
}

const FRAGMENTS = 'ip[6:2] & 0x3fff != 0 or ip6[6] = 44';

/** Fragments that the client and proxy 2 send during some work. */
async function fragmentsIn(work: () => Promise<unknown>): Promise<number> {
  const both = await Promise.all([
    capture(lab(), 'fragments-up', FRAGMENTS),
    capture(lab(), 'fragments-down', FRAGMENTS, { role: 'vpn2' }),
  ]);
  await work();
  const [up = 0, down = 0] = await Promise.all(both.map((one) => one.stop()));
  return up + down;
}

/** Waits until packets go to and fro, after a handshake that is tried again, say; for shell lines. */
const flows = (to: string): string => `ping -q -c 1 -w 60 ${to} >/dev/null`;

/** The largest packet inside wg0, answered in its own size, and bytes as fast as they come, each way. */
async function fill(wg0: number): Promise<void> {
  await sh(`${flows(SITE)}; ping -c 2 -i 0.2 -W 20 -M do -s ${wg0 - 28} ${SITE}`);
  await sh(`curl -sS -m 60 -o /dev/null http://${SITE}/1m`);
  await sh(`head -c 1000000 /dev/zero | curl -sS -m 60 -o /dev/null --data-binary @- http://${SITE}/ip`);
}

const sixteens = (bytes: number): number => Math.floor(bytes / 16) * 16;

for (const [family, hop] of [
  ['IPv4', 60],
  ['IPv6', 80],
] as const) {
  test(`${family}: the usual path carries the usual MTU, and \`up\` has nothing to say`, async () => {
    nameProxies(family === 'IPv4' ? lab().addressOf : lab().address6Of);
    wireguardMtu(1420);
    await narrow(1500);
    await goodSetup(lab());
    assert.equal(await up(), '');
    assert.equal(await mtus(), '1420 1420 1360');
    // What a server sends meanwhile still arrives.
    const ports = () => sh('wg show all listen-port');
    const before = await ports();
    assert.equal(await up(), '');
    assert.equal(await ports(), before);
  });

  test(`${family}: a path of 1400 bytes: both layers fit into it, on every path, and no packet is cut on the wire`, async () => {
    await narrow(1400);
    // The servers still have 1420, and fill what they send to whole sixteens.
    const wgnet = sixteens(1400 - hop);
    const wg0 = sixteens(wgnet - 60);
    // From nothing too: the router's word must come in while there is no wg0 yet.
    await sh(`${SETUP} down`);
    const said = await up();
    assert.equal(await mtus(), `${wgnet} ${wgnet} ${wg0}`);
    assert.match(
      said,
      new RegExp(
        `^setup\\.sh: the way to \\S+12 carries packets of 1400 bytes: MTU ${wgnet} on every wgnet and ${wg0} on wg0, not 1420 and 1360\\n  next: set wireguard_mtu: ${1400 - hop} in config\\.cfg`,
      ),
    );
    assert.equal(await up(), said, 'the same again');
    await sh('ip route replace default dev wgnet2 table 51821');
    assert.equal(await fragmentsIn(() => fill(wg0)), 0);
  });

  test(`${family}: the capture sees fragments where the MTU is too large`, async () => {
    await sh('ip link set wgnet2 mtu 1420; ip link set wg0 mtu 1360');
    assert.ok((await fragmentsIn(() => sh(`${flows(SITE)}; ping -c 3 -i 0.2 -W 20 -s 1332 ${SITE}`))) > 0);
    await up();
  });
}

test('the servers do the same once config.cfg has the number that `up` named, which then has nothing to say', async () => {
  wireguardMtu(1320);
  const { stdout } = await goodSetup(lab());
  assert.match(stdout, /\[vpn2\] running wg0: set MTU 1320/);
  assert.match(stdout, /\[198\.51\.100\.201\] running wg0: set MTU 1260/);
  assert.equal(await up(), '');
  assert.equal(await mtus(), '1320 1320 1260');
  // From the far end too: what the comp server may send is what the path can carry.
  const down = () => on('comp1', `${flows('10.45.0.100')}; ping -c 2 -i 0.2 -W 20 -M do -s 1232 10.45.0.100`);
  assert.equal(await fragmentsIn(down), 0);
});

test('a path that becomes wider, or narrower still, is followed by the next `up`', async () => {
  wireguardMtu(1420);
  await goodSetup(lab());
  await narrow(1360);
  await up();
  assert.equal(await mtus(), '1280 1280 1216');
  await narrow(1500);
  assert.equal(await up(), '');
  assert.equal(await mtus(), '1420 1420 1360');
});

test('routes and devices count without a question: PPPoE’s 1492, a route’s own MTU, locked or not', async () => {
  await sh('ip link set eth0 mtu 1492');
  await up();
  assert.equal(await mtus(), '1408 1408 1344');
  await sh('ip link set eth0 mtu 1500');
  for (const lock of ['', 'lock ']) {
    await sh(`ip -6 route add 2001:db8:100::11/128 via 2001:db8:2::1 dev eth0 mtu ${lock}1390`);
    assert.match(await up(), /the way to 2001:db8:100::11 carries packets of 1390 bytes/);
    assert.equal(await mtus(), '1296 1296 1232');
    await sh('ip -6 route delete 2001:db8:100::11/128 via 2001:db8:2::1 dev eth0');
  }
  assert.equal(await up(), '');
});

test('without perl, what the kernel knows by itself still counts', async () => {
  await sh('mv /usr/bin/perl /usr/bin/perl.off; ip link set eth0 mtu 1400');
  await up();
  assert.equal(await mtus(), '1312 1312 1248');
  await sh('mv /usr/bin/perl.off /usr/bin/perl; ip link set eth0 mtu 1500');
});

test('jumbo frames: used as far as the way carries them, and no further', async () => {
  nameProxies(lab().addressOf);
  wireguardMtu(4000);
  await goodSetup(lab());
  await sh('ip link set eth0 mtu 9000');
  await on('net', 'ip link set client mtu 9000; ip link set home0 mtu 9000');
  await up();
  assert.equal(await mtus(), '1440 1440 1376');
  for (const role of ['vpn1', 'vpn2', 'comp1'] as const) {
    await on(role, 'ip link set ens3 mtu 9000');
    await on('net', `ip link set ${role} mtu 9000`);
    // What it learned of the narrow path would count for ten minutes.
    await on(role, 'ip route flush cache');
  }
  await on(
    'net',
    'ip link set cloud0 mtu 9000; for to in 192.0.2.2 198.51.100.12; do ip route delete $to/32; done',
  );
  assert.equal(await up(), '');
  assert.equal(await mtus(), '4000 4000 3940');
  await sh('ip route replace default dev wgnet2 table 51821');
  // To the comp server itself: the site's own cable is as short as ever.
  assert.equal(
    await fragmentsIn(() => sh(`${flows('10.45.0.2')}; ping -c 2 -i 0.2 -W 20 -M do -s 3912 10.45.0.2`)),
    0,
  );
});
