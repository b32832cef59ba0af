import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Task } from '../../scripts/lib/runner/task.ts';
import { isClient, whileWayStays } from '../../scripts/lib/steps/own-way.ts';
import { type HostFacts, hostFacts } from '../../scripts/lib/tasks/facts.ts';
import { file } from '../../scripts/lib/tasks/file.ts';
import { liveInterface } from '../../scripts/lib/tasks/interface.ts';
import { keyPair } from '../../scripts/lib/tasks/key-pair.ts';
import { liveNat } from '../../scripts/lib/tasks/nat.ts';
import { ownIpv6 } from '../../scripts/lib/tasks/own-ipv6.ts';
import { wireguardPackages } from '../../scripts/lib/tasks/package.ts';
import { wireguardService } from '../../scripts/lib/tasks/service.ts';
import { forwarding } from '../../scripts/lib/tasks/sysctl.ts';

const facts: HostFacts = { egress: 'ens3', kernelWireguard: false };
const key = `${'A'.repeat(43)}=`;
const old = `${'B'.repeat(43)}=`;

/** What a task would do, as a person reads it. */
const lines = (task: Task<HostFacts>, seen: string, given = facts): string[] =>
  task.judge(seen, given).changes.map(({ line }) => line);

const running = liveInterface<HostFacts>({
  addresses: ['10.45.0.2/32'],
  port: 51820,
  mtu: 1420,
  peer: { publicKey: key, allowedIps: ['10.45.0.5/32'] },
});
const right = [
  'key same',
  'port 51820',
  `peer ${key} 10.45.0.5/32`,
  'mtu 1420',
  'up',
  'address 10.45.0.2/32',
  'route 10.45.0.5',
  'present',
];
const drifted = (was: string, is: string): string => right.join('\n').replace(was, is);

const running6 = liveInterface<HostFacts>({
  addresses: ['10.45.0.2/32', 'fd00:10:45::2/128'],
  port: 51820,
  mtu: 1420,
  peer: { publicKey: key, allowedIps: ['10.45.0.5/32', 'fd00:10:45::100/128'] },
});
const right6 = right
  .map((line) => line.replace(`${key} 10.45.0.5/32`, `${key} 10.45.0.5/32,fd00:10:45::100/128`))
  .concat('address fd00:10:45::2/128', 'route fd00:10:45::100');

const conf = file<HostFacts>('conf', { path: '/etc/wireguard/wg0.conf', mode: '600', text: () => 'a\n' });
const nat = liveNat({ network: '10.45.0.0/24' });
const nat6 = liveNat({ network: '10.45.0.0/24', network6: 'fd00:10:45::/64' });
/** A table as nft lists it. */
const listed = (family: string, rule: string): string =>
  `table ${family} comps {\n\tchain postrouting {\n\t\ttype nat hook postrouting priority srcnat; policy accept;\n\t\t${rule}\n\t}\n}\n`;
const masquerade = 'ip saddr 10.45.0.0/24 oifname "ens3" masquerade';
const masquerades = listed('ip', masquerade);
const masquerades6 = listed('ip6', 'ip6 saddr fd00:10:45::/64 oifname "ens4" masquerade');
const facts6: HostFacts = { ...facts, egress6: 'ens4', acceptRa: '1' };

/** What `forwarding` reads: of /proc/sys, and whether its file asks for IPv6. */
const [now, boot] = forwarding(false) as [Task<HostFacts>, Task<HostFacts>];
const [now6, boot6] = forwarding(true) as [Task<HostFacts>, Task<HostFacts>];
const forwards = (four: number, six: number, ours = ''): string =>
  `net/ipv4/ip_forward ${four}\nnet/ipv6/conf/all/forwarding ${six}\n${ours}`;

// State in, changes out; an empty list is a host that is right.
const table: [string, Task<HostFacts>, string, string[]][] = [
  ['packages all there', wireguardPackages(), 'wireguard-tools\nnftables\nwireguard-go\n', []],
  ['packages none there', wireguardPackages(), '', ['install wireguard-tools, nftables, wireguard-go']],
  ['file missing', conf, '', ['write /etc/wireguard/wg0.conf']],
  ['file right', conf, '600 root:root regular file\na\n', []],
  ['file with other text', conf, '600 root:root regular file\nb\n', ['rewrite /etc/wireguard/wg0.conf']],
  ['file cut short', conf, '600 root:root regular empty file\n', ['rewrite /etc/wireguard/wg0.conf']],
  [
    'file open to all',
    conf,
    '644 root:root regular file\na\n',
    ['set mode 600 and owner root on /etc/wireguard/wg0.conf'],
  ],
  [
    'file of somebody',
    conf,
    '600 bob:root regular file\na\n',
    ['set mode 600 and owner root on /etc/wireguard/wg0.conf'],
  ],
  [
    'file is a link',
    conf,
    '777 root:root symbolic link\na\n',
    ['put a file in the place of the symbolic link /etc/wireguard/wg0.conf'],
  ],
  ['no key', keyPair(), 'none\n', ['make a key pair']],
  [
    'no key, folder open to all',
    keyPair(),
    'none\nfolder 755:root\n',
    ['set mode 700 and owner root on /etc/wireguard', 'make a key pair'],
  ],
  [
    'folder open to all',
    keyPair(),
    `600:root ${key}\nfolder 755:root\n`,
    ['set mode 700 and owner root on /etc/wireguard'],
  ],
  ['key only in the interface', keyPair(), 'live\n', ["keep the running interface's key pair"]],
  ['key there', keyPair(), `600:root ${key}\n`, []],
  ['key open to all', keyPair(), `644:root ${key}\n`, ['set mode 600 on /etc/wireguard/wg0.key']],
  [
    'key there, wg not yet',
    keyPair(),
    '600:root unread\n',
    ['read the public half of /etc/wireguard/wg0.key'],
  ],
  ['service right', wireguardService(), 'enabled\nactive\nup\n', []],
  ['service fresh', wireguardService(), 'disabled\ninactive\ndown\n', ['enable and start wg-quick@wg0']],
  ['service unknown', wireguardService(), 'inactive\ndown\n', ['enable and start wg-quick@wg0']],
  ['service not at boot', wireguardService(), 'disabled\nactive\nup\n', ['enable wg-quick@wg0']],
  ['service failed', wireguardService(), 'enabled\nfailed\ndown\n', ['start wg-quick@wg0']],
  [
    'interface deleted by hand',
    wireguardService(),
    'enabled\nactive\ndown\n',
    ['restart wg-quick@wg0, its interface is gone'],
  ],
  ['interface right', running, right.join('\n'), []],
  ['interface not there', running, '', []],
  [
    'link down, and its routes with it',
    running,
    drifted('up\n', '').replace('route 10.45.0.5\n', ''),
    ['bring wg0 up', 'route 10.45.0.5/32 into wg0'],
  ],
  ['other private key', running, drifted('key same\n', ''), ['set the private key']],
  ['other port', running, drifted('port 51820', 'port 1'), ['listen on port 51820']],
  [
    'peer removed by hand',
    running,
    drifted(`peer ${key} 10.45.0.5/32\n`, ''),
    ['add peer AAAAAAAA… (10.45.0.5/32)'],
  ],
  [
    'old client key',
    running,
    drifted(`peer ${key}`, `peer ${old}`),
    ['remove peer BBBBBBBB…', 'add peer AAAAAAAA… (10.45.0.5/32)'],
  ],
  [
    'allowed IPs gone',
    running,
    drifted(`${key} 10.45.0.5/32`, `${key} (none)`),
    ['add allowed IPs to peer AAAAAAAA… (10.45.0.5/32)'],
  ],
  [
    'preshared key by hand',
    running,
    drifted('mtu', `preshared ${key}\nmtu`),
    ['remove the preshared key of peer AAAAAAAA…, which the client does not have'],
  ],
  [
    'preshared key of somebody else',
    running,
    drifted('mtu', `peer ${old} (none)\npreshared ${old}\nmtu`),
    ['remove peer BBBBBBBB…'],
  ],
  ['no firewall mark', running, drifted('mtu', 'mark off\nmtu'), []],
  ['firewall mark by hand', running, drifted('mtu', 'mark 0x1\nmtu'), ['remove the firewall mark 0x1']],
  ['other MTU', running, drifted('mtu 1420', 'mtu 1280'), ['set MTU 1420']],
  [
    'address replaced',
    running,
    drifted('address 10.45.0.2/32', 'address 10.45.0.9'),
    ['add address 10.45.0.2/32', 'remove address 10.45.0.9/32'],
  ],
  ['route removed', running, drifted('route 10.45.0.5\n', ''), ['route 10.45.0.5/32 into wg0']],
  [
    'route of an older network',
    running,
    drifted('route 10.45.0.5', 'route 10.45.0.5\nroute 10.99.0.5'),
    ['remove route 10.99.0.5/32'],
  ],
  ['NAT right', nat, masquerades, []],
  [
    'NAT right, as an older nft lists it',
    nat,
    masquerades.replace('srcnat', '100').replace('comps {', 'comps { # handle 3'),
    [],
  ],
  [
    'NAT with a rule by hand',
    nat,
    listed('ip', `${masquerade}\n\t\tcounter packets 0 bytes 0 drop`),
    ['take out what does not belong into the table ip comps'],
  ],
  [
    'NAT with a chain by hand',
    nat,
    masquerades.replace('\tchain', '\tchain mine {\n\t}\n\n\tchain'),
    ['take out what does not belong into the table ip comps'],
  ],
  [
    'NAT on an interface of old',
    nat,
    masquerades.replace('ens3', 'eth0'),
    ['masquerade 10.45.0.0/24 on ens3'],
  ],
  ['NAT flushed', nat, '', ['masquerade 10.45.0.0/24 on ens3']],
  ['NAT, wg0 not up yet', nat, 'later\n', []],
  ['interface with IPv6 right', running6, right6.join('\n'), []],
  [
    'IPv6 new',
    running6,
    right.join('\n'),
    [
      'add allowed IPs to peer AAAAAAAA… (10.45.0.5/32, fd00:10:45::100/128)',
      'add address fd00:10:45::2/128',
      'route fd00:10:45::100/128 into wg0',
    ],
  ],
  [
    'IPv6 no more',
    running,
    right6.join('\n'),
    [
      'set allowed IPs of peer AAAAAAAA… (10.45.0.5/32)',
      'remove address fd00:10:45::2/128',
      'remove route fd00:10:45::100/128',
    ],
  ],
  ['NAT without IPv6, which is there', nat, masquerades + masquerades6, ['masquerade no IPv6 any more']],
  ['forwarding right', now, forwards(1, 0), []],
  ['forwarding off', now, forwards(0, 0), ['set net.ipv4.ip_forward to 1']],
  ['IPv6 forwarding of somebody else’s', now, forwards(1, 1), []],
  [
    'IPv6 forwarding of ours, not wanted any more',
    now,
    forwards(1, 1, 'ours'),
    ['set net.ipv6.conf.all.forwarding to 0'],
  ],
  ['forwarding on a kernel without IPv6', now, 'net/ipv4/ip_forward 1\n', []],
];

// The same on a host that has IPv6, whose default route comes from advertisements.
const table6: [string, Task<HostFacts>, string, string[]][] = [
  ['NAT right', nat6, masquerades + masquerades6, []],
  ['NAT not yet', nat6, masquerades, ['masquerade fd00:10:45::/64 on ens4']],
  [
    'forwarding, and the default route is kept before that',
    now6,
    forwards(1, 0),
    ['set net.ipv6.conf.ens4.accept_ra to 2', 'set net.ipv6.conf.all.forwarding to 1'],
  ],
  ['own IPv6', ownIpv6(), '', []],
];
for (const [name, task, seen, expected] of table6)
  test(`task with IPv6: ${name}`, () => assert.deepEqual(lines(task, seen, facts6), expected));

test('settings at boot are those of now, also once they hold; without IPv6 the file is as it ever was', () => {
  const written = (task: Task<HostFacts>, given: HostFacts): string => {
    const [, packed = ''] = /echo (\S+) \| base64/.exec(task.judge('', given).changes[0]?.shell ?? '') ?? [];
    return Buffer.from(packed, 'base64').toString();
  };
  assert.equal(written(boot, facts), '# Written by scripts/wgnet-setup.ts.\nnet.ipv4.ip_forward = 1\n');
  const after = { ...facts6, acceptRa: '2' };
  assert.equal(written(boot6, facts6), written(boot6, after));
  assert.deepEqual(lines(now6, forwards(1, 1, 'ours'), after), []);
  assert.doesNotMatch(written(boot6, { ...facts6, acceptRa: '0' }), /accept_ra/);
  assert.match(
    written(boot6, { ...facts6, egress6: 'eth0.5' }),
    /^net\/ipv6\/conf\/eth0\.5\/accept_ra = 2$/m,
  );
});

test('a comp server without IPv6 cannot carry it: refused with the next step', () => {
  assert.throws(() => ownIpv6().judge('', facts), /no IPv6 of its own[\s\S]*next: give it IPv6/);
});

test('facts: IPv6 counts with a default route and an address, by an interface’s name', () => {
  const seen = 'id=debian\nversion=13\nuid=0\napt=yes\nsystemd=yes\negress=eth0\n';
  assert.equal(hostFacts.read(seen).egress6, undefined);
  assert.deepEqual(hostFacts.read(`${seen}egress6=ens4\naccept_ra=1\n`), { ...facts6, egress: 'eth0' });
  assert.equal(hostFacts.read(`${seen}egress6=a"; reboot\n`).egress6, undefined);
});

for (const [name, task, seen, expected] of table)
  test(`task: ${name}`, () => assert.deepEqual(lines(task, seen), expected));

test('a kernel with WireGuard needs no wireguard-go', () => {
  assert.deepEqual(
    lines(wireguardPackages(), 'wireguard-tools\nnftables\n', { ...facts, kernelWireguard: true }),
    [],
  );
});

test('a key that is not made yet is told in words', () => {
  const peer = { publicKey: '(a new key)', allowedIps: ['10.45.0.5/32'] };
  const task = liveInterface<HostFacts>({ addresses: ['10.45.0.2/32'], port: 51820, mtu: 1420, peer });
  assert.ok(lines(task, right.join('\n')).includes('add peer (a new key) (10.45.0.5/32)'));
});

test('a key that is there counts, whether or not its folder is put right', () => {
  const verdict = keyPair().judge(`600:root ${key}\nfolder 755:root\n`, facts);
  assert.equal(verdict.valueHolds, true);
  assert.equal(verdict.value?.([]), key);
});

test('a broken key file is refused, not replaced', () => {
  assert.throws(() => keyPair().judge('600:root broken\n', facts), /holds no WireGuard key/);
});

test('a new key is the last thing that the change printed, and nothing else is taken for one', () => {
  const value = keyPair().judge('none\n', facts).value;
  assert.equal(value?.([`${key}\n`]), key);
  assert.throws(() => value?.(['']), /expected a public key/);
});

for (const [missing, seen] of [
  ['root', 'id=debian\nuid=1000\napt=yes\nsystemd=yes\negress=eth0'],
  ['apt-get', 'id=debian\nuid=0\nsystemd=yes\negress=eth0'],
  ['systemd', 'id=debian\nuid=0\napt=yes\negress=eth0'],
  ['default route', 'id=debian\nuid=0\napt=yes\nsystemd=yes\negress='],
] as const)
  test(`facts: a host without ${missing} is refused`, () => {
    assert.throws(() => hostFacts.read(seen), new RegExp(missing));
  });

test('a host that lies about its public key puts nothing of its own into the client’s files', () => {
  for (const lie of [
    `600:root ${key}\nPostUp = reboot`,
    `600:root ${key} x`,
    '600:root x',
    '',
    'sh: not found',
  ])
    assert.throws(() => keyPair().judge(lie, facts), /expected a public key/);
  const { value } = keyPair().judge('none\n', facts);
  assert.throws(() => value?.([`${key}\nPostUp = reboot`]), /expected a public key/);
});

test('on the client itself a server is refused whose tunnel the change would cut, and a drift is put right', () => {
  const [guarded] = whileWayStays([running]);
  assert.ok(guarded);
  for (const [was, is] of [
    ['key same\n', ''],
    ['port 51820', 'port 51999'],
    [`peer ${key}`, `peer ${old}`],
    [`${key} 10.45.0.5/32`, `${key} 10.44.0.5/32`],
  ] as const) {
    assert.notDeepEqual(lines(running, drifted(was, is)), [], 'elsewhere it is changed');
    assert.throws(
      () => lines(guarded, drifted(was, is)),
      /its way to the servers is the tunnels that this would cut \(.*\)\nnext: .*setup\.sh down, this command, setup\.sh/,
    );
  }
  for (const [was, is] of [
    ['mtu 1420', 'mtu 1300'],
    ['route 10.45.0.5\n', ''],
    [`peer ${key} 10.45.0.5/32\n`, ''],
    [right.join('\n'), ''],
    ['', ''],
  ] as const)
    assert.deepEqual(lines(guarded, drifted(was, is)), lines(running, drifted(was, is)));
  const rules = (mark: string) => `0:\tfrom all lookup local\n100:\tfrom all fwmark ${mark} lookup main\n`;
  assert.ok(isClient(rules('0xca6d')));
  // Another VPN of this machine's, by wg-quick, has a mark next to it.
  assert.ok(!isClient(rules('0xca6c')) && !isClient('32766:\tfrom all lookup main\n'));
});
