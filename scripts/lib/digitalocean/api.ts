/** What this project asks of DigitalOcean, in its own words; the door behind it is client.ts. */
import { Fault } from '../cli.ts';

/** `GET /v2/account`, the parts that matter here. */
export interface Account {
  status: 'active' | 'warning' | 'locked';
  statusMessage: string;
  /** Droplets that the account may have at once, whoever made them. */
  dropletLimit: number;
  /** Whose droplets a token shows: the team's universal identifier, and the user's where there is no team. */
  id?: string | undefined;
  /** The team's name. */
  team?: string | undefined;
}

export interface Region {
  slug: string;
  name: string;
  /** Whether new droplets can be made there. */
  available: boolean;
  sizes: string[];
}

export interface Size {
  slug: string;
  available: boolean;
  regions: string[];
  /** US dollars. */
  priceHourly: number;
  priceMonthly: number;
  /** Smallest to largest: MiB of memory, processors, GiB of disk. */
  memory: number;
  vcpus: number;
  disk: number;
}

export interface Image {
  id: number;
  /** Null for an image of the user's own. */
  slug: string | null;
  name: string;
  distribution: string;
  regions: string[];
  status: 'NEW' | 'available' | 'pending' | 'deleted' | 'retired';
  /** GiB that a droplet's disk must have. */
  minDisk: number;
}

export interface Droplet {
  id: number;
  name: string;
  region: string;
  size: string;
  /** Its image's slug, and the number where it has none. */
  image: string;
  /** `new`, `active`, `off`, `archive`; one that is not known yet is taken as it is. */
  status: string;
  tags: string[];
  /** Unix seconds. */
  created: number;
  /** The public IPv4 address; undefined until it has one. */
  address: string | undefined;
  /** US dollars; 0 where the API does not say. */
  priceHourly: number;
}

/** An SSH key on the account. */
export interface SshKey {
  name: string;
  /** MD5, as in `3b:16:bf:…`. */
  fingerprint: string;
}

/** A droplet to be made. */
export interface DropletOrder {
  name: string;
  region: string;
  size: string;
  image: string;
  /** Numbers or fingerprints on the account. */
  sshKeys: string[];
  tags: string[];
  userData: string;
  ipv6: boolean;
  monitoring: boolean;
}

/**
 * The API's answer to a create that may have happened or not: a time-out, a connection that broke after the request was
 * sent, a 5xx, an answer that is no JSON. It is never sent again before the droplet has been looked for.
 */
export class InDoubt extends Error {
  override name = 'InDoubt';
}

/** The token may not do this (403). A create that is refused so may have been carried out nevertheless. */
export class NotPermitted extends Fault {}

/**
 * Every method waits its turn within the rate limits, tries again what may be tried again, and rejects with a Fault that
 * names the cause and the next step, and never a token: code `EXIT.refused` where the API refused (401, 403, 404, 422),
 * `EXIT.unreachable` where it does not answer or answers nonsense.
 */
export interface CloudApi {
  account(): Promise<Account>;
  /** By number or fingerprint; undefined where the account has no such key. */
  sshKey(id: string): Promise<SshKey | undefined>;
  regions(): Promise<Region[]>;
  sizes(): Promise<Size[]>;
  /** By slug or number; undefined where there is none. */
  image(id: string): Promise<Image | undefined>;
  /** All pages; with a tag, only droplets that have it. */
  droplets(tag?: string): Promise<Droplet[]>;
  /** Undefined where there is none (any more). */
  droplet(id: number): Promise<Droplet | undefined>;
  /** The accepted droplet and its create action; rejects with InDoubt as said there. */
  create(order: DropletOrder): Promise<{ droplet: Droplet; action: number | undefined }>;
  /** The number of a droplet's create action; undefined where there is none, or no such droplet (yet). */
  createAction(droplet: number): Promise<number | undefined>;
  action(id: number): Promise<'in-progress' | 'completed' | 'errored'>;
  /** `gone`: there was none. An id that is no positive whole number is a defect, and nothing is sent. */
  remove(id: number): Promise<'accepted' | 'gone'>;
}

export interface ApiSettings {
  /** Ends in /v2; https, or http on a loopback address. */
  endpoint: string;
  /** Reveals itself only in the Authorization header. */
  token: { reveal(): string };
  /** Told what is waited for, a line: `rate limit, 12 s`. */
  onWait?: (line: string) => void;
  /** Seconds after which a call that cannot be carried out is given up, all tries together. */
  patience: number;
}
