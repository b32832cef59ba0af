import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync, inflateSync } from 'node:zlib';
import { noise, picture } from '../../scripts/lib/lab/page-parts.ts';
import { QUIC_SITE, SITE } from '../../scripts/lib/lab/roles.ts';
import { pagesOf } from '../../scripts/lib/lab/site-pages.ts';
import { nginxConf, resolverWords, SITE_NAMES, SITES, type SiteName } from '../../scripts/lib/lab/sites.ts';

const names = Object.keys(SITES) as SiteName[];
const filesOf = (site: SiteName) => new Map(pagesOf(site));
const bytesOf = (site: SiteName): number =>
  pagesOf(site).reduce((sum, [, content]) => sum + Buffer.byteLength(content), 0);

test('every name is one that the server, the resolver and nobody twice answers to', () => {
  assert.equal(new Set(SITE_NAMES).size, SITE_NAMES.length);
  const records = resolverWords().filter((word) => word.startsWith('--host-record='));
  const answered = records.flatMap((word) => word.replace('--host-record=', '').split(','));
  assert.deepEqual(answered.toSorted(), [...SITE_NAMES, SITE, QUIC_SITE].toSorted());
  for (const name of SITE_NAMES) {
    assert.match(nginxConf(), new RegExp(`server_name [^;]*\\b${name.replaceAll('.', '\\.')}\\b`));
  }
  assert.equal(nginxConf().match(/listen \S+:80;|listen \S+:80 default_server;/g)?.length, names.length);
  assert.equal(nginxConf().match(/:443 ssl/g)?.length, names.length);
});

test('what a page links to is there, every time the same', () => {
  for (const site of names) {
    assert.deepEqual(pagesOf(site), pagesOf(site));
    const files = filesOf(site);
    const pages = [...files].filter(([path]) => path.endsWith('.html'));
    const html = pages.map(([, content]) => String(content)).join('');
    const parts = [...html.matchAll(/(?:src|rel="stylesheet" href)="\/([^"]+)"/g)].map(
      ([, path = '']) => path,
    );
    for (const path of parts) assert.ok(files.has(path), path);
    assert.equal(parts.length, files.size - pages.length, site);
  }
});

test('three sizes: a few kilobytes; sixty files of 1 to 40 kB; eight megabytes', () => {
  assert.ok(bytesOf('small') > 3000 && bytesOf('small') < 8000);
  const sizes = pagesOf('many')
    .slice(1)
    .map(([, content]) => Buffer.byteLength(content));
  assert.equal(sizes.length, 60);
  assert.ok(Math.min(...sizes) >= 1000 && Math.max(...sizes) <= 42_000 && new Set(sizes).size > 30);
  assert.ok(bytesOf('large') > 8e6 && bytesOf('large') < 8.1e6);
});

test('noise is the same for a seed, another for another, and does not shrink', () => {
  assert.deepEqual(noise('a', 1000), noise('a', 1000));
  assert.notDeepEqual(noise('a', 1000), noise('b', 1000));
  assert.deepEqual(noise('a', 2000).subarray(0, 1000), noise('a', 1000));
  assert.ok(deflateSync(noise('a', 100_000)).length > 99_000);
});

test('a picture is a PNG with as many rows as it says', () => {
  const png = picture('x', 16);
  assert.equal(png.subarray(1, 4).toString('latin1'), 'PNG');
  const [begin, end] = [png.indexOf('IDAT'), png.indexOf('IEND')];
  const rows = inflateSync(png.subarray(begin + 4, end - 8));
  assert.equal(rows.length, 17 * 16);
  for (let row = 0; row < 16; row++) assert.equal(rows[row * 17], 0);
});
