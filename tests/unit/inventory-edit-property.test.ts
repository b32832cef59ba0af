import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Fault } from '../../scripts/lib/cli.ts';
import {
  dropHosts,
  findHost,
  type HostEdit,
  type Inventory,
  parseInventory,
  putHosts,
} from '../../scripts/lib/inventory.ts';

const NAMES = ['w1', 'w2', 'w3', 'c1'];

/** Lines as people write them; what does not make an inventory together is passed over. */
const line = fc.constantFrom(
  ...[
    '[vpn]',
    '[comp]',
    '[comps]',
    '[web] # more',
    '[vpn:vars]',
    '[vpn:children]',
    ' [all:vars]',
    '[web:vars]',
  ],
  ...['', '  ', '# w1 ansible_host=192.0.2.99', '; a remark', '# [web]', '\t#w2', 'web', 'k = v', 'x[1:3]'],
  ...['w1', ' w1 k=v', 'w2 ansible_host=192.0.2.98 # second', 'w3:2222', 'w2\tansible_user="x y"', 'w[1:2]'],
  ...[
    'c1 ansible_ssh_host=old k=v',
    'other ansible_host=192.0.2.97',
    'w3 ansible_host="192.0.2.96"',
    'z  # w3',
  ],
);
const text = fc
  .tuple(
    fc.constantFrom('', '\uFEFF'),
    fc.array(line, { maxLength: 14 }),
    fc.constantFrom('\n', '\r\n', '\r'),
    fc.boolean(),
  )
  .map(([mark, lines, end, last]) => mark + lines.join(end) + (last && lines.length > 0 ? end : ''));
const edits = fc.tuple(fc.subarray(NAMES), fc.integer({ min: 1, max: 90 })).map(([names, first]) =>
  names.map(
    (name, i): HostEdit => ({
      name,
      group: name === 'c1' ? 'comp' : 'vpn',
      address: `192.0.2.${first + i}`,
    }),
  ),
);

/** The result of an edit; undefined where it was refused. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

const marked = (whole: string): boolean => whole.startsWith('\uFEFF');
const linesOf = (whole: string): string[] =>
  whole.replace(/^\uFEFF/, '').match(/[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+$/g) ?? [];
const inventoryOf = (whole: string): Inventory | undefined => attempt(() => parseInventory(whole, 'f'));

/** A line without what an edit may change in it. */
const masked = (one: string, changed: readonly HostEdit[]): string =>
  changed.some(({ name }) => new RegExp(`^\\s*${name}(?![\\w[])`).test(one))
    ? one.replace(/ ?ansible_(?:ssh_)?host=[^\s#]*/g, '')
    : one;

/** Whether the new lines are the old ones with others put between; both hold what is not to be changed. */
function requireKept(before: string, after: string, changed: readonly HostEdit[]): void {
  const fresh = new Set([
    ...changed.map(({ name, address }) => `${name} ansible_host=${address}`),
    ...['[vpn]', '[comp]', '[comps]', ''],
  ]);
  assert.equal(marked(after), marked(before));
  const old = linesOf(before);
  let at = 0;
  for (const one of linesOf(after)) {
    const other = old[at];
    // A last line without its end gets one.
    const whole =
      other !== undefined && !/[\r\n]$/.test(other) ? other + (/[\r\n]*$/.exec(one)?.[0] ?? '') : other;
    if (whole !== undefined && masked(one, changed) === masked(whole, changed)) at++;
    else assert.ok(fresh.has(one.trimEnd()), `${JSON.stringify(one)} is neither old nor new`);
  }
  assert.equal(at, old.length, `lost: ${JSON.stringify(old[at])}`);
}

/** Groups and variables of the hosts that no edit is of. */
const others = (inventory: Inventory | undefined, names: readonly string[]): unknown =>
  [...(inventory?.hosts.values() ?? [])]
    .filter(({ name }) => !names.includes(name))
    .map(({ name, variables }) => [
      name,
      [...variables].map(([key, { value }]) => [key, value]),
      [...(inventory?.groups.values() ?? [])]
        .filter((group) => group.hosts.includes(name))
        .map((group) => group.name)
        .sort(),
    ]);

test('any inventory: addresses are as asked for, every other byte stays, a second time changes nothing', () => {
  let put = 0;
  fc.assert(
    fc.property(text, edits, (before, wanted) => {
      const after = attempt(() => putHosts(before, 'f', wanted));
      if (after === undefined) return;
      put += wanted.length;
      for (const { name, group, address } of wanted) {
        const found = findHost(after, 'f', name);
        assert.equal(found?.address, address);
        assert.ok(found?.plain && found.groups.length === 1 && found.groups[0]?.startsWith(group), name);
      }
      requireKept(before, after, wanted);
      const names = wanted.map(({ name }) => name);
      assert.deepEqual(others(inventoryOf(after), names), others(inventoryOf(before), names));
      assert.equal(putHosts(after, 'f', wanted), after);
      // Hosts that were not there at all leave as they came, but for a section that was made for them.
      const fresh = names.filter((name) => findHost(before, 'f', name) === undefined);
      requireKept(before, dropHosts(after, 'f', fresh), wanted);
    }),
    { numRuns: 1500 },
  );
  assert.ok(put > 300, `only ${put} hosts were put`);
});

test('any inventory: hosts are dropped with their own lines, and with no others', () => {
  let dropped = 0;
  fc.assert(
    fc.property(text, fc.subarray(NAMES), (before, names) => {
      const after = attempt(() => dropHosts(before, 'f', names));
      if (after === undefined) return;
      const left = linesOf(before).filter(
        (one) => !names.some((name) => new RegExp(`^\\s*${name}(?![\\w[])`).test(one)),
      );
      if (linesOf(before).length > linesOf(after).length) dropped++;
      for (const name of names) assert.notEqual(attempt(() => findHost(after, 'f', name))?.plain, true);
      assert.deepEqual([marked(after), ...linesOf(after)], [marked(before), ...left]);
    }),
    { numRuns: 1000 },
  );
  assert.ok(dropped > 100, `only ${dropped} texts lost a host`);
});
