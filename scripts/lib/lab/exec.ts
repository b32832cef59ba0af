/** `lab.ts exec`: which machine is meant, and what is to run there. */
import { Fault } from '../cli.ts';
import { exists } from '../files.ts';
import { handOver } from '../transport/local.ts';
import { cloudPid, environmentFile } from './cloud-seat.ts';
import { controllerEnvironment, withoutAccount } from './environment.ts';
import { openLab } from './open.ts';
import { labCommand, placeOf } from './place.ts';
import { type Named, type Role, roleNamed, rolesOf, type Shape } from './roles.ts';

export interface Order {
  role: Role;
  /** Empty for a shell. */
  words: string[];
}

/**
 * Reads `-- CMD…` as the controller's and `HOST [--] CMD…` as that machine's. `words` is what stands behind
 * the flags, `typed` all that was typed: a leading `--` is only there.
 */
export function orderFrom(
  shape: Shape,
  words: readonly string[],
  typed: readonly string[],
  ofCloud: readonly Named[] = [],
): Order {
  const [first, ...rest] = words;
  if (first !== undefined && typed[typed.length - words.length - 1] === '--')
    return { role: 'ctl', words: [...words] };
  if (first === undefined)
    throw new Fault({
      at: 'exec',
      what: 'no command given',
      next: 'exec -- CMD for the controller, exec vpn1 -- CMD for a machine, exec vpn1 for a shell in it',
    });
  const role = roleNamed(shape, first, ofCloud);
  if (role !== undefined) return { role, words: rest[0] === '--' ? rest.slice(1) : rest };
  throw new Fault({
    at: `exec ${first}`,
    what: `no such machine; there are ${[...rolesOf(shape), ...ofCloud.map((one) => one.name)].join(', ')}`,
    next: `to run it in the controller: exec -- ${words.join(' ')}`,
  });
}

/** Runs what was typed behind `exec`, with this terminal; its exit code. */
export async function execIn(
  name: string,
  words: readonly string[],
  typed: readonly string[],
): Promise<number> {
  if (process.getuid?.() !== 0)
    throw new Fault({ what: 'exec needs root, as it enters namespaces', next: 'run it with sudo' });
  const lab = openLab(name);
  const order = orderFrom(lab.shape, words, typed, lab.droplets());
  const command = lab.words(order.role, order.words.length === 0 ? ['bash'] : order.words);
  const place = placeOf(name);
  const inController = order.role === 'ctl';
  if (inController && exists(environmentFile(place)) && cloudPid(place) === undefined)
    console.error(`notice: the cloud of this lab does not run; ${labCommand('cloud', name)} starts it`);
  // It does not outlive this process, not even a `kill -9`.
  return handOver(
    ['setpriv', '--pdeathsig', 'TERM', ...command],
    inController ? controllerEnvironment(place) : withoutAccount(),
  );
}
