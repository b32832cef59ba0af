/** The store's records as the API shows them. */
import { CATALOGUE, type ImageEntry, imageOf, type SizeEntry } from './catalogue.ts';
import type { ActionRecord, DropletRecord, Store } from './store.ts';
import type { AccountKey } from './types.ts';

const seconds = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

const disks = (amount: number): unknown => [{ type: 'local', size: { amount, unit: 'gib' } }];

const sizeView = (size: SizeEntry | undefined): unknown => size && { ...size, disk_info: disks(size.disk) };

export const regionView = (slug: string): unknown => CATALOGUE.regions.find((one) => one.slug === slug);

export const sizeViews = (): unknown[] => CATALOGUE.sizes.map(sizeView);

/** Images that are past their time are not listed. */
export const listedImages = (): ImageEntry[] => CATALOGUE.images.filter(({ status }) => status !== 'retired');

export const keyView = ({ id, fingerprint, publicKey, name }: AccountKey): unknown => ({
  ...{ id, fingerprint, public_key: publicKey, name },
});

/** The private network first, as it comes first. */
function networks({ id, features, privateIp, publicIp }: DropletRecord): unknown {
  const gateway = publicIp?.replace(/\d+$/, '1');
  const inner = { ip_address: privateIp, netmask: '255.255.240.0', gateway: 'nil', type: 'private' };
  const outer = { ip_address: publicIp, netmask: '255.255.255.0', gateway, type: 'public' };
  const prefix = '2604:a880:0:1010:';
  const six = {
    ip_address: `${prefix}:${(id % 65_536).toString(16)}:1`,
    netmask: 64,
    gateway: `${prefix}:1`,
  };
  return {
    v4: [...(privateIp === undefined ? [] : [inner]), ...(publicIp === undefined ? [] : [outer])],
    v6: features.includes('ipv6') && publicIp !== undefined ? [{ ...six, type: 'public' }] : [],
  };
}

/** Each region's default VPC; the account has no other. */
export const vpcViews = (): { id: string; region: string }[] =>
  CATALOGUE.regions.map(({ slug, available }, i) => {
    const id = `760e09ef-dc84-11e8-981e-3cfdfe${String(100_000 + i)}`;
    return {
      ...{ id, urn: `do:vpc:${id}`, name: `default-${slug}`, description: '', region: slug },
      ...{ ip_range: `10.${100 + i}.0.0/20`, created_at: '2020-03-13T19:29:20Z', default: available },
    };
  });

export function dropletView(droplet: DropletRecord): unknown {
  const { id, name, status, created, features, tags, region, size: slug, image, deleting } = droplet;
  const size = CATALOGUE.sizes.find((one) => one.slug === slug);
  const vpc = vpcViews().find((one) => one.region === region)?.id;
  return {
    ...{
      id,
      name,
      memory: size?.memory,
      vcpus: size?.vcpus,
      disk: size?.disk,
      disk_info: disks(size?.disk ?? 0),
    },
    ...{ locked: deleting, status, kernel: null, created_at: seconds(created), features },
    ...{ backup_ids: [], next_backup_window: null, snapshot_ids: [], image: imageOf(image), volume_ids: [] },
    ...{ size: sizeView(size), size_slug: slug, networks: networks(droplet), region: regionView(region) },
    ...{ tags, ...(status === 'new' ? {} : { vpc_uuid: vpc }) },
  };
}

export const actionView = (action: ActionRecord): unknown => ({
  ...{ id: action.id, status: action.status, type: action.type, started_at: seconds(action.started) },
  completed_at: action.completed === null ? null : seconds(action.completed),
  ...{ resource_id: action.droplet, resource_type: 'droplet' },
  ...{ region: regionView(action.region), region_slug: action.region },
});

/** `base`: the API's own URL. */
export function tagView(store: Store, tag: string, base: string): unknown {
  const droplets = store.tagged(tag);
  const last = droplets.at(-1);
  const used = {
    count: droplets.length,
    ...(last === undefined ? {} : { last_tagged_uri: `${base}/droplets/${last.id}` }),
  };
  const none = { count: 0 };
  return {
    name: tag,
    resources: {
      ...used,
      ...{ droplets: used, images: none, volumes: none, volume_snapshots: none, databases: none },
    },
  };
}
