/** Whether droplets can be made as they are wanted: judged before the first is asked for. */
import { nearest } from '../text.ts';
import type { Account, Image, Region, Size, SshKey } from './api.ts';
import { successorOf } from './slugs.ts';
import type { Wanted } from './wanted.ts';

/** What DigitalOcean said of itself and of the account. */
export interface Facts {
  account: Account;
  sshKey: SshKey | undefined;
  regions: readonly Region[];
  sizes: readonly Size[];
  /** By what config.cfg calls them. */
  images: ReadonlyMap<string, Image | undefined>;
  /** Droplets that the account has, of whatever tag. */
  droplets: number;
}

export interface Problem {
  what: string;
  next: string;
}

/** All that stands in the way, each once; none where everything can be made. */
export function problemsOf(wanted: readonly Wanted[], facts: Facts): Problem[] {
  const found = [
    ...accountProblems(wanted.length, facts),
    ...(facts.sshKey === undefined && wanted.length > 0 ? [KEY_PROBLEM] : []),
    ...wanted.flatMap((droplet) => dropletProblems(droplet, facts)),
  ];
  return [...new Map(found.map((problem) => [problem.what, problem])).values()];
}

const KEY_PROBLEM: Problem = {
  what: 'ssh_key_id: the account has no SSH key of this number or fingerprint',
  next: "take the fingerprint from DigitalOcean's page Settings, Security, or `doctl compute ssh-key list`",
};

function accountProblems(wanted: number, { account, droplets }: Facts): Problem[] {
  if (wanted === 0) return [];
  if (account.status === 'locked')
    return [
      { what: `the account is locked: ${account.statusMessage}`, next: 'ask DigitalOcean’s support why' },
    ];
  const room = account.dropletLimit - droplets;
  if (wanted <= room) return [];
  return [
    {
      what: `the account may have ${account.dropletLimit} droplets and has ${droplets}: no room for ${wanted} more`,
      next: 'take entries out of config.cfg, delete droplets (scripts/teardown.ts), or ask DigitalOcean for a higher limit',
    },
  ];
}

/** Regions that can take this droplet's size now, for a suggestion: those near the wanted one first. */
function openRegions({ region, size }: Wanted, regions: readonly Region[]): string {
  const near = (slug: string): boolean => slug.replace(/\d+$/, '') === region.replace(/\d+$/, '');
  const open = regions.filter((one) => one.available && one.sizes.includes(size)).map(({ slug }) => slug);
  return [...open.filter(near), ...open.filter((slug) => !near(slug))].slice(0, 5).join(', ');
}

function dropletProblems(droplet: Wanted, facts: Facts): Problem[] {
  return [
    ...regionProblems(droplet, facts),
    ...sizeProblems(droplet, facts),
    ...imageProblems(droplet, facts),
  ];
}

function regionProblems(droplet: Wanted, { regions }: Facts): Problem[] {
  const { name, region } = droplet;
  const found = regions.find(({ slug }) => slug === region);
  if (found?.available) return [];
  const meant = successorOf('region', region) ?? nearest(region, openRegions(droplet, regions).split(', '));
  const what =
    found === undefined
      ? `${name}: DigitalOcean has no region ${region}`
      : `${name}: the region ${region} takes no new droplets`;
  const open = openRegions(droplet, regions);
  const next = meant === undefined ? `choose another, such as ${open || 'nyc1'}` : `region: ${meant}`;
  return [{ what, next: `${next} in config.cfg` }];
}

function sizeProblems(droplet: Wanted, { regions, sizes }: Facts): Problem[] {
  const { name, region, size } = droplet;
  const found = sizes.find(({ slug }) => slug === size);
  if (found === undefined || !found.available) {
    const slugs = sizes.filter(({ available }) => available).map(({ slug }) => slug);
    const meant = successorOf('size', size) ?? nearest(size, slugs) ?? 's-1vcpu-1gb';
    const gone = found === undefined ? 'has no size' : 'sells no more droplets of the size';
    return [{ what: `${name}: DigitalOcean ${gone} ${size}`, next: `size: ${meant} in config.cfg` }];
  }
  const there = regions.find(({ slug }) => slug === region);
  if (!there?.available || there.sizes.includes(size)) return [];
  const open = openRegions(droplet, regions);
  return [
    {
      what: `${name}: the region ${region} has no droplets of the size ${size}`,
      next: `choose another size${open === '' ? '' : `, or one of the regions ${open},`} in config.cfg`,
    },
  ];
}

function imageProblems({ name, region, size, image }: Wanted, { images, sizes, regions }: Facts): Problem[] {
  const found = images.get(image);
  const meant = successorOf('image', image) ?? 'ubuntu-24-04-x64';
  const instead = meant === image ? 'choose another image in config.cfg' : `image: ${meant} in config.cfg`;
  if (found === undefined) return [{ what: `${name}: DigitalOcean has no image ${image}`, next: instead }];
  if (found.status !== 'available')
    return [{ what: `${name}: the image ${image} is ${found.status}`, next: instead }];
  const open = regions.some(({ slug, available }) => slug === region && available);
  if (open && !found.regions.includes(region))
    return [
      {
        what: `${name}: the image ${image} is not in the region ${region}`,
        next: `${instead}, or copy it there`,
      },
    ];
  const disk = sizes.find(({ slug }) => slug === size)?.disk;
  if (disk === undefined || found.minDisk <= disk) return [];
  return [
    {
      what: `${name}: the image ${image} needs a disk of ${found.minDisk} GB, and ${size} has ${disk}`,
      next: 'choose a larger size in config.cfg',
    },
  ];
}
