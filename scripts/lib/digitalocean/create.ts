/** Makes one droplet, and never two: names are not unique at DigitalOcean, and a request has no key that would make it so. */
import { EXIT, Fault } from '../cli.ts';
import { type CloudApi, type Droplet, type DropletOrder, InDoubt } from './api.ts';

/** How often a create is sent whose droplet was then not found. */
const TRIES = 3;

/** Seconds after an answer that did not come at which the droplet is looked for: lists may lag behind. */
const LOOKS = [0, 2, 4, 8];

/** Seconds that DigitalOcean's clock may differ from this machine's. */
const SKEW = 120;

/** By what a droplet is known whose create nobody answered. */
export interface Asked {
  name: string;
  region: string;
  /** Unix seconds at which it was first asked for. */
  asked: number;
}

export interface Looking {
  api: CloudApi;
  pause: (seconds: number) => Promise<void>;
  /** Numbers of droplets that were there before: none of them is the one asked for. */
  known: ReadonlySet<number>;
}

export interface Making extends Looking {
  asked: number;
  /** A line for a person. */
  say: (line: string) => void;
}

/** Those of these droplets that an unanswered create may have made. */
export const madeBy = (
  { name, region, asked }: Asked,
  droplets: readonly Droplet[],
  known: ReadonlySet<number | undefined>,
): Droplet[] =>
  droplets.filter(
    (one) => one.name === name && one.region === region && !known.has(one.id) && one.created >= asked - SKEW,
  );

export interface Made {
  droplet: Droplet;
  /** Number of the create action, where the API told it. */
  action: number | undefined;
}

/** The droplet that a request in doubt has made; undefined where there is none, a Fault where there are several. */
async function look(asked: Asked, { api, known }: Looking): Promise<Droplet | undefined> {
  const found = madeBy(asked, await api.droplets(), known);
  if (found.length < 2) return found[0];
  throw new Fault({
    at: asked.name,
    what: `${found.length} new droplets have this name (${found.map(({ id }) => id).join(', ')})`,
    next: `delete all but one: npx zx scripts/teardown.ts --limit ${found[1]?.id}, then run this again`,
    code: EXIT.failed,
  });
}

/** Looks for the droplet of a request that nobody answered, several times; undefined where it was not made. */
export async function lookFor(asked: Asked, looking: Looking): Promise<Droplet | undefined> {
  for (const seconds of LOOKS) {
    await looking.pause(seconds);
    const droplet = await look(asked, looking);
    if (droplet !== undefined) return droplet;
  }
  return undefined;
}

/**
 * Sends the create; where its answer does not come, looks whether it was carried out before it is sent again. A refusal
 * for narrow scopes may leave a droplet behind: that one is taken, as it costs money.
 */
export async function createOnce(order: DropletOrder, making: Making): Promise<Made> {
  const { api, say } = making;
  const asked: Asked = { ...order, asked: making.asked };
  let doubt = '';
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    try {
      return await api.create(order);
    } catch (error) {
      if (error instanceof Fault) {
        const left = error.code === EXIT.refused ? await look(asked, making) : undefined;
        if (left === undefined) throw error;
        say(`was refused (${error.message}), and made nevertheless: droplet ${left.id}`);
        return { droplet: left, action: undefined };
      }
      if (!(error instanceof InDoubt)) throw error;
      doubt = error.message;
      say(`${doubt}; looking whether it was made`);
      const droplet = await lookFor(asked, making);
      if (droplet !== undefined) return { droplet, action: undefined };
    }
  }
  throw new Fault({
    at: order.name,
    what: `was asked for ${TRIES} times, and was not made: ${doubt}`,
    next: 'run the same command again later; it looks first what was made in the meantime',
    code: EXIT.unreachable,
  });
}
