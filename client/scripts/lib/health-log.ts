/** Words for what the watch over the tunnels finds. Pure. */
import { type Reason, SILENT_S } from './health.ts';
import type { Change } from './health-watch.ts';

/** Paths that are left out from now on, that are used again, and all that are not left out. */
export interface HealthLine {
  event: 'health';
  time: number;
  out: string[];
  back: string[];
  healthy: string[];
}

export function healthLine({ left, back, out }: Change, names: readonly string[], time: number): HealthLine {
  const named = (paths: readonly number[]): string[] => paths.map((path) => names[path] ?? '');
  return {
    event: 'health',
    time,
    out: named(left.map(({ path }) => path)),
    back: named(back),
    healthy: names.filter((_, path) => !out.has(path)),
  };
}

const WHY: Record<Reason, string> = {
  gone: 'the interface is gone or down',
  unknown: 'wg gets no answer about it',
  stale: 'no handshake for 180 s',
  silent: `nothing came back for ${SILENT_S} s`,
};

/** The same for a person, a line each. */
export function healthWords({ left, back, out }: Change, names: readonly string[]): string[] {
  return [
    ...left.map(({ path, reason }) => `${names[path]}: ${WHY[reason]}; left out until it answers`),
    ...back.map((path) => `${names[path]}: is back`),
    ...(out.size === names.length
      ? ['no path has a fresh handshake; nothing gets out until one does, and then it goes on by itself']
      : []),
  ];
}
