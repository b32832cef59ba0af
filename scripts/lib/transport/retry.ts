/** Whether a connection that was not had is tried again, and when. Decides only. */
import type { Stage } from './ssh-trouble.ts';

/** Milliseconds before the second try and the next ones; then the last again and again. */
const PAUSES = [250, 500, 1000, 2000];

/** So many tries where nothing listens, or no way leads there: a restarting server is back by then. */
const SHORT = 4;

/**
 * Milliseconds to wait before try `tries + 1` (1 after the first), or undefined where a further one is of no use. A server
 * that hangs up before it has shown its key has too many logins at once (MaxStartups) or is being restarted, and is tried
 * for as long as there is time; nothing has been sent there. Never after a host key was judged or a login refused.
 * `chance` from 0 to 1 keeps hosts apart that were turned away together.
 */
export function pauseBefore(
  { code, message, stage }: { code: string | number | undefined; message: string; stage: Stage },
  tries: number,
  chance: number,
): number | undefined {
  const pause = (PAUSES[Math.min(tries, PAUSES.length) - 1] ?? 0) * (0.5 + chance);
  if (stage === 'tcp')
    return code === 'ECONNRESET' || /before handshake|closed the connection/i.test(message)
      ? pause
      : undefined;
  if (stage !== 'way') return undefined;
  const passing = ['ECONNREFUSED', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ECONNRESET', 'EAI_AGAIN'];
  return passing.includes(String(code)) && tries < SHORT ? pause : undefined;
}
