/** Flags that several commands have: each means the same in all of them. */
import { duration } from '../cli.ts';

export const INVENTORY = [
  '-i, --inventory <file>',
  'Ansible INI inventory with the groups [vpn] and [comp] (in mode quic [vpn] alone)',
  'hosts.ini',
] as const;

export const CONFIG = ['-c, --config <file>', 'YAML variables file', 'config.cfg'] as const;

export const OUT = ['-o, --out <directory>', 'where the client’s files go', 'client/generated'] as const;

/** `what` is only said, and not done. */
export const check = (what: string): [string, string, boolean] => ['-C, --check', what, false];

export const TIMEOUT: [string, string, (text: string) => number, number] = [
  '-T, --timeout <seconds>',
  'for connecting to a host',
  duration,
  10,
];

export const ACCEPT_NEW: [string, string, boolean] = [
  '--accept-new',
  'take and remember the host keys of hosts never seen before, unasked',
  false,
];

export const API_URL = [
  '--api-url <url>',
  'another API than DigitalOcean’s, such as the one of `lab.ts cloud`',
] as const;
