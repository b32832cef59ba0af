/** Which path was in force when, by the switch log. Pure. */
import type { Pcap } from '../trace/pcap.ts';
import type { Switch } from '../trace/record.ts';

/** Seconds by which a packet and the switch log may disagree: wg0's packets wait for their encryption. */
export const SLACK = 0.05;

/** A time during which one path was the current one; seconds since 1970. */
export interface Spell {
  path: string;
  /** From the moment at which the kernel may have switched to it. */
  from: number;
  /** To the moment at which it may have switched away. */
  to: number;
}

/** The spells of a visit; the last lasts until `end`. A switch takes from `time` to `done`: both paths have it. */
export function spells(switches: readonly Switch[], end: number): Spell[] {
  const found: Spell[] = [];
  for (const { path, time, done } of switches) {
    const last = found.at(-1);
    if (last?.path === path) continue;
    if (last !== undefined) last.to = done;
    found.push({ path, from: time, to: Math.max(end, done) });
  }
  return found;
}

/** Seconds of each path between two times. */
export function secondsInForce(all: readonly Spell[], from: number, to: number): Map<string, number> {
  const seconds = new Map<string, number>();
  for (const spell of all) {
    const shared = Math.min(spell.to, to) - Math.max(spell.from, from);
    if (shared > 0) seconds.set(spell.path, (seconds.get(spell.path) ?? 0) + shared);
  }
  return seconds;
}

/** Packets that left by a path while the log says that another one was in force. */
export function astray(name: string, { packets }: Pcap, all: readonly Spell[]): number {
  const [first] = all;
  if (first === undefined) return 0;
  const own = all.filter(({ path }) => path === name);
  const sent = packets.filter(({ time, direction }) => direction === 1 && time >= first.from + SLACK);
  let i = 0;
  let count = 0;
  // In time order: the kernel stamps packets on several processors.
  for (const time of sent.map((packet) => packet.time).sort((a, b) => a - b)) {
    while (i < own.length && (own[i] as Spell).to + SLACK < time) i++;
    const spell = own[i];
    if (spell === undefined || time < spell.from - SLACK) count++;
  }
  return count;
}
