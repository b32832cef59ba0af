/** What provisioning and tear-down share: the account that config.cfg names, and one of them at a time. */
import { basename, dirname, join } from 'node:path';
import { Fault, paint } from '../cli.ts';
import { type Config, parseConfig, secretOf } from '../config.ts';
import type { CloudApi } from '../digitalocean/api.ts';
import { createApi } from '../digitalocean/client.ts';
import { readText, realPath } from '../files.ts';
import { withLock } from '../lock.ts';
import { pause } from '../poll.ts';

/** DigitalOcean's own; another is named by --api-url, or as its other tools have it, by an environment variable. */
const ENDPOINT = 'https://api.digitalocean.com/v2';
const ENDPOINT_VARIABLE = 'DIGITALOCEAN_API_URL';

/** Seconds for which one call of the API may be tried again. */
const PATIENCE = 120;

export interface CloudOptions {
  inventory: string;
  config: string;
  apiUrl?: string | undefined;
}

/** config.cfg, read and judged; its notices are printed. */
export function readConfig(file: string): Config {
  const { config, notices } = parseConfig(
    readText(file, `cp config.cfg.example ${file}, and fill it in`),
    file,
  );
  for (const notice of notices) console.log(`${paint.cyan('notice:')} ${notice}`);
  return config;
}

/** The account's API; a Fault where config.cfg has no token, or names a variable that is not set. */
export function openApi(
  { token }: Config,
  { config: file, apiUrl }: CloudOptions,
  onWait: (line: string) => void,
): CloudApi {
  if (token === undefined)
    throw new Fault({
      at: file,
      what: 'has no token, by which DigitalOcean knows you',
      next: `add the line \`token: $DO_TOKEN\` to ${file}, and export DO_TOKEN=… in this shell`,
    });
  const endpoint = apiUrl ?? (process.env[ENDPOINT_VARIABLE]?.trim() || ENDPOINT);
  return createApi({ endpoint, token: secretOf(token, process.env), patience: PATIENCE, onWait });
}

/** One provisioning or tear-down of a hosts.ini at a time. */
export function aloneWith<T>(inventory: string, work: () => Promise<T>): Promise<T> {
  const path = join(realPath(dirname(inventory)), basename(inventory));
  const busy = (): never => {
    throw new Fault({
      at: inventory,
      what: 'another provision, teardown or main is at work on it',
      next: 'wait until it has ended; `pgrep -af scripts/` shows it',
    });
  };
  return withLock(`inventory ${path}`, busy, work);
}

/** This machine's clock for what is waited for, in seconds. */
export const clock = {
  now: (): number => performance.now() / 1000,
  pause: (seconds: number): Promise<void> => pause(seconds * 1000),
};

export const unixNow = (): number => Date.now() / 1000;
