import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { capture, leakFilter } from '../../scripts/lib/lab/capture.ts';
import { clientRun, clientScript, pathBytes } from '../../scripts/lib/lab/client.ts';
import { until } from '../../scripts/lib/poll.ts';
import { goodSetup, useLab } from './fixture.ts';
import { answerToRouter } from './neighbour.ts';

const SITE = '203.0.113.80';
const SETUP = '/etc/wireguard/setup.sh';

const lab = useLab('client', {}, goodSetup);

/** A shell line in the client that must succeed. */
const sh = async (line: string): Promise<string> => (await clientRun(lab(), 'sh', '-c', line)).trim();
/** A shell line in the client, whatever it ends with. */
const trySh = (line: string) => lab().exec('client', ['sh', '-c', line]);

let captures = 0;

/** How many packets left past the tunnels while something was done. What programs may try meanwhile is leaks.test.ts's. */
async function leaksDuring(work: () => Promise<unknown>): Promise<number> {
  const leaks = await capture(lab(), `leaks-${++captures}`, leakFilter(lab()));
  let leaked = 0;
  try {
    await work();
  } finally {
    leaked = await leaks.stop();
  }
  return leaked;
}

test('up, and up again: the rules in their order, three layers in table 51821, the same after the second', async () => {
  await sh(`${SETUP} up`);
  const state = () =>
    sh(
      'ip rule; ip -6 rule; ip route show table 51821; ip route show table 51820; ip -6 route show table 51820; nft list table inet comps; nft list table arp comps; tc filter show dev eth0 egress; ip -br -4 addr',
    );
  const first = await state();
  assert.match(
    first,
    /from all fwmark 0xca6d lookup main\n.*from all fwmark 0xca6c lookup 51821\n.*not from all fwmark 0xca6c lookup 51820\n.*lookup main/,
  );
  assert.match(
    first,
    /default dev wgnet1 scope link ?\ndefault dev wgnet1 scope link metric 1001 ?\ndefault dev wgnet2 scope link metric 1002 ?\ndefault dev wgnet3 scope link metric 1003 ?\nunreachable default metric 4294967295/,
  );
  assert.match(first, /pref 51823 bpf .*direct-action/);
  await sh(`${SETUP} up`);
  assert.equal(await state(), first);
});

test('no first handshake is thrown away: one initiation a tunnel is enough', async () => {
  await sh(`${SETUP} down`);
  const initiations = await capture(lab(), 'initiations', 'udp dst port 51820 and udp[8] = 1');
  await sh(`${SETUP} up`);
  await sh(`ping -c 1 -w 60 ${SITE}`);
  assert.equal(await initiations.stop(), 3);
});

test('the next router is answered while wg0 is away: no path could come back without', async () => {
  await sh('ip link set wg0 down');
  const answer = await answerToRouter(lab());
  await sh(`${SETUP} up`);
  assert.match(answer, / REACHABLE/);
});

test('DHCP’s question gets out from a program’s ordinary socket, and nothing else to everybody', async () => {
  const questions = await capture(lab(), 'dhcp', 'dst host 255.255.255.255');
  // Bound to eth0 (SO_BINDTODEVICE 25), allowed to ask all (SO_BROADCAST 6).
  const ask = `perl -e 'my ($from, $to) = @ARGV;
    my $at = sub { pack("S n a4 x8", 2, @_) };
    socket(my $socket, 2, 2, 0) or die;
    setsockopt($socket, 1, 6, pack("i", 1)) && setsockopt($socket, 1, 25, "eth0\\0") && bind($socket, $at->($from, "")) or die "$!\\n";
    print defined send($socket, "?", 0, $at->($to, "\\xff" x 4)) ? "sent" : "$!", "\\n"'`;
  assert.equal(await sh(`${ask} 68 67`), 'sent');
  for (const ports of ['68 69', '67 67', '69 67'])
    assert.equal(await sh(`${ask} ${ports}`), 'Operation not permitted');
  assert.equal(await questions.stop(), 1);
});

test('a tunnel of an older, larger network goes away at the next `up`', async () => {
  await sh(`ip link add wgnet9 type veth peer name other9; ${SETUP} up`);
  assert.doesNotMatch(await sh('ip -br link; ip link delete other9 2>/dev/null || true'), /wgnet9/);
});

test('new keys reach a client that is up, at its next `up`', async () => {
  rmSync(join(lab().clientDirectory, 'keys', '198.51.100.11.key'));
  await goodSetup(lab());
  await sh(`${SETUP} up; ip route replace default dev wgnet1 table 51821`);
  assert.equal(await sh(`curl -sS -m 60 http://${SITE}/ip`), lab().addressOf('comp1'));
});

test('the site sees the comp server, by address and by name; names are asked for through wg0 only', async () => {
  assert.equal(await sh(`curl -sS -m 60 http://${SITE}/ip`), lab().addressOf('comp1'));
  assert.equal(await sh('curl -sS -m 60 http://www.example.org/ip'), lab().addressOf('comp1'));
  const asked = readFileSync(join(lab().directory, 'site', 'dns.log'), 'utf8');
  const askers = [...asked.matchAll(/query\[\w+\] \S+ from (\S+)/g)].map(([, asker]) => asker);
  assert.ok(askers.length > 0);
  assert.deepEqual([...new Set(askers)], [lab().addressOf('comp1')]);
  assert.equal(await sh('grep -v ^# /etc/resolv.conf'), 'nameserver 203.0.113.53');
});

test('full-size packets pass whole: wg0 leaves room for the hop below it', async () => {
  assert.equal(await sh('cat /sys/class/net/wg0/mtu /sys/class/net/wgnet1/mtu'), '1360\n1420');
  // 1360 less IP and ICMP headers, not to be fragmented.
  await sh(`ping -c 1 -w 60 -M do -s 1332 ${SITE}`);
  const fragments = await capture(lab(), 'fragments', 'ip[6:2] & 0x3fff != 0');
  await sh(`curl -sS -m 60 -o /dev/null http://${SITE}/10m`);
  assert.equal(await fragments.stop(), 0);
});

test('the route commands of the documentation, typed by hand, move the traffic', async () => {
  const carries = async (): Promise<string | undefined> => {
    const before = await pathBytes(lab());
    await sh(`curl -sS -m 60 -o /dev/null http://${SITE}/1m`);
    const after = await pathBytes(lab());
    return [...after].find(([name, bytes]) => bytes - (before.get(name) ?? 0) > 1e6)?.[0];
  };
  await sh('ip -4 route replace default dev wgnet1 table 51821');
  assert.equal(await carries(), 'wgnet1');
  await sh('ip -4 route delete 0.0.0.0/0 dev wgnet1 table 51821');
  await sh('ip -4 route add 0.0.0.0/0 dev wgnet2 table 51821');
  assert.match(await sh('ip route show table 51821'), /^default dev wgnet2 scope link ?\n/);
  assert.equal(await carries(), 'wgnet2');
  await sh(`${SETUP} up`);
  assert.match(
    await sh('ip route show table 51821'),
    /^default dev wgnet2 scope link ?\n/,
    'up keeps the path',
  );
});

const sumOf = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);

for (const period of ['0.1', '0.01'])
  test(`migration every ${period} s: each path carries its share, no packet lost, none past the tunnels`, async () => {
    const log = `/tmp/switches-${period}.jsonl`;
    const words = clientScript(
      'migrate.ts',
      '--period',
      period,
      '--seed',
      '42',
      '--duration',
      '600',
      '--log',
      log,
    );
    let pinged = '';
    let shares: number[] = [];
    const leaked = await leaksDuring(async () => {
      const migration = lab().exec('client', words);
      assert.ok(await until(60_000, async () => (await trySh(`grep -q switch ${log}`)).code === 0));
      const before = await pathBytes(lab());
      const lacking = () => Math.min(...shares) <= 0.2 * sumOf(shares);
      // More than once where the machine stood still for a while, and so on one path.
      for (let times = 0; times === 0 || (times < 5 && lacking()); times++) {
        pinged += await sh(`ping -q -i 0.002 -c 2000 -W 20 ${SITE}`);
        const after = await pathBytes(lab());
        shares = [...after].map(([name, bytes]) => bytes - (before.get(name) ?? 0));
      }
      await sh('pkill -INT -f [m]igrate.ts');
      assert.equal((await migration).stderr, '');
    });
    for (const [count] of pinged.matchAll(/\d+ packets transmitted.*/g))
      assert.match(count, /^2000 packets transmitted, 2000 received, 0% packet loss/);
    assert.match(pinged, / received, /);
    assert.equal(leaked, 0);
    for (const share of shares) assert.ok(share / sumOf(shares) > 0.2, `shares of ${shares.join(', ')}`);
    const lines = (await sh(`cat ${log}`)).split('\n').map((line) => JSON.parse(line));
    assert.equal(lines[0].seed, 42);
    assert.deepEqual([lines.at(-1).event, lines.at(-1).errors], ['end', 0]);
  });

test('`up` and `down` at the same time: one after the other, never half of each', async () => {
  for (const delay of ['0', '0.03', '0.06', '0.1', '0.2']) {
    await sh(`${SETUP} down`);
    await sh(`${SETUP} up & sleep ${delay}; ${SETUP} down; wait`);
    const left = await sh(
      'ip -br link | grep -c wg || true; ip rule | grep -c fwmark || true; nft list tables | grep -c comps || true',
    );
    assert.match(left, /^(0\n0\n0|4\n3\n1)$/, `${delay} s apart`);
  }
  await sh(`${SETUP} up & ${SETUP} up & wait`);
  assert.equal(await sh(`curl -sS -m 60 http://${SITE}/ip`), lab().addressOf('comp1'));
});

test('the resolver survives a reboot without `down`, and a link is put back as a link', async () => {
  await sh(`${SETUP} down; echo 'nameserver 192.0.2.1' >/etc/resolv.conf; ${SETUP} up`);
  // What a reboot takes: all but the disk.
  await sh(
    'for i in wg0 wgnet1 wgnet2 wgnet3; do ip link delete $i; done; nft flush ruleset; rm -rf /run/comps*',
  );
  await sh(`${SETUP} up; ${SETUP} down`);
  assert.equal(await sh('cat /etc/resolv.conf'), 'nameserver 192.0.2.1');
  await sh(`ln -sf ../run/nowhere /etc/resolv.conf; umask 077; sh ${SETUP} up`);
  assert.equal(await sh('stat -c %a /etc/resolv.conf'), '644');
  assert.equal(await sh('grep -v ^# /etc/resolv.conf'), 'nameserver 203.0.113.53');
  await sh(`${SETUP} down`);
  assert.equal(await sh('readlink /etc/resolv.conf'), '../run/nowhere');
  await sh("rm /etc/resolv.conf; echo 'nameserver 192.0.2.1' >/etc/resolv.conf");
});

test('a resolver’s file that cannot be written: told, and `down` opens all the same', async () => {
  // A mount, as in a container; then one that is read-only.
  const mount = (flags: number) =>
    `perl -e 'my ($file, $same) = ("/etc/resolv.conf\\0") x 2; syscall(165, $file, $same, 0, ${flags}, 0) and die "$!\\n"'`;
  await sh(`${mount(4096)}; ${SETUP} up; ${SETUP} down; ${SETUP} up; ${mount(4096 + 32 + 1)}`);
  for (const way of ['up', 'down']) {
    const { code, stderr } = await trySh(`${SETUP} ${way}`);
    assert.equal(code, 1);
    assert.match(
      stderr,
      new RegExp(`^setup\\.sh: .*\\(Read-only file system\\); next: .*setup\\.sh ${way}\\n$`),
    );
  }
  assert.equal(await sh(`nft list tables; ping -c 1 -w 60 ${SITE} >&2`), '');
  await sh(
    `perl -e 'my $file = "/etc/resolv.conf\\0"; syscall(166, $file, 0) and die "$!\\n"'; ${SETUP} down`,
  );
  assert.equal(await sh('cat /etc/resolv.conf'), 'nameserver 192.0.2.1');
});

test('down leaves nothing: no interface, rule, route, table; the resolver is the old one', async () => {
  await sh(`${SETUP} down; echo 'nameserver 192.0.2.1' >/etc/resolv.conf`);
  await sh(`${SETUP} up; ${SETUP} up`);
  assert.equal(await sh('grep -v ^# /etc/resolv.conf'), 'nameserver 203.0.113.53');
  await sh(`${SETUP} down; ${SETUP} down`);
  assert.equal(await sh('cat /etc/resolv.conf'), 'nameserver 192.0.2.1');
  assert.doesNotMatch(await sh('ip -br link'), /wg/);
  assert.doesNotMatch(await sh('ip rule; ip -6 rule'), /5182|fwmark/);
  const tables =
    'ip route show table 51821 2>/dev/null; ip route show table 51820 2>/dev/null; nft list ruleset';
  assert.equal(await sh(tables), '');
  assert.doesNotMatch(await sh('tc qdisc show'), /clsact/);
  await sh(`ping -c 1 -w 60 ${SITE}`);
});
