import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { limitOf, networkOf } from '../../scripts/lib/inventory.ts';
import { faultOf, network, parse } from './inventory-reading.ts';

test("the original's example", () => {
  const { vpn, comp } = network(
    '[vpn]\n68.183.60.54\n165.22.36.157\n159.223.146.72\n\n[comp]\n67.207.87.58\n',
  );
  const implied = { address: true, port: true, user: true };
  const common = { port: 22, user: 'root', implied };
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

test('--limit: files of patterns, and what is refused with what to do', () => {
  const inventory = parse('[vpn]\nweb1\nweb2\nweb3\n[comp]\nc\n[none]\n');
  const read = (path: string) => (path === 'a.txt' ? '# mine\nweb3\r\n\n  web1\n!c\n' : '\n# nobody\n');
  assert.deepEqual(limitOf(inventory, '@a.txt', read), ['web1', 'web3']);
  assert.deepEqual(limitOf(inventory, 'c,@a.txt,web2', read), ['web1', 'web2', 'web3']);
  const cases: [pattern: string, what: RegExp, next: RegExp][] = [
    ['', /is empty/, /--limit vpn/],
    ['@b.txt', /is empty/, /--limit vpn/],
    ['wbe1', /no host and no group is called "wbe1"/, /did you mean web1\?/],
    ['vpn:!comps', /no host and no group is called "comps"/, /did you mean comp\?/],
    ['quite-another', /is called "quite-another"/, /hosts\.ini has web1, web2, web3, c, all/],
    ['vpn:&comp', /"vpn:&comp" leaves no host/, /the hosts are web1, web2, web3, c/],
    ['none', /"none" leaves no host/, /the hosts are/],
    ['vpn[3]', /"vpn\[3\]": "vpn" has 3 hosts/, /counted from 0/],
    ['vpn[2:1]', /ends before it begins/, /\[from:to\]/],
    ['~web(', /is no regular expression/, /behind ~/],
    ['vpn,!', /stands before nothing/, /behind it/],
  ];
  for (const [pattern, what, next] of cases) {
    const fault = faultOf(() => limitOf(inventory, pattern, read));
    assert.match(fault.message, /^--limit: /, pattern);
    assert.match(fault.message, what, pattern);
    assert.match(fault.next ?? '', next, pattern);
  }
});
