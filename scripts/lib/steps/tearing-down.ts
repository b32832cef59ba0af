/** Deletes a project's droplets, those that it knows by their tag and those on record here, and forgets their addresses. */
import { canAsk, confirm } from '../ask.ts';
import { EXIT, Fault, paint } from '../cli.ts';
import type { Config } from '../config.ts';
import type { CloudApi, Droplet } from '../digitalocean/api.ts';
import { splitOwn } from '../digitalocean/own.ts';
import { recover } from '../digitalocean/recover.ts';
import { removeAll } from '../digitalocean/remove.ts';
import { type Entry, openSaved, type Saved } from '../digitalocean/saved.ts';
import { findHost } from '../inventory.ts';
import { type StatusLine, statusLine } from '../progress.ts';
import { nearest } from '../text.ts';
import { aloneWith, type CloudOptions, clock, keepFound, openAccount, recovering } from './cloud.ts';
import { counted, dropletLines } from './droplet-lines.ts';
import { forgetHosts, inventoryText, worst } from './own-hosts.ts';
import { readConfig } from './read-config.ts';
import { accountOf, bindSeen, numbered, requireSameAccount } from './whose-account.ts';

export interface TearDownOptions extends CloudOptions {
  /** Do not ask. */
  yes: boolean;
  /** Only list. */
  check: boolean;
  /** Names or numbers of the only droplets that are meant; each text may hold several, by commas. */
  limit?: string[];
}

/** Seconds that DigitalOcean may take to carry the deletions out. */
const PATIENCE = 300;

interface Found {
  droplets: Droplet[];
  /** Entries whose droplets are gone already, or were never made. */
  gone: Entry[];
  /** Entries of droplets that were accepted, or asked for, a moment ago, and cannot be seen yet. */
  unseen: Entry[];
  /** On record here, and another project's by their tags. */
  others: Droplet[];
}

/** The project's droplets, by tag and by number; creates without an answer are looked for first. */
async function find(
  api: CloudApi,
  { tag }: Config,
  saved: Saved,
  { check, inventory }: TearDownOptions,
): Promise<Found> {
  const [listed, account] = await Promise.all([api.droplets(), accountOf(api)]);
  requireSameAccount(inventory, saved, account);
  const found = await recover(saved.entries, listed, recovering(api, saved));
  const { entries, droplets } = found;
  const unseen = [...found.unseen, ...found.doubtful];
  // On record before it is deleted, so that the entry goes with it.
  if (!check) keepFound(saved, entries);
  if (!check) bindSeen(saved, account, droplets);
  const { own, others } = splitOwn(droplets, tag, entries);
  const there = new Set(droplets.map(({ id }) => id));
  const gone = entries.filter((entry) => !there.has(entry.id ?? 0) && !unseen.includes(entry));
  return { droplets: own, gone, unseen, others };
}

/** Those that are meant; a Fault for a word that is none of them. */
function limitTo(found: Found, words: readonly string[] | undefined): Found {
  if (words === undefined) return found;
  const limit = words.flatMap((word) => word.split(',')).filter((word) => word.trim() !== '');
  const next = 'npx zx scripts/teardown.ts --check lists them';
  if (limit.length === 0) throw new Fault({ at: '--limit', what: 'names no droplet', next });
  const called = [...found.droplets, ...found.gone, ...found.unseen].flatMap(({ id, name }) => [
    name,
    String(id),
  ]);
  const unknown = limit.find((word) => !called.includes(word));
  if (unknown !== undefined) {
    const meant = nearest(unknown, called);
    const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
    throw new Fault({
      at: `--limit ${unknown}`,
      what: `no droplet of this project has this name or number${hint}`,
      next,
    });
  }
  const isMeant = ({ id, name }: { id?: number | undefined; name: string }): boolean =>
    limit.includes(name) || limit.includes(String(id));
  return {
    droplets: found.droplets.filter(isMeant),
    gone: found.gone.filter(isMeant),
    unseen: found.unseen.filter(isMeant),
    others: found.others,
  };
}

/** `lost`: on record, and not in the account; they may be another account's, so nobody forgets them unasked. */
async function requireYes(
  count: number,
  lost: number,
  { yes, config, inventory }: TearDownOptions,
): Promise<void> {
  if (yes || count + lost === 0) return;
  const [these, are, them] =
    count === 1 ? ['this droplet', 'is', 'it'] : [`these ${count} droplets`, 'are', 'them'];
  const others = `${lost} on record that ${lost === 1 ? 'is' : 'are'} not in this account`;
  const tasks = [
    ...(count === 0 ? [] : [`${counted(count)} ${are} to be deleted`]),
    ...(lost === 0 ? [] : [`${others} ${lost === 1 ? 'is' : 'are'} to be forgotten`]),
  ];
  if (!canAsk())
    throw new Fault({
      what: `${tasks.join(', ')}, and there is no terminal to ask on`,
      next: `run it in a terminal, or add --yes; what it ${count === 0 ? 'forgets' : 'deletes'} is listed above (tag in ${config})`,
    });
  const forgetting = `orget the ${others}, with what ${inventory} has of ${lost === 1 ? 'it' : 'them'}`;
  const question =
    count === 0
      ? `F${forgetting}?`
      : `Delete ${these} with all that is on ${them}${lost === 0 ? '' : `, and f${forgetting}`}?`;
  if (await confirm(question)) return;
  throw new Fault({ what: `nothing was ${count === 0 ? 'forgotten' : 'deleted'}` });
}

/** Takes what is gone out of hosts.ini, known_hosts and the record, in this order: what is cut off is done next time. */
function forget(gone: readonly Entry[], saved: Saved, inventory: string): void {
  for (const line of forgetHosts(inventory, gone))
    console.log(`${paint.yellow('changed:')} [${inventory}] ${line}`);
  for (const { name, id } of gone) if (saved.find(name)?.id === id) saved.drop(name);
}

/** What the record has of a droplet, whatever it is called now; else what it would have: its address tells its line. */
function entryOf({ id, name, region, created, address }: Droplet, saved: Saved): Entry {
  const entry = saved.entries.find((one) => one.id === id);
  return (
    entry ?? { id, name, region, group: 'vpn', asked: created, ...(address === undefined ? {} : { address }) }
  );
}

/** Deletes them; what is not gone, as Faults. */
async function remove(
  api: CloudApi,
  droplets: readonly Droplet[],
  saved: Saved,
  inventory: string,
  status: StatusLine,
): Promise<Fault[]> {
  const names = new Map(droplets.map(({ id, name }) => [id, name]));
  for (const [id, name] of names) status.set(`${name} (${id})`, 'being deleted');
  const gone = new Set<number>();
  const onGone = (id: number): void => {
    const name = names.get(id) ?? '';
    gone.add(id);
    status.set(`${name} (${id})`, undefined);
    status.print([`${paint.yellow('changed:')} [${name}] droplet ${id} is gone`]);
  };
  const failed = await removeAll(droplets, { api, timeout: PATIENCE, ...clock, onGone });
  status.end();
  const entries = droplets.filter(({ id }) => gone.has(id)).map((droplet) => entryOf(droplet, saved));
  console.log(`${counted(gone.size)} deleted${failed.size > 0 ? `, ${failed.size} not` : ''}.`);
  try {
    forget(entries, saved, inventory);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    // They are gone nevertheless, so this is no refusal.
    const { message: what, next } = error;
    failed.set(0, new Fault({ what, code: EXIT.failed, ...(next === undefined ? {} : { next }) }));
  }
  return [...failed.values()];
}

const notSeen = ({ name, id }: Entry): Fault =>
  new Fault({
    at: name,
    what:
      id === undefined
        ? 'was asked for a moment ago, no answer came, and whether there is a droplet is not known yet'
        : `the droplet ${id} was accepted a moment ago, and is not to be seen yet: it is not deleted`,
    next: 'run the same command again in a minute; it costs money until it is gone',
    code: EXIT.failed,
  });

/** Lists, asks, deletes, and waits until they are gone; the exit code. */
export async function tearDown(options: TearDownOptions): Promise<number> {
  const { inventory, check } = options;
  const status = statusLine();
  try {
    const config = readConfig(options.config, {}, 'account');
    const account = openAccount(config, options, status);
    return await aloneWith(inventory, account, async () => {
      const saved = openSaved(inventory);
      // A file that cannot be read is refused before anything is deleted.
      for (const { name } of saved.entries) findHost(inventoryText(inventory), inventory, name);
      const found = limitTo(await find(account.api, config, saved, options), options.limit);
      const { droplets, gone, unseen, others } = found;
      status.set('DigitalOcean', undefined);
      for (const line of dropletLines(droplets, others, gone, saved, config.tag)) console.log(line);
      if (!check) await requireYes(droplets.length, numbered(gone).length, options);
      if (!check) forget(gone, saved, inventory);
      const failed =
        check || droplets.length === 0 ? [] : await remove(account.api, droplets, saved, inventory, status);
      const faults = [...failed, ...unseen.map(notSeen)];
      for (const { message, next } of faults)
        console.log(`${paint.red('failed:')} ${message}${next === undefined ? '' : `\n      next: ${next}`}`);
      return worst(faults);
    });
  } finally {
    status.end();
  }
}
