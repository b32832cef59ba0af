/** What the local DigitalOcean API is made of, as its users see it. */
import type { CloudFault } from './faults.ts';
import type { AccountKey, State } from './store.ts';

export type { AccountKey };

/** A droplet as its machine needs it. */
export interface MachineOrder {
  id: number;
  name: string;
  region: string;
  size: string;
  /** Slug, or the number of an image that has none. */
  image: string;
  /** Empty where none was given. */
  userData: string;
  /** Lines for root's authorized_keys. */
  publicKeys: string[];
}

/** `cycle`: off and on again. */
export type Power = 'on' | 'off' | 'cycle';

/** What a droplet's body is. */
export interface Machines {
  /** Boots; resolves once it is on its way (it need not answer yet). Rejects: the create action errors. */
  create(order: MachineOrder): Promise<{ publicIp: string; privateIp: string }>;
  /** Called once a create has settled, also where it rejected; what is not there is no error. */
  destroy(id: number): Promise<void>;
  /** Where it is missing, droplets cannot be switched. Resolves as `create` does; rejects: the action errors. */
  power?(id: number, how: Power): Promise<void>;
}

/** Seconds. */
export interface Delays {
  /** From the create until the droplet is active, in a region of the usual pace; never before its addresses are shown. */
  active: number;
  /** Until its private address is shown, and as long again until its public one. */
  address: number;
  /** From the delete until it is 404. */
  gone: number;
}

export interface Limits {
  hour: number;
  /** The burst: requests in `minuteSeconds`. */
  minute: number;
  /** `GET /v2/account/keys` in `minuteSeconds`. */
  keysMinute: number;
  /** 60; tests make it short. */
  minuteSeconds: number;
}

export interface CloudOptions {
  machines: Machines;
  /** The only bearer token that is accepted. */
  token: string;
  keys: readonly AccountKey[];
  /** Droplets that the account may have: 25 unless given; asked each time where it changes. */
  dropletLimit?: number | (() => number);
  /** What the account says of itself: active unless given. */
  account?: {
    status: 'active' | 'warning' | 'locked';
    status_message: string;
    team?: { uuid: string; name: string };
  };
  /** The official document: every request and response is validated against it. */
  spec?: string;
  /** With `spec`: take unknown body fields and nulls as the real API does, instead of refusing them. */
  lenient?: boolean;
  /** As values, or in the text form of faults.ts. */
  faults?: readonly (CloudFault | string)[];
  delays?: Partial<Delays>;
  /** Told all that is to be known after a restart, after each change; holds no token and no user data. */
  save?: (state: State) => void;
  /** What `save` was told last. */
  restored?: State | undefined;
  limits?: Partial<Limits>;
}

/** A request that came; `status` is 0 while it has no answer, and for good where the answer was lost. */
export interface SeenRequest {
  method: string;
  /** Without the query: `/v2/droplets`. */
  path: string;
  query: string;
  status: number;
  /** Milliseconds since the epoch. */
  at: number;
}

export interface SeenDroplet {
  id: number;
  name: string;
  region: string;
  size: string;
  image: string;
  status: string;
  tags: readonly string[];
  publicIp: string | undefined;
  privateIp: string | undefined;
  /** Its deletion was accepted, and it is still to be seen. */
  deleting: boolean;
}

export interface Cloud {
  /** Starts; the URL ends in /v2. Port 0: any; host: 127.0.0.1. */
  listen(port?: number, host?: string): Promise<string>;
  /** Ends; resolves once no machine is being made or destroyed any more. Droplets and their machines stay. */
  close(): Promise<void>;
  droplets(): readonly SeenDroplet[];
  readonly requests: readonly SeenRequest[];
  /** What did not match the document, requests and responses alike; each was answered 500. */
  readonly violations: readonly string[];
  /** A value or its text form; a Fault for a text that is none. */
  addFault(fault: CloudFault | string): void;
  clearFaults(): void;
}
