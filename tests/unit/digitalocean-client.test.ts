import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApi } from '../../scripts/lib/digitalocean/client.ts';
import { DIGITALOCEAN, endpointOf } from '../../scripts/lib/digitalocean/endpoint.ts';
import { accountBody, dropletBody, failure, json, ORDER, oops, open, TOKEN } from '../digitalocean-server.ts';

test('every call asks what the contract says, and gives its answer in our words', async (t) => {
  const size = { slug: 's', available: true, regions: ['nyc1'], price_hourly: 0.009, price_monthly: 6 };
  const image = {
    id: 7,
    slug: null,
    name: '24.04',
    distribution: 'Ubuntu',
    regions: ['nyc1'],
    min_disk_size: null,
  };
  const answers: Record<string, unknown> = {
    '/v2/account': { account: { ...accountBody.account, uuid: 'u', team: { uuid: 't', name: 'lab' } } },
    '/v2/account/keys/3b:16:e4': {
      ssh_key: { id: 5, name: 'mine', fingerprint: '3b:16:e4', public_key: 'x' },
    },
    '/v2/regions?page=1&per_page=200': {
      regions: [{ slug: 'nyc1', name: 'New York 1', available: true, sizes: ['s'], features: [] }],
      meta: { total: 1 },
    },
    '/v2/sizes?page=1&per_page=200': {
      sizes: [{ ...size, memory: 1024, vcpus: 1, disk: 25 }],
      meta: { total: 1 },
    },
    '/v2/images/ubuntu-24-04-x64': { image },
    '/v2/droplets?page=1&per_page=200&tag_name=a:b': { droplets: [dropletBody(1)], meta: { total: 1 } },
    '/v2/droplets/7': { droplet: dropletBody(7, { status: 'new', networks: {} }) },
    '/v2/droplets/3/actions?page=1&per_page=200': {
      actions: [
        { id: 40, type: 'reboot' },
        { id: 36, type: 'create' },
      ],
    },
    '/v2/droplets/4/actions?page=1&per_page=200': { actions: [] },
    '/v2/actions/36': { action: { id: 36, status: 'completed' } },
  };
  const { api, seen } = await open(t, (res, _n, { url }) => {
    if (!(url in answers)) return oops(res, 404, 'not found');
    json(res, 200, answers[url]);
  });
  assert.deepEqual(await api.account(), {
    ...{ status: 'active', statusMessage: '', dropletLimit: 25 },
    ...{ id: 't', team: 'lab' },
  });
  assert.deepEqual(await api.sshKey('3b:16:e4'), { name: 'mine', fingerprint: '3b:16:e4' });
  assert.deepEqual(await api.regions(), [
    { slug: 'nyc1', name: 'New York 1', available: true, sizes: ['s'] },
  ]);
  const { price_hourly: priceHourly, price_monthly: priceMonthly, ...rest } = size;
  assert.deepEqual(await api.sizes(), [
    { ...rest, priceHourly, priceMonthly, memory: 1024, vcpus: 1, disk: 25 },
  ]);
  const { min_disk_size: _, ...known } = image;
  assert.deepEqual(await api.image('ubuntu-24-04-x64'), { ...known, status: 'available', minDisk: 0 });
  const [droplet] = await api.droplets('a:b');
  assert.deepEqual(droplet, {
    ...{ id: 1, name: 'wgnet1', region: 'nyc1', size: 's-1vcpu-1gb', image: 'ubuntu-24-04-x64' },
    ...{ status: 'active', tags: ['comps'], created: 1784659064, priceHourly: 0.00893 },
    address: '192.241.165.154',
  });
  assert.equal((await api.droplet(7))?.address, undefined);
  assert.equal(await api.action(36), 'completed');
  assert.equal(await api.createAction(3), 36);
  assert.equal(await api.createAction(4), undefined);
  for (const { headers } of seen) assert.equal(headers.authorization, `Bearer ${TOKEN}`);
  assert.equal(await api.droplet(8), undefined);
  assert.equal(await api.image('no such'), undefined);
  assert.equal(await api.sshKey('1'), undefined);
  assert.equal(seen.at(-2)?.url, '/v2/images/no%20such');
  // Its create was accepted a moment ago.
  assert.equal(await api.action(37), 'in-progress');
});

test('the address is the public one of IPv4, wherever it stands; no networks are none', async (t) => {
  const pub = { ip_address: '203.0.113.9', type: 'public' };
  const priv = { ip_address: '10.0.0.2', type: 'private' };
  const cases = [
    [{ v4: [pub, priv] }, '203.0.113.9'],
    [{ v4: [priv, pub] }, '203.0.113.9'],
    [{ v4: [priv] }],
  ];
  const none = [
    [{ v4: [] }],
    [{}],
    [undefined],
    [null],
    [{ v4: null }],
    [{ v4: [{ ...pub, ip_address: '' }] }],
  ];
  for (const [networks, address] of [...cases, ...none]) {
    const { api } = await open(t, (res) => json(res, 200, { droplet: dropletBody(7, { networks }) }));
    assert.equal((await api.droplet(7))?.address, address, JSON.stringify(networks));
  }
});

test('a create sends the order and nothing else, and gives droplet and action', async (t) => {
  const links = {
    actions: [
      { id: 6, rel: 'multiple' },
      { id: 7515, rel: 'create', href: 'https://x' },
    ],
  };
  const { api, seen } = await open(t, (res) =>
    json(res, 202, { droplet: dropletBody(3, { status: 'new', networks: { v4: [] } }), links }),
  );
  const { droplet, action } = await api.create(ORDER);
  assert.deepEqual([droplet.id, droplet.address, action], [3, undefined, 7515]);
  assert.equal(`${seen[0]?.method} ${seen[0]?.url}`, 'POST /v2/droplets');
  assert.deepEqual(JSON.parse(seen[0]?.body ?? ''), {
    ...{ name: 'wgnet1', region: 'nyc1', size: 's-1vcpu-1gb', image: 'ubuntu-24-04-x64' },
    ...{ ssh_keys: [512189, '3b:16:e4:bf'], tags: ['comps', 'a:b'], user_data: '#cloud-config\n' },
    ...{ ipv6: false, monitoring: false },
  });
  await api.create({ ...ORDER, image: '7555620' });
  assert.equal(JSON.parse(seen[1]?.body ?? '').image, 7555620);
});

test('a deletion is accepted without a word, and what is not there is gone', async (t) => {
  const { api, seen } = await open(t, (res, n) => (n === 1 ? json(res, 204) : oops(res, 404, 'not found')));
  assert.deepEqual([await api.remove(7), await api.remove(7)], ['accepted', 'gone']);
  assert.deepEqual([seen[0]?.method, seen[0]?.url], ['DELETE', '/v2/droplets/7']);
});

test('what names nothing is a defect before anything is sent', async (t) => {
  const { api, seen } = await open(t, (res) => json(res, 204));
  const bad = [
    0,
    -1,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 53,
    '' as never,
    '7' as never,
    undefined as never,
  ];
  const calls: ((id: never) => Promise<unknown>)[] = [api.remove, api.droplet, api.action, api.createAction];
  for (const call of calls)
    for (const id of bad) {
      const error = await failure(call(id as never));
      assert.equal(error.name, 'Error', String(id));
      assert.match(error.message, /is no id of DigitalOcean's/);
    }
  for (const name of ['', '.', '..']) {
    assert.equal((await failure(api.sshKey(name))).name, 'Error');
    assert.equal((await failure(api.image(name))).name, 'Error');
  }
  assert.match((await failure(api.droplets(''))).message, /empty tag/);
  assert.match((await failure(api.create({ ...ORDER, region: '' }))).message, /without name, region/);
  assert.deepEqual(seen, []);
});

test('the endpoint is https, or http on this machine, and gets its /v2', () => {
  assert.deepEqual(endpointOf('https://api.digitalocean.com'), { url: DIGITALOCEAN, loopback: false });
  for (const text of ['http://127.0.0.1:8080', 'http://127.0.0.1:8080/', 'http://127.0.0.1:8080/v2//'])
    assert.deepEqual(endpointOf(text), { url: 'http://127.0.0.1:8080/v2', loopback: true }, text);
  for (const host of ['localhost', '127.8.9.1', '[::1]'])
    assert.equal(endpointOf(`http://${host}`).loopback, true);
  const clear = [
    'http://api.digitalocean.com/v2',
    'http://127.0.0.1.example.com',
    'http://10.0.0.1',
    'http://[::2]',
  ];
  for (const text of clear) assert.throws(() => endpointOf(text), /would send the token in clear/, text);
  const bad = [
    '',
    'api.digitalocean.com',
    'ftp://127.0.0.1',
    'https://a:b@api.digitalocean.com',
    'https://x/v2?a=1',
  ];
  for (const text of bad) assert.throws(() => endpointOf(text), { name: 'Fault' }, text);
  // It may be a token that was put in the wrong place.
  assert.throws(
    () => endpointOf(TOKEN),
    (fault: Error) => !String(fault).includes(TOKEN),
  );
  const token = { reveal: () => TOKEN };
  assert.throws(() => createApi({ endpoint: 'http://10.0.0.1', token, patience: 1 }), { name: 'Fault' });
  for (const odd of ['', 'two words', 'línea', 'a\nb'])
    assert.throws(() => createApi({ endpoint: DIGITALOCEAN, token: { reveal: () => odd }, patience: 1 }), {
      name: 'Fault',
    });
});
