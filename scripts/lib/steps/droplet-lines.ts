/** The project's droplets as lines for a person. */
import { paint } from '../cli.ts';
import type { Droplet } from '../digitalocean/api.ts';
import { ageText, costSoFar, spent } from '../digitalocean/price.ts';
import type { Entry, Saved } from '../digitalocean/saved.ts';
import { unixNow } from './cloud.ts';
import { table } from './plan-lines.ts';
import { numbered } from './whose-account.ts';

/** `1 droplet`, `3 droplets`. */
export const counted = (count: number): string => `${count} droplet${count === 1 ? '' : 's'}`;

function rowsOf(droplets: readonly Droplet[], saved: Saved): string[][] {
  const recorded = new Set(saved.entries.map(({ id }) => id));
  return droplets.map(({ id, name, region, size, address, created, priceHourly }) => {
    const age = unixNow() - created;
    const whose = recorded.has(id) ? '' : 'not made from this hosts.ini';
    return [
      name,
      String(id),
      region,
      size,
      address ?? '-',
      ageText(age),
      spent(costSoFar(age, priceHourly)),
      whose,
    ];
  });
}

/** A table with age and cost so far, or that there is none; and those on record that are gone, or have another project's tags. */
export function dropletLines(
  droplets: readonly Droplet[],
  others: readonly Droplet[],
  gone: readonly Entry[],
  saved: Saved,
  tag: string,
): string[] {
  const total = droplets
    .map(({ created, priceHourly }) => costSoFar(unixNow() - created, priceHourly))
    .reduce((sum, cost) => sum + cost, 0);
  const titles = ['NAME', 'NUMBER', 'REGION', 'SIZE', 'ADDRESS', 'AGE', 'COST SO FAR', ''];
  const list =
    droplets.length === 0
      ? [
          `There is no droplet with the tag ${tag}${saved.entries.length === 0 ? ', and none on record' : ''}.`,
        ]
      : [
          paint.bold(`DROPLETS (tag ${tag})`),
          ...table([titles, ...rowsOf(droplets, saved)]),
          `  ${droplets.length} in all, ${spent(total)} so far`,
        ];
  const notices = others.map(
    ({ id, name, tags }) =>
      `${paint.cyan('notice:')} the droplet ${name} (${id}) is on record here, and has the tags ${tags.join(', ')}, not ${tag}: it is left alone; to delete it, write its project's tag into config.cfg`,
  );
  const lost = numbered(gone);
  const missing = lost.length === 0 ? [] : [`On record, and not in this account: ${lost.join(', ')}.`];
  return [...list, ...missing, ...notices];
}
