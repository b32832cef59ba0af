/** The machines of a lab as bodies of the local API's droplets. */
import { OWN_IMAGE } from '../cloud-texts.ts';
import { addDroplet, removeDroplet } from '../droplet.ts';
import type { Machines } from './types.ts';
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
});
