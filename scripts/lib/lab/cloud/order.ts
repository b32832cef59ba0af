/** Judges the body of a create as DigitalOcean does. Pure. */
import { type Catalogue, type ImageEntry, imageOf, type RegionEntry, type SizeEntry } from './catalogue.ts';
import { badRequest, refuse, unprocessable } from './refusal.ts';
import type { AccountKey } from './types.ts';

/** A create that is accepted. */
export interface Order {
  names: string[];
  /** Whether `names` was given, which decides over the form of the answer. */
  several: boolean;
  region: RegionEntry;
  size: SizeEntry;
  image: ImageEntry;
  keys: AccountKey[];
  tags: string[];
  userData: string;
  ipv6: boolean;
  monitoring: boolean;
  backups: boolean;
}

export interface OrderContext {
  catalogue: Catalogue;
  keys: readonly AccountKey[];
  /** Droplets there are, and may be. */
  droplets: number;
  limit: number;
}

const HOSTNAME = /^[a-zA-Z0-9]?[a-z0-9A-Z.-]*[a-z0-9A-Z]$/;

export const isHostName = (name: string): boolean => HOSTNAME.test(name) && name.length <= 255;

const TAG = /^[\w:-]+$/;
const MOST_NAMES = 10;
const MOST_USER_DATA = 64 * 1024;

export const isTag = (tag: unknown): tag is string =>
  typeof tag === 'string' && tag.length <= 255 && TAG.test(tag);

type Body = Record<string, unknown>;

/** A null counts as not given. */
const listIn = (body: Body, key: string): unknown[] => {
  const value = body[key] ?? [];
  if (!Array.isArray(value)) throw badRequest(`${key} must be an array`);
  return value;
};

function namesIn(body: Body): string[] {
  const names = body.names === undefined || body.names === null ? [body.name] : listIn(body, 'names');
  if (names.length > MOST_NAMES) throw refuse('names');
  if (names.length === 0 || names.some((name) => typeof name !== 'string' || name === ''))
    throw refuse('name-missing');
  if (!names.every((name) => isHostName(String(name)))) throw refuse('name');
  return names as string[];
}

/** A region by its slug, or any open one that has the size: of a prefix such as `nyc`, or of all. */
function regionIn(body: Body, size: SizeEntry, { regions }: Catalogue): RegionEntry {
  const slug = String(body.region ?? '');
  const region = regions.find((one) => one.slug === slug);
  if (region !== undefined) {
    if (!region.available) throw refuse('region-closed');
    if (!size.regions.includes(slug)) throw refuse('size-region');
    return region;
  }
  if (!/^[a-z]*$/.test(slug)) throw refuse('region');
  const near = regions.filter((one) => one.available && one.slug.startsWith(slug));
  const chosen = near.find((one) => size.regions.includes(one.slug));
  if (chosen === undefined) throw refuse(near.length > 0 ? 'size-region' : 'region');
  return chosen;
}

function imageIn(body: Body, region: RegionEntry, size: SizeEntry, catalogue: Catalogue): ImageEntry {
  const image = imageOf(body.image as string | number, catalogue);
  if (image?.status !== 'available') throw refuse('image');
  if (!image.regions.includes(region.slug)) throw refuse('image-region');
  if (image.min_disk_size > size.disk) throw refuse('image-disk');
  return image;
}

function keysIn(body: Body, keys: readonly AccountKey[]): AccountKey[] {
  const wanted = listIn(body, 'ssh_keys').map(String);
  const found = wanted.map((id) => keys.find((key) => String(key.id) === id || key.fingerprint === id));
  const unknown = wanted.filter((_, i) => found[i] === undefined);
  if (unknown.length > 0)
    throw unprocessable(`${unknown.join(', ')} are invalid key identifiers for Droplet creation.`);
  return [...new Set(found as AccountKey[])];
}

/** The order in a body; a Refusal with DigitalOcean's words where there is none. */
export function judgeOrder(given: unknown, { catalogue, keys, droplets, limit }: OrderContext): Order {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw badRequest('The request body must be a JSON object.');
  const body = given as Body;
  const names = namesIn(body);
  const size = catalogue.sizes.find(({ slug, available }) => available && slug === body.size);
  if (size === undefined) throw refuse('size');
  const region = regionIn(body, size, catalogue);
  const image = imageIn(body, region, size, catalogue);
  const tags = listIn(body, 'tags');
  if (!tags.every(isTag)) throw refuse('tag');
  const userData = body.user_data ?? '';
  if (typeof userData !== 'string') throw badRequest('user_data must be a string');
  if (Buffer.byteLength(userData) > MOST_USER_DATA) throw refuse('user-data');
  const known = keysIn(body, keys);
  if (droplets + names.length > limit) throw refuse('limit');
  return {
    ...{ names, several: Array.isArray(body.names), region, size, image, keys: known, tags, userData },
    ...{ ipv6: body.ipv6 === true, monitoring: body.monitoring === true, backups: body.backups === true },
  };
}

/** The scopes that a create needs: those of what it refers to beside its own. */
export function scopesOf(body: unknown): string[] {
  const { ssh_keys: keys, tags } = (body ?? {}) as Body;
  const some = (list: unknown): boolean => Array.isArray(list) && list.length > 0;
  return [
    ...['droplet:create', 'image:read', 'vpc:read'],
    ...(some(keys) ? ['ssh_key:read'] : []),
    ...(some(tags) ? ['tag:create'] : []),
  ];
}
