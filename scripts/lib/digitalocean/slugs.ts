/** Names that DigitalOcean had once, and what stands in their place now. */

/** Sizes of before 2018, by their plain names. */
const SIZES: Readonly<Record<string, string>> = {
  '512mb': 's-1vcpu-512mb-10gb',
  '1gb': 's-1vcpu-1gb',
  '2gb': 's-1vcpu-2gb',
  '4gb': 's-2vcpu-4gb',
  '8gb': 's-4vcpu-8gb',
};

/** Releases past their life. */
const IMAGES: Readonly<Record<string, string>> = {
  'ubuntu-16-04-x64': 'ubuntu-24-04-x64',
  'ubuntu-18-04-x64': 'ubuntu-24-04-x64',
  'ubuntu-20-04-x64': 'ubuntu-24-04-x64',
  'debian-9-x64': 'debian-12-x64',
  'debian-10-x64': 'debian-12-x64',
  'debian-11-x64': 'debian-12-x64',
};

/** Data centres that take no new droplets. */
const REGIONS: Readonly<Record<string, string>> = { sfo1: 'sfo3', ams1: 'ams3', ams2: 'ams3' };

/** The name to use instead of one that is gone; undefined for all others. */
export const successorOf = (kind: 'size' | 'image' | 'region', slug: string): string | undefined =>
  ({ size: SIZES, image: IMAGES, region: REGIONS })[kind][slug];
