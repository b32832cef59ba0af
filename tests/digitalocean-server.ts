/** Servers of a test that stand for DigitalOcean's API, answering whatever the test says; and its time and samples. */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { Fault } from '../scripts/lib/cli.ts';
import { type ApiSettings, type CloudApi, InDoubt } from '../scripts/lib/digitalocean/api.ts';
import { createApi, type Inner } from '../scripts/lib/digitalocean/client.ts';

export const TOKEN = 'dop_v1_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef';

export interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** Answers the n-th request, from 1. */
export type Script = (res: ServerResponse, n: number, seen: Seen) => void;

/** JSON as DigitalOcean sends it. */
export function json(
  res: ServerResponse,
  status: number,
  body?: unknown,
  headers: Record<string, string> = {},
) {
  res.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
  res.end(body === undefined ? undefined : JSON.stringify(body));
}

export const oops = (
  res: ServerResponse,
  status: number,
  message: string,
  headers?: Record<string, string>,
) => json(res, status, { id: 'an_error', message, request_id: '4d9d8375-3c56' }, headers);

/** A server on the loopback for one test; `endpoint` ends in /v2. */
export async function serve(t: TestContext, script: Script): Promise<{ endpoint: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((req, res) => {
    let body = '';
    req.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    req.on('end', () => {
      seen.push({ method: req.method ?? '', url: req.url ?? '', headers: req.headers, body });
      script(res, seen.length, seen.at(-1) as Seen);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2`, seen };
}

/** A clock that only sleeping moves; `slept` in ms. */
export function time() {
  const slept: number[] = [];
  let ahead = 0;
  return {
    slept,
    now: () => 1_800_000_000_000 + ahead,
    sleep: async (ms: number): Promise<void> => {
      slept.push(ms);
      ahead += ms;
    },
  };
}

export interface Open {
  api: CloudApi;
  seen: Seen[];
  slept: number[];
  waits: string[];
}

/** A client of a server that answers by script, with a time of its own. */
export async function open(
  t: TestContext,
  script: Script,
  settings: Partial<ApiSettings> = {},
  inner: Partial<Inner> = {},
): Promise<Open> {
  const { endpoint, seen } = await serve(t, script);
  const { slept, now, sleep } = time();
  const waits: string[] = [];
  const api = createApi(
    {
      endpoint,
      token: { reveal: () => TOKEN },
      patience: 60,
      onWait: (line) => waits.push(line),
      ...settings,
    },
    { now, sleep, random: () => 0.5, ...inner },
  );
  return { api, seen, slept, waits };
}

/** A droplet as the API describes it, one that is up unless told otherwise. */
export const dropletBody = (id: number, more: Record<string, unknown> = {}) => ({
  id,
  name: `wgnet${id}`,
  region: { slug: 'nyc1', name: 'New York 1', features: [], available: true, sizes: [] },
  size_slug: 's-1vcpu-1gb',
  size: { slug: 's-1vcpu-1gb', price_hourly: 0.00893, price_monthly: 6 },
  image: { id: 9, slug: 'ubuntu-24-04-x64' },
  status: 'active',
  locked: false,
  tags: ['comps'],
  created_at: '2026-07-21T18:37:44Z',
  networks: {
    v4: [
      { ip_address: '10.128.192.124', netmask: '255.255.0.0', gateway: 'nil', type: 'private' },
      { ip_address: '192.241.165.154', netmask: '255.255.255.0', gateway: '192.241.165.1', type: 'public' },
    ],
    v6: [],
  },
  ...more,
});

export const accountBody = { account: { droplet_limit: 25, status: 'active', status_message: '' } };

export const ORDER = {
  ...{ name: 'wgnet1', region: 'nyc1', size: 's-1vcpu-1gb', image: 'ubuntu-24-04-x64' },
  ...{ sshKeys: ['512189', '3b:16:e4:bf'], tags: ['comps', 'a:b'], userData: '#cloud-config\n' },
  ...{ ipv6: false, monitoring: false },
};

/** What a promise rejects with. */
export const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    (value) => {
      throw new Error(`it did not fail: ${JSON.stringify(value)}`);
    },
    (thrown: Error) => thrown,
  );

/** No proxy in the environment until the end of a test. */
export function withoutProxies(t: TestContext): void {
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap((name) => [
    name,
    name.toLowerCase(),
  ]);
  const before = names.map((name) => [name, process.env[name]] as const);
  for (const name of names) delete process.env[name];
  t.after(() => {
    for (const [name, value] of before)
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  });
}

/** Asserts that it rejects with a Fault of this code whose text holds all of that. */
export const fault = async (promise: Promise<unknown>, code: number, ...parts: RegExp[]): Promise<Fault> => {
  const error = await failure(promise);
  assert.ok(error instanceof Fault, error.stack);
  assert.equal(error.code, code, error.message);
  for (const part of parts) assert.match(String(error), part);
  return error;
};

/** Asserts that it rejects with InDoubt whose message holds all of that. */
export const doubt = async (promise: Promise<unknown>, ...parts: RegExp[]): Promise<void> => {
  const error = await failure(promise);
  assert.ok(error instanceof InDoubt, error.stack);
  for (const part of parts) assert.match(error.message, part);
};
