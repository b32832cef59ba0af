/** What provisioning refuses: all of it before anything is made. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { userProblems } from '../../scripts/lib/steps/surveying.ts';
import { newHostKey } from '../../scripts/lib/transport/host-key.ts';
import { runHere } from '../command.ts';
import { COMPS, type Provisioner, startProvisioner, VPNS } from '../provisioner.ts';

const posts = (user: Provisioner): number =>
  user.cloud.requests.filter(({ method }) => method === 'POST').length;

/** Takes a line out of config.cfg. */
const unset = (user: Provisioner, key: string): void =>
  writeFileSync(
    user.file('config.cfg'),
    user.read('config.cfg').replace(new RegExp(`^${key}:.*\n`, 'm'), ''),
  );

const otherKey = newHostKey().privateKey;

/** One account for the tests that make nothing. */
let idle: Provisioner;
before(async () => {
  idle = await startProvisioner();
});
after(() => idle.close());

/** config.cfg or hosts.ini that is refused, and what is said; nothing is asked for. */
const REFUSED: [string, (user: Provisioner) => void, RegExp][] = [
  [
    'no token',
    (user) => unset(user, 'token'),
    /config.cfg: has no token.*\n {2}next: add the line `token: \$DO_TOKEN`/,
  ],
  [
    'a variable that is not set',
    (user) => user.settings('token: $NOT_THERE'),
    /\$NOT_THERE: config.cfg names .* not set\n {2}next: export NOT_THERE=/,
  ],
  ['no key', (user) => unset(user, 'ssh_key_id'), /has no ssh_key_id/],
  [
    'a key that the account has not',
    (user) => user.settings('ssh_key_id: 7'),
    /ssh_key_id: the account has no SSH key/,
  ],
  ['no droplets', (user) => user.configure({}), /vpns and comps are empty/],
  [
    'two comp servers',
    (user) => user.configure({ vpns: VPNS, comps: [...COMPS, { name: 'c2', region: 'nyc1' }] }),
    /comps has 2 entries \(comp1, c2\)/,
  ],
  [
    'what DigitalOcean has no more',
    (user) =>
      user.configure({
        vpns: [{ name: 'a', region: 'sfo1', size: '1gb', image: 'ubuntu-20-04-x64' }],
        comps: COMPS,
      }),
    /sfo1 takes no new droplets[\s\S]*region: sfo3[\s\S]*size: s-1vcpu-1gb[\s\S]*image: ubuntu-24-04-x64/,
  ],
  [
    'no comp server, neither there nor in hosts.ini',
    (user) => user.configure({ vpns: VPNS }),
    /hosts.ini:\d: \[comp\] has no hosts: exactly one server was expected/,
  ],
  [
    'a comp server there, and another in hosts.ini',
    (user) => writeFileSync(user.file('hosts.ini'), '[vpn]\n[comp]\nmine ansible_host=192.0.2.1\n'),
    /hosts.ini: \[comp\] has 2 hosts \(mine in line 3, comp1 of config.cfg\)/,
  ],
  [
    'a line of the user’s with that name',
    (user) => writeFileSync(user.file('hosts.ini'), '[vpn]\nwgnet1 ansible_host=192.0.2.1\n[comp]\n'),
    /hosts.ini:2: wgnet1 has the address 192.0.2.1 there, which is not on record here, and no droplet of the account has it/,
  ],
  [
    'that name in the other group',
    (user) => writeFileSync(user.file('hosts.ini'), '[comp]\nwgnet1\n'),
    /hosts.ini:2: wgnet1 is in \[comp\]/,
  ],
  [
    'that name in a pattern',
    (user) => writeFileSync(user.file('hosts.ini'), '[vpn]\nwgnet[1:2]\n'),
    /hosts.ini:2: wgnet1 comes from a pattern/,
  ],
  [
    'a login that is not supported',
    (user) => writeFileSync(user.file('hosts.ini'), '[vpn]\n[comp]\n[all:vars]\nansible_password=x\n'),
    /hosts.ini:4: .*ansible_password is not supported/,
  ],
  [
    'a user that no new droplet has',
    (user) => writeFileSync(user.file('hosts.ini'), `${user.read('hosts.ini')}ansible_user=ubuntu\n`),
    /wgnet1, wgnet2, comp1 would be logged in to as ubuntu \(by \S+hosts.ini\), .* nobody but root in\n {2}next: write ansible_user=root/,
  ],
  [
    'a private key that is not there',
    (user) =>
      writeFileSync(user.file('hosts.ini'), '[vpn]\n[all:vars]\nansible_ssh_private_key_file=/nowhere\n'),
    /the key for wgnet1: \/nowhere/,
  ],
  [
    'another private key',
    (user) => {
      writeFileSync(user.file('other'), otherKey, { mode: 0o600 });
      writeFileSync(
        user.file('hosts.ini'),
        `[vpn]\n[all:vars]\nansible_ssh_private_key_file=${user.file('other')}\n`,
      );
    },
    /the droplets get the SSH key comps .*none of those that this machine would offer \(\S+other\)/,
  ],
];

for (const [what, spoil, said] of REFUSED)
  test(`refused before anything is made: ${what}`, async () => {
    idle.configure({ vpns: VPNS, comps: COMPS });
    writeFileSync(
      idle.file('hosts.ini'),
      `[vpn]\n[comp]\n[all:vars]\nansible_ssh_private_key_file=${idle.key.file}\n`,
    );
    spoil(idle);
    const text = idle.read('hosts.ini');
    const met = await idle.provision();
    assert.equal(met.code, 1, met.said);
    assert.match(met.said, said);
    assert.match(met.said, /\n {2}next: /);
    assert.equal(posts(idle), 0);
    assert.equal(idle.read('hosts.ini'), text);
    assert.equal(idle.read('.droplets/hosts.ini.json'), '');
  });

test('main: flags of the set-up are judged before the first droplet, and --json has its document of every refusal', async () => {
  const files = ['-i', idle.file('hosts.ini'), '-c', idle.file('config.cfg'), '--api-url', idle.url];
  idle.configure({ vpns: VPNS, comps: COMPS });
  writeFileSync(idle.file('hosts.ini'), '[vpn]\n[comp]\n');
  writeFileSync(idle.file('empty'), '\n');
  for (const [flags, said] of [
    [['--tags', 'kes'], /--tags kes: no task has this tag; there are: keys, /],
    [['--limit', 'wgnet9'], /--limit: no host and no group is called "wgnet9"/],
    [['--limit', '['], /--limit: "\[" names nobody/],
    [['-e', '@/nonexist'], /\/nonexist: cannot read: no such file.*\n {2}next: name a file of YAML/],
    [['--become-password-file', idle.file('empty')], /empty: its first line is empty/],
    [['--private-key', '/nonexist'], /--private-key: \/nonexist: cannot read/],
    [['--forks', 'x'], /--forks <number>' argument 'x' is invalid/],
  ] as const) {
    const before = idle.cloud.requests.length;
    const { code, stdout, stderr } = await runHere('scripts/main.ts', [...files, ...flags, '--json']);
    assert.equal(code, 1, stderr);
    assert.match(stderr, said);
    const { exitCode, error, command } = JSON.parse(stdout);
    assert.deepEqual(
      [exitCode, command, said.test(`${error.message}\n  next: ${error.next}`)],
      [1, 'main', true],
    );
    assert.equal(idle.cloud.requests.length, before);
  }
});

test('a key that ~/.ssh/config names is one that this machine would offer', async () => {
  idle.configure({ vpns: VPNS, comps: COMPS });
  writeFileSync(idle.file('hosts.ini'), '[vpn]\n[comp]\n');
  const { HOME } = process.env;
  process.env.HOME = idle.folder;
  try {
    const without = await idle.provision({ check: true });
    assert.match(without.said, /it is none of those that this machine would offer/);
    mkdirSync(idle.file('.ssh'));
    writeFileSync(idle.file('.ssh/config'), `Host *\n  IdentityFile ${idle.key.file}\n`);
    const met = await idle.provision({ check: true });
    assert.equal(met.code, 0, met.said);
    writeFileSync(idle.file('.ssh/config'), `Host *\n  User alice\n  IdentityFile ${idle.key.file}\n`);
    const alice = await idle.provision({ check: true });
    assert.equal(alice.code, 1, alice.said);
    assert.match(
      alice.said,
      /wgnet1, wgnet2, comp1 would be logged in to as alice \(User in ~\/.ssh\/config/,
    );
    writeFileSync(idle.file('hosts.ini'), '[vpn]\n[comp]\n[all:vars]\nansible_user=root\n');
    const root = await idle.provision({ check: true });
    assert.equal(root.code, 0, root.said);
  } finally {
    process.env.HOME = HOME;
    rmSync(idle.file('.ssh'), { recursive: true, force: true });
  }
});

test('a droplet of an image of the user’s own may have any user', () => {
  const target = { name: 'a', user: 'alice' };
  assert.deepEqual(userProblems([target], [{ name: 'a', image: '123456' }], 'h.ini'), []);
  assert.equal(userProblems([target], [{ name: 'a', image: 'debian-13-x64' }], 'h.ini').length, 1);
});

test('an API that would get the token in clear is refused', async () => {
  const met = await idle.run('provision', '--api-url', 'http://192.0.2.1/v2');
  assert.equal(met.code, 1, met.said);
  assert.match(met.stderr, /in clear/);
});
