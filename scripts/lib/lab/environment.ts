/** What of this computer's environment the lab's processes get; nothing here changes anything. */
import { cloudEnvironment } from './cloud-seat.ts';
import { labCommand, type Place } from './place.ts';

type Environment = NodeJS.ProcessEnv;

/** An environment without the account that its user has at DigitalOcean: no process of a lab is to know it. */
export const withoutAccount = (env: Environment = process.env): Environment =>
  Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(DO_TOKEN|SSH_KEY_ID|DIGITALOCEAN_.*)$/.test(name)),
  );

/**
 * What a command in the controller gets: where the lab's cloud runs, its account; and in COMPS_LAB_EXEC what leads there,
 * for the next steps that commands print.
 */
export const controllerEnvironment = (place: Place, env: Environment = process.env): Environment => ({
  ...withoutAccount(env),
  COMPS_LAB_EXEC: `${labCommand('exec', place.name)} --`,
  ...cloudEnvironment(place),
});
