/** The door to DigitalOcean's API. What is behind it (dots-wrapper, HTTP, pages, limits, the token) stays there. */
import { Fault } from '../cli.ts';
import { pause } from '../poll.ts';
import type { ApiSettings, CloudApi } from './api.ts';
import { callsOf } from './calls.ts';
import { type Call, type Carrier, carryOut } from './carry.ts';
import { endpointOf } from './endpoint.ts';
import { wordsOf } from './errors.ts';
import { createLimiter } from './limiter.ts';
import { allPages } from './pages.ts';
import { redactor } from './redact.ts';
import type { Page } from './replies.ts';
import { dotsOf } from './wire.ts';

/** What tests put in the place of time and chance. */
export interface Inner {
  /** Unix milliseconds on a clock that never goes back. */
  now: () => number;
  sleep: (ms: number) => Promise<void>;
  /** From 0 to 1. */
  random: () => number;
  /** Milliseconds of silence after which a request is given up. */
  requestTimeout: number;
}

const INNER: Inner = {
  now: () => performance.timeOrigin + performance.now(),
  sleep: pause,
  random: Math.random,
  requestTimeout: 15_000,
};

/** The token as it goes into a header; a Fault for what was pasted wrongly, which axios would send without a word. */
function checkedToken(token: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new Fault({
    at: "DigitalOcean's token",
    what: token === '' ? 'it is empty' : 'it holds spaces or characters that no token has',
    next: 'export DO_TOKEN=… with the token as DigitalOcean showed it',
  });
}

/** Opens the door; a Fault where the endpoint must not see the token. Nothing is sent before the first call. */
export function createApi(settings: ApiSettings, inner: Partial<Inner> = {}): CloudApi {
  const { now, sleep, random, requestTimeout } = { ...INNER, ...inner };
  const endpoint = endpointOf(settings.endpoint);
  const token = checkedToken(settings.token.reveal());
  const onWait = settings.onWait ?? (() => {});
  const words = wordsOf(endpoint.url, redactor(token));
  const carrier: Carrier = {
    ...{ words, now, sleep, random, onWait },
    limiter: createLimiter({ now, sleep, onWait }),
    patience: settings.patience * 1000,
    timeout: requestTimeout,
  };
  const calls = callsOf(dotsOf(endpoint, token, requestTimeout));
  const ask = <T>(call: Call<T>): Promise<T> => carryOut(call, carrier);
  const list = <T>(callOf: (page: number) => Call<Page<T>>, keyOf: (item: T) => string | number) =>
    allPages(
      (page) => ask(callOf(page)),
      keyOf,
      (what) => words.endless(callOf(1), what),
    );
  // Async all: what is wrong with an argument rejects as everything else.
  return {
    account: async () => ask(calls.account()),
    sshKey: async (id) => ask(calls.sshKey(id)),
    regions: async () => list(calls.regions, ({ slug }) => slug),
    sizes: async () => list(calls.sizes, ({ slug }) => slug),
    image: async (id) => ask(calls.image(id)),
    droplets: async (tag) =>
      list(
        (page) => calls.droplets(tag, page),
        ({ id }) => id,
      ),
    droplet: async (id) => ask(calls.droplet(id)),
    create: async (order) => ask(calls.create(order)),
    createAction: async (id) => ask(calls.createAction(id)),
    action: async (id) => ask(calls.action(id)),
    remove: async (id) => ask(calls.remove(id)),
  };
}
