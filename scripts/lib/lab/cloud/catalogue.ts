/** Regions, sizes and images as the API lists them: real slugs and prices, and only a part of them. */

export interface RegionEntry {
  name: string;
  slug: string;
  features: string[];
  available: boolean;
  sizes: string[];
}

export interface SizeEntry {
  slug: string;
  /** MiB, processors, GiB, TiB a month. */
  memory: number;
  vcpus: number;
  disk: number;
  transfer: number;
  /** US dollars. */
  price_monthly: number;
  price_hourly: number;
  regions: string[];
  available: boolean;
  description: string;
}

export interface ImageEntry {
  id: number;
  name: string;
  distribution: string;
  /** Null for an image of the user's own. */
  slug: string | null;
  public: boolean;
  regions: string[];
  created_at: string;
  type: 'base' | 'snapshot';
  /** GiB. */
  min_disk_size: number;
  size_gigabytes: number;
  description: string;
  tags: string[];
  status: 'available' | 'retired';
  error_message: string;
}

const FEATURES = ['backups', 'ipv6', 'metadata', 'install_agent', 'storage', 'image_transfer'];

/** Slug, name, whether open for new droplets, whether it has the newer sizes, and how much longer than usual a boot takes. */
const PLACES: [string, string, boolean, boolean, number][] = [
  ['nyc1', 'New York 1', true, true, 1],
  ['nyc2', 'New York 2', true, false, 1.2],
  ['nyc3', 'New York 3', true, true, 1],
  ['sfo1', 'San Francisco 1', false, false, 1],
  ['sfo2', 'San Francisco 2', true, false, 1.2],
  ['sfo3', 'San Francisco 3', true, true, 1],
  ['ams2', 'Amsterdam 2', false, false, 1],
  ['ams3', 'Amsterdam 3', true, true, 1],
  ['sgp1', 'Singapore 1', true, true, 1.5],
  ['lon1', 'London 1', true, true, 1],
  ['fra1', 'Frankfurt 1', true, true, 1],
  ['tor1', 'Toronto 1', true, true, 1.1],
  ['blr1', 'Bangalore 1', true, true, 1.5],
  ['syd1', 'Sydney 1', true, true, 1.5],
];

const open = (newer: boolean): string[] =>
  PLACES.filter(([, , isOpen, hasNewer]) => isOpen && (hasNewer || !newer)).map(([slug]) => slug);

/** Slug, memory, processors, disk, transfer, dollars a month and an hour, class, whether only the newer regions have it. */
const PLANS: [string, number, number, number, number, number, number, string, boolean][] = [
  ['s-1vcpu-512mb-10gb', 512, 1, 10, 0.5, 4, 0.00595, 'Basic', true],
  ['s-1vcpu-1gb', 1024, 1, 25, 1, 6, 0.00893, 'Basic', false],
  ['s-1vcpu-1gb-amd', 1024, 1, 25, 1, 7, 0.01042, 'Basic AMD', true],
  ['s-1vcpu-1gb-intel', 1024, 1, 25, 1, 7, 0.01042, 'Basic Intel', true],
  ['s-1vcpu-2gb', 2048, 1, 50, 2, 12, 0.01786, 'Basic', false],
  ['s-2vcpu-2gb', 2048, 2, 60, 3, 18, 0.02679, 'Basic', false],
  ['s-2vcpu-4gb', 4096, 2, 80, 4, 24, 0.03571, 'Basic', false],
  ['s-4vcpu-8gb', 8192, 4, 160, 5, 48, 0.07143, 'Basic', false],
  ['s-8vcpu-16gb', 16384, 8, 320, 6, 96, 0.14286, 'Basic', false],
  ['c-2', 4096, 2, 25, 4, 42, 0.0625, 'CPU-Optimized', true],
  ['c-4', 8192, 4, 50, 5, 84, 0.125, 'CPU-Optimized', true],
  ['g-2vcpu-8gb', 8192, 2, 25, 4, 63, 0.09375, 'General Purpose', true],
  ['m-2vcpu-16gb', 16384, 2, 50, 4, 84, 0.125, 'Memory-Optimized', true],
];

const SIZES: SizeEntry[] = PLANS.map(
  ([slug, memory, vcpus, disk, transfer, price_monthly, price_hourly, description, newer]) => ({
    ...{ slug, memory, vcpus, disk, transfer, price_monthly, price_hourly },
    ...{ regions: open(newer), available: true, description },
  }),
);

const REGIONS: RegionEntry[] = PLACES.map(([slug, name, available]) => ({
  ...{ name, slug, features: FEATURES, available },
  sizes: SIZES.filter(({ regions }) => regions.includes(slug)).map((size) => size.slug),
}));

/** Slug, id, name, distribution, GiB of its own; those marked gone can be looked at and not be made into droplets. */
const RELEASES: [string, number, string, string, number, 'available' | 'retired'][] = [
  ['ubuntu-24-10-x64', 168671137, '24.10 x64', 'Ubuntu', 0.61, 'retired'],
  ['ubuntu-22-04-x64', 195932981, '22.04 (LTS) x64', 'Ubuntu', 0.69, 'available'],
  ['ubuntu-24-04-x64', 195932982, '24.04 (LTS) x64', 'Ubuntu', 0.64, 'available'],
  ['ubuntu-25-10-x64', 204671250, '25.10 x64', 'Ubuntu', 0.7, 'available'],
  ['debian-12-x64', 194537605, '12 x64', 'Debian', 0.54, 'available'],
  ['debian-13-x64', 198325422, '13 x64', 'Debian', 0.55, 'available'],
  ['fedora-42-x64', 187150002, '42 x64', 'Fedora', 1.02, 'available'],
  ['centos-stream-9-x64', 200177214, '9 Stream x64', 'CentOS', 1.31, 'available'],
  ['rockylinux-9-x64', 200191442, '9 x64', 'Rocky Linux', 1.18, 'available'],
];

const picture = (id: number, name: string, distribution: string): ImageEntry => ({
  ...{ id, name, distribution, slug: null, public: false, regions: open(false) },
  ...{ created_at: '2025-09-16T13:20:21Z', type: 'base', min_disk_size: 7, size_gigabytes: 0.6 },
  ...{ description: `${distribution} ${name}`, tags: [], status: 'available', error_message: '' },
});

const IMAGES: ImageEntry[] = [
  ...RELEASES.map(([slug, id, name, distribution, size_gigabytes, status]) => ({
    ...picture(id, name, distribution),
    ...{ slug, public: true, size_gigabytes, status },
  })),
  // A snapshot of the user's own: no slug, one region, a disk that the smallest size has not.
  {
    ...picture(205000001, 'my-snapshot', 'Debian'),
    ...{ regions: ['nyc3'], type: 'snapshot', min_disk_size: 25, size_gigabytes: 2.4 },
  },
];

export interface Catalogue {
  regions: readonly RegionEntry[];
  sizes: readonly SizeEntry[];
  images: readonly ImageEntry[];
}

export const CATALOGUE: Catalogue = { regions: REGIONS, sizes: SIZES, images: IMAGES };

/** An image by its slug, its number, or its number as text. */
export const imageOf = (id: string | number, { images }: Catalogue = CATALOGUE): ImageEntry | undefined =>
  images.find(({ slug, id: number }) => slug === id || String(number) === String(id));

/** How much longer than usual a region takes to make a droplet active. */
export const paceOf = (region: string): number => PLACES.find(([slug]) => slug === region)?.[4] ?? 1;
