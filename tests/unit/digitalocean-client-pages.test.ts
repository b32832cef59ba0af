import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dropletBody, failure, json, open } from '../digitalocean-server.ts';

const droplets = (from: number, to: number): object[] =>
  Array.from({ length: to - from + 1 }, (_, i) => dropletBody(from + i));

const pageOf = (url: string): number => Number(new URLSearchParams(url.split('?')[1]).get('page'));

test('lists are read to their end, whatever of total and links is there', async (t) => {
  for (const signs of ['both', 'total', 'links', 'neither']) {
    const pages = [droplets(1, 200), droplets(201, 400), droplets(401, 450)];
    const { api, seen } = await open(t, (res, _n, { url }) => {
      const page = pageOf(url);
      const total = ['both', 'total'].includes(signs) ? { meta: { total: 450 } } : {};
      const next = page < 3 ? { next: 'https://api.digitalocean.com/v2/droplets?page=x' } : { first: 'x' };
      const links = ['both', 'links'].includes(signs) ? { links: { pages: next } } : {};
      json(res, 200, { droplets: pages[page - 1] ?? [], ...total, ...links });
    });
    const found = await api.droplets();
    assert.deepEqual(
      found.map(({ id }) => id),
      Array.from({ length: 450 }, (_, i) => i + 1),
      signs,
    );
    assert.ok(seen.length <= 4, signs);
  }
});

test('a list that changes while it is read has each droplet once, and misses none', async (t) => {
  // One of the first page is deleted after it was read: droplet 201 moves there, and the second page begins at 202.
  const { api, seen } = await open(t, (res, n, { url }) => {
    const all = n === 1 ? droplets(1, 250) : droplets(2, 250);
    const from = (pageOf(url) - 1) * 200;
    json(res, 200, { droplets: all.slice(from, from + 200), meta: { total: all.length } });
  });
  assert.deepEqual(
    (await api.droplets()).map(({ id }) => id),
    Array.from({ length: 249 }, (_, i) => i + 2),
  );
  assert.equal(seen.length, 4);

  // One is made meanwhile: the last of the first page is seen again on the second.
  const grown = await open(t, (res, n, { url }) => {
    const all = n === 1 ? droplets(2, 250) : droplets(1, 250);
    const from = (pageOf(url) - 1) * 200;
    json(res, 200, { droplets: all.slice(from, from + 200), meta: { total: all.length } });
  });
  const ids = (await grown.api.droplets()).map(({ id }) => id);
  assert.deepEqual(
    ids.toSorted((a, b) => a - b),
    Array.from({ length: 250 }, (_, i) => i + 1),
  );
});

test('pages without end are nonsense, and the same page for ever is the last', async (t) => {
  const next = { pages: { next: 'x' } };
  const endless = await open(t, (res, _n, { url }) =>
    json(res, 200, { droplets: [dropletBody(pageOf(url))], links: next }),
  );
  assert.match((await failure(endless.api.droplets())).message, /100 pages were read/);
  assert.equal(endless.seen.length, 100);
  const same = await open(t, (res) => json(res, 200, { droplets: [dropletBody(1)], links: next }));
  assert.equal((await same.api.droplets()).length, 1);
  assert.equal(same.seen.length, 2);
});
