/** What goes out to DigitalOcean, checked before: an id that is none would name something else, or all there is. */
import type { DropletOrder } from './api.ts';
import type { Dots } from './wire.ts';

/** A droplet's or an action's number; a defect where it is none: `DELETE /droplets/` must never be sent. */
export function checkedId(id: number): number {
  if (!Number.isSafeInteger(id) || id <= 0) throw new Error(`${String(id)} is no id of DigitalOcean's`);
  return id;
}

/** A name as one part of a path; an empty one or dots would name what is above it. */
export function pathPart(name: string): string {
  if (/^\.*$/.test(name)) throw new Error(`${JSON.stringify(name)} is no name of DigitalOcean's`);
  return encodeURIComponent(name).replaceAll('%3A', ':');
}

/** A tag to list by: with an empty one, all droplets of the account would be listed. */
export function checkedTag(tag: string | undefined): { tag_name?: string } {
  if (tag === '') throw new Error('an empty tag names all droplets');
  return tag === undefined ? {} : { tag_name: tag };
}

/** Numbers are sent as such: in quotes they would be slugs. */
const numberOrText = (id: string): number | string => (/^\d{1,15}$/.test(id) ? Number(id) : id);

/** The body of a create. */
export function bodyOf(order: DropletOrder): Parameters<Dots['droplet']['createDroplet']>[0] {
  const { name, region, size, image, sshKeys, tags, userData, ipv6, monitoring } = order;
  // Without a region it would be made in any.
  if ([name, region, size, image].includes(''))
    throw new Error('a droplet without name, region, size or image');
  return {
    ...{ name, region, size, tags, ipv6, monitoring },
    image: numberOrText(image),
    ssh_keys: sshKeys.map(numberOrText),
    user_data: userData,
  };
}
