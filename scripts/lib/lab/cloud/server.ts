/** The API's HTTP side: bodies, tokens, rate limits, headers. */
import { randomUUID, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { answerOf, type Delivery } from './dispatch.ts';
import type { Limiter } from './limits.ts';
import { badRequest, tooMany, unauthorized } from './refusal.ts';
import type { Answer, Call } from './route.ts';
import type { SeenRequest } from './types.ts';

export interface ServerSettings {
  token: string;
  limiter: Limiter;
  requests: SeenRequest[];
  dispatch: (call: Call) => Delivery;
}

const JSON_TYPE = 'application/json; charset=utf-8';
const LARGEST_BODY = 1024 * 1024;
const PAGE =
  '<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Sign in to this network</body></html>\n';

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request) {
    length += part.length;
    // Read to its end all the same, or the client would never see the answer.
    if (length <= LARGEST_BODY) parts.push(part);
  }
  if (length > LARGEST_BODY) throw badRequest('The request body is too large.');
  return Buffer.concat(parts).toString('utf8');
}

function bodyOf(method: string, text: string): unknown {
  // Clients send bodies with GET that say nothing (`null`).
  if (method === 'GET' || text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest('There was a problem in the JSON you submitted.');
  }
}

function isAllowed(header: string | undefined, token: string): boolean {
  const given = Buffer.from(/^Bearer (.*)$/i.exec(header ?? '')?.[1] ?? '');
  const wanted = Buffer.from(token);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function send(response: ServerResponse, { status, body, headers = {} }: Answer): void {
  const id = randomUUID();
  const failed = status >= 400 && typeof body === 'object' && body !== null && 'message' in body;
  const text = body === undefined ? '' : JSON.stringify(failed ? { ...body, request_id: id } : body);
  response.writeHead(status, {
    ...{ 'content-type': JSON_TYPE, 'x-request-id': id, 'cache-control': 'no-store' },
    // An answer without a body has no length either.
    ...(status === 204 ? {} : { 'content-length': String(Buffer.byteLength(text)) }),
    ...headers,
  });
  response.end(status === 204 ? undefined : text);
}

/** `waiting`: answers that are late, for whoever ends the API. */
export function createApiServer(settings: ServerSettings, waiting: Set<NodeJS.Timeout>): Server {
  const { token, limiter, requests, dispatch } = settings;

  /** The delivery of an answer, and the headers of the rate limits. */
  async function answer(request: IncomingMessage, seen: SeenRequest): Promise<Delivery> {
    const allowed = isAllowed(request.headers.authorization, token);
    const kind = seen.method === 'GET' && seen.path === '/v2/account/keys' ? 'list of keys' : 'request';
    const { headers, refusal } = limiter(Date.now(), allowed ? kind : 'nothing');
    try {
      const text = await textOf(request);
      if (!allowed) throw unauthorized();
      if (refusal !== undefined) throw tooMany(refusal);
      const call: Call = {
        ...{ method: seen.method, path: seen.path, ids: [], query: new URLSearchParams(seen.query) },
        ...{ body: bodyOf(seen.method, text), base: `http://${request.headers.host}/v2` },
      };
      const delivery = dispatch(call);
      return { ...delivery, answer: withHeaders(delivery.answer, headers) };
    } catch (error) {
      return { answer: withHeaders(answerOf(error), headers), how: 'sent', late: 0 };
    }
  }

  const withHeaders = (given: Answer, headers: Record<string, string>): Answer => ({
    ...given,
    headers: { ...headers, ...given.headers },
  });

  function deliver({ answer: given, how }: Delivery, seen: SeenRequest, response: ServerResponse): void {
    if (how === 'reset') response.socket?.resetAndDestroy();
    if (how === 'hang' || how === 'reset') return;
    seen.status = how === 'html' ? 200 : given.status;
    if (how === 'sent') send(response, given);
    else response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(PAGE);
  }

  return createServer((request, response) => {
    const [path = '', query = ''] = (request.url ?? '').split(/\?(.*)/s);
    const seen: SeenRequest = {
      ...{ method: request.method ?? 'GET', path: path.replace(/(.)\/+$/, '$1'), query, status: 0 },
      at: Date.now(),
    };
    requests.push(seen);
    response.on('error', () => {});
    answer(request, seen).then(
      (delivery) => {
        if (delivery.late === 0) return deliver(delivery, seen, response);
        const timer = setTimeout(() => {
          waiting.delete(timer);
          deliver(delivery, seen, response);
        }, delivery.late * 1000);
        waiting.add(timer);
      },
      // The client went away in the middle of its request.
      () => response.destroy(),
    );
  });
}
