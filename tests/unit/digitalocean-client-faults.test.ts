import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT } from '../../scripts/lib/cli.ts';
import type { CloudApi } from '../../scripts/lib/digitalocean/api.ts';
import { accountBody, doubt, dropletBody, fault, json, ORDER, oops, open } from '../digitalocean-server.ts';

test('GET and DELETE are tried again after 5xx, time-outs and broken connections', async (t) => {
  const calls: [string, (api: CloudApi) => Promise<unknown>, number, unknown][] = [
    ['GET', (api) => api.account(), 200, accountBody],
    ['DELETE', (api) => api.remove(7), 204, undefined],
  ];
  for (const [verb, call, status, body] of calls) {
    const { api, seen, slept, waits } = await open(
      t,
      (res, n) => {
        if (n === 1) return oops(res, 500, 'Unexpected server-side error');
        if (n === 2) return void res.socket?.destroy();
        if (n === 3) return void res.writeHead(503, { 'retry-after': '5' }).end('<html>busy</html>');
        // Silence.
        if (n === 4) return;
        json(res, status, body);
      },
      {},
      { requestTimeout: 1000 },
    );
    await call(api);
    assert.deepEqual(
      seen.map(({ method }) => method),
      Array(5).fill(verb),
    );
    assert.deepEqual(slept, [1500, 3000, 5000, 12_000]);
    assert.deepEqual(waits, [
      'answered 500: Unexpected server-side error; request 4d9d8375-3c56, 2 s',
      'the connection was reset, 3 s',
      'answered 503, 5 s',
      'timed out, 12 s',
    ]);
  }
});

test('patience ends: the last answer, how often it was tried, and the next step', async (t) => {
  const { api, slept } = await open(t, (res) => oops(res, 503, 'Server is busy'), { patience: 20 });
  await fault(
    api.account(),
    EXIT.unreachable,
    /GET http:\S+\/v2\/account: it is in trouble \(503: Server is busy; request 4d9d8375-3c56; in 5 tries, 20 s\)/,
    /next: see https:\/\/status\.digitalocean\.com, then run the same command again/,
  );
  assert.deepEqual(slept, [1500, 3000, 6000, 9500]);
});

test('a rate limit is waited for, by retry-after, by reset, or longer each time', async (t) => {
  const date = new Date(1_800_000_000_000).toUTCString();
  const { api, slept } = await open(t, (res, n) => {
    const headers = [{ 'retry-after': '12' }, { 'ratelimit-reset': '1800000007', date }, {}][n - 1];
    if (headers === undefined) return json(res, 202, { droplet: dropletBody(3), links: {} });
    oops(res, 429, 'API rate limit exceeded.', headers as Record<string, string>);
  });
  // A create too: nothing was made.
  assert.equal((await api.create(ORDER)).droplet.id, 3);
  // Each wait once; the limiter's own begins when the call's has ended.
  assert.deepEqual(slept, [12_000, 7000, 6000]);

  const long = await open(t, (res) => oops(res, 429, 'API rate limit exceeded.', { 'retry-after': '90' }));
  await fault(
    long.api.create(ORDER),
    EXIT.unreachable,
    /the rate limit is used up \(429: API rate limit exceeded\.; .*in the only try\)/,
    /next: run the same command again in 90 s/,
  );
  assert.deepEqual(long.slept, []);
});

test('what the API refuses is told at once, with its own words and what to do', async (t) => {
  const cases: [number, string, (api: CloudApi) => Promise<unknown>, RegExp, RegExp][] = [
    [
      401,
      'Unable to authenticate you.',
      (api) => api.account(),
      /token is not accepted/,
      /export DO_TOKEN=…/,
    ],
    [403, 'no', (api) => api.account(), /lacks the scope account:read \(403: no/, /make a token with these/],
    [403, 'no', (api) => api.sshKey('5'), /lacks the scope ssh_key:read/, /DO_TOKEN/],
    [403, 'no', (api) => api.regions(), /lacks the scope regions:read/, /DO_TOKEN/],
    [403, 'no', (api) => api.sizes(), /lacks the scope sizes:read, or one of regions:read/, /DO_TOKEN/],
    [403, 'no', (api) => api.image('5'), /lacks the scope image:read/, /DO_TOKEN/],
    [403, 'no', (api) => api.droplets(), /lacks the scope droplet:read/, /DO_TOKEN/],
    [403, 'no', (api) => api.droplet(5), /lacks the scope droplet:read/, /DO_TOKEN/],
    [403, 'no', (api) => api.action(5), /lacks the scope actions:read/, /DO_TOKEN/],
    [403, 'no', (api) => api.remove(5), /lacks the scope droplet:delete/, /DO_TOKEN/],
    [
      403,
      'no',
      (api) => api.create(ORDER),
      /the scope droplet:create, or one of image:read, ssh_key:read, tag:create, vpc:read/,
      /DO_TOKEN/,
    ],
    [404, 'gone', (api) => api.account(), /there is no such thing \(404: gone/, /--api-url/],
    [
      422,
      'You specified an invalid image for Droplet creation.',
      (api) => api.create(ORDER),
      /image/,
      /the image in/,
    ],
    [
      422,
      'You specified an invalid size for Droplet creation.',
      (api) => api.create(ORDER),
      /size/,
      /the size in/,
    ],
    [
      422,
      'creating this/these droplet(s) will exceed your droplet limit',
      (api) => api.create(ORDER),
      /exceed/,
      /teardown/,
    ],
    [
      422,
      'abc are invalid key identifiers for Droplet creation.',
      (api) => api.create(ORDER),
      /abc/,
      /ssh_key_id/,
    ],
    [422, 'Region is not available', (api) => api.create(ORDER), /refused \(422: Region/, /the region in/],
    [400, 'what?', (api) => api.create(ORDER), /refused \(400: what\?/, /config\.cfg/],
  ];
  for (const [status, message, call, what, next] of cases) {
    const { api, seen } = await open(t, (res) => oops(res, status, message));
    const error = await fault(call(api), EXIT.refused, what, next, /request 4d9d8375-3c56/);
    assert.ok(error.message.includes(message), error.message);
    assert.equal(seen.length, 1);
  }
});

test('a deletion waits for another event of the droplet, within patience', async (t) => {
  const pending = 'Droplet already has a pending event.';
  const { api, seen } = await open(t, (res, n) => (n < 4 ? oops(res, 422, pending) : json(res, 204)));
  assert.equal(await api.remove(7), 'accepted');
  assert.equal(seen.length, 4);
  const ever = await open(t, (res) => oops(res, 422, pending), { patience: 10 });
  await fault(ever.api.remove(7), EXIT.refused, /already has a pending event/, /wait a minute/);
  assert.equal(ever.seen.length, 4);
  // Of no other call, and of no other refusal.
  const create = await open(t, (res) => oops(res, 422, pending));
  await fault(create.api.create(ORDER), EXIT.refused, /pending event/);
  const other = await open(t, (res) => oops(res, 422, 'Droplet is protected'));
  await fault(other.api.remove(7), EXIT.refused, /Droplet is protected/);
  assert.deepEqual([create.seen.length, other.seen.length], [1, 1]);
});

test('a create that may have happened is in doubt, and is sent once', async (t) => {
  const cases: [Parameters<typeof open>[1], RegExp][] = [
    [
      (res) => oops(res, 500, 'Unexpected server-side error'),
      /answered 500: Unexpected server-side error; request 4d9d/,
    ],
    [(res) => json(res, 504), /answered 504/],
    [(res) => void res.socket?.destroy(), /the connection was reset/],
    [
      (res) => void res.writeHead(202, { 'content-length': '99' }).write('{"dr', () => res.destroy()),
      /broke|reset/,
    ],
    [() => {}, /timed out/],
    [
      (res) => void res.writeHead(202).end('<!DOCTYPE html><p>hi</p>'),
      /answered nonsense \(202\): "<!DOCTYPE html>/,
    ],
    [(res) => json(res, 202, { droplet: { id: 7 } }), /nonsense \(202\) \(droplet\.name: /],
    [(res) => json(res, 202, { droplet: null }), /nonsense/],
    [(res) => void res.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), /nonsense \(302\)/],
  ];
  for (const [script, what] of cases) {
    const { api, seen } = await open(t, script, {}, { requestTimeout: 1000 });
    await doubt(api.create(ORDER), /^POST http:\/\/127\.0\.0\.1:\d+\/v2\/droplets: /, what);
    assert.equal(seen.length, 1);
  }
});

test('answers that are not of this API are nonsense, never an empty list or a droplet that is gone', async (t) => {
  const html = `<!DOCTYPE html>\n\u001b[31m<title>Welcome to the hotel</title>${'x'.repeat(500)}`;
  const cases: [number, string, (api: CloudApi) => Promise<unknown>, RegExp][] = [
    [200, html, (api) => api.account(), /answers nonsense \(200\): .*"<!DOCTYPE html> \[31m<title>Welcome/],
    [200, html, (api) => api.droplets(), /nonsense/],
    [200, html, (api) => api.remove(7), /nonsense/],
    [200, '', (api) => api.account(), /nonsense/],
    [
      200,
      '{"account":{"status":"active"}}',
      (api) => api.account(),
      /nonsense \(200\): account\.droplet_limit: /,
    ],
    [200, '{"droplets":[{"id":1}],"meta":{"total":1}}', (api) => api.droplets(), /droplets\.0\.name: /],
    [200, '{"meta":{"total":0}}', (api) => api.droplets(), /nonsense \(200\): droplets: /],
    [404, html, (api) => api.droplet(7), /404, and not in DigitalOcean's words: "<!DOCTYPE/],
    [404, html, (api) => api.remove(7), /404, and not in DigitalOcean's words/],
    [404, '{"error":"no route"}', (api) => api.image('x'), /404, and not in DigitalOcean's words/],
    [403, html, (api) => api.create(ORDER), /403, and not in DigitalOcean's words/],
  ];
  for (const [status, body, call, what] of cases) {
    const { api, seen } = await open(t, (res) => void res.writeHead(status).end(body));
    const error = await fault(
      call(api),
      EXIT.unreachable,
      what,
      /127\.0\.0\.1:\d+\/v2\//,
      /next: see that --api-url/,
    );
    assert.ok(error.message.length < 330, error.message);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
    assert.doesNotMatch(error.message, /[\u0000-\u001f]/);
    assert.equal(seen.length, 1);
  }
});
