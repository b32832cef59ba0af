/** Brings back the droplets of a lab's cloud whose machines are down. */
import { EXIT, Fault } from '../cli.ts';
import { until } from '../poll.ts';
import { askCloud } from './cloud-ask.ts';
import { cloudLog } from './cloud-seat.ts';
import type { Droplet } from './droplet-record.ts';
import type { Lab } from './open.ts';
import { placeOf } from './place.ts';
import { runningIn } from './processes.ts';

/** Milliseconds that a machine may take to be on its way. */
const PATIENCE = 90_000;

/** Has the API switch a droplet on, and waits for it; false where it is being made, or is none of the API's. */
async function wake(lab: Lab, { id, name }: Droplet): Promise<boolean> {
  const seen = (await askCloud(lab, 'GET', `/droplets/${id}`)).body as
    | { droplet?: { status: string } }
    | undefined;
  if (seen?.droplet === undefined || seen.droplet.status === 'new') return false;
  const { status, body } = await askCloud(lab, 'POST', `/droplets/${id}/actions`, { type: 'power_on' });
  const { action } = (body ?? {}) as { action?: { id: number } };
  // One that is being deleted, say.
  if (status === 422) return false;
  let came: string | undefined;
  const ended = async (): Promise<boolean> => {
    const answer = await askCloud(lab, 'GET', `/droplets/${id}/actions/${action?.id}`);
    came = (answer.body as { action?: { status: string } } | undefined)?.action?.status ?? 'in-progress';
    return came !== 'in-progress';
  };
  if (action !== undefined && (await until(PATIENCE, ended)) && came === 'completed') return true;
  throw new Fault({
    at: name,
    what: 'its machine is down, and did not start again',
    next: `see ${cloudLog(lab)}`,
    code: EXIT.failed,
  });
}

/** Starts the machines of droplets that are down, as new; the names of those that it started. The API must run. */
export async function wakeDroplets(lab: Lab): Promise<string[]> {
  const running = runningIn(placeOf(lab.name));
  const down = lab.droplets().filter(({ role }) => !running.has(role));
  const woken = await Promise.all(down.map((droplet) => wake(lab, droplet)));
  return down.filter((_, i) => woken[i]).map(({ name }) => name);
}
