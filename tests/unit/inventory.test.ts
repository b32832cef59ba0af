import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Fault } from '../../scripts/lib/cli.ts';
import { faultOf, network, parse } from './inventory-reading.ts';

/** A host's merged variables as a plain object. */
function variables(text: string, name: string): Record<string, string> {
  const host = parse(text).hosts.get(name);
  assert.ok(host, `no host ${name}`);
  return Object.fromEntries([...host.variables].map(([key, { value }]) => [key, value]));
}

const hostsOf = (text: string, group: string): string => parse(text).groups.get(group)?.hosts.join(' ') ?? '';

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
    ['k = 0x1F', '31'],
    ['k = -1_0 # note', '-10'],
    ['k = 007', '007'],
    ['k = True # note', 'True'],
    ['k = r\'a\\n\' "b"', 'a\\nb'],
    ["k = '\\u00e9\\x41\\101'", 'éAA'],
    ["k = '\\x4'", "'\\x4'"],
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
    ['[g]\nw[a:c]x[1:3:2]\n', 'g', 'wax1 wax3 wbx1 wbx3 wcx1 wcx3'],
    ['[g]\n[a:c] k=v\n', 'g', 'a b c'],
    ['[all:children]\nh\n[h]\n1\n[g]\n2\n', 'all', '1 2'],
    ['0\n[all:children]\nh\n[h]\n1\n', 'all', '0 1'],
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
    ['[vpn]\n[a:c]x[1:3]\n', /:2: is no section header/],
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
    ['[a:children]\nall\n[a]\nh\n', /:2: all groups are below all, .* a loop/],
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
