/** What provisioning and tear-down share: the account that config.cfg names, and one of them at a time. */
import { basename, dirname, join } from 'node:path';
import { Fault, paint } from '../cli.ts';
import { type Config, secretOf } from '../config.ts';
import type { CloudApi } from '../digitalocean/api.ts';
import { createApi } from '../digitalocean/client.ts';
import { DIGITALOCEAN } from '../digitalocean/endpoint.ts';
import type { Entry, Saved } from '../digitalocean/saved.ts';
import { realPath } from '../files.ts';
import { withLock } from '../lock.ts';
import { pause } from '../poll.ts';
import { hasTerminal, type StatusLine } from '../progress.ts';
import { quote } from '../shell.ts';
import type { ConfigFlags } from './read-config.ts';

/** Another API than DigitalOcean's own, as its other tools have it; --api-url weighs more. */
const ENDPOINT_VARIABLE = 'DIGITALOCEAN_API_URL';

/** Seconds for which one call of the API may be tried again. */
const PATIENCE = 120;

export interface CloudOptions extends ConfigFlags {
  inventory: string;
  config: string;
  apiUrl?: string | undefined;
}

/** An account as config.cfg and the command line name it. */
export interface Account {
  api: CloudApi;
  /** Holds the token: never to be shown. */
  lock: string;
}

/** Tells what the API is waited for. Where no status line is seen the first wait is a line: minutes without a word look like a hang. */
export function tellWaits(status: Pick<StatusLine, 'set' | 'print'>, seen = hasTerminal()) {
  let told = seen;
  return (line: string): void => {
    status.set('DigitalOcean', line);
    if (told) return;
    told = true;
    status.print([`${paint.cyan('waiting:')} [DigitalOcean] ${line} (each call may take ${PATIENCE} s)`]);
  };
}

/** The account's API; a Fault where config.cfg has no token, or names a variable that is not set. */
export function openAccount(
  { token: reference, tag }: Config,
  { config: file, apiUrl }: CloudOptions,
  status: StatusLine,
): Account {
  if (reference === undefined)
    throw new Fault({
      at: file,
      what: 'has no token, by which DigitalOcean knows you',
      next: `add the line \`token: $DO_TOKEN\` to ${file}, and export DO_TOKEN=… in this shell`,
    });
  const endpoint = apiUrl ?? (process.env[ENDPOINT_VARIABLE]?.trim() || DIGITALOCEAN);
  const token = secretOf(reference, process.env);
  const api = createApi({ endpoint, token, patience: PATIENCE, onWait: tellWaits(status) });
  return { api, lock: `account ${endpoint} ${token.reveal()} ${tag.toLowerCase()}` };
}

/** One provisioning or tear-down of a hosts.ini at a time, and of an account's project: of this computer, at least. */
export function aloneWith<T>(inventory: string, account: Account, work: () => Promise<T>): Promise<T> {
  const folder = dirname(inventory);
  const next = `mkdir -p ${quote(folder)}, or name another hosts.ini by -i`;
  const path = join(realPath(folder, next), basename(inventory));
  const busy = (where: string) => (): never => {
    throw new Fault({
      at: inventory,
      what: `another provision, teardown or main is at work ${where}`,
      next: 'wait until it has ended; `pgrep -af scripts/` shows it',
    });
  };
  return withLock(`inventory ${path}`, busy('on it'), () =>
    withLock(account.lock, busy("on this project's droplets, from another folder"), work),
  );
}

/** This machine's clock for what is waited for, in seconds. */
export const clock = {
  now: (): number => performance.now() / 1000,
  pause: (seconds: number): Promise<void> => pause(seconds * 1000),
};

/** Writes what was found of entries in doubt. */
export function keepFound(saved: Saved, entries: readonly Entry[]): void {
  for (const entry of entries) {
    const before = saved.find(entry.name);
    if (entry.id !== before?.id || entry.seen !== before?.seen) saved.put(entry);
  }
}

/** How droplets in doubt are looked for. */
export const recovering = (api: CloudApi, { mark }: Saved) => ({
  api,
  mark,
  pause: clock.pause,
  now: unixNow,
});

export const unixNow = (): number => Date.now() / 1000;
