/**
 * Who is in the demo, and at which address (with the default subnet, 10.210.0.0/16):
 *
 *     gate .1.3 ─┐ access 10.210.1   transit 10.210.2       internet 10.210.3
 *     wg_client .1.2 ─── .1.11 wgnet1 .2.11 ─── .2.200 wg0 .3.200 ─── site .3.80 (web, resolver)
 *                    └── .1.12 wgnet2 .2.12 ──┘
 */
import { Fault } from '../cli.ts';
import { clientAddress, compClientAddress, isPrivateSubnet } from '../config/addresses.ts';
import { topologyOf, type WholeTopology } from '../wireguard/topology.ts';

/** What the tunnels of the demo use, as config.cfg.example does. */
export const TUNNELS = { wireguardSubnet: '10.45.0' };
export const GATEWAY = '10.45.0.2/32';
export const WIREGUARD_PORT = 51820;

/** The names that the demo's site answers to. */
export const SITE_NAMES = ['www.example.org', 'example.org'];

/** Port of the WebDriver inside the demo, and on this computer unless told otherwise. */
export const WEBDRIVER_PORT = 4444;

/** More paths than any study uses; each is a machine. */
export const MOST_PATHS = 32;

export interface Wishes {
  paths: number;
  /** `10.210.0.0/16` */
  subnet: string;
  /** Port on this computer. */
  port: number;
  /** The comp server gets a way to the real Internet. */
  internet: boolean;
}

export interface Proxy {
  name: string;
  access: string;
  transit: string;
}

export interface Plan extends Wishes {
  networks: { access: string; transit: string; internet: string; outside: string; world: string };
  client: string;
  gate: string;
  proxies: Proxy[];
  comp: { transit: string; internet: string };
  site: string;
}

/** `10.210` of `10.210.0.0/16`; a Fault where it is no network for the demo. */
function prefixOf(subnet: string): string {
  const refuse = (what: string): Fault =>
    new Fault({ at: `--subnet ${subnet}`, what, next: '--subnet 10.211.0.0/16, say' });
  const [, a = '', b = ''] = /^(\d{1,3})\.(\d{1,3})\.0\.0\/16$/.exec(subnet) ?? [];
  if (a === '' || Number(a) > 255 || Number(b) > 255)
    throw refuse('a network like 10.210.0.0/16 is expected');
  const prefix = `${Number(a)}.${Number(b)}`;
  if (TUNNELS.wireguardSubnet.startsWith(`${prefix}.`))
    throw refuse(`the tunnels’ own network, ${TUNNELS.wireguardSubnet}.0/24, lies in it`);
  // The first and the last of its networks, for ranges that are not whole /16s.
  if (!isPrivateSubnet(`${prefix}.0`) || !isPrivateSubnet(`${prefix}.255`))
    throw refuse(
      'a private network is expected (10/8, 172.16/12, …): the addresses of others are not to be hidden',
    );
  return prefix;
}

/** Every machine's addresses; a Fault where the wishes cannot be. */
export function planOf(wishes: Wishes): Plan {
  const prefix = prefixOf(wishes.subnet);
  const at = (network: number, last: number): string => `${prefix}.${network}.${last}`;
  const network = (number: number): string => `${at(number, 0)}/24`;
  return {
    ...wishes,
    networks: {
      access: network(1),
      transit: network(2),
      internet: network(3),
      outside: network(4),
      world: network(5),
    },
    client: at(1, 2),
    gate: at(1, 3),
    proxies: Array.from({ length: wishes.paths }, (_, i) => ({
      name: `wgnet${i + 1}`,
      access: at(1, 11 + i),
      transit: at(2, 11 + i),
    })),
    comp: { transit: at(2, 200), internet: at(3, 200) },
    site: at(3, 80),
  };
}

/** The tunnels of the demo, planned as those of a real network. */
export const demoTopology = ({ proxies, comp }: Plan): WholeTopology =>
  topologyOf({
    proxies: proxies.map(({ name, access }) => ({ name, address: access })),
    comp: { name: 'wg0', address: comp.transit },
    port: WIREGUARD_PORT,
    pathAddress: (k) => clientAddress(TUNNELS, k),
    compAddress: compClientAddress(TUNNELS),
  });
