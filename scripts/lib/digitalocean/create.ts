/**
 * Makes one droplet, and looks before it asks a second time: names are not unique at DigitalOcean, and a request has no
 * key that would make it so.
 */
import { EXIT, Fault } from '../cli.ts';
import { type CloudApi, type Droplet, type DropletOrder, InDoubt, NotPermitted } from './api.ts';
import { type Asked, madeBy } from './own.ts';

/** How often a create is sent whose droplet was then not found. */
const TRIES = 3;

/** Seconds between looks for a droplet that may have been made: lists may lag behind. */
export const LOOKS: readonly number[] = [0, 2, 4, 6, 8];

/** Seconds after which a droplet that was made is in the lists. */
export const LAG = LOOKS.reduce((sum, each) => sum + each, 0);

/** Certainly no droplet was made of it. */
export class NotMade extends Fault {
  override name = 'NotMade';
}

export interface Looking {
  api: CloudApi;
  pause: (seconds: number) => Promise<void>;
  /** Numbers of droplets that were there before: none of them is the one asked for. */
  known: ReadonlySet<number | undefined>;
}

export interface Making extends Looking {
  mark: string;
  /** A line for a person. */
  say: (line: string) => void;
}

export interface Made {
  droplet: Droplet;
  /** Number of the create action, where the API told it. */
  action: number | undefined;
}

const same = ({ name, region }: Asked, one: Droplet): boolean => one.name === name && one.region === region;

/** Several that answer to one request: none of them is taken. */
const several = (name: string, found: readonly Droplet[]): Fault =>
  new Fault({
    at: name,
    what: `${found.length} new droplets have this name (${found.map(({ id }) => id).join(', ')})`,
    next: `delete all but one of them, by number: npx zx scripts/teardown.ts --limit ${found[1]?.id}; then run this again`,
    code: EXIT.failed,
  });

/** Looks several times for the droplet of a request that nobody answered; undefined where it was not made. */
export async function lookFor(
  asked: Asked,
  { api, pause, known }: Looking,
  also: (droplet: Droplet) => boolean = () => false,
): Promise<Droplet | undefined> {
  for (const seconds of LOOKS) {
    await pause(seconds);
    const droplets = await api.droplets();
    const bare = droplets.filter((one) => same(asked, one) && !known.has(one.id) && also(one));
    const found = [...new Set([...madeBy(asked, droplets, known), ...bare])];
    if (found.length > 1) throw several(asked.name, found);
    if (found[0] !== undefined) return found[0];
  }
  return undefined;
}

/** A create that is refused may make its droplet nevertheless, and without its tags. */
const lostItsTags = ({ tags }: Droplet): boolean => tags.length === 0;

/** What a refusal comes to: the droplet, where it was made nevertheless. */
async function refused(refusal: Fault, asked: Asked, making: Making, doubted: boolean): Promise<Made> {
  const mayBe = refusal instanceof NotPermitted;
  const left = mayBe ? await lookFor(asked, making, lostItsTags) : undefined;
  if (left !== undefined) {
    making.say(`was refused (${refusal.message}), and made nevertheless: droplet ${left.id}`);
    return { droplet: left, action: undefined };
  }
  if (doubted) throw refusal;
  const { message: what, next, code } = refusal;
  throw new NotMade({ what, code, ...(next === undefined ? {} : { next }) });
}

/**
 * Sends the create; where its answer does not come, looks whether it was carried out before it is sent again. Rejects with
 * NotMade where there certainly is no droplet, and with another Fault where there may be one.
 */
export async function createOnce(order: DropletOrder, making: Making): Promise<Made> {
  const asked: Asked = { name: order.name, region: order.region, mark: making.mark };
  let doubt = '';
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    try {
      return await making.api.create(order);
    } catch (error) {
      if (error instanceof Fault && error.code === EXIT.refused)
        return await refused(error, asked, making, doubt !== '');
      if (!(error instanceof InDoubt)) throw error;
      doubt = error.message;
      making.say(`${doubt}; looking whether it was made`);
      const droplet = await lookFor(asked, making);
      if (droplet !== undefined) return { droplet, action: undefined };
    }
  }
  throw new Fault({
    at: order.name,
    what: `was asked for ${TRIES} times, and is not to be seen: ${doubt}`,
    next: 'run the same command again later; it looks first what was made in the meantime',
    code: EXIT.unreachable,
  });
}
