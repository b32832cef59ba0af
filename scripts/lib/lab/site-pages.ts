/** What the lab's web sites hold: the same bytes every time, and none that could be compressed away. */
import { createCipheriv, createHash } from 'node:crypto';
import { crc32, deflateSync } from 'node:zlib';
import type { SiteName } from './sites.ts';

/** A file's path below its site's folder, with what is in it. */
export type Page = readonly [path: string, content: string | Buffer];

/** So many bytes that look random, and are always those of this seed. */
export function noise(seed: string, length: number): Buffer {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** A grey picture of noise, `side` × `side`, of about side² bytes. */
export function picture(seed: string, side: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  // Eight bits, grey.
  header[8] = 8;
  const rows = noise(seed, (side + 1) * side);
  // Each row begins with its filter, which is none.
  for (let row = 0; row < side; row++) rows[row * (side + 1)] = 0;
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 0 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

const comment = (seed: string, bytes: number): string =>
  `/* ${noise(seed, Math.ceil((bytes * 3) / 4)).toString('base64url')} */\n`;

const script = (name: string, bytes: number): string =>
  `window.came = [...(window.came ?? []), ${JSON.stringify(name)}];\n${comment(name, bytes)}`;

const style = (name: string, bytes: number): string =>
  `.${name} { border: 1px solid; margin: 2px; }\n${comment(name, bytes)}`;

const page = (title: string, head: readonly string[], body: readonly string[]): string =>
  [
    '<!doctype html>',
    '<html lang="en">',
    `<head><meta charset="utf-8"><title>${title}</title>`,
    ...head,
    '</head>',
    '<body>',
    `<h1>${title}</h1>`,
    ...body,
    '</body>',
    '</html>',
    '',
  ].join('\n');

// Else a browser asks for /favicon.ico when it likes to.
const NO_ICON = '<link rel="icon" href="data:,">';
const sheet = (path: string): string => `<link rel="stylesheet" href="/${path}">`;

const www = (): Page[] => [
  [
    'index.html',
    page(
      'CoMPS lab',
      [],
      [
        "<p>This site stands at the far end of the lab's network.</p>",
        '<ul>',
        '<li><a href="/ip">/ip</a>: the address that your request came from</li>',
        '<li><a href="/1m">/1m</a>, <a href="/10m">/10m</a>, <a href="/100m">/100m</a>: files of 1, 10 and 100 MiB</li>',
        '<li><a href="https://small.example.org/">small</a>, <a href="https://many.example.org/">many</a>,',
        '<a href="https://large.example.org/">large</a>: pages of 5 kB, of 60 files, and of 8 MB</li>',
        '</ul>',
      ],
    ),
  ],
];

const WORDS =
  'A page of a few lines and one style sheet, as a test of what little traffic looks like on several paths. ';

const small = (): Page[] => [
  ['index.html', page('Small', [NO_ICON, sheet('small.css')], [`<p class="small">${WORDS.repeat(20)}</p>`])],
  ['small.css', style('small', 1500)],
];

/** From 1 to 40 kB, in no order, the same for each number every time. */
const sizeOf = (index: number): number => 1000 + ((index * 17) % 40) * 1000;

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

/** Its parts: 4 style sheets, 8 scripts, 48 pictures. */
function many(): Page[] {
  const styles = numbers(4).map((n): Page => [`style${n}.css`, style(`style${n}`, sizeOf(n) / 2)]);
  const scripts = numbers(8).map((n): Page => [`script${n}.js`, script(`script${n}`, sizeOf(n + 10))]);
  const pictures = numbers(48).map(
    (n): Page => [`picture${n}.png`, picture(`many ${n}`, Math.round(Math.sqrt(sizeOf(n))))],
  );
  const html = page(
    'Many',
    [
      NO_ICON,
      ...styles.map(([path]) => sheet(path)),
      ...scripts.slice(0, 4).map(([path]) => `<script src="/${path}"></script>`),
    ],
    [
      ...pictures.map(([path]) => `<img src="/${path}" alt="${path}">`),
      ...scripts.slice(4).map(([path]) => `<script async src="/${path}"></script>`),
    ],
  );
  return [['index.html', html], ...styles, ...scripts, ...pictures];
}

/** The side of a picture of 8 MB. */
const LARGE = 2828;

const large = (): Page[] => [
  ['index.html', page('Large', [NO_ICON], ['<img src="/large.png" alt="noise" width="400" height="400">'])],
  ['large.png', picture('large', LARGE)],
];

/** All files of a site but those that are mere holes. */
export const pagesOf = (site: SiteName): Page[] => ({ www, small, many, large })[site]();
