/** Deletes a project's droplets, those that it knows by their tag and those on record here, and forgets their addresses. */
import { canAsk, confirm } from '../ask.ts';
import { EXIT, Fault, paint } from '../cli.ts';
import type { Config } from '../config.ts';
import type { CloudApi, Droplet } from '../digitalocean/api.ts';
import { madeBy } from '../digitalocean/create.ts';
import { hasTag } from '../digitalocean/plan.ts';
import { ageText, costSoFar, spent } from '../digitalocean/price.ts';
import { removeAll } from '../digitalocean/remove.ts';
import { type Entry, openSaved, type Saved } from '../digitalocean/saved.ts';
import { statusLine } from '../progress.ts';
import { nearest } from '../text.ts';
import { aloneWith, type CloudOptions, clock, openApi, readConfig, unixNow } from './cloud.ts';
import { forgetHosts, worst } from './own-hosts.ts';
import { table } from './plan-lines.ts';

export interface TearDownOptions extends CloudOptions {
  /** Do not ask. */
  yes: boolean;
  /** Only list. */
  check: boolean;
  /** Names or numbers of the only droplets that are meant. */
  limit?: string[];
}

/** Seconds that DigitalOcean may take to carry the deletions out. */
const PATIENCE = 300;

/** Seconds after which a create that was never answered, and whose droplet is not there, has made none. */
const IN_DOUBT = 600;

interface Found {
  droplets: Droplet[];
  /** Entries whose droplets are gone already. */
  gone: Entry[];
}

/** The project's droplets: by tag, by number, and by name where a create was never answered. */
async function find(api: CloudApi, { tag }: Config, saved: Saved): Promise<Found> {
  const all = await api.droplets();
  const numbers = new Set(saved.entries.map(({ id }) => id));
  const unanswered = saved.entries.filter(({ id }) => id === undefined);
  const lost = unanswered.flatMap((entry) => madeBy(entry, all, numbers));
  const droplets = all.filter((one) => hasTag(one, tag) || numbers.has(one.id) || lost.includes(one));
  const there = new Set(all.map(({ id }) => id));
  const missing = saved.entries.filter(({ id }) => id !== undefined && !there.has(id));
  // A list may lag behind: a droplet counts as gone only where it says so itself.
  const late = await Promise.all(missing.map(async ({ id }) => api.droplet(Number(id))));
  const never = unanswered.filter(
    (entry) => unixNow() - entry.asked > IN_DOUBT && !lost.some(({ name }) => name === entry.name),
  );
  const gone = [...missing.filter((_, i) => late[i] === undefined), ...never];
  return { droplets: [...droplets, ...late.filter((one) => one !== undefined)], gone };
}

/** Those that are meant; a Fault for a word that is none of them. */
function limitTo({ droplets, gone }: Found, words: readonly string[] = []): Found {
  const limit = words.flatMap((word) => word.split(',')).filter((word) => word !== '');
  if (words.length === 0) return { droplets, gone };
  const called = [...droplets, ...gone].flatMap(({ id, name }) => [name, String(id)]);
  const unknown = limit.find((word) => !called.includes(word));
  if (unknown !== undefined) {
    const meant = nearest(unknown, called);
    throw new Fault({
      at: `--limit ${unknown}`,
      what: `no droplet of this project has this name or number${meant === undefined ? '' : `; did you mean ${meant}?`}`,
      next: 'npx zx scripts/teardown.ts --check lists them',
    });
  }
  const isMeant = ({ id, name }: { id?: number | undefined; name: string }): boolean =>
    limit.includes(name) || limit.includes(String(id));
  return { droplets: droplets.filter(isMeant), gone: gone.filter(isMeant) };
}

function listLines(droplets: readonly Droplet[], saved: Saved): string[] {
  const now = unixNow();
  const recorded = new Set(saved.entries.map(({ id }) => id));
  const costs = droplets.map(({ created, priceHourly }) => costSoFar(now - created, priceHourly));
  const rows = droplets.map((droplet, i) => [
    droplet.name,
    String(droplet.id),
    droplet.region,
    droplet.size,
    droplet.address ?? '-',
    ageText(now - droplet.created),
    spent(costs[i] ?? 0),
    recorded.has(droplet.id) ? '' : 'not made from this hosts.ini',
  ]);
  const total = costs.reduce((sum, cost) => sum + cost, 0);
  return [
    ...table([['NAME', 'NUMBER', 'REGION', 'SIZE', 'ADDRESS', 'AGE', 'COST SO FAR', ''], ...rows]),
    `  ${droplets.length} in all, ${spent(total)} so far`,
  ];
}

async function requireYes(count: number, { yes, config }: TearDownOptions): Promise<void> {
  if (yes) return;
  if (!canAsk())
    throw new Fault({
      what: `${count} droplets are to be deleted, and there is no terminal to ask on`,
      next: `run it in a terminal, or add --yes; what it deletes is listed above (tag in ${config})`,
    });
  if (
    await confirm(
      `Delete ${count === 1 ? 'this droplet' : `these ${count} droplets`} with all that is on ${count === 1 ? 'it' : 'them'}?`,
    )
  )
    return;
  throw new Fault({ what: 'nothing was deleted' });
}

/** Takes what is gone out of hosts.ini, known_hosts and the record, in this order: what is cut off is done next time. */
function forget(gone: readonly Entry[], saved: Saved, inventory: string): void {
  for (const line of forgetHosts(inventory, gone))
    console.log(`${paint.yellow('changed:')} [${inventory}] ${line}`);
  for (const { name, id } of gone) if (saved.find(name)?.id === id) saved.drop(name);
}

/** What the record has of a droplet, or what it would have: its line in hosts.ini is known by its address. */
function entryOf({ id, name, region, created, address }: Droplet, saved: Saved): Entry {
  const entry = saved.find(name);
  if (entry !== undefined && (entry.id === id || entry.id === undefined)) return { ...entry, id };
  return { id, name, region, group: 'vpn', asked: created, ...(address === undefined ? {} : { address }) };
}

async function carryOut(
  api: CloudApi,
  droplets: readonly Droplet[],
  saved: Saved,
  { inventory }: TearDownOptions,
): Promise<number> {
  const status = statusLine();
  const names = new Map(droplets.map(({ id, name }) => [id, name]));
  for (const name of names.values()) status.set(name, 'being deleted');
  const gone = new Set<number>();
  const failed = await removeAll(droplets, {
    api,
    timeout: PATIENCE,
    ...clock,
    onGone: (id) => {
      const name = names.get(id) ?? '';
      gone.add(id);
      status.set(name, undefined);
      status.print([`${paint.yellow('changed:')} [${name}] droplet ${id} is gone`]);
    },
  });
  for (const name of names.values()) status.set(name, undefined);
  const entries = droplets.filter(({ id }) => gone.has(id)).map((droplet) => entryOf(droplet, saved));
  forget(entries, saved, inventory);
  for (const fault of failed.values())
    console.log(`${paint.red('failed:')} ${fault.message}\n      next: ${fault.next}`);
  console.log(`\n${gone.size} droplets deleted${failed.size > 0 ? `, ${failed.size} not` : ''}.`);
  return worst([...failed.values()]);
}

/** Lists, asks, deletes, and waits until they are gone; the exit code. */
export async function tearDown(options: TearDownOptions): Promise<number> {
  const config = readConfig(options.config);
  const status = statusLine();
  const api = openApi(config, options, (line) => status.set('DigitalOcean', line));
  return aloneWith(options.inventory, async () => {
    const saved = openSaved(options.inventory);
    const { droplets, gone } = limitTo(await find(api, config, saved), options.limit);
    status.set('DigitalOcean', undefined);
    if (droplets.length > 0) {
      console.log(paint.bold(`DROPLETS (tag ${config.tag})`));
      for (const line of listLines(droplets, saved)) console.log(line);
    }
    if (options.check) {
      if (droplets.length === 0)
        console.log(`There is no droplet with the tag ${config.tag}, and none on record.`);
      return EXIT.ok;
    }
    if (droplets.length > 0) await requireYes(droplets.length, options);
    forget(gone, saved, options.inventory);
    if (droplets.length > 0) return carryOut(api, droplets, saved, options);
    console.log(`There is no droplet with the tag ${config.tag}, and none on record; nothing to delete.`);
    return EXIT.ok;
  });
}
