import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CATALOGUE, imageOf } from '../../scripts/lib/lab/cloud/catalogue.ts';
import { createLimiter, USUAL_LIMITS } from '../../scripts/lib/lab/cloud/limits.ts';
import { judgeOrder, type OrderContext, scopesOf } from '../../scripts/lib/lab/cloud/order.ts';
import { pageOf } from '../../scripts/lib/lab/cloud/paging.ts';
import { Refusal, UNPROCESSABLE } from '../../scripts/lib/lab/cloud/refusal.ts';
import { md5Fingerprint } from '../../scripts/lib/lab/cloud/routes-account.ts';
import { undocumented } from '../../scripts/lib/lab/cloud/schema.ts';
import { hostKeyIn } from '../../scripts/lib/lab/cloud/user-data.ts';

const KEY = { id: 7, fingerprint: 'aa:bb', name: 'k', publicKey: 'ssh-ed25519 AAAA' };
const CONTEXT: OrderContext = { catalogue: CATALOGUE, keys: [KEY], droplets: 0, limit: 25 };
const ORDER = { name: 'wgnet1', region: 'nyc3', size: 's-1vcpu-1gb', image: 'ubuntu-24-04-x64' };

/** A create with these fields otherwise. */
const order = (change: object, context: Partial<OrderContext> = {}) =>
  judgeOrder({ ...ORDER, ...change }, { ...CONTEXT, ...context });

for (const [what, change, message] of [
  ['an underscore', { name: 'wg_net1' }, UNPROCESSABLE.name],
  ['a name that ends in a dash', { name: 'wgnet-' }, UNPROCESSABLE.name],
  ['a name of 256', { name: 'a'.repeat(256) }, UNPROCESSABLE.name],
  ['no name', { name: undefined }, UNPROCESSABLE['name-missing']],
  ['an empty name', { name: '' }, UNPROCESSABLE['name-missing']],
  ['no names', { names: [] }, UNPROCESSABLE['name-missing']],
  ['11 names', { names: Array(11).fill('a') }, UNPROCESSABLE.names],
  ['one bad name of two', { names: ['a', 'b_'] }, UNPROCESSABLE.name],
  ['an unknown region', { region: 'nyc9' }, UNPROCESSABLE.region],
  ['a prefix of no region', { region: 'xyz' }, UNPROCESSABLE.region],
  ['a closed region', { region: 'sfo1' }, UNPROCESSABLE['region-closed']],
  ['an old size', { size: '1gb' }, UNPROCESSABLE.size],
  ['a size that the region lacks', { region: 'nyc2', size: 'c-2' }, UNPROCESSABLE['size-region']],
  ['an image that is gone', { image: 'ubuntu-20-04-x64' }, UNPROCESSABLE.image],
  ['an image past its time', { image: 'ubuntu-24-10-x64' }, UNPROCESSABLE.image],
  ['a snapshot of another region', { image: 205000001, region: 'ams3' }, UNPROCESSABLE['image-region']],
  [
    'a snapshot larger than the disk',
    { image: 205000001, size: 's-1vcpu-512mb-10gb' },
    UNPROCESSABLE['image-disk'],
  ],
  ['a tag with a space', { tags: ['a b'] }, UNPROCESSABLE.tag],
  ['an empty tag', { tags: [''] }, UNPROCESSABLE.tag],
  ['a tag of 256', { tags: ['a'.repeat(256)] }, UNPROCESSABLE.tag],
  ['user data over 64 KiB, in bytes', { user_data: 'ä'.repeat(32_769) }, UNPROCESSABLE['user-data']],
  [
    'unknown keys',
    { ssh_keys: [7, 8, 'cc:dd'] },
    '8, cc:dd are invalid key identifiers for Droplet creation.',
  ],
] as const)
  test(`a create with ${what} is a 422`, () => {
    assert.throws(
      () => order(change),
      (error) => error instanceof Refusal && error.status === 422 && error.message === message,
    );
  });

test('a create beyond the limit is a 422; one that reaches it is none', () => {
  const names = ['a', 'b', 'c'];
  assert.equal(order({ names }, { droplets: 22 }).names.length, 3);
  assert.throws(() => order({ names }, { droplets: 23 }), /will exceed your droplet limit/);
});

test('a create that is right: defaults, numbers as texts, a key named twice, the region left open', () => {
  const plain = order({ ssh_keys: null, tags: null, user_data: null });
  assert.deepEqual(
    [plain.keys, plain.tags, plain.userData, plain.ipv6, plain.several],
    [[], [], '', false, false],
  );
  assert.deepEqual(order({ ssh_keys: ['7', 'aa:bb', 7] }).keys, [KEY]);
  assert.equal(order({ image: imageOf('debian-13-x64')?.id }).image.slug, 'debian-13-x64');
  assert.equal(order({ user_data: 'ä'.repeat(32_768) }).userData.length, 32_768);
  assert.equal(order({ region: 'nyc', size: 'c-2' }).region.slug, 'nyc1');
  assert.equal(order({ region: undefined }).region.available, true);
  assert.equal(order({ names: ['a'] }).several, true);
  assert.equal(order({ name: 'a.B-9' }).names[0], 'a.B-9');
});

test('a create needs the scopes of what it names', () => {
  const few = ['droplet:create', 'image:read', 'vpc:read'];
  assert.deepEqual(scopesOf(ORDER), few);
  assert.deepEqual(scopesOf({ ssh_keys: [], tags: null }), few);
  assert.deepEqual(scopesOf({ ssh_keys: [1], tags: ['a'] }), [...few, 'ssh_key:read', 'tag:create']);
});

test('pages: following `next` gives each item once, in order, whatever the sizes', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 900 }),
      fc.option(fc.integer({ min: 1, max: 400 })),
      (total, size) => {
        const all = Array.from({ length: total }, (_, i) => i);
        const seen: unknown[] = [];
        let query: URLSearchParams | undefined = new URLSearchParams({ tag_name: 'a:b' });
        if (size !== null) query.set('per_page', String(size));
        while (query !== undefined) {
          const { items, links, meta } = pageOf(all, query, 'http://x/v2/droplets');
          assert.equal(meta.total, total);
          assert.ok(items.length <= Math.min(200, size ?? 20));
          seen.push(...items);
          const next: string | undefined = links.pages?.next;
          query = next === undefined ? undefined : new URL(next).searchParams;
          if (query) assert.equal(query.get('tag_name'), 'a:b');
        }
        assert.deepEqual(seen, all);
      },
    ),
  );
});

test('rate limits: never more in any minute or hour than allowed, and what retry-after says is enough', () => {
  const limits = { hour: 40, minute: 7, keysMinute: 2, minuteSeconds: 60 };
  fc.assert(
    fc.property(
      fc.array(fc.record({ gap: fc.integer({ min: 0, max: 40_000 }), keys: fc.boolean() }), {
        maxLength: 200,
      }),
      (steps) => {
        const limiter = createLimiter(limits);
        const passed: { at: number; keys: boolean }[] = [];
        let now = 1_700_000_000_000;
        const send = (keys: boolean) => {
          const verdict = limiter(now, keys ? 'list of keys' : 'request');
          if (verdict.refusal === undefined) passed.push({ at: now, keys });
          return verdict.refusal;
        };
        for (const { gap, keys } of steps) {
          now += gap;
          const wait = Number(send(keys)?.['retry-after'] ?? 0);
          if (wait === 0) continue;
          now += wait * 1000;
          // Only the hour may refuse it now, and that says nothing of a time.
          assert.equal(send(keys)?.['retry-after'], undefined);
        }
        for (const [i, { at }] of passed.entries()) {
          const within = (ms: number) => passed.slice(0, i + 1).filter((one) => one.at > at - ms);
          assert.ok(within(60_000).length <= 7);
          assert.ok(within(60_000).filter(({ keys }) => keys).length <= 2);
          assert.ok(within(3_600_000).length <= 40);
        }
      },
    ),
  );
  const limiter = createLimiter({ ...USUAL_LIMITS, minute: 1 });
  for (let i = 0; i < 3; i++) assert.equal(limiter(0, 'nothing').refusal, undefined);
  assert.equal(limiter(0, 'request').refusal, undefined, 'who has no token spends nothing');
});

test('fields that a schema does not know, however deep', () => {
  const schema = {
    allOf: [
      { properties: { name: { type: 'string' } } },
      {
        oneOf: [{ properties: { list: { items: { properties: { id: {} } } } } }, { properties: { any: {} } }],
      },
    ],
  };
  const value = { name: 'x', list: [{ id: 1 }, { id: 2, no: 3 }], any: { thing: 1 }, other: null };
  assert.deepEqual(undocumented(schema, value), ['list[1].no', 'other']);
  assert.deepEqual(undocumented({ type: 'object' }, { x: 1 }), []);
  assert.deepEqual(undocumented({ properties: { a: {} }, additionalProperties: true }, { b: 1 }), []);
});

test('the host key in user data; none where cloud-init would find none', () => {
  const pair =
    'ssh_keys:\n  ed25519_private: |\n    -----BEGIN\n    abc\n  ed25519_public: ssh-ed25519 AAAA\n';
  assert.equal(hostKeyIn(`#cloud-config\n${pair}`), '-----BEGIN\nabc\n');
  for (const text of [
    ...['', pair, '#!/bin/sh\n', '#cloud-config\n', '#cloud-config\n- a\n', '#cloud-config\nssh_keys: [\n'],
    ...['#cloud-config\nssh_keys: text\n', '#cloud-config\nssh_keys: {ed25519_private: x}\n'],
  ])
    assert.equal(hostKeyIn(text), undefined, text);
});

test("a key's fingerprint as ssh-keygen -E md5 shows it", () => {
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f lab';
  assert.equal(md5Fingerprint(key), '0f:a2:0a:d7:38:3e:65:45:08:6b:63:84:1c:ff:dc:ba');
  assert.equal(md5Fingerprint('ssh-ed25519'), undefined);
});
