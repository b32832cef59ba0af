/** Whether a record's droplets are of the account that the token names: to any other one, all of them look gone. */
import { Fault } from '../cli.ts';
import { type Account, type CloudApi, type Droplet, NotPermitted } from '../digitalocean/api.ts';
import type { Entry, Saved } from '../digitalocean/saved.ts';
import { quoteAll } from '../shell.ts';

/** Undefined where the token may not ask that: it lacks the scope account:read. */
export const accountOf = (api: CloudApi): Promise<Account | undefined> =>
  api.account().catch((error: unknown) => {
    if (error instanceof NotPermitted) return undefined;
    throw error;
  });

/** A Fault where the droplets on record were made with another account. */
export function requireSameAccount(inventory: string, saved: Saved, account: Account | undefined): void {
  const { entries, file } = saved;
  if (entries.length === 0 || saved.account === undefined) return;
  if (account?.id === undefined || account.id === saved.account) return;
  const now = account.team === undefined ? '' : ` (team ${account.team})`;
  throw new Fault({
    at: inventory,
    what: `its droplets (${entries.map(({ name }) => name).join(', ')}) were made with another account of DigitalOcean than this token’s${now}`,
    next: `export DO_TOKEN=… of that account, and see what --api-url and DIGITALOCEAN_API_URL say; only where that account has none of them any more: ${quoteAll(['rm', file])}`,
  });
}

/** Records of before have no account: it is the one that shows a droplet of theirs. */
export function bindSeen(saved: Saved, account: Account | undefined, droplets: readonly Droplet[]): void {
  if (account?.id === undefined) return;
  const ids = new Set(droplets.map(({ id }) => id));
  if (saved.entries.some(({ id }) => id !== undefined && ids.has(id))) saved.bind(account.id);
}

/** `wgnet1 (515000001)`, of those that were made. */
export const numbered = (entries: readonly Entry[]): string[] =>
  entries.flatMap(({ name, id }) => (id === undefined ? [] : [`${name} (${id})`]));
