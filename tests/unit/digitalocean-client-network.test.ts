import assert from 'node:assert/strict';
import dns from 'node:dns';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { EXIT } from '../../scripts/lib/cli.ts';
import { run } from '../../scripts/lib/transport/local.ts';
import {
  accountBody,
  dropletBody,
  failure,
  fault,
  json,
  ORDER,
  open,
  serve,
  TOKEN,
  withoutProxies,
} from '../digitalocean-server.ts';

/** A port of the loopback on which nothing listens, or what `talk` says to whom connects. */
const port = async (t: TestContext, talk?: (socket: Socket) => void): Promise<string> => {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket.on('error', () => {}));
    talk?.(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const end = (): void => {
    for (const socket of open) socket.destroy();
    server.close();
  };
  const place = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  if (talk === undefined) end();
  else t.after(end);
  return place;
};

test('nothing was sent where nobody listens: no doubt, and tried again', async (t) => {
  const free = await port(t);
  const closed = await open(t, () => {}, { endpoint: `http://${free}`, patience: 10 });
  await fault(
    closed.api.create(ORDER),
    EXIT.unreachable,
    /connection refused: nothing listens there \(in 4 tries, 10 s\)/,
    /next: see that this machine is on the network/,
  );
  // Several addresses of one name make several errors in one.
  const named = await open(t, () => {}, { endpoint: `http://localhost:${free.split(':')[1]}`, patience: 1 });
  await fault(named.api.create(ORDER), EXIT.unreachable, /connection refused/);
});

test('a name that does not resolve: no doubt, and tried again', async (t) => {
  withoutProxies(t);
  const endpoint = 'https://api.digitalocean.invalid';
  const { api, waits } = await open(t, () => {}, { endpoint, patience: 3 });
  const lookup = t.mock.method(dns, 'lookup', ((
    _name: string,
    _how: object,
    done: (error: Error) => void,
  ) => {
    const code = lookup.mock.callCount() === 0 ? 'EAI_AGAIN' : 'ENOTFOUND';
    process.nextTick(done, Object.assign(new Error(`getaddrinfo ${code}`), { code, syscall: 'getaddrinfo' }));
  }) as never);
  await fault(api.create(ORDER), EXIT.unreachable, /its name does not resolve \(in 3 tries, 3 s\)/);
  assert.match(
    waits.join(),
    /^its name cannot be resolved now: no name server answers, 2 s,its name does not/,
  );
  assert.equal(lookup.mock.callCount(), 3);
});

test('what was refused a connection goes out once somebody listens', async (t) => {
  const place = await port(t);
  const late = createHttpServer((_req, res) => json(res, 202, { droplet: dropletBody(3), links: {} }));
  t.after(() => late.close());
  const sleep = (): Promise<void> =>
    new Promise((resolve) => late.listen(Number(place.split(':')[1]), '127.0.0.1', resolve));
  const { api } = await open(t, () => {}, { endpoint: `http://${place}` }, { sleep });
  assert.equal((await api.create(ORDER)).droplet.id, 3);
});

test('a certificate that does not hold is told at once, and nothing is sent', async (t) => {
  const words = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
  ];
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  await run(['openssl', ...words, '-subj', '/CN=localhost', '-keyout', keyFile, '-out', certFile]);
  const pem = { key: readFileSync(keyFile), cert: readFileSync(certFile) };
  let asked = 0;
  const server = createHttpsServer(pem, (_req, res) => {
    asked++;
    res.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const endpoint = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { api, slept } = await open(t, () => {}, { endpoint });
  for (const call of [api.account(), api.create(ORDER)])
    await fault(call, EXIT.unreachable, /its certificate does not hold \(DEPTH_ZERO_SELF_SIGNED_CERT\)/);
  assert.deepEqual([asked, slept], [0, []]);
});

test('an endpoint elsewhere is reached by the proxy, which does not see the token', async (t) => {
  let heard = '';
  const proxy = await port(t, (socket) => {
    socket.setEncoding('latin1').on('data', (text: string) => {
      heard += text;
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
    });
  });
  withoutProxies(t);
  process.env.HTTPS_PROXY = `http://user:hunter2@${proxy}`;
  const { api } = await open(t, () => {}, { endpoint: 'https://api.digitalocean.com' });
  const error = await fault(
    api.account(),
    EXIT.unreachable,
    /407, and not in DigitalOcean's words/,
    /no proxy/,
  );
  assert.match(heard, /^CONNECT api\.digitalocean\.com:443 /);
  assert.ok(!heard.includes(TOKEN));
  assert.ok(!inspect(error, { depth: 10 }).includes('hunter2'));
  process.env.HTTPS_PROXY = 'http://user:hunter2@[';
  const odd = await failure(api.account());
  assert.match(String(odd), /the address of a proxy cannot be read.*\n.*correct HTTPS_PROXY/);
  assert.ok(!inspect(odd, { depth: 10 }).includes('hunter2'));
});

test('what is no HTTP, or no TLS, or is not whom it says, is no matter of patience', async (t) => {
  const noise = await port(
    t,
    (socket) => void socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.2\r\n')),
  );
  const loud = await open(t, () => {}, { endpoint: `http://${noise}` });
  await fault(loud.api.account(), EXIT.unreachable, /does not speak HTTP/);
  const { endpoint } = await serve(t, () => {});
  const plain = await open(t, () => {}, { endpoint: endpoint.replace('http:', 'https:') });
  await fault(plain.api.account(), EXIT.unreachable, /does not speak TLS/);
  assert.deepEqual([...loud.slept, ...plain.slept], []);
});

test('a body that never ends is given up', async (t) => {
  const { api } = await open(
    t,
    (res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      const drip = setInterval(() => res.write(' '), 20);
      res.on('close', () => clearInterval(drip));
    },
    { patience: 0.5 },
    { requestTimeout: 300 },
  );
  await fault(api.account(), EXIT.unreachable, /timed out/);
});

test('the token goes out in one header only', async (t) => {
  const { api, seen } = await open(t, (res) => json(res, 202, { droplet: dropletBody(3), links: {} }));
  await api.create(ORDER);
  const { authorization, ...rest } = seen[0]?.headers ?? {};
  assert.equal(authorization, `Bearer ${TOKEN}`);
  assert.ok(!JSON.stringify([rest, seen[0]?.url, seen[0]?.body]).includes(TOKEN));
});
test('no proxy is asked about an endpoint on this machine', async (t) => {
  const proxy = await serve(t, (res) => json(res, 502));
  withoutProxies(t);
  process.env.HTTP_PROXY = process.env.http_proxy = proxy.endpoint;
  const { api, seen } = await open(t, (res) => json(res, 200, accountBody));
  assert.equal((await api.account()).dropletLimit, 25);
  assert.deepEqual([seen.length, proxy.seen.length], [1, 0]);
});

test('a redirect is not followed: the token stays', async (t) => {
  const other = await serve(t, (res) => json(res, 200, accountBody));
  const { api } = await open(t, (res) => {
    res.writeHead(302, { location: `${other.endpoint}/account` });
    res.end();
  });
  assert.match((await failure(api.account())).message, /302, and not in DigitalOcean's words/);
  assert.deepEqual(other.seen, []);
});

test('only questions use a connection again: an old one may break under what must not be sent twice', async (t) => {
  const { api, seen } = await open(t, (res, _n, { method }) => {
    if (method === 'GET') return json(res, 200, accountBody);
    if (method === 'DELETE') return json(res, 204);
    json(res, 202, { droplet: dropletBody(3), links: {} });
  });
  await api.account();
  await api.create(ORDER);
  await api.remove(3);
  assert.deepEqual(
    seen.map(({ headers }) => headers.connection),
    ['keep-alive', 'close', 'close'],
  );
});
