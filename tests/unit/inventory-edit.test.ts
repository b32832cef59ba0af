import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Fault } from '../../scripts/lib/cli.ts';
import {
  dropHosts,
  findHost,
  type HostEdit,
  networkOf,
  parseInventory,
  putHosts,
} from '../../scripts/lib/inventory.ts';

const vpn = (name: string, address: string): HostEdit => ({ name, group: 'vpn', address });
const comp = (name: string, address: string): HostEdit => ({ name, group: 'comp', address });
const put = (text: string, ...edits: HostEdit[]): string => {
  const result = putHosts(text, 'hosts.ini', edits);
  assert.equal(putHosts(result, 'hosts.ini', edits), result, 'a second time changes nothing');
  return result;
};
const find = (text: string, name: string) => findHost(text, 'hosts.ini', name);
const drop = (text: string, ...names: string[]): string => dropHosts(text, 'hosts.ini', names);
const [a, b, c] = [vpn('a', '192.0.2.1'), vpn('b', '192.0.2.2'), vpn('c', '192.0.2.3')];
const [A, B, C] = ['a', 'b', 'c'].map((name, i) => `${name} ansible_host=192.0.2.${i + 1}`);

test('the shipped hosts.ini: hosts go behind the examples of their section, all else stays', () => {
  const text = readFileSync(new URL('../../hosts.ini', import.meta.url), 'utf8');
  const result = put(text, a, b, comp('d', '192.0.2.9'));
  const lines = result.split('\n');
  assert.deepEqual(
    lines.filter((line) => !text.split('\n').includes(line)),
    [A, B, 'd ansible_host=192.0.2.9'],
  );
  const at = (line: string): number => lines.findIndex((one) => one.startsWith(line));
  assert.equal(at('a '), at('# nyc ') + 1);
  assert.equal(at('b '), at('a ') + 1);
  assert.equal(lines[at('b ') + 1], '');
  assert.equal(at('d '), at('# 192.0.2.20') + 1);
  const network = networkOf(parseInventory(result, 'hosts.ini'));
  assert.deepEqual(
    [...network.vpn, network.comp].map(({ name, address }) => [name, address]),
    [
      ['a', '192.0.2.1'],
      ['b', '192.0.2.2'],
      ['d', '192.0.2.9'],
    ],
  );
  assert.equal(drop(result, 'a', 'b', 'd'), text);
});

// Text, what it becomes with a, b, c (or those given) in [vpn].
const placed: [name: string, text: string, expected: string, edits?: HostEdit[]][] = [
  ['an empty file', '', `[vpn]\n${A}\n\n[comp]\nd ansible_host=192.0.2.9\n`, [a, comp('d', '192.0.2.9')]],
  ['comments only', '# mine', `# mine\n\n[vpn]\n${A}\n`, [a]],
  ['a byte-order mark only', '\uFEFF', `\uFEFF[vpn]\n${A}\n`, [a]],
  ['a byte-order mark', '\uFEFF[vpn]\nx\n', `\uFEFF[vpn]\nx\n${A}\n`, [a]],
  ['no such section', '[comp]\nd\n', `[comp]\nd\n\n[vpn]\n${A}\n${B}\n`, [a, b]],
  ['no such section, blank end', '[comp]\nd\n\n', `[comp]\nd\n\n[vpn]\n${A}\n`, [a]],
  ['no line end', '[vpn]', `[vpn]\n${A}\n`, [a]],
  ['no line end behind a host', '[vpn]\nx', `[vpn]\nx\n${A}\n${B}\n`, [a, b]],
  [
    'Windows line ends',
    '[vpn]\r\nx\r\n\r\n[comp]\r\nd\r\n',
    `[vpn]\r\nx\r\n${A}\r\n\r\n[comp]\r\nd\r\n`,
    [a],
  ],
  ['line ends of old Macs', '[vpn]\rx\r', `[vpn]\rx\r${A}\r`, [a]],
  ['between two that are there', `[vpn]\n${A}\n${C}\n`, `[vpn]\n${A}\n${B}\n${C}\n`],
  ['behind the one before it', `[vpn]\n${A}\nx\n${C}\n`, `[vpn]\n${A}\n${B}\nx\n${C}\n`],
  ['before the one behind it', `[vpn]\nx\n${C}\ny\n`, `[vpn]\nx\n${A}\n${B}\n${C}\ny\n`],
  ['other order kept', `[vpn]\n${C}\n${A}\n`, `[vpn]\n${C}\n${A}\n${B}\n`],
  ['a section twice', '[vpn]\n[g]\n[vpn]\nx\n[h]\ny\n', `[vpn]\n[g]\n[vpn]\nx\n${A}\n[h]\ny\n`, [a]],
  ['a section twice, empty', '[vpn]\n[g]\n[vpn]\n', `[vpn]\n${A}\n[g]\n[vpn]\n`, [a]],
  ['children only', '[vpn:children]\ng\n[g]\nx\n', `[vpn:children]\ng\n[g]\nx\n\n[vpn]\n${A}\n`, [a]],
  ['variables only behind it', '[vpn]\n[vpn:vars]\nk=v\n', `[vpn]\n${A}\n[vpn:vars]\nk=v\n`, [a]],
  ['the next section’s comment', '[vpn]\nx\n# the end\n[comp]\n', `[vpn]\nx\n${A}\n# the end\n[comp]\n`, [a]],
  ['comments, then the next', '[vpn]\n# mine\n[comp]\n', `[vpn]\n# mine\n${A}\n[comp]\n`, [a]],
  [
    'examples behind a blank line, and the next section’s comment',
    '[vpn]\n\n; x ansible_host=192.0.2.7\n\n# comp\n[comp]\n',
    `[vpn]\n\n; x ansible_host=192.0.2.7\n${A}\n\n# comp\n[comp]\n`,
    [a],
  ],
  [
    'examples of a section that is commented out',
    '[vpn]\n\n# [web]\n# x\n',
    `[vpn]\n${A}\n\n# [web]\n# x\n`,
    [a],
  ],
  ['a section that is indented', '  [vpn] # proxies\n\tx\n', `  [vpn] # proxies\n\tx\n${A}\n`, [a]],
  ['a host of other groups', '[web]\na k=v\n', `[web]\na k=v\n\n[vpn]\n${A}\n`, [a]],
  [
    'a host of other groups with an address',
    '[web]\na ansible_host=192.0.2.77\n[vpn]\n',
    `[web]\n${A}\n[vpn]\n${A}\n`,
    [a],
  ],
  ['comps', '[vpn]\n[comps]\nx\n', '[vpn]\n[comps]\nx\nd ansible_host=192.0.2.9\n', [comp('d', '192.0.2.9')]],
  ['comps, empty', '[comps]\n', '[comps]\nd ansible_host=192.0.2.9\n', [comp('d', '192.0.2.9')]],
  [
    'comp beside empty comps',
    '[comps]\n[comp]\n',
    '[comps]\n[comp]\nd ansible_host=192.0.2.9\n',
    [comp('d', '192.0.2.9')],
  ],
];
for (const [name, text, expected, edits = [a, b, c]] of placed)
  test(`new hosts: ${name}`, () => {
    assert.equal(put(text, ...edits), expected);
  });

test('an address changes in place: spaces, quotes, other variables and comments stay', () => {
  const cases: [before: string, after: string][] = [
    ['a', 'a ansible_host=192.0.2.1'],
    ['  a\t ansible_user=root  # the first', '  a ansible_host=192.0.2.1\t ansible_user=root  # the first'],
    ['a  k=v  ansible_host=192.0.2.99\tansible_port=22', 'a  k=v  ansible_host=192.0.2.1\tansible_port=22'],
    ['a ansible_host="192.0.2.99" k="x y"', 'a ansible_host="192.0.2.1" k="x y"'],
    ["a ansible_host='192.0.2.99'#mine", "a ansible_host='192.0.2.1'#mine"],
    ['a "ansible_host=192.0.2.99"', 'a "ansible_host=192.0.2.1"'],
    ['a ansible_host=192\\.0.2."99"', 'a ansible_host=192.0.2.1'],
    ['a ansible_host= k=v', 'a ansible_host=192.0.2.1 k=v'],
    ['a ansible_ssh_host=old.example.org', 'a ansible_ssh_host=192.0.2.1'],
    ['a ansible_host=x ansible_ssh_host=y', 'a ansible_host=192.0.2.1 ansible_ssh_host=192.0.2.1'],
    ['a ansible_host=x ansible_host=y', 'a ansible_host=192.0.2.1 ansible_host=192.0.2.1'],
    ['a:2222', 'a:2222 ansible_host=192.0.2.1'],
    ['"a" k=v', '"a" ansible_host=192.0.2.1 k=v'],
    ['a#ansible_host=192.0.2.99', 'a ansible_host=192.0.2.1#ansible_host=192.0.2.99'],
    ['a ansible_host="192.0.2.1"', 'a ansible_host="192.0.2.1"'],
  ];
  for (const [before, after] of cases)
    for (const [head, tail] of [
      ['[vpn]\n# a ansible_host=192.0.2.99\nx\n', '\n  y # a\n'],
      ['[vpn:children]\ng\n[g]\n', ''],
    ])
      assert.equal(put(head + before + tail, a), head + after + tail, before);
  // A host in two sections: the address is where it was, or in the network's own group.
  assert.equal(put('[g]\na ansible_host=x\n[vpn]\na\n', a), `[g]\n${A}\n[vpn]\na\n`);
  assert.equal(put('[g]\na\n[vpn]\na k=v\n', a), `[g]\na\n[vpn]\n${A} k=v\n`);
});

test('what cannot be put is refused with its line, whatever the address', () => {
  const cases: [text: string, message: RegExp][] = [
    ['[comp]\nx\na\n', /^hosts\.ini:3: a is in \[comp\] here, and is to be in \[vpn\]$/],
    ['[comps:children]\ng\n[g]\na\n', /^hosts\.ini:4: a is in \[comps\]/],
    ['[vpn]\n[a:c]\n[vpn]\n', /^hosts\.ini:2: /],
    [
      '[g]\na ansible_host=x\n[vpn:vars]\nansible_ssh_host=192.0.2.77\n[vpn]\na\n',
      /^hosts\.ini:4: ansible_ssh_host is "192\.0\.2\.77" for a, /,
    ],
    [
      '[vpn]\na\n[vpn]\n[g]\nb\n[all:vars]\nansible_ssh_host=z\n',
      /^hosts\.ini:7: ansible_ssh_host is "z" for a/,
    ],
    ['[vpn]\nk = v\n', /^hosts\.ini:2: /],
    ['[comp]\nx\n[comps]\ny\n', /both have hosts/],
  ];
  for (const [text, message] of cases) {
    for (const address of ['192.0.2.1', '198.51.100.1'])
      assert.throws(
        () => putHosts(text, 'hosts.ini', [{ ...a, address }]),
        (error: unknown) => {
          assert.ok(error instanceof Fault, String(error));
          assert.match(error.message, message, text);
          return true;
        },
        text,
      );
  }
});

test('a host that only a pattern stands for is refused; one with a line of its own beside it is not', () => {
  const w = vpn('w2', '192.0.2.2');
  assert.throws(
    () => put('[vpn]\n\nw[1:3] k=v\n', w),
    /hosts\.ini:3: w2 comes from a pattern here, and needs a line of its own/,
  );
  assert.equal(
    put('[vpn]\nw2 # mine\n[g]\nw[1:3] k=v\n', w),
    '[vpn]\nw2 ansible_host=192.0.2.2 # mine\n[g]\nw[1:3] k=v\n',
  );
  assert.throws(
    () => put('[vpn]\nw2\n[g]\nw[1:3] ansible_host=192.0.2.77\n', w),
    /hosts\.ini:4: ansible_host is "192\.0\.2\.77" for w2/,
  );
});

test('a line that stands in the way is named as the file has it, before lines were added', () => {
  const text = '[vpn]\nx\n[all:vars]\nansible_ssh_host=z\n';
  assert.throws(() => put(text, a, b), /hosts\.ini:4: ansible_ssh_host is "z" for a/);
});

test('edits that are none of a droplet’s are a defect', () => {
  for (const edits of [
    [{ ...a, address: '::1' }],
    [{ ...a, address: '' }],
    [a, { ...a, group: 'comp' as const }],
  ])
    assert.throws(() => put('[vpn]\n', ...edits), { name: 'Error' });
  assert.equal(put('anything\n'), 'anything\n');
});

test('what stands there for a name', () => {
  const text =
    '[comps]\nd ansible_ssh_host=192.0.2.9\n[g]\na k=v\n[vpn:children]\ng\n[vpn]\nw[1:2]\n[other]\nz\na ansible_host=192.0.2.1\n';
  assert.deepEqual(find(text, 'd'), { line: 2, groups: ['comps'], address: '192.0.2.9', plain: true });
  assert.deepEqual(find(text, 'a'), { line: 4, groups: ['vpn'], address: '192.0.2.1', plain: true });
  assert.deepEqual(find(text, 'w2'), { line: 8, groups: ['vpn'], address: undefined, plain: false });
  assert.deepEqual(find(text, 'z'), { line: 10, groups: [], address: undefined, plain: true });
  assert.equal(find(text, 'A'), undefined);
  for (const none of ['', '# a\n', '\uFEFF \n;a']) assert.equal(find(none, 'a'), undefined);
  assert.throws(() => find('[vpn]\n{}\n', 'a'), Fault);
});

test('hosts are dropped with their lines, patterns and comments stay', () => {
  const text = '[vpn]\r\n# a\r\na ansible_host=192.0.2.1 # mine\r\n a:22\r\nb[1:1]\r\n[a:d]\r\n';
  assert.throws(() => drop(text, 'a'), Fault, 'no inventory');
  const good = text.replace('[a:d]', '[g]\r\na\r\n[g:vars]\r\na=b').replace(' a:22\r\n', '');
  assert.equal(drop(good, 'a', 'nobody'), '[vpn]\r\n# a\r\nb[1:1]\r\n[g]\r\n[g:vars]\r\na=b\r\n');
  assert.equal(drop('[vpn]\nw[1:3]\na', 'a', 'w2'), '[vpn]\nw[1:3]\n');
  assert.equal(drop('', 'a'), '');
  assert.equal(drop('# a\n', 'a'), '# a\n');
  assert.equal(drop('a\n', 'a'), '');
});
