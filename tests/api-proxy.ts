/** Stands between a command and the local API, and changes what the command is told. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestCloud } from './cloud-fixture.ts';

/** What becomes of an answer: another status with DigitalOcean's kind of body, a broken connection, or another body. */
// biome-ignore lint/suspicious/noExplicitAny: an API's JSON
export type Change = (request: string, json: any) => number | 'reset' | object | undefined;

export interface Between {
  /** Ends in /v2. */
  url: string;
  close(): Promise<void>;
}

/** `change` sees `GET /v2/droplets?page=1` and the true answer, which was carried out by then. */
export async function between(cloud: TestCloud, change: Change): Promise<Between> {
  const { origin } = new URL(cloud.url);
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    const { authorization = '' } = request.headers;
    const headers = { authorization, 'content-type': 'application/json' };
    const sent = body === '' ? {} : { body };
    const answer = await fetch(origin + request.url, { method: request.method ?? 'GET', headers, ...sent });
    const text = await answer.text();
    const changed = change(`${request.method} ${request.url}`, text === '' ? undefined : JSON.parse(text));
    if (changed === 'reset') return response.destroy();
    const status = typeof changed === 'number' ? changed : answer.status;
    const refusal = { id: 'refused', message: `status ${status}` };
    const told = typeof changed === 'number' ? refusal : changed;
    response.writeHead(status, { 'content-type': 'application/json' });
    return response.end(told === undefined ? text : JSON.stringify(told));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A test that fails before it closes this holds nobody up.
  server.unref();
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A list of droplets as it is without some of them; other answers as they are. */
export const without =
  (hidden: (droplet: { id: number; name: string }) => boolean): Change =>
  (request, json) => {
    if (!request.startsWith('GET /v2/droplets?')) return undefined;
    const droplets = json.droplets.filter((one: { id: number; name: string }) => !hidden(one));
    return { droplets, links: {}, meta: { total: droplets.length } };
  };
