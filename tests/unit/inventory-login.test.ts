import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { passedOver } from '../../scripts/lib/inventory/beside.ts';
import { besideNotice, networkOf, withExtraVars } from '../../scripts/lib/inventory.ts';
import { faultOf, network, parse } from './inventory-reading.ts';

test('how to log in', () => {
  const cases: [line: string, expected: object][] = [
    ['nyc ansible_host=192.0.2.1', { name: 'nyc', address: '192.0.2.1', port: 22, user: 'root' }],
    ['192.0.2.1 ansible_port=22 ansible_user=admin', { address: '192.0.2.1', port: 22, user: 'admin' }],
    ['a.example.org:2222', { name: 'a.example.org', address: 'a.example.org', port: 2222 }],
    ['2001:db8::1', { address: '2001:db8::1', port: 22 }],
    ['[2001:db8::1]:2222', { name: '2001:db8::1', address: '2001:db8::1', port: 2222 }],
    ['x:22 ansible_host=2001:db8::1 ansible_port=23', { address: '2001:db8::1', port: 23 }],
    [
      'x ansible_ssh_host=192.0.2.1 ansible_ssh_port=23 ansible_ssh_user=u',
      { address: '192.0.2.1', port: 23, user: 'u' },
    ],
    ['x ansible_ssh_private_key_file="~/my keys/a" # mine', { privateKeyFile: '~/my keys/a' }],
    ['x ansible_private_key_file=keys/a', { privateKeyFile: 'keys/a' }],
    ['x ansible_become=false ansible_connection=ssh ansible_ssh_common_args=""', { address: 'x' }],
    ['x ansible_python_interpreter=/usr/bin/python3 anything=else', { address: 'x' }],
  ];
  for (const [line, expected] of cases) {
    const host = network(`[vpn]\n${line}\n[comp]\nc\n`).vpn[0];
    assert.deepEqual({ ...host, ...expected }, host, line);
  }
});

test('variables of a server that are refused', () => {
  const cases: [line: string, RegExp][] = [
    ['h ansible_port=0', /:2: h: its SSH port is "0"/],
    ['h ansible_port=65536', /:2: h: its SSH port/],
    ['h ansible_port=ssh', /:2: h: its SSH port is "ssh"/],
    ['h:99999', /:2: h: its SSH port is "99999"/],
    ['h ansible_user="a b"', /:2: h: ansible_user is "a b", which is no user name/],
    ['h ansible_user=-x', /:2: h: ansible_user/],
    ['h ansible_user=', /:2: h: ansible_user is ""/],
    ['h ansible_host=-oProxyCommand=x', /:2: h: ansible_host is "-oProxyCommand=x"/],
    ['h ansible_host="$(reboot)"', /:2: h: ansible_host/],
    ['h ansible_host=', /:2: h: ansible_host is ""/],
    ['h ansible_host=[2001:db8::1]', /:2: h: .* without brackets/],
    ['h ansible_host=fe80::1%eth0', /:2: h: .* link-local/],
    ['h ansible_host=192.0.2.300', /:2: h: .* four numbers from 0 to 255/],
    ['192.0.2', /:2: 192\.0\.2: is not usable as an address: .* four numbers/],
    ['192.0.02.1', /:2: 192\.0\.02\.1: is not usable/],
    ['h ansible_host="{{ ip }}"', /:2: h: ansible_host holds a \{\{ template \}\}/],
    ['h ansible_user=a ansible_ssh_user=b', /:2: h: ansible_ssh_user contradicts ansible_user \(line 2\)/],
    ['h ansible_ssh_private_key_file=~bob/key', /:2: h: .* names no file/],
    ['h ansible_connection=local', /:2: h: ansible_connection is not supported/],
    ['h ansible_password=hush', /:2: h: ansible_password is not supported/],
    ['h ansible_ssh_pass=hush', /:2: h: ansible_ssh_pass is not supported/],
    ['h\n[vpn:vars]\nansible_user=root # me', /:4: h: ansible_user ends in a comment/],
    ['h\n[all:vars]\nansible_port=no', /:4: h: its SSH port is "no"/],
  ];
  for (const [lines, message] of cases) {
    const fault = faultOf(() => network(`[vpn]\n${lines}\n[comp]\nc ansible_user=root\n`));
    assert.match(fault.message, message, lines);
    assert.ok(fault.next, lines);
    assert.ok(!fault.toString().includes('hush'), lines);
  }
});

const hostOf = (line: string) => network(`[vpn]\n${line}\n[comp]\nc\n`).vpn[0];

test('what is only our default is marked as such', () => {
  const cases: [line: string, implied: string][] = [
    ['h', 'address port user'],
    ['h ansible_host=192.0.2.1', 'port user'],
    ['h:22 ansible_user=root', 'address'],
    ['h ansible_ssh_common_args="-p 22 -l root"', 'address'],
  ];
  for (const [line, expected] of cases) {
    const { implied = {} } = hostOf(line) ?? {};
    const names = Object.entries(implied).flatMap(([name, is]) => (is ? [name] : []));
    assert.equal(names.join(' '), expected, line);
  }
});

// A value of ansible_ssh_common_args in [vpn:vars]; what it comes to.
const args: [value: string, expected: object][] = [
  ['-J bastion', { proxyJump: 'bastion' }],
  ['-Jadmin@bastion:2222,ssh://[2001:db8::9]:22', { proxyJump: 'admin@bastion:2222,[2001:db8::9]:22' }],
  ['-o ProxyJump=none', { proxyJump: 'none' }],
  ['-oProxyJump=a -o proxyjump=b', { proxyJump: 'a' }],
  ['-o ProxyCommand="ssh -W %h:%p -q admin@bastion"', { proxyJump: 'admin@bastion' }],
  [`-o 'ProxyCommand ssh -q -W "[%h]:%p" -p 2222 -l admin bastion'`, { proxyJump: 'admin@bastion:2222' }],
  ['-o ProxyCommand="ssh bastion -o StrictHostKeyChecking=no -W %h:%p"', { proxyJump: 'bastion' }],
  ['-o ProxyCommand="ssh -J first -W %h:%p bastion"', { proxyJump: 'first,bastion' }],
  ['-o ProxyCommand="exec /usr/bin/ssh -q bastion nc -w 5 %h %p 2>/dev/null"', { proxyJump: 'bastion' }],
  ['-o ProxyCommand=none -J bastion', { proxyJump: 'none' }],
  ['-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null', { hostKeyChecking: 'no' }],
  ['-o StrictHostKeyChecking=accept-new', { hostKeyChecking: 'accept-new' }],
  ['-o stricthostkeychecking=off -o StrictHostKeyChecking=yes', { hostKeyChecking: 'no' }],
  ['-i ~/.ssh/other', { privateKeyFile: '~/.ssh/other' }],
  [`-o IdentityFile='"keys/a b"' -o IdentitiesOnly=yes`, { privateKeyFile: 'keys/a b' }],
  ['-p2222 -l admin', { port: 2222, user: 'admin' }],
  ['-o Port=2222 -o User=admin', { port: 2222, user: 'admin' }],
  ['-C -o ControlMaster=auto -o ControlPersist=60s -qo LogLevel=ERROR -4 -o AddressFamily=inet', {}],
  ['-o KexAlgorithms=+diffie-hellman-group14-sha1 -o HostKeyAlgorithms=+ssh-rsa', {}],
  ['-o ServerAliveInterval=30 -o ConnectTimeout=5 -o PreferredAuthentications=publickey -tt -A', {}],
];

test("ssh's arguments: what is honoured, and what is passed over", () => {
  const bare = { proxyJump: undefined, hostKeyChecking: undefined, privateKeyFile: undefined };
  for (const [value, expected] of args) {
    const host = network(`[vpn]\nh\n[vpn:vars]\nansible_ssh_common_args=${value}\n[comp]\nc\n`).vpn[0];
    assert.deepEqual({ ...host, port: 22, user: 'root', ...bare, ...expected }, { ...bare, ...host }, value);
  }
  const checked = hostOf(
    'h ansible_ssh_host_key_checking=False ansible_ssh_extra_args="-J b" ansible_ssh_args="-J a"',
  );
  assert.deepEqual([checked?.hostKeyChecking, checked?.proxyJump], ['no', 'a']);
  const named = hostOf(`h ansible_user=me ansible_ssh_common_args='-o ProxyCommand="ssh -W %h:%p %r@b"'`);
  assert.equal(named?.proxyJump, 'me@b');
});

test("ssh's arguments that are refused, with line, option and what to do", () => {
  const cases: [value: string, what: RegExp, next: RegExp][] = [
    ['-F my_config', /holds ssh's -F, which/, /only ~\/\.ssh\/config/],
    ['-L 80:a:80', /holds ssh's -L/, /nothing is forwarded/],
    ['-6', /holds ssh's -6/, /as ansible_host/],
    ['-~', /holds ssh's -~/, /take it out/],
    [
      '-o UserKnownHostsFile=other',
      /the SSH option UserKnownHostsFile, which is not supported/,
      /known_hosts beside/,
    ],
    ['-o Ciphers=aes128-cbc', /the SSH option Ciphers/, /take the option out/],
    ['-o HostName=x', /the SSH option HostName/, /take it out/],
    ['-o PubkeyAuthentication=no', /the SSH option PubkeyAuthentication/, /log in by key/],
    ['-J -oProxyCommand=x', /names the jump host "-oProxyCommand=x"/, /user@host:port/],
    ['-J a:b', /names the jump host "a:b"/, /user@host:port/],
    ['-J', /ends in -J/, /behind -J/],
    ['-o ProxyCommand="nc -X 5 %h %p"', /a ProxyCommand of "nc"/, /ProxyJump=user@host:port/],
    ['-o ProxyCommand="ssh bastion"', /a ProxyCommand of another kind/, /ProxyJump/],
    ['-o ProxyCommand="ssh -W %h:%p %r@b"', /holds %r/, /user itself/],
    ['-o ProxyCommand="ssh -i k -W %h:%p b"', /a key for the jump host/, /IdentityFile/],
    ['-W %h:%p b', /"b", which is no option/, /take it out/],
    ['-o StrictHostKeyChecking=perhaps', /StrictHostKeyChecking="perhaps"/, /yes, accept-new or no/],
    ['-o', /ends in -o/, /behind -o/],
    ['-i a -i b', /names two key files/, /keep one/],
    ['bastion', /"bastion", which is no option/, /take it out/],
    ['-o "ProxyJump=a', /is opened and not closed/, /close the quotes/],
    ['-J {{ jump }}', /a \{\{ template \}\}/, /write the value itself/],
    ['-p 0', /its SSH port is "0"/, /from 1 to 65535/],
  ];
  for (const [value, what, next] of cases) {
    const fault = faultOf(() =>
      network(`[vpn]\nh\n[vpn:vars]\nansible_ssh_common_args=${value}\n[comp]\nc\n`),
    );
    assert.match(fault.message, /^hosts\.ini:4: h: /, value);
    assert.match(fault.message, what, value);
    assert.match(fault.next ?? '', next, value);
  }
  const two = faultOf(() => hostOf('h ansible_private_key_file=a ansible_ssh_common_args="-i b"'));
  assert.match(two.message, /ansible_ssh_common_args names another key file than ansible_private_key_file/);
});

test('becoming root', () => {
  const cases: [line: string, wanted: boolean | undefined, password?: string][] = [
    ['h ansible_become=yes', true],
    [
      'h ansible_become=True ansible_become_method=sudo ansible_become_user=root ansible_become_flags="-H -S -n"',
      true,
    ],
    ['h ansible_become=false ansible_become_method=sudo', false],
    ['h ansible_become_password=s3cret', undefined, 's3cret'],
    ['h ansible_sudo=1 ansible_sudo_pass="s3cret # x"', true, 's3cret # x'],
    ['h ansible_become_pass="{% raw %}"', undefined, '{% raw %}'],
  ];
  for (const [line, wanted, password] of cases) {
    const { become } = hostOf(line) ?? {};
    assert.deepEqual([become?.wanted, become?.password?.reveal()], [wanted, password], line);
    assert.doesNotMatch(JSON.stringify(hostOf(line)) + inspect(hostOf(line), { depth: 9 }), /s3cret/);
  }
  assert.equal(hostOf('h')?.become, undefined);
  const refused: [line: string, message: RegExp][] = [
    ['h ansible_become=perhaps', /ansible_become is "perhaps"$/],
    ['h ansible_become_user=postgres', /ansible_become_user is "postgres", which is not supported/],
    ['h ansible_become_method=doas', /ansible_become_method is "doas"/],
    ['h ansible_become_flags="-u x"', /ansible_become_flags is "-u x"/],
    ['h ansible_su=yes', /ansible_su is not supported/],
    ['h ansible_become_pass="{{ hush }}"', /ansible_become_pass holds a \{\{ template \}\}/],
    [
      'h ansible_become_pass=hush ansible_become_password=hush2',
      /ansible_become_pass contradicts ansible_become_password/,
    ],
  ];
  for (const [line, message] of refused) {
    const fault = faultOf(() => hostOf(line));
    assert.match(fault.message, message, line);
    assert.match(fault.message, /^hosts\.ini:2: h: /);
    assert.doesNotMatch(fault.toString(), /hush/);
  }
});

test('-e beats every line, under the old names too, and is named where it is wrong', () => {
  const inventory = parse(
    '[vpn]\na ansible_ssh_user=x ansible_port=1\n[comp]\nc\n[all:vars]\nansible_user=x\n',
  );
  const told = (vars: Record<string, string>) =>
    networkOf(withExtraVars(inventory, new Map(Object.entries(vars))));
  const { vpn, comp } = told({ ansible_user: 'e', ansible_port: '2222' });
  assert.deepEqual(
    [...vpn, comp].map(({ user, port, implied }) => [user, port, implied?.user, implied?.port]),
    [
      ['e', 2222, false, false],
      ['e', 2222, false, false],
    ],
  );
  assert.equal(inventory.hosts.get('c')?.variables.size, 1, 'the inventory itself stays');
  const fault = faultOf(() => told({ ansible_port: 'x' }));
  assert.match(fault.message, /^--extra-vars ansible_port: a: its SSH port is "x"/);
});

test('files that Ansible would read beside the inventory are named', () => {
  const inventory = parse('[vpn]\na.b\n[comp]\nc\n');
  const found = passedOver(inventory, {
    groupVars: ['all', 'comp.json', 'other.yml', 'vpn.yml', 'vpn.yml~'],
    hostVars: ['a.b', 'a.yml', 'c.yaml'],
    config: true,
  });
  assert.deepEqual(found, [
    ...['group_vars/all', 'group_vars/comp.json', 'group_vars/vpn.yml', 'host_vars/a.b', 'host_vars/c.yaml'],
    'ansible.cfg',
  ]);
  assert.equal(besideNotice({ ...inventory, file: '/nowhere/hosts.ini' }), undefined);
});
