/** What a run that was cut off left in doubt: creates without an answer, and droplets that no list shows yet. */
import type { Droplet } from './api.ts';
import { LAG, LOOKS, type Looking, lookFor } from './create.ts';
import { madeBy } from './own.ts';
import type { Entry } from './saved.ts';

/** Seconds after its create in which a droplet may be unknown to the API that has accepted it. */
const YOUNG = 120;

export interface Recovered {
  /** All entries; those of creates without an answer with the numbers of the droplets that they made, and who was seen. */
  entries: Entry[];
  /** The list, and those on record that it lacked. */
  droplets: Droplet[];
  /** Accepted a short while ago, and not to be seen: they are not gone. */
  unseen: Entry[];
  /** Asked for a short while ago, without an answer, and not to be seen: whether they were made is not known. */
  doubtful: Entry[];
}

interface Recovering extends Omit<Looking, 'known'> {
  mark: string;
  /** Unix seconds. */
  now: () => number;
}

const isYoung = ({ asked, seen }: Entry, now: number): boolean => seen !== true && now - asked < YOUNG;

/** The droplet of an entry that no list shows; undefined where it is gone. */
async function byNumber(entry: Entry, { api, pause, now }: Recovering): Promise<Droplet | undefined> {
  for (const seconds of isYoung(entry, now()) ? LOOKS : [0]) {
    await pause(seconds);
    const droplet = await api.droplet(Number(entry.id));
    if (droplet !== undefined) return droplet;
  }
  return undefined;
}

/** An entry whose create had no answer, with the number of the droplet that it made, where it made one. */
async function answer(
  entry: Entry,
  droplets: readonly Droplet[],
  recorded: ReadonlySet<number | undefined>,
  { api, pause, mark, now }: Recovering,
): Promise<Entry> {
  const asked = { ...entry, mark };
  const made = madeBy(asked, droplets, recorded);
  if (made[0] !== undefined) return made.length === 1 ? { ...entry, id: made[0].id } : entry;
  if (now() - entry.asked > LAG) return entry;
  const late = await lookFor(asked, { api, pause, known: recorded });
  return late === undefined ? entry : { ...entry, id: late.id };
}

/** Asks by number for what the list lacks, and looks for the droplets of creates that were never answered. */
export async function recover(
  entries: readonly Entry[],
  droplets: readonly Droplet[],
  recovering: Recovering,
): Promise<Recovered> {
  const recorded = new Set(entries.map(({ id }) => id));
  const there = new Set(droplets.map(({ id }) => id));
  const missing = entries.filter(({ id }) => id !== undefined && !there.has(id));
  const [found, answered] = await Promise.all([
    Promise.all(missing.map((entry) => byNumber(entry, recovering))),
    Promise.all(
      entries.map((entry) =>
        entry.id === undefined ? answer(entry, droplets, recorded, recovering) : entry,
      ),
    ),
  ]);
  const all = [...droplets, ...found.filter((one) => one !== undefined)];
  const visible = new Set(all.map(({ id }) => id));
  return {
    entries: answered.map((entry) => (visible.has(entry.id ?? 0) ? { ...entry, seen: true } : entry)),
    droplets: all,
    unseen: missing.filter((entry, i) => found[i] === undefined && isYoung(entry, recovering.now())),
    doubtful: answered.filter((entry) => entry.id === undefined && isYoung(entry, recovering.now())),
  };
}
