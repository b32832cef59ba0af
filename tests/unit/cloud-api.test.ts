import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT, Fault } from '../../scripts/lib/cli.ts';
import { createCloud } from '../../scripts/lib/lab/cloud/cloud.ts';
import { judgeDocument } from '../../scripts/lib/lab/cloud/document.ts';
import { USUAL_LIMITS } from '../../scripts/lib/lab/cloud/limits.ts';
import { until } from '../../scripts/lib/poll.ts';
import { makeKey, specFile, startCloud, TOKEN } from '../cloud-fixture.ts';

const ORDER = { name: 'wgnet1', region: 'nyc3', size: 's-1vcpu-1gb', image: 'ubuntu-24-04-x64' };

interface Page {
  droplets: { id: number }[];
  links: { pages?: { next?: string } };
}

test('account, keys, regions, sizes, images, networks: as the document has them', async () => {
  const api = await startCloud({ dropletLimit: 7 });
  const get = async (path: string) => (await api.call('GET', path)).json;
  assert.equal((await get('/account')).account.droplet_limit, 7);
  const { key } = api;
  const wanted = { id: key.id, fingerprint: key.fingerprint, name: 'comps', public_key: key.publicKey };
  assert.deepEqual((await get('/account/keys')).ssh_keys, [wanted]);
  for (const id of [key.id, key.fingerprint, encodeURIComponent(key.fingerprint)])
    assert.deepEqual((await get(`/account/keys/${id}`)).ssh_key, wanted);
  assert.match(key.fingerprint, /^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);

  const { regions } = await get('/regions?per_page=200');
  const { sizes } = await get('/sizes?per_page=200');
  for (const region of regions)
    for (const size of sizes)
      assert.equal(region.sizes.includes(size.slug), size.regions.includes(region.slug), 'both lists agree');
  const closed = regions.filter((one: { available: boolean }) => !one.available);
  assert.deepEqual(
    closed.map((one: { slug: string; sizes: string[] }) => [one.slug, one.sizes]),
    [
      ['sfo1', []],
      ['ams2', []],
    ],
  );
  assert.equal(sizes.find((one: { slug: string }) => one.slug === 's-1vcpu-1gb').price_monthly, 6);

  const { image } = await get('/images/ubuntu-24-04-x64');
  assert.deepEqual((await get(`/images/${image.id}`)).image, image);
  assert.equal((await api.call('GET', '/images/ubuntu-20-04-x64')).status, 404);
  assert.deepEqual(
    (await get('/images?private=true')).images.map((one: { slug: unknown }) => one.slug),
    [null],
  );
  assert.ok((await get('/images?type=distribution')).images.every((one: { public: boolean }) => one.public));
  assert.ok((await get('/vpcs')).vpcs.length > 0);
  assert.deepEqual((await get('/firewalls')).firewalls, []);
});

test('a key is added to the account, used, and taken away', async () => {
  const api = await startCloud();
  const { publicKey: public_key } = makeKey(api.folder);
  const added = await api.call('POST', '/account/keys', { name: 'other', public_key });
  assert.equal(added.status, 201);
  const again = await api.call('POST', '/account/keys', { name: 'other', public_key });
  assert.deepEqual([again.status, again.json.message], [422, 'SSH Key is already in use on your account']);
  assert.equal((await api.call('POST', '/account/keys', { name: 'x', public_key: 'rubbish' })).status, 422);
  await api.call('POST', '/droplets', { ...ORDER, ssh_keys: [added.json.ssh_key.id, api.key.fingerprint] });
  assert.deepEqual(api.machines.orders[0]?.publicKeys, [public_key, api.key.publicKey]);
  assert.equal((await api.call('DELETE', `/account/keys/${added.json.ssh_key.id}`)).status, 204);
  assert.equal((await api.call('GET', `/account/keys/${added.json.ssh_key.id}`)).status, 404);
});

test('tags: made with a droplet, capitals make no other, listed with their droplets, taken away; delete by tag', async () => {
  const api = await startCloud();
  const ids: number[] = [];
  for (const [name, tags] of [
    ['a1', ['Comps', 'a:b']],
    ['a2', ['COMPS']],
    ['a3', []],
  ] as const)
    ids.push((await api.call('POST', '/droplets', { ...ORDER, name, tags })).json.droplet.id);
  const list = async (query: string): Promise<string[]> =>
    (await api.call('GET', `/droplets?${query}`)).json.droplets.map((one: { name: string }) => one.name);
  assert.deepEqual(await list('tag_name=comps'), ['a1', 'a2']);
  assert.deepEqual(await list('tag_name=a:b'), ['a1']);
  assert.deepEqual(await list('tag_name=other'), []);
  assert.deepEqual(await list('name=A2'), ['a2']);
  assert.deepEqual(await list('type=gpus'), []);
  assert.equal((await api.call('GET', '/droplets?name=a2&tag_name=comps')).status, 400);
  const { tag } = (await api.call('GET', '/tags/comps')).json;
  assert.deepEqual([tag.name, tag.resources.droplets.count], ['Comps', 2]);

  assert.equal((await api.call('POST', '/tags', { name: 'extra' })).status, 201);
  const bad = await api.call('POST', '/tags', { name: 'no way' });
  assert.deepEqual([bad.status, Array.isArray(bad.json.root_causes)], [400, true]);
  const resources = [{ resource_id: String(ids[2]), resource_type: 'droplet' }];
  assert.equal((await api.call('POST', '/tags/extra/resources', { resources })).status, 204);
  assert.deepEqual(await list('tag_name=extra'), ['a3']);
  assert.equal((await api.call('DELETE', '/tags/extra/resources', { resources })).status, 204);
  assert.deepEqual(await list('tag_name=extra'), []);
  assert.equal((await api.call('DELETE', '/tags/a%3Ab')).status, 204);
  assert.deepEqual(
    (await api.call('GET', '/tags')).json.tags.map((one: { name: string }) => one.name),
    ['Comps', 'extra'],
  );
  assert.equal((await api.call('GET', '/tags/a:b')).status, 404);

  for (const path of ['/droplets', '/droplets/', '/droplets?tag_name='])
    assert.equal((await api.call('DELETE', path)).status, 422, `DELETE ${path} deletes nothing`);
  assert.equal((await api.call('DELETE', '/droplets?tag_name=unknown')).status, 404);
  assert.equal(api.cloud.droplets().length, 3);
  assert.ok(await until(60_000, () => api.cloud.droplets().every(({ status }) => status === 'active')));
  assert.equal((await api.call('DELETE', '/droplets?tag_name=comps')).status, 204);
  assert.ok(await until(60_000, () => api.cloud.droplets().length === 1));
  assert.deepEqual(await list(''), ['a3']);
});

test('250 droplets: 20 a page, at most 200, links to the neighbours, each droplet once', async () => {
  const api = await startCloud({ dropletLimit: 300 });
  const { name: _, ...rest } = ORDER;
  for (let i = 0; i < 25; i++) {
    const names = Array.from({ length: 10 }, (_, j) => `d${i}-${j}`);
    await api.call('POST', '/droplets', { ...rest, names, tags: ['comps'] });
  }
  const first = (await api.call('GET', '/droplets')).json;
  assert.deepEqual([first.droplets.length, first.meta.total], [20, 250]);
  assert.deepEqual(Object.keys(first.links.pages), ['next', 'last']);
  const seen = new Set<number>();
  let path: string | undefined = '/droplets?per_page=200&tag_name=comps';
  let pages = 0;
  for (; path !== undefined; pages++) {
    const { droplets, links }: Page = (await api.call('GET', path)).json;
    for (const { id } of droplets) seen.add(id);
    path = links.pages?.next?.slice(api.url.length);
  }
  assert.deepEqual([pages, seen.size], [2, 250]);
  const last = (await api.call('GET', '/droplets?per_page=200&page=2')).json;
  assert.deepEqual([last.droplets.length, Object.keys(last.links.pages)], [50, ['first', 'prev']]);
  assert.deepEqual((await api.call('GET', '/droplets?page=99&per_page=50')).json.droplets, []);
});

test('wrong token 401, unknown path 404, bad JSON 400: with a JSON body, a request id, and no token in it', async () => {
  const api = await startCloud();
  const send = async (path: string, init: RequestInit): Promise<[number, string]> => {
    const answer = await fetch(api.url + path, init);
    for (const name of ['ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset', 'x-request-id'])
      assert.ok(answer.headers.get(name), `${path}: ${name}`);
    return [answer.status, await answer.text()];
  };
  const authorization = `Bearer ${TOKEN}`;
  const answers = [
    await send('/account', {}),
    await send('/account', { headers: { authorization: 'Bearer other' } }),
    await send('/account', { headers: { authorization: `Basic ${TOKEN}` } }),
    await send('/nothing', { headers: { authorization } }),
    await send('/droplets/0', { headers: { authorization } }),
    await send('/droplets/1e3', { headers: { authorization } }),
    await send('/droplets', { method: 'PUT', headers: { authorization } }),
    await send('/droplets', { method: 'POST', headers: { authorization }, body: '{"name":' }),
    await send('/droplets', { method: 'POST', headers: { authorization }, body: '[]' }),
    await send('/droplets', { method: 'POST', headers: { authorization }, body: 'x'.repeat(2 ** 21) }),
  ];
  assert.deepEqual(
    answers.map(([status]) => status),
    [401, 401, 401, 404, 404, 404, 404, 400, 400, 400],
  );
  for (const [, text] of answers) {
    const { id, message, request_id } = JSON.parse(text);
    assert.ok(id && message && request_id);
    assert.ok(!text.includes(TOKEN));
  }
  assert.deepEqual(
    api.cloud.requests.map(({ status }) => status),
    answers.map(([status]) => status),
  );
});

test('the rate limits are counted: headers, 429 with retry-after on a burst, none on the hour', async () => {
  const burst = await startCloud({ limits: { minute: 4, minuteSeconds: 3000, keysMinute: 2 } });
  const reset = Number((await burst.call('GET', '/account')).headers.get('ratelimit-reset'));
  assert.ok(Math.abs(reset - Date.now() / 1000 - 3600) < 600);
  await burst.call('GET', '/account/keys');
  const second = await burst.call('GET', '/account/keys');
  assert.equal(second.headers.get('ratelimit-limit'), '5000');
  assert.equal(second.headers.get('ratelimit-remaining'), '4997');
  const third = await burst.call('GET', '/account/keys');
  assert.equal(third.status, 429);
  assert.match(third.headers.get('retry-after') ?? '', /^(3000|2\d\d\d)$/);
  assert.equal(third.json.id, 'too_many_requests');
  assert.equal((await burst.call('GET', '/account')).status, 200, 'the limit of keys is one of its own');
  assert.equal((await burst.call('GET', '/account')).status, 429);

  const hour = await startCloud({ limits: { hour: 2 } });
  await fetch(`${hour.url}/account`);
  for (const left of ['1', '0']) {
    const { headers, status } = await hour.call('GET', '/account');
    assert.deepEqual([status, headers.get('ratelimit-remaining')], [200, left]);
  }
  const { status, headers } = await hour.call('GET', '/account');
  assert.deepEqual([status, headers.get('retry-after')], [429, null]);
  assert.deepEqual(USUAL_LIMITS, { hour: 5000, minute: 250, keysMinute: 10, minuteSeconds: 60 });
});

test('what the document does not have is refused, and kept for the test', {
  skip: specFile() === undefined,
}, async () => {
  const api = await startCloud();
  const unknown = await api.call('POST', '/droplets', { ...ORDER, user_daat: 'x' });
  assert.equal(unknown.status, 422);
  assert.match(unknown.json.message, /unknown field: user_daat/);
  assert.equal((await api.call('GET', '/droplets?per_page=500')).status, 500);
  assert.equal((await api.call('POST', '/droplets', { ...ORDER, ipv6: 'yes' })).status, 500);
  assert.equal((await api.call('POST', '/droplets', { ...ORDER, user_data: null })).status, 500);
  assert.deepEqual(api.cloud.droplets(), []);
  assert.equal(api.cloud.violations.length, 4);
  await assert.rejects(api.close(), /unknown field/, 'a test that does not look fails');

  const lenient = await startCloud({ lenient: true });
  const body = { ...ORDER, wait: true, ssh_keys: null, user_data: null };
  assert.equal((await lenient.call('POST', '/droplets', body)).status, 202);
});

test('without the document it is the same API', async () => {
  const machines = {
    create: async () => ({ publicIp: '127.66.0.9', privateIp: '10.66.0.9' }),
    destroy: async () => {},
  };
  const cloud = createCloud({ machines, token: TOKEN, keys: [] });
  const url = await cloud.listen();
  const headers = { authorization: `Bearer ${TOKEN}` };
  const body = JSON.stringify({ ...ORDER, unknown: 1 });
  assert.equal((await fetch(`${url}/droplets`, { method: 'POST', headers, body })).status, 202);
  const [{ id = 0 } = {}] = cloud.droplets();
  const off = { method: 'POST', headers, body: '{"type":"power_off"}' };
  const { status } = await fetch(`${url}/droplets/${id}/actions`, off);
  assert.equal(status, 422, 'these machines cannot be switched');
  assert.deepEqual(cloud.violations, []);
  const port = Number(new URL(url).port);
  await assert.rejects(createCloud({ machines, token: TOKEN, keys: [] }).listen(port), (error) => {
    assert.ok(error instanceof Fault);
    assert.equal(error.code, EXIT.refused);
    assert.match(error.message, new RegExp(`^127.0.0.1:${port}: .*EADDRINUSE`));
    return true;
  });
  await cloud.close();
});

test('a document that is none is refused before anything listens', async () => {
  const machines = { create: () => Promise.reject(), destroy: async () => {} };
  const listen = (spec: string) => createCloud({ machines, token: TOKEN, keys: [], spec }).listen();
  await assert.rejects(listen('/nothing/here.json'), /^error: \/nothing\/here\.json: /);
  await assert.rejects(listen('README.md'), /^error: README\.md: is no JSON/);
  await assert.rejects(listen('package.json'), /^error: package\.json: is not the OpenAPI document/);
});

test('the document needs its package, and says so', { skip: specFile() === undefined }, async () => {
  const missing = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
  const file = specFile() ?? '';
  await assert.rejects(
    judgeDocument(file, () => Promise.reject(missing)),
    { name: 'Fault', next: /^npm ci/ },
  );
  await judgeDocument(file);
});

test('the limit is asked for each time', async () => {
  let limit = 1;
  const api = await startCloud({ dropletLimit: () => limit });
  assert.equal((await api.call('POST', '/droplets', ORDER)).status, 202);
  assert.equal((await api.call('POST', '/droplets', ORDER)).status, 422);
  limit = 2;
  assert.equal((await api.call('GET', '/account')).json.account.droplet_limit, 2);
  assert.equal((await api.call('POST', '/droplets', ORDER)).status, 202);
});
