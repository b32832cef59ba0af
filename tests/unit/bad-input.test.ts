import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { attempt } from '../../scripts/lib/transport/local.ts';
import { runHere } from '../command.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-bad-input-'));
after(() => rmSync(folder, { recursive: true }));

const HOSTS = '[vpn]\n127.0.0.2\n127.0.0.3\n[comp]\n127.0.0.4\n';
const CONFIG = 'wireguard_subnet: 10.45.0\nwireguard_gateway_address: 10.45.0.2/32\n';

// What is wrong, hosts.ini, config.cfg, what must be said. null: no such file; 'dir': a directory.
const table: [string, string | null, string | null, RegExp][] = [
  ['no hosts.ini', null, CONFIG, /hosts\.ini: cannot read: no such file[\s\S]*next: /],
  [
    'no config.cfg',
    HOSTS,
    null,
    /config\.cfg: cannot read: no such file[\s\S]*next: cp config\.cfg\.example/,
  ],
  ['hosts.ini is a directory', 'dir', CONFIG, /hosts\.ini: cannot read: is a directory, a file was expected/],
  ['config.cfg is a directory', HOSTS, 'dir', /config\.cfg: cannot read: is a directory/],
  ['empty hosts.ini', '', CONFIG, /hosts\.ini/],
  ['empty config.cfg', HOSTS, '', /config\.cfg/],
  ['no [comp]', '[vpn]\n127.0.0.2\n', CONFIG, /hosts\.ini.*\[comp\]/],
  ['two in [comp]', `${HOSTS}127.0.0.5\n`, CONFIG, /hosts\.ini:\d+: .*\[comp\]/],
  ['no [vpn]', '[comp]\n127.0.0.4\n', CONFIG, /hosts\.ini.*\[vpn\]/],
  ['a host twice', HOSTS.replace('[comp]', '127.0.0.2\n[comp]'), CONFIG, /hosts\.ini:4: /],
  ['a host in both groups', `${HOSTS.replace('127.0.0.4', '127.0.0.2')}`, CONFIG, /hosts\.ini:5: /],
  [
    'a port that is none',
    HOSTS.replace('127.0.0.2', '127.0.0.2 ansible_port=99999'),
    CONFIG,
    /hosts\.ini:2: .*99999/,
  ],
  ['a line that is no host', HOSTS.replace('127.0.0.2', '$(reboot)'), CONFIG, /hosts\.ini:2: /],
  [
    'a key file that is not there',
    HOSTS.replace('127.0.0.2', '127.0.0.2 ansible_ssh_private_key_file=nowhere'),
    CONFIG,
    /nowhere: cannot read/,
  ],
  [
    'an unknown key',
    HOSTS,
    `${CONFIG}wireguard_prot: 1\n`,
    /config\.cfg:3: .*wireguard_prot[\s\S]*wireguard_port/,
  ],
  ['a bad subnet', HOSTS, CONFIG.replace('10.45.0\n', '10.450.0\n'), /config\.cfg:1: .*wireguard_subnet/],
  ['a subnet cut short', HOSTS, CONFIG.replace('10.45.0\n', '10.45\n'), /config\.cfg:1: .*wireguard_subnet/],
  ['a gateway outside', HOSTS, CONFIG.replace('10.45.0.2/32', '10.46.0.2/32'), /config\.cfg:2: /],
  ['tabs', HOSTS, `${CONFIG}vpns:\n\t- name: a\n`, /config\.cfg:4: .*tab/i],
  ['a port that is a word', HOSTS, `${CONFIG}wireguard_port: ssh\n`, /config\.cfg:3: .*wireguard_port/],
  [
    'servers inside the tunnels',
    HOSTS.replace('127.0.0.2', '10.45.0.77'),
    CONFIG,
    /10\.45\.0\.77 lies inside the tunnels/,
  ],
  ['too many proxies', `[vpn]\n127.1.0.[1:96]\n[comp]\n127.0.0.4\n`, CONFIG, /95/],
];

for (const [i, [name, hosts, config, said]] of table.entries())
  test(`refused before any connection, exit 1: ${name}`, async () => {
    const here = join(folder, String(i));
    mkdirSync(here);
    for (const [file, text] of [
      ['hosts.ini', hosts],
      ['config.cfg', config],
    ] as const) {
      if (text === 'dir') mkdirSync(join(here, file));
      else if (text !== null) writeFileSync(join(here, file), text);
    }
    const flags = ['-i', join(here, 'hosts.ini'), '-c', join(here, 'config.cfg'), '-o', join(here, 'out')];
    const { code, stdout, stderr } = await runHere('scripts/wgnet-setup.ts', flags);
    assert.equal(code, 1, stdout + stderr);
    assert.match(stderr, said);
    assert.doesNotMatch(stderr, /^ +at /m, 'no stack trace');
    assert.doesNotMatch(stdout, /RECAP/);
  });

test('a directory with other things in it is not taken for the client’s files', async () => {
  const here = join(folder, 'other');
  mkdirSync(join(here, 'out'), { recursive: true, mode: 0o755 });
  for (const [file, text] of [
    ['hosts.ini', HOSTS],
    ['config.cfg', CONFIG],
    ['out/wgnet9.conf', 'mine'],
  ] as const)
    writeFileSync(join(here, file), text);
  const flags = ['-i', join(here, 'hosts.ini'), '-c', join(here, 'config.cfg'), '-o', join(here, 'out')];
  const { code, stderr } = await attempt(['node', '--import=tsx', 'scripts/wgnet-setup.ts', ...flags]);
  assert.equal(code, 1);
  assert.match(stderr, /out: holds other files than the client's[\s\S]*next: /);
  assert.deepEqual(readdirSync(join(here, 'out')), ['wgnet9.conf']);
  assert.equal(statSync(join(here, 'out')).mode & 0o777, 0o755);
});
