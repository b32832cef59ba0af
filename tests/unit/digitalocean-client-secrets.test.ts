import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { Fault } from '../../scripts/lib/cli.ts';
import { type CloudApi, InDoubt } from '../../scripts/lib/digitalocean/api.ts';
import { clip, redactor } from '../../scripts/lib/digitalocean/redact.ts';
import { failure, json, ORDER, oops, open, type Script, TOKEN } from '../digitalocean-server.ts';

/** Long enough to be no accident. */
const PART = TOKEN.slice(0, 16);

/** Everything that an error shows to whoever prints, logs or inspects it. */
function shown(error: Error): string[] {
  const printed: string[] = [];
  const { log, error: toStderr } = console;
  const write = process.stderr.write;
  try {
    process.stderr.write = ((text: string) => printed.push(text) > 0) as never;
    console.error(error);
    console.error('%s %o %j', error, error, error);
  } finally {
    process.stderr.write = write;
    Object.assign(console, { log, error: toStderr });
  }
  assert.ok(printed.length > 0);
  const own = Object.getOwnPropertyNames(error).map((name) => String(Reflect.get(error, name)));
  return [
    ...[String(error), error.message, error.stack ?? '', String(error.cause), JSON.stringify(error)],
    ...[inspect(error, { depth: 10 }), inspect(error, { depth: 10, showHidden: true })],
    ...own,
    ...printed,
  ];
}

function assertClean(error: Error, what: string): void {
  assert.equal(error.cause, undefined, what);
  for (const text of shown(error)) {
    assert.ok(!text.includes(PART), `${what}: ${text.replaceAll(PART, 'TOKEN')}`);
    assert.ok(!text.toLowerCase().includes('bearer'), `${what}: ${text}`);
    assert.ok(!/axios/i.test(text.replace(/^ +at .*$/gm, '')), `${what}: ${text}`);
  }
}

const CALLS: Record<string, (api: CloudApi) => Promise<unknown>> = {
  account: (api) => api.account(),
  sshKey: (api) => api.sshKey('5'),
  regions: (api) => api.regions(),
  sizes: (api) => api.sizes(),
  image: (api) => api.image('5'),
  droplets: (api) => api.droplets('comps'),
  droplet: (api) => api.droplet(5),
  create: (api) => api.create(ORDER),
  action: (api) => api.action(5),
  createAction: (api) => api.createAction(5),
  remove: (api) => api.remove(5),
};

const echo = `Authorization: Bearer ${TOKEN}`.replace('Bearer', 'with');

/** Every way to fail, each of them repeating the token wherever a server could. */
const FAILURES: Record<string, Script> = {
  ...Object.fromEntries(
    [400, 401, 403, 404, 408, 409, 422, 429, 500, 502, 503].map((status) => [
      `${status}`,
      (res) => json(res, status, { id: 'x', message: echo, request_id: TOKEN }, { 'x-request-id': TOKEN }),
    ]),
  ),
  'html 404': (res) => void res.writeHead(404).end(`<p>${echo}`),
  'html 503': (res) => void res.writeHead(503).end(`<p>${echo}`),
  'html 200': (res) => void res.writeHead(200).end(`${echo}`),
  // The place where the excerpt is cut is inside the token.
  'html cut': (res) => void res.writeHead(200).end(`${'x'.repeat(50)} ${TOKEN}`),
  'message cut': (res) => json(res, 400, { id: 'x', message: `${'x'.repeat(270)} ${TOKEN}` }),
  'missing fields': (res) =>
    json(res, 200, { [TOKEN]: TOKEN, account: { status: TOKEN }, droplet: { id: TOKEN } }),
  'token as text': (res) => json(res, 200, TOKEN),
  redirect: (res) => void res.writeHead(301, { location: `https://127.0.0.1:1/${TOKEN}` }).end(TOKEN),
  reset: (res) => void res.socket?.destroy(),
  'half an answer': (res) =>
    void res.writeHead(200, { 'content-length': '999' }).write(TOKEN, () => res.destroy()),
  silence: () => {},
  'bad gzip': (res) => void res.writeHead(200, { 'content-encoding': 'gzip' }).end(TOKEN),
  'no http': (res) => void res.socket?.end(`${TOKEN}\r\n\r\n`),
};

for (const [name, script] of Object.entries(FAILURES))
  test(`no error shows the token: ${name}`, async (t) => {
    for (const [what, call] of Object.entries(CALLS)) {
      const lines: string[] = [];
      const onWait = (line: string): void => void lines.push(line);
      const { api } = await open(t, script, { patience: 2, onWait }, { requestTimeout: 60 });
      // A 404 of DigitalOcean's own is an answer to most questions.
      const ended = await call(api).catch((error: Error) => error);
      if (!(ended instanceof Error)) assert.equal(name, '404', what);
      else {
        assert.ok(ended instanceof Fault || ended instanceof InDoubt, `${what}: ${ended.stack}`);
        assertClean(ended, what);
      }
      assert.ok(!lines.join().includes(PART), lines.join());
      assert.ok(!inspect(api, { depth: 10, showHidden: true }).includes(PART));
    }
  });

test('defects show no token either, and keep the place where they were made', async (t) => {
  const { api } = await open(t, (res) => json(res, 204));
  for (const call of [api.remove(0), api.droplets(''), api.image('..'), api.create({ ...ORDER, size: '' })])
    assertClean(await failure(call), 'argument');
  // Made by axios, before anything is sent.
  const odd = await failure(api.create({ ...ORDER, tags: [1n] as never }));
  assert.ok(!(odd instanceof Fault) && !(odd instanceof InDoubt));
  assert.match(odd.message, /BigInt/);
  assertClean(odd, 'BigInt');
  const throws = await open(t, (res) => oops(res, 500, 'x'), {
    onWait: () => {
      throw new TypeError(`with ${TOKEN}`, { cause: new Error(TOKEN) });
    },
  });
  const thrown = await failure(throws.api.account());
  assertClean(thrown, 'onWait');
  assert.match(thrown.stack ?? '', /digitalocean-client-secrets\.test/);
});

test('texts of a server lose the token in every form, what steers a terminal, and their length', () => {
  const redact = redactor('a+b/c=$x');
  assert.equal(redact('it is A+B/C=$X and a%2Bb%2Fc%3D%24x'), 'it is [redacted] and [redacted]');
  assert.equal(
    redact('a token of another: dop_v1_0123abc, dor_v1_77.'),
    'a token of another: [redacted], [redacted].',
  );
  assert.equal(redact('\u001b]0;x\u0007a\u202eb\nc'), ' ]0;x a b c');
  assert.equal(clip('  one\n two  ', 20), 'one two');
  assert.equal(clip('x'.repeat(81), 80), `${'x'.repeat(79)}…`);
});
