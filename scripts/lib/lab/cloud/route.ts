/** A path of the API: what it needs, and what it does. */
import type { FaultQueue } from './fault-queue.ts';
import type { Life } from './life.ts';
import { pageOf } from './paging.ts';
import type { Store } from './store.ts';

export interface Answer {
  status: number;
  /** JSON; undefined: an empty body. */
  body?: unknown;
  headers?: Record<string, string>;
}

export interface Call {
  method: string;
  /** `/v2/droplets`. */
  path: string;
  /** What stands at the path's `{…}`. */
  ids: string[];
  query: URLSearchParams;
  body: unknown;
  /** The API's own URL, ending in /v2. */
  base: string;
}

export interface World {
  store: Store;
  life: Life;
  faults: FaultQueue;
  dropletLimit: () => number;
  account: { status: string; status_message: string };
}

/** Judges the call, throwing a Refusal; what it returns carries the call out, and cannot refuse any more. */
export type Handler = (call: Call, world: World) => () => Answer;

export interface Route {
  method: string;
  /** As in the document: `/v2/droplets/{droplet_id}`. */
  path: string;
  scopes: (call: Call) => string[];
  handle: Handler;
}

type Scopes = string | ((call: Call) => string[]);

export const route = (method: string, path: string, scopes: Scopes, handle: Handler): Route => ({
  ...{ method, path, handle },
  scopes: typeof scopes === 'string' ? () => [scopes] : scopes,
});

/** A path that only shows something. */
export const shows = (path: string, scope: Scopes, show: (call: Call, world: World) => unknown): Route =>
  route('GET', path, scope, (call, world) => {
    const body = show(call, world);
    return () => ({ status: 200, body });
  });

/** A path that shows a list, page by page, under this name. */
export const lists = (
  path: string,
  scope: Scopes,
  name: string,
  list: (call: Call, world: World) => readonly unknown[],
): Route =>
  shows(path, scope, (call, world) => {
    const url = call.base + call.path.slice('/v2'.length);
    const { items, links, meta } = pageOf(list(call, world), call.query, url);
    return { [name]: items, links, meta };
  });

/** The route of a request, and what stands at its `{…}`; undefined where the API has no such path. */
export function routeOf(
  routes: readonly Route[],
  method: string,
  path: string,
): { found: Route; ids: string[] } | undefined {
  const steps = path.split('/');
  for (const found of routes) {
    const wanted = found.path.split('/');
    if (found.method !== method || wanted.length !== steps.length) continue;
    const open = wanted.map((step) => step.startsWith('{'));
    if (!wanted.every((step, i) => (open[i] ? steps[i] !== '' : steps[i] === step))) continue;
    return { found, ids: steps.filter((_, i) => open[i]).map(decoded) };
  }
  return undefined;
}

/** A part of a path as it was meant; as it stands where its escapes are none. */
function decoded(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}
