/** What config.cfg asks for, as droplets. */
import type { Config } from '../config.ts';
import type { DropletOrder } from './api.ts';

/** A droplet that config.cfg names, and the group of hosts.ini that it belongs to. */
export interface Wanted extends Omit<DropletOrder, 'sshKeys' | 'userData'> {
  group: 'vpn' | 'comp';
}

/** Droplets of config.cfg that mode quic does without: of `comps`. Nothing of them is made, and what is there is left alone. */
export const idleOf = ({ mode, comps }: Config): string[] =>
  mode === 'quic' ? comps.map(({ name }) => name) : [];

/** The droplets of `vpns`, then in mode wireguard those of `comps`, in their order; all have the project's tag. */
export function wantedOf({ mode, vpns, comps, tag }: Config): Wanted[] {
  const grouped = [
    ...vpns.map((droplet) => ({ droplet, group: 'vpn' as const })),
    ...(mode === 'quic' ? [] : comps).map((droplet) => ({ droplet, group: 'comp' as const })),
  ];
  return grouped.map(({ droplet, group }) => ({
    ...droplet,
    group,
    tags: [...new Set([tag, ...droplet.tags])],
  }));
}
