/** What bench/setup.ts compares, and how often each is measured. All pure. */

/** Ours, Ansible in five ways, and what bounds them: connecting alone, and a script that does nothing. */
export const WAYS = ['ours', 'defaults', 'tuned', 'mitogen', 'fast', 'script', 'floor', 'start'] as const;
export type Way = (typeof WAYS)[number];

/** `cold`: nothing of WireGuard's but its packages is there. `no-op`: all is right. `once`: for what knows no such difference. */
export type What = 'cold' | 'no-op' | 'once';

export interface Case {
  way: Way;
  /** Servers, the comp server among them. */
  hosts: number;
  /** Milliseconds of a round trip that is added on the way to them. */
  delay: number;
}

/** How a table calls a way. */
export const TITLES: Record<Way, string> = {
  ours: 'wgnet-setup.ts',
  defaults: 'ansible-playbook, defaults',
  tuned: 'pipelining, 50 forks, ControlPersist',
  mitogen: 'Mitogen',
  fast: 'playbook for speed, Mitogen',
  script: 'one shell script, by Mitogen',
  floor: 'ssh2: connect, run `true`',
  start: 'npx zx, an empty script',
};

export const isAnsible = (way: Way): boolean => !['ours', 'floor', 'start'].includes(way);

/** The hosts that ours is held against Ansible with. */
export const CLAIMED = 16;

/** The hosts from which on the slow ways are left out. */
const MANY = 32;

export interface Wish {
  hosts: readonly number[];
  without: readonly Way[];
  /** The most hosts that Ansible is tried on: with many it takes minutes. */
  ansibleUpTo: number;
  /** Milliseconds of the far network, which the fewest hosts are tried on; 0 for none. */
  far: number;
}

/** In how many rounds a case is measured: what takes minutes and is no part of a claim, in one. */
export function roundsOf({ way, hosts, delay }: Case, rounds: number): number {
  if (!isAnsible(way)) return rounds;
  const few = way === 'defaults' || hosts !== CLAIMED || delay > 0;
  return few ? Math.min(1, rounds) : rounds;
}

/** All cases, those of the fewest hosts first. */
export function casesOf({ hosts, without, ansibleUpTo, far }: Wish): Case[] {
  const asked = WAYS.filter((way) => !without.includes(way));
  const at = (count: number, delay: number): Case[] =>
    asked
      .filter((way) => count <= ansibleUpTo || !isAnsible(way))
      .filter((way) => count < MANY || !['defaults', 'mitogen'].includes(way))
      // Far away, Ansible is there to be seen beside; the start is the same everywhere.
      .filter((way) => delay === 0 || ['ours', 'floor', 'tuned', 'fast', 'script'].includes(way))
      .filter((way) => way !== 'start' || count === Math.min(...hosts))
      .map((way) => ({ way, hosts: count, delay }));
  const near = [...hosts].sort((a, b) => a - b).flatMap((count) => at(count, 0));
  return far === 0 ? near : [...near, ...at(Math.min(...hosts), far)];
}

/** The order of a round: each begins with another case, and every second one runs backwards. */
export function orderOf(cases: readonly Case[], round: number, rounds: number): Case[] {
  const due = cases.filter((one) => round < roundsOf(one, rounds));
  const turn = due.length === 0 ? 0 : (round * Math.ceil(due.length / 3)) % due.length;
  const turned = [...due.slice(turn), ...due.slice(0, turn)];
  return round % 2 === 0 ? turned : turned.reverse();
}

/** `ours, N=16, no-op`. */
export const nameOf = ({ way, hosts, delay }: Case, what: What): string =>
  [
    TITLES[way],
    ...(way === 'start' ? [] : [`N=${hosts}`]),
    ...(delay === 0 ? [] : [`${delay} ms`]),
    ...(what === 'once' ? [] : [what]),
  ].join(', ');
