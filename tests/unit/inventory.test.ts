import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { Fault } from '../../scripts/lib/cli.ts';
import { networkOf, parseInventory } from '../../scripts/lib/inventory.ts';

const parse = (text: string) => parseInventory(text, 'hosts.ini');
const network = (text: string) => networkOf(parse(text));

/** A host's merged variables as a plain object. */
function variables(text: string, name: string): Record<string, string> {
  const host = parse(text).hosts.get(name);
  assert.ok(host, `no host ${name}`);
  return Object.fromEntries([...host.variables].map(([key, { value }]) => [key, value]));
}

const hostsOf = (text: string, group: string): string => parse(text).groups.get(group)?.hosts.join(' ') ?? '';

function faultOf(work: () => unknown): Fault {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof Fault, `not a Fault: ${inspect(error)}`);
    return error;
  }
  assert.fail('accepted');
}

test("the original's example", () => {
  const { vpn, comp } = network(
    '[vpn]\n68.183.60.54\n165.22.36.157\n159.223.146.72\n\n[comp]\n67.207.87.58\n',
  );
  const common = { port: 22, user: 'root' };
  assert.deepEqual(vpn, [
    { name: '68.183.60.54', address: '68.183.60.54', group: 'vpn', index: 1, line: 2, ...common },
    { name: '165.22.36.157', address: '165.22.36.157', group: 'vpn', index: 2, line: 3, ...common },
    { name: '159.223.146.72', address: '159.223.146.72', group: 'vpn', index: 3, line: 4, ...common },
  ]);
  assert.deepEqual(comp, {
    name: '67.207.87.58',
    address: '67.207.87.58',
    group: 'comp',
    index: 1,
    line: 7,
    ...common,
  });
});

test('the shipped hosts.ini is read and reaches nobody', () => {
  const text = readFileSync(new URL('../../hosts.ini', import.meta.url), 'utf8');
  const inventory = parse(text);
  assert.equal(inventory.hosts.size, 0);
  const fault = faultOf(() => networkOf(inventory));
  assert.match(fault.message, /^hosts\.ini:\d+: \[vpn\] has no hosts: at least one proxy was expected$/);
  assert.match(fault.next ?? '', /below \[vpn\]/);
});

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

test('words of a host line are split as in a shell', () => {
  const cases: [line: string, expected: Record<string, string>][] = [
    ['h a=1\tb=2', { a: '1', b: '2' }],
    ['h k=a#b j=2', { k: 'a' }],
    [
      `h j='a # b' l=a\\ b m="q\\"w" n="'x'" o=a"b c"d`,
      { j: 'a # b', l: 'a b', m: 'q"w', n: 'x', o: 'ab cd' },
    ],
    ['h k="a\\nb" # comment "', { k: 'a\\nb' }],
    ['h k= j=a=b', { k: '', j: 'a=b' }],
    ['"h" k=1 k=2', { k: '2' }],
  ];
  for (const [line, expected] of cases) assert.deepEqual(variables(`[g]\n${line}\n`, 'h'), expected, line);
});

test('values of [group:vars] lines', () => {
  const cases: [line: string, value: string][] = [
    ['k=v', 'v'],
    ['  k  =  v w ', 'v w'],
    ['k = 22 # note', '22'],
    ['k = "a b" # note', 'a b'],
    ['k = abc # note', 'abc # note'],
    ['k = a;b', 'a;b'],
    ['k = true', 'true'],
    ['k = a.b=[c]', 'a.b=[c]'],
    ["k = 'it\\'s'", "it's"],
    ['k = "x\\ty\\d"', 'x\ty\\d'],
    ['k =', ''],
  ];
  for (const [line, value] of cases)
    assert.deepEqual(variables(`[g]\nh\n[g:vars]\n${line}\n`, 'h'), { k: value }, line);
});

test('nearer variables win: all, parent, child, host line', () => {
  const text = `[top:children]
mid
[mid:children]
leaf
[leaf]
h d=host
g
[all:vars]
a=all
b=all
c=all
d=all
e=all
[top:vars]
b=top
c=top
d=top
[mid:vars]
c=mid
d=mid
[leaf:vars]
d=leaf
[other]
g
[other:vars]
d=other
c=other
`;
  assert.deepEqual(variables(text, 'h'), { a: 'all', b: 'top', c: 'mid', d: 'host', e: 'all' });
  assert.deepEqual(variables(text, 'g'), { a: 'all', b: 'top', c: 'mid', d: 'leaf', e: 'all' });
  const same = '[x]\nh\n[y]\nh\n[x:vars]\nv=x\n[y:vars]\nv=y\n';
  assert.equal(variables(same, 'h').v, 'y');
  assert.equal(variables(`${same}[x:vars]\nansible_group_priority=9\n`, 'h').v, 'x');
});

test('groups and their order', () => {
  const cases: [text: string, group: string, hosts: string][] = [
    ['a\n[g]\nb\nb\n[g]\nc\n', 'g', 'b c'],
    ['a\n[g]\nb\n', 'ungrouped', 'a'],
    ['a\n[g]\na\n', 'ungrouped', ''],
    ['[g]\na\n[all]\nb\n', 'all', 'b a'],
    ['[y]\n1\n[x]\n2\n[g:children]\nx\ny\n', 'g', '2 1'],
    ['[g:children]\nx\ny\n[y]\n1\n[x]\n2\n', 'g', '1 2'],
    ['[g:children]\nx\n[x]\n1\n[g]\n2\n1\n', 'g', '2 1'],
    ['\uFEFF; c\r\n# d\r\n\t[g] # e\r\n  h\r\n', 'g', 'h'],
    ['[g]\nweb[01:03].example.org:2222\n', 'g', 'web01.example.org web02.example.org web03.example.org'],
    ['[g]\n[a:c]x[1:3:2]\n', 'g', 'ax1 ax3 bx1 bx3 cx1 cx3'],
    ['[g]\n2001:db8::[3:5]\n', 'g', '2001:db8::3 2001:db8::4 2001:db8::5'],
    ['[g]\nh[:2]\n', 'g', 'h0 h1 h2'],
  ];
  for (const [text, group, hosts] of cases) assert.equal(hostsOf(text, group), hosts, JSON.stringify(text));
});

test('lines that are refused', () => {
  const cases: [text: string, RegExp][] = [
    ['', /^hosts\.ini: names no host and no group$/],
    ['# a\n; b\n\n', /^hosts\.ini: names no host and no group$/],
    ['---\nall:\n', /:1: this is no INI inventory, but YAML or JSON/],
    ['{"all": {}}', /:1: this is no INI inventory/],
    ['all:\n  hosts:\n', /:1: "all:" ends in `:`/],
    ['[vpn\na\n', /:1: is no section header/],
    ['[vpn ]\na\n', /:1: is no section header/],
    ['[vpn] ; first\na\n', /:1: is no section header/],
    ['[]\n', /:1: is no section header/],
    ['[vpn]\n[2001:db8::1]\n', /:2: is no section header/],
    ['[vpn:hots]\n', /:1: unknown kind of section "hots"/],
    ['[vpn]\na b\n', /:2: word 2 is no key=value/],
    ['[vpn]\na k = v\n', /:2: word 2 is no key=value/],
    ['[vpn]\na k=v ; note\n', /:2: word 3 is no key=value/],
    ['[vpn]\na k="v\n', /:2: a " is opened and not closed/],
    ['[vpn]\na \\\n', /:2: the line ends in a backslash/],
    ['[vpn]\na:b\n', /:2: "a:b" has a port that is no number/],
    ['[vpn]\n-oProxyCommand=x\n', /:2: "-oProxyCommand=x" is no host name/],
    ['[vpn]\nfe80::1%eth0\n', /:2: .* is no host name/],
    ['[vpn]\na;reboot\n', /:2: "a;reboot" is no host name/],
    ['[vpn]\n../../etc/passwd\n', /:2: .* is no host name/],
    ['[vpn]\n"a b"\n', /:2: "a b" is no host name/],
    ['[vpn]\na\x1b[31m\n', /:2: holds control characters/],
    ['[vpn]\nweb[3:1]\n', /:2: "web\[3:1\]" has the range \[3:1\], whose end comes before/],
    ['[vpn]\nweb[a:5]\n', /:2: .* two numbers or two letters/],
    ['[vpn]\nweb[01:003]\n', /:2: .* as many digits/],
    ['[vpn]\nweb[1:9:0]\n', /:2: .* \[from:to:step\] was expected/],
    ['[vpn]\nweb[1:99999999999]\n', /:2: .* more than 1024 hosts/],
    ['[vpn]\nweb[1:99][1:99]\n', /:2: .* more than 1024 hosts/],
    ['[vpn]\nweb[1\n', /:2: .* bracket that is not closed/],
    ['[vpn:vars]\nk=v\n', /:1: \[vpn:vars\] is for a group that is nowhere/],
    ['[vpn]\n[vpn:vars]\nhello\n', /:3: key=value was expected in \[vpn:vars\]/],
    ['[vpn:children]\nnope\n', /:2: \[vpn:children\] names the group nope, which is nowhere/],
    ['[vpn:children]\na b\n', /:2: the name of one group was expected/],
    ['[a:children]\nb\n[b:children]\na\n', /:2: .* a loop/],
    ['[a:children]\na\n', /:2: the group a is put below itself/],
    ['a\n[vpn]\na:2222\n', /:3: gives a port 2222, and line 1 gives another or none/],
    ['[a]\nh\n[a:vars]\nansible_group_priority=x\n', /:4: ansible_group_priority must be a whole number/],
  ];
  for (const [text, message] of cases) {
    const fault = faultOf(() => parse(text));
    assert.match(fault.message, message, JSON.stringify(text));
    assert.ok(fault.next, text);
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
    ['h ansible_become=yes', /:2: h: ansible_become is not supported/],
    ['h ansible_become_user=root', /:2: h: ansible_become_user is not supported/],
    ['h ansible_connection=local', /:2: h: ansible_connection is not supported/],
    ['h ansible_ssh_common_args="-J jump"', /:2: h: ansible_ssh_common_args is not supported/],
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

test('networks that are refused', () => {
  const cases: [text: string, RegExp][] = [
    ['[comp]\nc\n', /^hosts\.ini: there is no group \[vpn\]: at least one proxy/],
    ['[vpns]\na\n[comp]\nc\n', /there is no group \[vpn\]: .* did you mean \[vpn\] where \[vpns\] stands\?/],
    ['[vpn]\n[comp]\nc\n', /:1: \[vpn\] has no hosts/],
    ['[vpn]\na\n', /^hosts\.ini: there is no group \[comp\]: exactly one server/],
    ['[vpn]\na\n[comp]\n', /:3: \[comp\] has no hosts/],
    ['[vpn]\na\n[comp]\nc\nd\n', /:5: \[comp\] has 2 hosts \(c in line 4, d in line 5\): exactly one/],
    ['[vpn]\na\n[comp]\nc\n[comp]\nd\n', /:6: \[comp\] has 2 hosts \(c in line 4, d in line 6\)/],
    ['[vpn]\na\n[comp]\nc\n[comps]\nd\n', /:5: \[comp\] \(line 3\) and \[comps\] \(line 5\) both have hosts/],
    ['[vpn]\na\nb\na\n[comp]\nc\n', /:4: a is twice in \[vpn\], first in line 2/],
    ['[vpn]\na[1:3]\na2\n[comp]\nc\n', /:3: a2 is twice in \[vpn\], first in line 2/],
    ['[vpn]\na\n[comp]\nc\n[comp]\nc\n', /:6: c is twice in \[comp\], first in line 4/],
    ['[vpn]\na\nb\n[comp]\nb\n', /:5: b is in \[vpn\] \(line 3\) and in \[comp\] \(line 5\)/],
    ['[vpn]\na ansible_host=h\nb ansible_host=H.\n[comp]\nc\n', /:3: b has the address of a \(line 2\)/],
    ['[vpn]\n2001:db8::1\n[comp]\nc ansible_host=2001:DB8:0::1\n', /:4: c has the address of 2001:db8::1/],
    ['[vpn]\na:1\n[comp]\nc ansible_host=a ansible_port=2\n', /:4: c has the address of a/],
  ];
  for (const [text, message] of cases) {
    const fault = faultOf(() => network(text));
    assert.match(fault.message, message, JSON.stringify(text));
    assert.ok(fault.next, text);
  }
});

test('networks that are accepted', () => {
  const cases: [text: string, vpn: string, comp: string][] = [
    ['[vpn]\na\n[comps]\nc\n', 'a', 'c'],
    ['[vpn]\na\n[comp]\n[comps]\nc\n', 'a', 'c'],
    ['[vpn]\na\n[comp:children]\ncomps\n[comps]\nc\n', 'a', 'c'],
    ['stray\n[web]\na\nb ansible_connection=winrm\n[vpn]\na\n[comp]\nc\n', 'a', 'c'],
    ['[vpn]\nb\n[comp]\nc\n[vpn]\na\n', 'b a', 'c'],
    ['[vpn:children]\neu\nus\n[eu]\na\nb\n[us]\nb\nd\n[comp]\nc\n', 'a b d', 'c'],
    ['a ansible_host=192.0.2.1\n[vpn]\na\n[comp]\nc\n', 'a', 'c'],
  ];
  for (const [text, vpn, comp] of cases) {
    const found = network(text);
    assert.equal(found.vpn.map(({ name }) => name).join(' '), vpn, JSON.stringify(text));
    assert.deepEqual(
      found.vpn.map(({ index }) => index),
      found.vpn.map((_, i) => i + 1),
    );
    assert.equal(found.comp.name, comp);
  }
  assert.equal(network('a ansible_host=192.0.2.1\n[vpn]\na\n[comp]\nc\n').vpn[0]?.line, 3);
});

test('any text is read or refused with a Fault', () => {
  const piece = fc.constantFrom(
    ...[
      '[vpn]',
      '[comp]',
      '[vpn:vars]',
      '[all:children]',
      '\n',
      '\n',
      ' ',
      'a',
      'b',
      '[1:3]',
      ':22',
      '=',
      '"',
      "'",
      '\\',
      '#',
      ';',
      '::1',
      'ansible_host=',
      'ansible_port=',
      'vpn',
      '__proto__',
      '\r',
    ],
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 25 }).map((pieces) => pieces.join('')),
  );
  fc.assert(
    fc.property(text, (whole) => {
      try {
        network(whole);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
      }
    }),
  );
});
