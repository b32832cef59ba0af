/** The client's next router, and what it knows of the client. */
import type { Lab } from '../../scripts/lib/lab/lab.ts';

const CLIENT = '192.0.2.2';

/** What the client's next router knows of it, 5 s at most behind a question (ARP): `… lladdr 02:… REACHABLE`, or `… FAILED`. */
export async function answerToRouter(lab: Lab): Promise<string> {
  const ask = `ip neigh flush dev home0; bash -c 'echo x >/dev/udp/${CLIENT}/9'
    n=0; until ip neigh show ${CLIENT} | grep -q REACHABLE || [ $n = 50 ]; do n=$((n + 1)); sleep 0.1; done; ip neigh show ${CLIENT}`;
  const { stdout } = await lab.exec('net', ['sh', '-c', ask]);
  return stdout.trim();
}
