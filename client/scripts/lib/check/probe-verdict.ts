/** What a probe's packets came to, as a line. Pure. */
import type { Leak } from './packets.ts';
import type { Probe, Tried } from './probes.ts';
import type { Sent } from './sockets.ts';
import { installLine } from './tools.ts';
import { bad, type Finding, good, leftOut, plural, SET_UP } from './verdict.ts';

/** `3 sent, 1 EPERM`. */
export function countsText(results: readonly Sent[]): string {
  const counts = new Map<string, number>();
  for (const result of results) counts.set(result, (counts.get(result) ?? 0) + 1);
  return [...counts].map(([result, count]) => `${count} ${result}`).join(', ');
}

/** Packets that are named; of more, how many there are. */
const MOST_NAMED = 3;

/** Packets past the tunnels: what they were, and what closes that. Pure. `text`: a packet for a person. */
export function leaked(
  id: string,
  what: string,
  leaks: readonly Leak[],
  text: (leak: Leak) => string,
): Finding {
  const more = leaks.length > MOST_NAMED ? `; and ${leaks.length - MOST_NAMED} more` : '';
  const named = leaks.slice(0, MOST_NAMED).map(text).join('; ') + more;
  return bad(id, what, `${plural(leaks.length, 'packet')} left past the tunnels`, named, SET_UP);
}

/** A probe's line. Pure. `text`: a packet for a person. */
export function judgeProbe(
  probe: Pick<Probe, 'id' | 'what' | 'without' | 'is'>,
  tried: Tried,
  leaks: readonly Leak[],
  text: (leak: Leak) => string,
): Finding {
  const id = `probe-${probe.id}`;
  const own = leaks.filter((leak) => probe.is(leak));
  if (own.length > 0) return leaked(id, probe.what, own, text);
  if (probe.without !== undefined) return leftOut(id, probe.what, probe.without);
  if ('missing' in tried)
    return leftOut(id, probe.what, `${tried.missing} is missing`, installLine(tried.missing));
  if (probe.id === 'dns-docker' && tried.results.includes('answered'))
    return bad(
      id,
      probe.what,
      'it answers',
      'Docker’s resolver asks from the host, past the tunnels',
      SET_UP,
    );
  return good(id, probe.what, `nothing left (${countsText(tried.results)})`);
}
