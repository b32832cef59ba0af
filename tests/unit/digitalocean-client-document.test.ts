import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { CloudApi } from '../../scripts/lib/digitalocean/api.ts';
import { json, ORDER, oops, open } from '../digitalocean-server.ts';

const document = new URL('../../../shared/digitalocean-openapi.json', import.meta.url);

type Schema = Record<string, unknown> & {
  properties?: Record<string, Schema>;
  allOf?: Schema[];
  items?: Schema;
};

/** A value made of a schema's own examples. */
function sample(schema: Schema): unknown {
  if (schema.allOf !== undefined || schema.properties !== undefined) {
    const parts = (schema.allOf ?? []).map((part) => sample(part)).filter((part) => typeof part === 'object');
    const own = Object.entries(schema.properties ?? {}).map(([key, value]) => [key, sample(value)]);
    return Object.assign({}, ...parts, Object.fromEntries(own));
  }
  if ('example' in schema) return schema.example;
  if (schema.items !== undefined) return [sample(schema.items)];
  if (Array.isArray(schema.enum)) return schema.enum[0];
  return schema.default ?? (Array.isArray(schema.anyOf) ? sample(schema.anyOf[0] as Schema) : 'text');
}

test("the examples of DigitalOcean's own document can be read", {
  skip: !existsSync(document),
}, async (t) => {
  const official = JSON.parse(readFileSync(document, 'utf8'));
  const resolve = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(resolve);
    if ('$ref' in value) {
      const keys = String(value.$ref).slice(2).split('/');
      const name = (key: string) => key.replaceAll('~1', '/').replaceAll('~0', '~');
      return resolve(keys.reduce((at, key) => at[name(key)], official));
    }
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolve(inner)]));
  };
  const bodiesOf = (path: string, verb: string, status: string): unknown[] => {
    const answer = resolve(official.paths[path][verb].responses[status]) as never as {
      content: {
        'application/json': {
          schema: Schema;
          example?: unknown;
          examples?: Record<string, { value: unknown }>;
        };
      };
    };
    const { schema, example, examples } = answer.content['application/json'];
    if (examples !== undefined) return Object.values(examples).map(({ value }) => value);
    return [example ?? sample(schema)];
  };
  const cases: [string, string, string, (api: CloudApi) => Promise<unknown>][] = [
    ['/v2/account', 'get', '200', (api) => api.account()],
    ['/v2/account/keys/{ssh_key_identifier}', 'get', '200', (api) => api.sshKey('1')],
    ['/v2/regions', 'get', '200', (api) => api.regions()],
    ['/v2/sizes', 'get', '200', (api) => api.sizes()],
    ['/v2/images/{image_id}', 'get', '200', (api) => api.image('1')],
    ['/v2/droplets', 'get', '200', (api) => api.droplets()],
    ['/v2/droplets/{droplet_id}', 'get', '200', (api) => api.droplet(1)],
    ['/v2/droplets', 'post', '202', (api) => api.create(ORDER)],
    ['/v2/actions/{action_id}', 'get', '200', (api) => api.action(1)],
  ];
  for (const [path, verb, status, call] of cases)
    for (const body of bodiesOf(path, verb, status)) {
      // Several droplets at once are never asked for.
      if (verb === 'post' && !('droplet' in (body as object))) continue;
      const { api } = await open(t, (res, n) =>
        n > 2 ? oops(res, 404, 'too many') : json(res, Number(status), body),
      );
      const found = await call(api);
      assert.ok(Array.isArray(found) ? found.length > 0 : found !== undefined, `${verb} ${path}`);
    }
});
