/** Which path was in force when, by the switch log. Pure. */
import type { Switch } from '../trace/record.ts';

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
