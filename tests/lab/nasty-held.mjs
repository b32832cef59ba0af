/** The part that nasty-site.mjs's page /held waits for. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const BYTES = 1.5e6;

/** Writes 1.5 MB of a style sheet at once, and ends it when there is a file `open-GATE` beside this one. */
export function hold(response, gate) {
  response.writeHead(200, { 'content-type': 'text/css', 'cache-control': 'no-store' });
  response.write(' '.repeat(BYTES));
  const file = join(HERE, `open-${gate.replaceAll(/\W/g, '')}`);
  const timer = setInterval(() => existsSync(file) && response.end(), 20);
  response.on('close', () => clearInterval(timer));
}
