/** Takes a lab down. */

import { clear, type Removed } from './clear.ts';
import { checkPrivilege } from './host.ts';
import { placeOf } from './place.ts';
import { alone } from './up.ts';

/** Removes all that the lab called `name` owns, in whatever state it is; what there was. */
export async function labDown(name = 'lab'): Promise<Removed> {
  const place = placeOf(name);
  await checkPrivilege();
  return alone(place, () => clear(place));
}
