/** The machines of a lab as bodies of the local API's droplets. */
import { Fault, messageOf } from '../../cli.ts';
import { OWN_IMAGE } from '../cloud-texts.ts';
import { addDroplet, powerDroplet, removeDroplet } from '../droplet.ts';
import type { Machines, Power } from './types.ts';
import { hostKeyIn } from './user-data.ts';

/** What a droplet of this image runs: the one that it really is has WireGuard's packages installed, others bring them along. */
export const systemOfImage = (image: string): 'bare' | 'ready' => (image === OWN_IMAGE ? 'ready' : 'bare');

/** Droplets of the lab called `name`. */
export const labMachines = (name: string): Machines => ({
  create: async ({ id, name: called, image, publicKeys, userData }) => {
    const order = {
      id,
      name: called,
      system: systemOfImage(image),
      publicKeys,
      hostKey: hostKeyIn(userData),
    };
    const { address, privateAddress } = await addDroplet({ name }, order);
    return { publicIp: address, privateIp: privateAddress };
  },
  destroy: async (id) => void (await removeDroplet({ name }, id)),
  power: (id, how) => powerDroplet({ name }, id, how),
});

/** The same machines; what goes wrong with one is told, as the API's answers only say that it did. */
export const tellingOf = (machines: Machines, tell: (line: string) => void): Machines => {
  const telling = async <T>(what: string, work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      tell(`${what}: ${error instanceof Fault ? error.toString() : messageOf(error)}`);
      throw error;
    }
  };
  const { power } = machines;
  return {
    create: (order) => telling(`droplet ${order.id} (${order.name})`, machines.create(order)),
    destroy: (id) => telling(`droplet ${id}`, machines.destroy(id)),
    ...(power && { power: (id: number, how: Power) => telling(`droplet ${id}`, power(id, how)) }),
  };
};
