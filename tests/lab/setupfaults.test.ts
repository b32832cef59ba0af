/** What goes wrong on servers while they are set up: it is said plainly, and the run after it leaves nothing half-done. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Role } from '../../scripts/lib/lab/lab.ts';
import { runSetup, type SetupOutcome, setupWords, total } from '../../scripts/lib/lab/setup.ts';
import { goodSetup, useLab } from './fixture.ts';

const lab = useLab('setupfaults', { vpn: 2 }, (up) => goodSetup(up));

const [VPN1, VPN2, COMP] = ['198.51.100.11', '198.51.100.12', '198.51.100.201'] as const;
const host = (address: string): string => `\\[${address.replaceAll('.', '\\.')}\\]`;

/** A shell line in a droplet that must succeed. */
async function on(role: Role, line: string): Promise<string> {
  const { code, stdout, stderr } = await lab().exec(role, ['sh', '-c', line]);
  assert.equal(code, 0, `${role}: ${line}: ${stderr}`);
  return stdout.trim();
}

/** Returns once a shell condition holds in a droplet; asked there, so that no moment is missed. */
const reach = (role: Role, condition: string): Promise<string> =>
  on(
    role,
    `end=$(($(date +%s) + 60)); until ${condition}; do [ $(date +%s) -lt $end ] || exit 1; sleep 0.01; done`,
  );

/** The same command again finishes the job, and once more has nothing to do; no half of a file lies about. */
async function mended(): Promise<SetupOutcome> {
  const outcome = await goodSetup(lab());
  assert.equal(total(await goodSetup(lab()), 'changed'), 0);
  for (const role of ['vpn1', 'vpn2', 'comp1'] as const)
    assert.equal(await on(role, 'ls /etc/wireguard; dpkg --audit'), 'wg0.conf\nwg0.key\nwg0.nft', role);
  return outcome;
}

/** From here on the service of these droplets takes some seconds to start, and it is stopped. */
const slowStart = (...roles: Role[]): Promise<unknown> =>
  Promise.all(
    roles.map((role) =>
      on(
        role,
        `mkdir -p /run/systemd/system/wg-quick@wg0.service.d
printf '[Service]\\nExecStartPost=/bin/sleep 6\\n' >/run/systemd/system/wg-quick@wg0.service.d/slow.conf
systemctl daemon-reload; systemctl stop wg-quick@wg0`,
      ),
    ),
  );
const IS_STARTING = '[ "$(systemctl is-active wg-quick@wg0)" = activating ]';

/** The command without npx, which would end in its place. */
const quickSetup = (): string[] => [process.execPath, '--import=tsx', ...setupWords(lab()).slice(2)];

/** A run that somebody cuts off. */
function startSetup(): { run: ChildProcess; ended: Promise<number | null> } {
  const [program = '', ...words] = lab().words('ctl', quickSetup());
  const run = spawn(program, words, { stdio: 'ignore', detached: true });
  return { run, ended: new Promise((resolve) => run.once('exit', resolve)) };
}

test('a full disk and a read-only one, under files and under packages: said plainly, with the next step', async () => {
  await on(
    'vpn1',
    'mkdir /tmp/old; cp -a /etc/wireguard/. /tmp/old; mount -t tmpfs -o size=64k none /etc/wireguard; cp -a /tmp/old/. /etc/wireguard; echo "# mine" >>/etc/wireguard/wg0.conf; cat /dev/zero >/etc/wireguard/fill 2>/dev/null || true',
  );
  await on(
    'vpn2',
    'apt-get remove -q -y nftables >/dev/null; mkdir /tmp/small; mount -t tmpfs -o size=256k none /tmp/small; mkdir /tmp/small/u /tmp/small/w; cat /dev/zero >/tmp/small/fill 2>/dev/null || true; mount -t overlay -o lowerdir=/usr,upperdir=/tmp/small/u,workdir=/tmp/small/w none /usr',
  );
  await on('comp1', 'mount -t tmpfs none /etc/wireguard; mount -o remount,ro /etc/wireguard');
  const { code, stdout } = await runSetup(lab());
  assert.equal(code, 2, stdout);
  assert.match(
    stdout,
    new RegExp(
      `failed: ${host(VPN1)} wg0\\.conf: .*No space left[^[]*the disk of this host is full: nothing is left for /etc/wireguard\\n +next: `,
    ),
  );
  assert.match(
    stdout,
    new RegExp(`failed: ${host(VPN2)} packages: install [^[]*the disk of this host is full[^[]*next: `),
  );
  assert.match(
    stdout,
    new RegExp(
      `failed: ${host(COMP)} key pair: .*[^[]*the file system is read-only on this host: /etc/wireguard\\n +next: `,
    ),
  );

  // Room is made, where they stand.
  await on('vpn1', 'rm /etc/wireguard/fill');
  await on('vpn2', 'rm /tmp/small/fill; mount -o remount,size=50m /tmp/small');
  await on('comp1', 'umount /etc/wireguard');
  await mended();
  await on('vpn1', 'umount /etc/wireguard');
  assert.equal(total(await goodSetup(lab()), 'changed'), 0);
});

test('a held package lock: its holder is named at once, waited for, and what it left half unpacked is mended', async () => {
  await on('vpn1', 'apt-get update -q; apt-get remove -q -y wireguard-go');
  // It goes on some seconds after the set-up has begun its work there, however late that comes.
  const held = 'touch /tmp/held; until [ -s /run/comps.lock-holder ]; do sleep 0.1; done; sleep 5';
  await on('vpn1', 'rm -f /run/comps.lock-holder');
  const holder = lab().exec('vpn1', [
    ...['sh', '-c', `apt-get -q -o DPkg::Pre-Invoke::="${held}" install -y --reinstall nftables`],
  ]);
  await reach('vpn1', '[ -e /tmp/held ]');
  const { stdout } = await goodSetup(lab());
  assert.match(
    stdout,
    new RegExp(
      `waiting: ${host(VPN1)} apt-get \\(pid \\d+\\) holds the package lock /var/lib/dpkg/lock-frontend`,
    ),
  );
  assert.match(stdout, new RegExp(`${host(VPN1)} packages: install (nftables, )?wireguard-go`));
  assert.equal((await holder).code, 0);
});

test('in mid-apply one host falls silent, another drops the connection: the one is told of, the other is taken up again', async () => {
  await slowStart('vpn1', 'vpn2');
  const running = runSetup(lab(), '--timeout', '5');
  await Promise.all([
    // Nothing comes, nothing goes, nothing is refused.
    reach('vpn1', IS_STARTING).then(() =>
      on(
        'vpn1',
        'nft add table ip cut; nft add chain ip cut in "{ type filter hook input priority 0; policy drop; }"; nft add chain ip cut out "{ type filter hook output priority 0; policy drop; }"',
      ),
    ),
    reach('vpn2', IS_STARTING).then(() => on('vpn2', 'kill -9 $(pgrep -f "^sshd-session: root")')),
  ]);
  const { code, stdout } = await running;
  assert.equal(code, 4, stdout);
  assert.match(stdout, new RegExp(`unreachable: ${host(VPN1)} .*\\n +next: `));
  assert.match(stdout, new RegExp(`retrying: ${host(VPN2)} `));
  assert.match(stdout, /^198\.51\.100\.12 +: ok=10 .*unreachable=0 +failed=0/m);
  assert.match(stdout, /client files not written/);
  await on('vpn1', 'nft delete table ip cut');
  await mended();
});

test('a port that takes connections and never answers; then clocks that are apart: both are told, nothing is changed', async () => {
  await on('vpn1', 'kill -STOP "$(systemctl show -P MainPID ssh)"');
  try {
    const { code, stdout, hosts } = await runSetup(lab(), '--timeout', '6');
    assert.equal(code, 4);
    assert.match(stdout, new RegExp(`unreachable: ${host(VPN1)} .*\\n +next: `));
    assert.equal(hosts.get(COMP)?.ok, 10);
  } finally {
    await on('vpn1', 'kill -CONT "$(systemctl show -P MainPID ssh)"');
  }
  // The hosts' clock is this machine's, so it is the command's own that is set: two hours ahead.
  const ahead = 'const now = Date.now; Date.now = () => now() + 7200e3;';
  const env = { ...process.env, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(ahead)}` };
  const { code, stdout } = await lab().controller(quickSetup(), { env });
  assert.equal(code, 0, stdout);
  for (const address of [VPN1, VPN2, COMP]) {
    assert.match(stdout, new RegExp(`notice: ${host(address)} its clock is 2 h behind .*WireGuard`));
    assert.match(stdout, new RegExp(`^${address.replaceAll('.', '\\.')} +: ok=10 +changed=0 `, 'm'));
  }
});

test('two runs at once on a fresh host: the one waits and names the other, both end well, and they agree', async () => {
  for (const apart of [0, 700]) {
    await lab().stop('vpn1');
    await lab().start('vpn1');
    await slowStart('vpn1');
    const first = runSetup(lab());
    await new Promise((resolve) => setTimeout(resolve, apart));
    const [one, two] = await Promise.all([first, runSetup(lab())]);
    assert.deepEqual([one.code, two.code], [0, 0], one.stdout + two.stdout);
    assert.match(
      one.stdout + two.stdout,
      new RegExp(
        `waiting: ${host(VPN1)} \\S+@\\S+'s run \\(wgnet-setup, pid \\d+, since [\\d:]+\\) is at work there`,
      ),
    );
    assert.equal(total(await goodSetup(lab()), 'changed'), 0, `${apart} ms apart`);
    const key = await on('vpn1', 'ip link show wg0 >/dev/null && wg pubkey </etc/wireguard/wg0.key');
    assert.ok(readFileSync(join(lab().clientDirectory, 'wgnet1.conf'), 'utf8').includes(key));
  }
});

// Where the run is when it is cut off, on a fresh host; the last one with Ctrl-C.
const moments: [string, Role, string, NodeJS.Signals][] = [
  ['dpkg unpacks', 'vpn2', 'pgrep -x dpkg >/dev/null', 'SIGKILL'],
  ['a key has been made', 'vpn1', '[ -e /etc/wireguard/wg0.key ]', 'SIGKILL'],
  ['the service starts', 'vpn1', IS_STARTING, 'SIGINT'],
];
for (const [moment, role, condition, signal] of moments)
  test(`cut off (${signal}) while ${moment}: the same command finishes the job`, async () => {
    await lab().stop(role);
    await lab().start(role);
    const { run, ended } = startSetup();
    await reach(role, condition);
    if (run.pid !== undefined && run.exitCode === null) process.kill(-run.pid, signal);
    const code = await ended;
    if (signal === 'SIGINT') assert.equal(code, 99);
    await mended();
  });

/** Runs with one file of the lab changed, and puts it back. */
async function withFile<T>(
  name: string,
  change: (text: string) => string,
  work: () => Promise<T>,
): Promise<T> {
  const file = join(lab().directory, name);
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, change(text));
  try {
    return await work();
  } finally {
    writeFileSync(file, text);
  }
}

test('users who are not root: sudo without a password, with one, and not at all', async () => {
  const user = (name: string): string =>
    `useradd -m -s /bin/bash ${name}; install -D -m 600 -o ${name} /root/.ssh/authorized_keys /home/${name}/.ssh/authorized_keys; chown ${name} /home/${name}/.ssh`;
  await Promise.all([
    on(
      'vpn1',
      `${user('ann')}; echo 'ann ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ann; nft delete table ip comps`,
    ),
    on(
      'vpn2',
      `${user('bob')}; echo 'bob:a long secret' | chpasswd; usermod -aG sudo bob; nft delete table ip comps`,
    ),
    on('comp1', `${user('eve')}; echo 'eve:guess' | chpasswd; nft delete table ip comps`),
  ]);
  const asUsers = (text: string): string =>
    text
      .replace(new RegExp(`^${VPN1}.*`, 'm'), '$& ansible_user=ann')
      .replace(new RegExp(`^${VPN2}.*`, 'm'), '$& ansible_user=bob ansible_become_password="a long secret"')
      .replace(new RegExp(`^${COMP}.*`, 'm'), '$& ansible_user=eve ansible_become_password=guess');
  const { stdout, stderr } = await withFile('hosts.ini', asUsers, () => runSetup(lab()));
  for (const address of [VPN1, VPN2])
    assert.match(stdout, new RegExp(`changed: ${host(address)} running NAT: masquerade`), stdout);
  assert.match(stdout, new RegExp(`${host(COMP)} .*eve may not use sudo\\n +next: `));
  assert.doesNotMatch(stdout + stderr, /a long secret|guess/);
  assert.equal(await on('comp1', 'nft list tables'), '', 'nothing was changed there');
  await mended();
});
