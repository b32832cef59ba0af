/**
 * One request over the network, by dots-wrapper. It ends in a {@link Reply}, whatever happens: axios's own errors hold
 * the token, and none of them leaves this file.
 */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { modules } from 'dots-wrapper';
import { messageOf } from '../cli.ts';
import type { Endpoint } from './endpoint.ts';
import type { Limits } from './limiter.ts';

export type Dots = ReturnType<ReturnType<typeof modules.common.createApiClient>>;

export interface Answer {
  kind: 'answer';
  status: number;
  /** Parsed where it was JSON, else the text. */
  body: unknown;
  limits: Limits;
  requestId: string | undefined;
}

/** No answer, or none that could be read to its end. */
export interface Broken {
  kind: 'broken';
  /** Node's name of the error, such as ECONNRESET. */
  code: string;
  detail: string;
  /** False where it is sure that the request never left. */
  sent: boolean;
}

export type Reply = Answer | Broken;

/** Largest answer that is read, in bytes. */
const LARGEST = 32 * 1024 * 1024;

/** A body that trickles in may take so many times the time-out, which is one of silence. */
const TRICKLE = 4;

/** For what must not be sent twice: a connection that was idle may be closed by the other side at the moment it is used. */
const fresh = { httpAgent: new HttpAgent(), httpsAgent: new HttpsAgent() };

/** The client; `timeout` in ms. Every status is an answer, a redirect too: none is followed, as the token would go along. */
export function dotsOf(endpoint: Endpoint, token: string, timeout: number): Dots {
  const createApiClient = modules.common.createApiClient({
    modules,
    createContext: (input) => {
      const context = modules.common.createContext(input);
      const { defaults, interceptors } = context.httpClient;
      Object.assign(defaults, {
        maxRedirects: 0,
        maxContentLength: LARGEST,
        validateStatus: () => true,
        // axios asks HTTP_PROXY for 127.0.0.1 as well.
        ...(endpoint.loopback ? { proxy: false } : {}),
      });
      interceptors.request.use((config) =>
        Object.assign(
          config,
          { signal: AbortSignal.timeout(timeout * TRICKLE) },
          config.method !== 'get' && fresh,
        ),
      );
      return context;
    },
  });
  return createApiClient({ endpoint: endpoint.url, token, requestTimeoutInMs: timeout });
}

const seconds = (text: unknown): number | undefined =>
  typeof text === 'string' && /^\d{1,12}$/.test(text.trim()) ? Number(text) : undefined;

/** Reads the rate-limit headers; `now` (Unix ms) counts where the server does not say what time it has. */
export function limitsOf(headers: Readonly<Record<string, unknown>>, now: number): Limits {
  const date = Date.parse(String(headers.date));
  const reset = seconds(headers['ratelimit-reset']);
  const retryAfter = seconds(headers['retry-after']);
  return {
    remaining: seconds(headers['ratelimit-remaining']),
    resetIn: reset === undefined ? undefined : Math.max(0, reset * 1000 - (Number.isNaN(date) ? now : date)),
    retryAfter: retryAfter === undefined ? undefined : retryAfter * 1000,
  };
}

/** The fields of Node's and axios's errors that say what happened; the rest of them may hold the token. */
interface Errno {
  code?: unknown;
  syscall?: unknown;
  isAxiosError?: unknown;
  errors?: unknown;
  cause?: unknown;
}

const CONNECTING = ['connect', 'getaddrinfo'];

/** Whether an error tells that there was never a connection. (Several addresses that were tried make several errors.) */
function neverConnected(thrown: Errno): boolean {
  const { syscall, errors, cause } = thrown;
  if (Array.isArray(errors) && errors.length > 0)
    return errors.every((each) => neverConnected(each as Errno));
  if (typeof syscall === 'string') return CONNECTING.includes(syscall);
  return typeof cause === 'object' && cause !== null && neverConnected(cause);
}

/** Codes of a certificate that does not hold: the request goes out only after that. */
export const CERTIFICATE = /CERT|SIGNATURE|ISSUER|^HOSTNAME_MISMATCH$/;

function brokenBy(thrown: unknown): Broken {
  const error = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as Errno;
  const code = typeof error.code === 'string' ? error.code : '';
  // Not of the network: a defect, told as one, and without what it may carry.
  if (error.isAxiosError !== true && code === '') throw new Error(messageOf(thrown));
  const sent = !(neverConnected(error) || CERTIFICATE.test(code));
  return { kind: 'broken', code, detail: messageOf(thrown), sent };
}

const field = (body: unknown, key: string): unknown =>
  typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[key] : undefined;

/** Sends one request. Rejects only for a defect. */
export async function exchange(
  send: () => Promise<Readonly<{ status: number; headers: object; data: unknown }>>,
  now: () => number,
): Promise<Reply> {
  try {
    const { status, headers, data } = await send();
    const known = headers as Readonly<Record<string, unknown>>;
    const id = field(data, 'request_id') ?? known['x-request-id'];
    return {
      kind: 'answer',
      status,
      body: data,
      limits: limitsOf(known, now()),
      requestId: typeof id === 'string' ? id : undefined,
    };
  } catch (thrown) {
    return brokenBy(thrown);
  }
}

/** The error that DigitalOcean describes in a body; undefined where the body is not one of its own. */
export function ownError(body: unknown): string | undefined {
  const message = field(body, 'message');
  return typeof field(body, 'id') === 'string' && typeof message === 'string' ? message : undefined;
}
