/** Programs in a client that try to get out, while something is done to it. */

import { pause } from '../../scripts/lib/poll.ts';

/** There in a container that has been probed since its start: Docker makes this folder anew at each. */
const PROBED = '/dev/shm/probed';

/**
 * A `docker exec` may be quicker than a container's first command, which closes the network. So the first probe since a
 * start waits for that, and for ten seconds at most: a network that stays open is seen. Later ones wait for nothing.
 */
const ONCE_CLOSED = `n=0; until [ -e ${PROBED} ] || [ $n = 100 ] || nft list table inet comps; do n=$((n + 1)); sleep 0.1; done; : >${PROBED}`;

/** Milliseconds from one round of probes to the next: a round is a program in the container, and ten more. */
const PAUSE = 200;

/** The shell line that runs probes side by side, once. */
export const probeLine = (probes: readonly string[]): string =>
  `{ ${ONCE_CLOSED}; ${probes.map((probe) => `${probe} &`).join(' ')} wait; } >/dev/null 2>&1`;

/** Runs probes side by side in a client, over and over, for as long as `work` takes, in whatever state the client is. */
export async function whileProbing(
  probes: readonly string[],
  inClient: (line: string) => Promise<unknown>,
  work: () => Promise<unknown>,
): Promise<void> {
  const done = new AbortController();
  const probing = (async () => {
    while (!done.signal.aborted) {
      await inClient(probeLine(probes));
      await pause(PAUSE);
    }
  })();
  try {
    await work();
  } finally {
    done.abort();
    await probing;
  }
}
