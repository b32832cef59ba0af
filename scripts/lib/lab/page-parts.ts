/** What the pages of the lab's web sites are made of: the same bytes every time, and none that could be compressed away. */
import { createCipheriv, createHash } from 'node:crypto';
import { crc32, deflateSync } from 'node:zlib';

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

export const script = (name: string, bytes: number): string =>
  `window.came = [...(window.came ?? []), ${JSON.stringify(name)}];\n${comment(name, bytes)}`;

export const style = (name: string, bytes: number): string =>
  `.${name} { border: 1px solid; margin: 2px; }\n${comment(name, bytes)}`;

export const page = (title: string, head: readonly string[], body: readonly string[]): string =>
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
export const NO_ICON = '<link rel="icon" href="data:,">';
export const sheet = (path: string): string => `<link rel="stylesheet" href="/${path}">`;

/** From 1 to 40 kB, in no order, the same for each number every time. */
export const sizeOf = (index: number): number => 1000 + ((index * 17) % 40) * 1000;

export const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
