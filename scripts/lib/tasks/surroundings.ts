import type { Task } from '../runner/task.ts';
import type { HostFacts } from './facts.ts';
import { FIREWALL_PROBE, firewallNotices } from './firewall.ts';
import { TRIED_TEXT } from './system.ts';

/** Clocks further apart than this, in seconds, are told of. */
const CLOCKS_APART = 60;

/** `3 min`, `26 h`, `40 days`. */
function lasting(seconds: number): string {
  if (seconds < 2 * 3600) return `${Math.round(seconds / 60)} min`;
  return seconds < 3 * 86400 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`;
}

function clockNotice(ahead: number): string {
  const side = ahead < 0 ? 'behind' : 'ahead of';
  const effect =
    ahead < 0
      ? 'apt may refuse lists as "not valid yet", and WireGuard takes no handshake that is dated before the last one, so after a clock was set back its own go unanswered'
      : 'once it is set right, WireGuard takes no handshake of its own until that time is reached again, or the other end is restarted';
  return `its clock is ${lasting(Math.abs(ahead))} ${side} this computer's: ${effect}\nnext: see \`date\` here and there; there: timedatectl set-ntp true`;
}

/** Nothing is wanted of it: what a person should know of this host, be it its system, its clock or its firewall. */
export const surroundings = (port: number): Task<HostFacts> => ({
  name: 'surroundings',
  tags: ['surroundings'],
  probe: FIREWALL_PROBE,
  judge: (seen, { untried, ahead = 0 }) => ({
    changes: [],
    notices: [
      ...(untried === undefined
        ? []
        : [`its system is ${untried}, which nobody has tried; written for are ${TRIED_TEXT}`]),
      ...(Math.abs(ahead) > CLOCKS_APART ? [clockNotice(ahead)] : []),
      ...firewallNotices(seen, port),
    ],
  }),
});
