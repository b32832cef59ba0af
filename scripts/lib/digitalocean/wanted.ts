/** What config.cfg asks for, as droplets. */
import type { Config } from '../config.ts';
import type { DropletOrder } from './api.ts';

/** A droplet that config.cfg names, and the group of hosts.ini that it belongs to. */
export interface Wanted extends Omit<DropletOrder, 'sshKeys' | 'userData'> {
  group: 'vpn' | 'comp';
}

/** The droplets of `vpns`, then those of `comps`, in their order; all have the project's tag. */
export function wantedOf({ vpns, comps, tag }: Config): Wanted[] {
  const grouped = [
    ...vpns.map((droplet) => ({ droplet, group: 'vpn' as const })),
    ...comps.map((droplet) => ({ droplet, group: 'comp' as const })),
  ];
  return grouped.map(({ droplet, group }) => ({
    ...droplet,
    group,
    tags: [...new Set([tag, ...droplet.tags])],
  }));
}
