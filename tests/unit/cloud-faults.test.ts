import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UNPROCESSABLE } from '../../scripts/lib/lab/cloud/refusal.ts';
import { until } from '../../scripts/lib/poll.ts';
import { startCloud, type TestCloud, TOKEN } from '../cloud-fixture.ts';

const ORDER = { name: 'wgnet1', region: 'nyc3', size: 's-1vcpu-1gb', image: 'ubuntu-24-04-x64' };

/** An API with this fault, and a create or another request to it. */
async function faulty(fault: string, method = 'POST', path = '/droplets', body: unknown = ORDER) {
  const api = await startCloud();
  api.cloud.addFault(fault);
  const send = () => api.call(method, path, method === 'POST' ? body : undefined);
  return { api, send };
}

const names = (api: TestCloud): string[] => api.cloud.droplets().map(({ name }) => name);

for (const [fault, status, retryAfter] of [
  ['429', 429, null],
  ['429=7', 429, '7'],
  ['401', 401, null],
  ['403', 403, null],
  ['500', 500, null],
  ['502', 502, null],
  ['503', 503, null],
  ['504', 504, null],
] as const)
  test(`${fault}: nothing is made, and the next request goes well`, async () => {
    const { api, send } = await faulty(`${fault}:POST /v2/droplets`);
    assert.equal((await api.call('GET', '/account')).status, 200);
    const { status: got, headers, json } = await send();
    assert.deepEqual([got, headers.get('retry-after')], [status, retryAfter]);
    assert.ok(json.id && json.message && json.request_id && headers.get('ratelimit-reset'));
    if (fault === '429') {
      assert.equal(headers.get('ratelimit-remaining'), '0');
      assert.ok(Number(headers.get('ratelimit-reset')) * 1000 <= Date.now() + 1000);
    }
    assert.deepEqual(names(api), []);
    assert.equal((await send()).status, 202);
    assert.deepEqual(names(api), ['wgnet1']);
  });

for (const status of [403, 500, 502, 503, 504])
  test(`${status}-after: the droplet is made all the same`, async () => {
    const { api, send } = await faulty(`${status}-after`);
    assert.equal((await send()).status, status);
    assert.deepEqual(names(api), ['wgnet1']);
  });

for (const kind of Object.keys(UNPROCESSABLE) as (keyof typeof UNPROCESSABLE)[])
  test(`422=${kind}: in DigitalOcean's words`, async () => {
    const api = await startCloud();
    const { id } = (await api.call('POST', '/droplets', ORDER)).json.droplet;
    api.cloud.addFault(`422=${kind}`);
    const other = { ...ORDER, name: 'other' };
    const { status, json } = await (kind === 'pending'
      ? api.call('DELETE', `/droplets/${id}`)
      : api.call('POST', '/droplets', other));
    assert.deepEqual([status, json.id, json.message], [422, 'unprocessable_entity', UNPROCESSABLE[kind]]);
    assert.deepEqual(names(api), ['wgnet1']);
  });

test('reset, hang: before and after it was carried out', async () => {
  for (const [fault, made] of [
    ['reset', []],
    ['reset-after', ['wgnet1']],
    ['hang', []],
    ['hang-after', ['wgnet1']],
  ] as const) {
    const api = await startCloud();
    api.cloud.addFault(`${fault}:POST /v2/droplets`);
    const end = new AbortController();
    const answer = fetch(`${api.url}/droplets`, {
      ...{ method: 'POST', signal: end.signal, body: JSON.stringify(ORDER) },
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    // A hang has no end of its own: what it does is seen from the other side.
    const rejected = assert.rejects(answer, fault);
    if (fault.startsWith('hang')) {
      const came = () => api.cloud.requests.length === 1 && names(api).length === made.length;
      assert.ok(await until(60_000, came));
      end.abort();
    }
    await rejected;
    assert.deepEqual(names(api), made, fault);
    assert.equal(api.cloud.requests[0]?.status, 0);
    assert.equal((await api.call('GET', '/account')).status, 200);
    await api.close();
  }
});

test('html: a page with status 200, and nothing is made unless after', async () => {
  for (const [fault, made] of [
    ['html', []],
    ['html-after', ['wgnet1']],
  ] as const) {
    const { api, send } = await faulty(fault);
    const { status, headers, json } = await send();
    assert.deepEqual([status, json], [200, undefined]);
    assert.match(headers.get('content-type') ?? '', /text\/html/);
    assert.deepEqual(names(api), made);
  }
});

test('slow: carried out, answered late', async () => {
  const { api, send } = await faulty('slow=0.05');
  assert.equal((await send()).status, 202);
  api.cloud.addFault('slow=600');
  const answer = send();
  answer.catch(() => {});
  assert.ok(await until(60_000, () => names(api).length === 2));
  assert.equal(api.cloud.requests[1]?.status, 0, 'no answer yet');
  await api.close();
  await assert.rejects(answer);
});

test('404 soon after the create, and then it is there', async () => {
  const { api, send } = await faulty('404:2');
  const { id } = (await send()).json.droplet;
  const seen = [];
  for (let i = 0; i < 3; i++) seen.push((await api.call('GET', `/droplets/${id}`)).status);
  assert.deepEqual(seen, [404, 404, 200]);
});

test('times and @: only from the second request on, and twice', async () => {
  const { send } = await faulty('500:POST /v2/droplets:2@2');
  const seen = [];
  for (let i = 0; i < 4; i++) seen.push((await send()).status);
  assert.deepEqual(seen, [202, 500, 500, 202]);
  const always = await faulty('503:GET /v2/acc*:always', 'GET', '/account');
  assert.deepEqual([(await always.send()).status, (await always.send()).status], [503, 503]);
  always.api.cloud.clearFaults();
  assert.equal((await always.send()).status, 200);
});

test('scopes: 403 for all that the token may not, what a create refers to included', async () => {
  const api = await startCloud();
  const create = () => api.call('POST', '/droplets', { ...ORDER, ssh_keys: [api.key.id], tags: ['comps'] });
  const needed = ['droplet:create', 'image:read', 'vpc:read', 'ssh_key:read', 'tag:create'];
  for (const missing of needed) {
    api.cloud.clearFaults();
    api.cloud.addFault(`scopes=${needed.filter((scope) => scope !== missing).join(',')}`);
    const { status, json } = await create();
    assert.deepEqual(
      [status, json.message],
      [403, 'You are not authorized to perform this operation'],
      missing,
    );
  }
  assert.deepEqual(names(api), []);
  api.cloud.clearFaults();
  api.cloud.addFault(`scopes=${needed.join(',')}`);
  const { status, json } = await create();
  assert.equal(status, 202);
  for (const [method, path] of [
    ['GET', '/account'],
    ['GET', '/account/keys'],
    ['GET', '/regions'],
    ['GET', '/sizes'],
    ['GET', '/droplets'],
    ['GET', `/droplets/${json.droplet.id}`],
    ['DELETE', `/droplets/${json.droplet.id}`],
    ['DELETE', '/droplets?tag_name=comps'],
    ['GET', `/actions/${json.links.actions[0].id}`],
    ['GET', '/tags'],
  ] as const)
    assert.equal(
      (await api.call(method, path)).status,
      path === '/account/keys' ? 200 : 403,
      `${method} ${path}`,
    );
  assert.equal((await api.call('GET', '/images')).status, 200);
  assert.deepEqual(names(api), ['wgnet1']);
  for (const scopes of ['droplet:delete', 'tag:read']) {
    api.cloud.addFault(`scopes=${scopes}`);
    assert.equal((await api.call('DELETE', '/droplets?tag_name=other')).status, 403, scopes);
  }
  api.cloud.addFault('scopes=droplet:delete,tag:read');
  assert.equal((await api.call('DELETE', '/droplets?tag_name=other')).status, 404);
});

test('several creates at once: a fault hits as many as it says', async () => {
  const api = await startCloud();
  api.cloud.addFault('500-after:2');
  api.cloud.addFault('429:POST /v2/droplets:3');
  const sent = Array.from({ length: 8 }, (_, i) =>
    api.call('POST', '/droplets', { ...ORDER, name: `d${i}` }),
  );
  const seen = (await Promise.all(sent)).map(({ status }) => status).sort();
  assert.deepEqual(seen, [202, 202, 202, 429, 429, 429, 500, 500]);
  assert.equal(names(api).length, 5);
});
