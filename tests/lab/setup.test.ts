import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { clientRun } from '../../scripts/lib/lab/client.ts';
import type { Lab, Role } from '../../scripts/lib/lab/lab.ts';
import { runSetup, total } from '../../scripts/lib/lab/setup.ts';
import { until } from '../../scripts/lib/poll.ts';
import { isKey } from '../../scripts/lib/wireguard/key.ts';
import { DRIFTS } from './drifts.ts';
import { goodSetup, useLab } from './fixture.ts';

const lab = useLab('setup', { vpn: 2 });

/** A shell line in a droplet that must succeed. */
async function on(role: Role, line: string): Promise<string> {
  const { code, stdout, stderr } = await lab().exec(role, ['sh', '-c', line]);
  assert.equal(code, 0, `${role}: ${line}: ${stderr}`);
  return stdout.trim();
}

const clientFiles = ({ clientDirectory }: Lab): Map<string, string> =>
  new Map(
    readdirSync(clientDirectory)
      .filter((name) => name !== 'keys')
      .map((name) => [name, readFileSync(join(clientDirectory, name), 'utf8')]),
  );

test('check mode on fresh hosts: says what would be, changes nothing, there and here', async () => {
  const { code, stdout } = await runSetup(lab(), '--check');
  assert.equal(code, 0);
  assert.match(stdout, /would change: \[198\.51\.100\.12\] packages: install .*wireguard-tools/);
  assert.match(stdout, /would change: \[198\.51\.100\.201\] key pair: make a key pair/);
  assert.equal(await on('vpn1', 'ls -A /etc/wireguard; cat /proc/sys/net/ipv4/ip_forward'), '0');
  assert.equal(clientFiles(lab()).size, 0);
});

test('cold: every host is changed, without Python there, and the package is really installed on the bare one', async () => {
  assert.match(await on('vpn2', 'command -v wg || echo no wg'), /no wg/);
  // And nobody needs Python.
  for (const role of ['vpn1', 'vpn2', 'comp1'] as const)
    assert.equal(await on(role, 'command -v python3 python || echo none'), 'none');
  const { hosts, stdout } = await goodSetup(lab());
  assert.deepEqual([...hosts.keys()], ['198.51.100.11', '198.51.100.12', '198.51.100.201']);
  for (const [host, { changed, failed, unreachable }] of hosts)
    assert.ok(changed >= 5 && failed + unreachable === 0, `${host}\n${stdout}`);
  await on('vpn2', 'command -v wg');
});

test('private keys: made on each server, 0600, and in nothing that left it; client files for the owner only', async () => {
  const files = clientFiles(lab());
  assert.deepEqual([...files.keys()], ['setup.sh', 'wg0.conf', 'wgnet1.conf', 'wgnet2.conf']);
  for (const name of files.keys())
    assert.equal(statSync(join(lab().clientDirectory, name)).mode & 0o077, 0, name);
  assert.equal(statSync(lab().clientDirectory).mode & 0o777, 0o700);
  const seen = [...files.values()].join('\n');
  for (const role of ['vpn1', 'vpn2', 'comp1'] as const) {
    const key = await on(role, 'cat /etc/wireguard/wg0.key');
    assert.ok(isKey(key));
    assert.ok(!seen.includes(key), `${role}'s private key is in the client's files`);
    assert.equal(await on(role, 'stat -c %a:%U /etc/wireguard/wg0.key'), '600:root');
  }
  const keys = [...files.values()].flatMap((text) => /PrivateKey = (\S+)/.exec(text)?.[1] ?? []);
  assert.equal(new Set(keys).size, 3, 'one key a tunnel');
});

test('a server: forwarding kept over reboot, service at boot, NAT on the interface it really has', async () => {
  for (const role of ['vpn1', 'vpn2', 'comp1'] as const) {
    assert.equal(await on(role, 'cat /proc/sys/net/ipv4/ip_forward'), '1');
    assert.match(await on(role, 'cat /etc/sysctl.d/*comps*'), /^net\.ipv4\.ip_forward = 1$/m);
    assert.equal(
      await on(role, 'systemctl is-enabled wg-quick@wg0; systemctl is-active wg-quick@wg0'),
      'enabled\nactive',
    );
    assert.match(await on(role, 'nft list table ip comps'), /oifname "ens3" masquerade/);
  }
  // A file that sorts later has the last word at boot, until WireGuard's service starts behind all of them.
  const forwards = '/proc/sys/net/ipv4/ip_forward';
  const later = '/etc/sysctl.d/99-later.conf';
  const boot = `echo net.ipv4.ip_forward=0 >${later}; systemctl restart systemd-sysctl; cat ${forwards}; rm ${later}`;
  assert.equal(await on('vpn2', boot), '0');
  assert.equal(await on('vpn2', `systemctl restart wg-quick@wg0; cat ${forwards}`), '1');
});

test('again: nothing is changed, and the handshakes are undisturbed', async () => {
  await clientRun(lab(), '/etc/wireguard/setup.sh', 'up');
  await clientRun(lab(), 'ping', '-c', '1', '-w', '60', '203.0.113.80');
  const handshakes = () =>
    Promise.all((['vpn1', 'comp1'] as const).map((role) => on(role, 'wg show wg0 latest-handshakes')));
  const before = await handshakes();
  assert.match(before.join('\n'), /\t[1-9]/);
  const files = clientFiles(lab());
  const outcome = await goodSetup(lab());
  assert.equal(total(outcome, 'changed'), 0, outcome.stdout);
  assert.doesNotMatch(outcome.stdout, /\[client\]/);
  assert.deepEqual(clientFiles(lab()), files);
  assert.deepEqual(await handshakes(), before);
});

test('set-up while the service is still starting, as after a reboot: it waits, and wg0 is there', async () => {
  await on(
    'vpn1',
    'mkdir -p /run/systemd/system/wg-quick@wg0.service.d; printf "[Service]\\nExecStartPost=/bin/sleep 4\\n" >/run/systemd/system/wg-quick@wg0.service.d/slow.conf; systemctl daemon-reload; systemctl stop wg-quick@wg0',
  );
  // The NAT rules go with the service.
  assert.equal(await on('vpn1', 'nft list tables'), '');
  await on('vpn1', 'systemctl start --no-block wg-quick@wg0');
  assert.ok(
    await until(60_000, async () => (await lab().exec('vpn1', ['ip', 'link', 'show', 'wg0'])).code === 0),
  );
  await goodSetup(lab());
  await on(
    'vpn1',
    'ip link show wg0; rm -r /run/systemd/system/wg-quick@wg0.service.d; systemctl daemon-reload',
  );
  assert.equal(total(await goodSetup(lab()), 'changed'), 0);
});

for (const round of DRIFTS)
  test(`drift, ${round.map(({ does }) => does).join(', ')}: each found and mended, and nothing else touched`, async () => {
    const files = clientFiles(lab());
    const roles = ['vpn1', 'vpn2', 'comp1'] as const;
    await Promise.all(round.map(({ line }, i) => on(roles[i] as Role, line)));
    const { stdout } = await goodSetup(lab());
    const changed = (role: Role): string =>
      [...stdout.matchAll(/^changed: \[(\S+)\] (.*)$/gm)]
        .filter(([, host]) => host === lab().addressOf(role))
        .map(([, , line]) => line)
        .join('\n');
    for (const [i, { said }] of round.entries()) assert.match(changed(roles[i] as Role), said, stdout);
    assert.deepEqual(clientFiles(lab()), files);
    assert.equal(total(await goodSetup(lab()), 'changed'), 0);
  });

test('a host down: named with reason and next step, the others finish, exit 4, no half of a network is written', async () => {
  const files = clientFiles(lab());
  await lab().stop('vpn2');
  await on('vpn1', 'nft delete table ip comps');
  const { code, stdout, hosts } = await runSetup(lab(), '--timeout', '10');
  assert.equal(code, 4);
  assert.match(
    stdout,
    /unreachable: \[198\.51\.100\.12\] 198\.51\.100\.12 \(root@198\.51\.100\.12 port 22\): \S.*\n +next: /,
  );
  assert.equal(hosts.get('198.51.100.12')?.unreachable, 1);
  assert.equal(hosts.get('198.51.100.11')?.changed, 1);
  assert.match(stdout, /client files not written/);
  assert.deepEqual(clientFiles(lab()), files);

  // It comes back as new, with another key of its own: the client's files follow, the client's keys stay.
  await lab().start('vpn2');
  const after = await goodSetup(lab());
  assert.equal(after.hosts.get('198.51.100.11')?.changed, 0);
  assert.match(after.stdout, /\[client\] wrote \S+wgnet2\.conf/);
  assert.doesNotMatch(after.stdout, /wgnet1\.conf/);
  assert.equal(
    /PrivateKey = .*/.exec(clientFiles(lab()).get('wgnet2.conf') ?? '')?.[0],
    /PrivateKey = .*/.exec(files.get('wgnet2.conf') ?? '')?.[0],
  );
});

/** Runs with one file of the lab changed, and puts it back. */
async function withFile(
  name: string,
  change: (text: string) => string,
  work: () => Promise<void>,
): Promise<void> {
  const file = join(lab().directory, name);
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, change(text));
  try {
    await work();
  } finally {
    writeFileSync(file, text);
  }
}

test('a name that does not resolve: named with its line, the others finish, exit 4', async () => {
  const add = (text: string): string => text.replace('[comp]', 'no-such-host.invalid\n[comp]');
  await withFile('hosts.ini', add, async () => {
    const { code, stdout, hosts } = await runSetup(lab());
    assert.equal(code, 4);
    assert.match(stdout, /hosts\.ini:\d+: the name no-such-host\.invalid does not resolve/);
    assert.equal(hosts.get('198.51.100.201')?.ok, 10);
    assert.match(stdout, /client files not written/);
  });
});

test('another host key: refused by name, the others finish', async () => {
  const swap = (text: string): string => {
    const [first = '', ...rest] = text.split('\n');
    const key = /^198\.51\.100\.12 (.*)$/m.exec(text)?.[1];
    return [first.replace(/^(\S+) .*/, `$1 ${key}`), ...rest].join('\n');
  };
  await withFile('known_hosts', swap, async () => {
    const { code, stdout } = await runSetup(lab());
    assert.equal(code, 4);
    assert.match(
      stdout,
      /unreachable: \[198\.51\.100\.11\] .*its host key is now ssh-ed25519 SHA256:\S+, not the one in \S+known_hosts:1/,
    );
    assert.match(stdout, /^198\.51\.100\.201 : ok=10/m);
  });
});

test('the key is refused: exit 4, saying which was offered', async () => {
  await on('vpn1', 'mv /root/.ssh/authorized_keys /root/.ssh/off');
  try {
    const { code, stdout } = await runSetup(lab());
    assert.equal(code, 4);
    assert.match(stdout, /unreachable: \[198\.51\.100\.11\] .*login refused; offered: \S+id_ed25519/);
  } finally {
    await on('vpn1', 'mv /root/.ssh/off /root/.ssh/authorized_keys');
  }
});
