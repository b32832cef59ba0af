/** Which droplets of an account are this project's: by their tags and numbers, never by a name alone. */
import type { Droplet } from './api.ts';
import type { Entry } from './saved.ts';

/** Whether a droplet has a tag; DigitalOcean's tags know no case. */
export const hasTag = ({ tags }: Droplet, tag: string): boolean =>
  tags.some((one) => one.toLowerCase() === tag.toLowerCase());

export interface Split {
  own: Droplet[];
  /** On record here, and by their tags another project's: config.cfg's `tag` was changed, or the record was copied. */
  others: Droplet[];
}

/** Those that have the project's tag, and those on record that have no tag at all: a create may lose its tags. */
export function splitOwn(droplets: readonly Droplet[], tag: string, entries: readonly Entry[]): Split {
  const recorded = new Set(entries.map(({ id }) => id));
  const own = droplets.filter((one) => hasTag(one, tag) || (recorded.has(one.id) && one.tags.length === 0));
  return { own, others: droplets.filter((one) => recorded.has(one.id) && !own.includes(one)) };
}

/** By what a droplet is known whose create nobody answered. */
export interface Asked {
  name: string;
  region: string;
  /** The tag of all droplets that were asked for from one hosts.ini. */
  mark: string;
}

/** Those of these droplets that an unanswered create has made; `known` are numbers of others. */
export const madeBy = (
  { name, region, mark }: Asked,
  droplets: readonly Droplet[],
  known: ReadonlySet<number | undefined>,
): Droplet[] =>
  droplets.filter(
    (one) => one.name === name && one.region === region && !known.has(one.id) && hasTag(one, mark),
  );

/** Droplets of the same name and region more than once, with their numbers. */
export function doubles(droplets: readonly Droplet[]): { name: string; region: string; ids: number[] }[] {
  const groups = new Map<string, Droplet[]>();
  for (const one of droplets) {
    const key = `${one.name} ${one.region}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()]
    .filter((group) => group.length > 1)
    .map((group) => ({
      name: group[0]?.name ?? '',
      region: group[0]?.region ?? '',
      ids: group.map(({ id }) => id),
    }));
}
