import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { capture, leakFilter } from '../../scripts/lib/lab/capture.ts';
import { clientRun, pathBytes } from '../../scripts/lib/lab/client.ts';
import { runSetup, total } from '../../scripts/lib/lab/setup.ts';
import { goodSetup, useLab } from './fixture.ts';

const SITE = '203.0.113.80';
const SITE6 = '2001:db8:113::80';
const SETUP = '/etc/wireguard/setup.sh';

const lab = useLab('six', { vpn: 2, ipv6: true }, goodSetup);

/** A shell line in the client that must succeed. */
const sh = async (line: string): Promise<string> => (await clientRun(lab(), 'sh', '-c', line)).trim();
/** A shell line in the comp server that must succeed. */
async function comp(line: string): Promise<string> {
  const { code, stdout, stderr } = await lab().exec('comp1', ['sh', '-c', line]);
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

/** Lines of config.cfg beside the lab's own; nothing is left of those of before. */
function configure(...lines: string[]): void {
  const file = join(lab().directory, 'config.cfg');
  const own = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => !/^(wireguard_ipv6|wireguard_mtu|dns)/.test(line));
  const dns = lines.some((line) => line.startsWith('dns')) ? [] : ['dns: 203.0.113.53'];
  writeFileSync(file, [...dns, ...lines, ...own].join('\n'));
}

/** IPv6 as programs send it: a name, a site, a neighbour, from the real address, by the real interface, to all; UDP and TCP. */
const PROBES = [
  `ping -6 -c 2 -i 0.2 -W 1 ${SITE6}`,
  `ping -6 -c 1 -W 1 -I eth0 ${SITE6}`,
  `ping -6 -c 1 -W 1 -I 2001:db8:2::2 ${SITE6}`,
  'ping -6 -c 1 -W 1 2001:db8:2::1',
  'ping -6 -c 1 -W 1 2001:db8:2::77',
  'ping -6 -c 1 -W 1 ff02::1%eth0',
  'ping -6 -c 1 -W 1 2001:db8:100::11',
  'dig +tries=1 +time=1 www.example.org @2001:db8:113::53',
  'dig +tcp +tries=1 +time=1 www.example.org @2001:db8:113::53',
  'curl -6 -sS -m 1 http://www.example.org/ip',
  `curl -sS -m 1 --interface eth0 'http://[${SITE6}]/ip'`,
  `curl -sS -m 1 --interface 2001:db8:2::2 'http://[${SITE6}]/ip'`,
  "curl -sS -m 1 'http://[2001:db8:100::11]:22/'",
  `bash -c 'echo x >/dev/udp/${SITE6}/51820; echo x >/dev/udp/2001:db8:100::11/53'`,
  `ping -c 2 -i 0.2 -W 1 ${SITE}`,
].map((probe) => `${probe} >/dev/null 2>&1 &`);

let captures = 0;

/** Packets that left past the tunnels while all probes were tried. */
async function leaks(): Promise<number> {
  const past = await capture(lab(), `leaks-${++captures}`, leakFilter(lab()));
  try {
    await sh(`${PROBES.join('\n')}\nwait`);
  } finally {
    captured = await past.stop();
  }
  return captured;
}
let captured = 0;

const state = () =>
  sh(
    `ip -6 rule; ip -6 route show table 51820; ip -6 route show table 51821; ip -br -6 address show dev wg0 scope global; wg show wg0 allowed-ips`,
  );

test('the capture sees IPv6 that leaks: an unprotected client', async () => {
  assert.ok((await leaks()) > 10);
});

test('proxies by IPv6: handshakes, rules, and the page comes over each of them', async () => {
  await sh(`${SETUP} up`);
  assert.match(await sh('wg show wgnet1 endpoints'), /\t\[2001:db8:100::11\]:51820$/);
  assert.match(await sh('wg show wgnet2 endpoints'), /\t\[2001:db8:100::12\]:51820$/);
  for (const name of ['wgnet1', 'wgnet2']) {
    await sh(`ip route replace default dev ${name} table 51821`);
    const before = await pathBytes(lab());
    assert.equal(await sh('curl -4 -sS -m 60 http://www.example.org/ip'), lab().addressOf('comp1'));
    await sh(`curl -4 -sS -m 60 -o /dev/null http://${SITE}/1m`);
    assert.ok(((await pathBytes(lab())).get(name) ?? 0) - (before.get(name) ?? 0) > 1e6, name);
    assert.match(await sh(`wg show ${name} latest-handshakes`), /\t[1-9]/);
  }
  assert.match(
    await sh('ip -6 rule'),
    /from all fwmark 0xca6d lookup main\n.*from all fwmark 0xca6c lookup 51821\n.*not from all fwmark 0xca6c lookup 51820\n.*lookup main/,
  );
  // The dearer hop: both layers still pass whole over Ethernet's 1500.
  assert.equal(await sh('cat /sys/class/net/wg0/mtu /sys/class/net/wgnet1/mtu'), '1360\n1420');
});

test('IPv6 inside is closed by default: refused at once, and no packet leaves', async () => {
  assert.match(await sh('ip -6 route show table 51820'), /^unreachable default [^\n]*$/);
  assert.match(await sh(`ping -6 -c 1 ${SITE6} 2>&1 || true`), /No route to host|unreachable/i);
  assert.equal(await leaks(), 0);
});

test('with wireguard_ipv6: true the site sees the comp server’s IPv6 address, and no packet leaves past the tunnels', async () => {
  const closed = await state();
  configure('wireguard_ipv6: true');
  const outcome = await goodSetup(lab());
  for (const [host, { changed }] of outcome.hosts)
    assert.equal(changed > 0, host === lab().addressOf('comp1'), outcome.stdout);
  assert.match(outcome.stdout, /\[198\.51\.100\.201\] running NAT: masquerade fd00:10:45::\/64 on ens3/);
  assert.equal(total(await goodSetup(lab()), 'changed'), 0);
  assert.match(await comp('ip -6 route show default'), /via 2001:db8:100::1 dev ens3/);

  await sh(`${SETUP} up`);
  const open = await state();
  await sh(`${SETUP} up`);
  assert.equal(await state(), open);
  assert.match(open, /default dev wg0 metric 1024[^\n]*\nunreachable default/);
  assert.match(await sh('dig +short AAAA www.example.org'), /^2001:db8:113::80$/);
  assert.equal(await sh('curl -6 -sS -m 60 http://www.example.org/ip'), lab().address6Of('comp1'));
  assert.equal(await sh('curl -4 -sS -m 60 http://www.example.org/ip'), lab().addressOf('comp1'));
  // As large as wg0's packets may be: 1360 less the headers of IPv6 and ICMP.
  await sh(`ping -6 -c 1 -W 5 -M do -s 1312 ${SITE6}`);
  assert.equal(await leaks(), 0);

  // From nothing, as after a reboot.
  await sh(`${SETUP} down; ${SETUP} up`);
  assert.equal(await sh(`curl -sS -m 60 'http://[${SITE6}]/ip'`), lab().address6Of('comp1'));
  assert.notEqual(open, closed);
});

test('a resolver may have an IPv6 address then, and is asked through the tunnels', async () => {
  configure('wireguard_ipv6: true', 'dns: 2001:db8:113::53');
  await goodSetup(lab());
  await sh(`${SETUP} up`);
  assert.equal(await sh('grep -v ^# /etc/resolv.conf'), 'nameserver 2001:db8:113::53');
  assert.equal(await sh('curl -6 -sS -m 60 http://www.example.org/ip'), lab().address6Of('comp1'));
  const asked = readFileSync(join(lab().directory, 'site', 'dns.log'), 'utf8');
  assert.equal([...asked.matchAll(/query\[\w+\] \S+ from (\S+)/g)].at(-1)?.[1], lab().address6Of('comp1'));
});

test('a path too narrow for IPv6 inside wg0: it says so, and IPv6 is closed until the path is wider', async () => {
  await sh('ip link set eth0 mtu 1400');
  const { stderr } = await lab().exec('client', [SETUP]);
  assert.match(
    stderr,
    /MTU 1312 on every wgnet and 1248 on wg0[\s\S]*IPv6 stays closed: it needs 1280 bytes on wg0/,
  );
  assert.match(await sh('ip -6 route show table 51820'), /^unreachable default [^\n]*$/);
  assert.equal(await leaks(), 0);
  await sh(`ip link set eth0 mtu 1500; ${SETUP}`);
  assert.equal(await sh(`curl -sS -m 60 'http://[${SITE6}]/ip'`), lab().address6Of('comp1'));
});

test('and back to false: closed again at both ends, nothing of it is left', async () => {
  configure();
  const { stdout } = await goodSetup(lab());
  assert.match(stdout, /running NAT: masquerade no IPv6 any more/);
  assert.match(stdout, /set net\.ipv6\.conf\.all\.forwarding to 0/);
  assert.equal(total(await goodSetup(lab()), 'changed'), 0);
  assert.equal(
    await comp(
      'nft list tables; ip -6 address show dev wg0 scope global; ip -6 route show dev wg0 | grep fd00 || true',
    ),
    'table ip comps',
  );
  await sh(`${SETUP} up`);
  assert.doesNotMatch(await state(), /wg0 metric|fd00|::\/0/);
  assert.equal(await leaks(), 0);
});

test('a comp server without IPv6 is refused before anything is changed, by name, with the next step', async () => {
  await comp('ip -6 route delete default');
  configure('wireguard_ipv6: true');
  const { code, stdout, hosts } = await runSetup(lab());
  assert.equal(code, 2);
  assert.match(
    stdout,
    /failed: \[198\.51\.100\.201\] IPv6: wireguard_ipv6 is true .* no IPv6 of its own.*\n +next: give it IPv6/,
  );
  assert.equal(hosts.get('198.51.100.201')?.changed, 0);
  assert.match(stdout, /client files not written/);
  await comp('ip -6 route add default via 2001:db8:100::1');
  configure();
});

test('down leaves nothing of IPv6 either', async () => {
  await sh(`${SETUP} down`);
  assert.equal(
    await sh(
      'ip -6 route show table 51820 2>/dev/null; ip -6 route show table 51821 2>/dev/null; ip -6 rule | grep fwmark || true',
    ),
    '',
  );
});
