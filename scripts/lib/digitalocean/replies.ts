/** What is read of DigitalOcean's answers: only the fields that are needed, and those checked. */
import { isIPv4 } from 'node:net';
import { z } from 'zod';
import type { Account, CloudApi, Droplet, Image, Region, Size, SshKey } from './api.ts';

const id = z.int().positive();
const texts = z
  .array(z.string())
  .nullish()
  .transform((list) => list ?? []);

const account = z
  .object({
    status: z.enum(['active', 'warning', 'locked']),
    status_message: z.string().nullish(),
    droplet_limit: z.int().nonnegative(),
    uuid: z.string().nullish(),
    team: z.object({ uuid: z.string().nullish(), name: z.string().nullish() }).nullish(),
  })
  .transform(
    (found): Account => ({
      status: found.status,
      statusMessage: found.status_message ?? '',
      dropletLimit: found.droplet_limit,
      id: found.team?.uuid || found.uuid || undefined,
      team: found.team?.name ?? undefined,
    }),
  );

const sshKey: z.ZodType<SshKey> = z.object({ name: z.string(), fingerprint: z.string() });

const region: z.ZodType<Region> = z.object({
  slug: z.string(),
  name: z.string(),
  available: z.boolean(),
  sizes: texts,
});

const price = z.number().nonnegative();

const size = z
  .object({
    slug: z.string(),
    available: z.boolean(),
    regions: texts,
    price_hourly: price,
    price_monthly: price,
    memory: z.number(),
    vcpus: z.number(),
    disk: z.number(),
  })
  .transform(
    ({ price_hourly, price_monthly, ...rest }): Size => ({
      ...rest,
      priceHourly: price_hourly,
      priceMonthly: price_monthly,
    }),
  );

const image = z
  .object({
    id,
    slug: z.string().nullish(),
    name: z.string(),
    distribution: z.string().nullish(),
    regions: texts,
    // Only images of the user's own pass through other states.
    status: z.enum(['NEW', 'available', 'pending', 'deleted', 'retired']).default('available'),
    min_disk_size: z.number().nullish(),
  })
  .transform(
    ({ min_disk_size, slug, distribution, ...rest }): Image => ({
      ...rest,
      slug: slug ?? null,
      distribution: distribution ?? 'Unknown',
      minDisk: min_disk_size ?? 0,
    }),
  );

/** Absent or empty while the droplet is made; the private address often comes first. */
const networks = z
  .object({ v4: z.array(z.object({ type: z.string(), ip_address: z.string() })).nullish() })
  .nullish()
  .transform((found) => found?.v4?.find(({ type, ip_address }) => type === 'public' && isIPv4(ip_address)))
  .transform((found) => found?.ip_address);

const droplet = z
  .object({
    id,
    name: z.string(),
    region: z.object({ slug: z.string() }),
    size_slug: z.string(),
    size: z.object({ price_hourly: price.nullish() }).nullish(),
    image: z.object({ id, slug: z.string().nullish() }),
    status: z.string(),
    tags: texts,
    created_at: z.iso.datetime({ offset: true }),
    networks,
  })
  .transform(
    (found): Droplet => ({
      id: found.id,
      name: found.name,
      region: found.region.slug,
      size: found.size_slug,
      image: found.image.slug ?? String(found.image.id),
      status: found.status,
      tags: found.tags,
      created: Math.floor(Date.parse(found.created_at) / 1000),
      address: found.networks,
      priceHourly: found.size?.price_hourly ?? 0,
    }),
  );

type Created = Awaited<ReturnType<CloudApi['create']>>;

const created = z
  .object({
    droplet,
    links: z.object({ actions: z.array(z.object({ id, rel: z.string().nullish() })).nullish() }).nullish(),
  })
  .transform(({ droplet, links }): Created => {
    const actions = links?.actions ?? [];
    return { droplet, action: (actions.find(({ rel }) => rel === 'create') ?? actions[0])?.id };
  });

/** How many there are and whether more follow; either may be missing. */
export interface Page<T> {
  items: T[];
  total: number | undefined;
  more: boolean | undefined;
}

const paging = z.object({
  links: z.object({ pages: z.object({ next: z.string().nullish() }).nullish() }).nullish(),
  meta: z.object({ total: z.int().nonnegative().nullish() }).nullish(),
});

/** The schema of one page of a list that stands under `key`. */
const page = <T>(key: string, item: z.ZodType<T>) =>
  z.intersection(paging, z.object({ [key]: z.array(item) })).transform((found): Page<T> => {
    const { links, meta } = found as z.infer<typeof paging>;
    return {
      items: (found as unknown as Record<string, T[]>)[key] ?? [],
      total: meta?.total ?? undefined,
      more: typeof links?.pages?.next === 'string' ? true : undefined,
    };
  });

export const REPLIES = {
  account: z.object({ account }).transform((found) => found.account),
  sshKey: z.object({ ssh_key: sshKey }).transform((found) => found.ssh_key),
  regions: page('regions', region),
  sizes: page('sizes', size),
  image: z.object({ image }).transform((found) => found.image),
  droplets: page('droplets', droplet),
  droplet: z.object({ droplet }).transform((found) => found.droplet),
  created,
  createAction: z
    .object({ actions: z.array(z.object({ id, type: z.string() })) })
    .transform(({ actions }) => actions.find(({ type }) => type === 'create')?.id),
  action: z
    .object({ action: z.object({ status: z.enum(['in-progress', 'completed', 'errored']) }) })
    .transform((found) => found.action.status),
  /** A deletion is accepted without a word. */
  removed: z.union([z.literal(''), z.null(), z.undefined()]).transform((): 'accepted' => 'accepted'),
};
