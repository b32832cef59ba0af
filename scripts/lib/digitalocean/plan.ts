/** What provisioning has to do: config.cfg against the account's live state. */
import type { Droplet } from './api.ts';
import type { Problem } from './preflight.ts';
import type { Entry } from './saved.ts';
import type { Wanted } from './wanted.ts';

export interface Plan {
  create: Wanted[];
  /** There already; taken as they are. */
  adopt: { wanted: Wanted; droplet: Droplet }[];
  /** Droplets that are wanted otherwise than they are: nothing is resized, nothing made anew. */
  conflicts: Problem[];
  notices: string[];
  /** Droplets of the project that config.cfg does not name. */
  strays: Droplet[];
}

const sameTag = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** Whether a droplet has a tag; DigitalOcean's tags know no case. */
export const hasTag = ({ tags }: Droplet, tag: string): boolean => tags.some((one) => sameTag(one, tag));

/**
 * Compares by name and region within the project's droplets: those that have its tag, and those whose number is on
 * record here (a create may have been carried out without its tags).
 */
export function planOf(
  wanted: readonly Wanted[],
  droplets: readonly Droplet[],
  tag: string,
  entries: readonly Entry[],
): Plan {
  const recorded = new Set(entries.map(({ id }) => id));
  const own = droplets.filter((droplet) => hasTag(droplet, tag) || recorded.has(droplet.id));
  const plan: Plan = { create: [], adopt: [], conflicts: [], notices: [], strays: [] };
  for (const one of wanted) {
    const called = own.filter(({ name }) => name === one.name);
    const there = called.filter(({ region }) => region === one.region);
    const conflict = conflictOf(one, called, there, tag);
    if (conflict !== undefined) plan.conflicts.push(conflict);
    else if (there[0] === undefined) plan.create.push(one);
    else {
      plan.adopt.push({ wanted: one, droplet: there[0] });
      plan.notices.push(...differences(one, there[0]));
    }
    const foreign = droplets.filter((droplet) => droplet.name === one.name && !own.includes(droplet));
    plan.notices.push(
      ...foreign.map(
        ({ id, region }) =>
          `a droplet ${one.name} in ${region} (${id}) is not of this project, as it has no tag ${tag}; it is left alone`,
      ),
    );
  }
  const names = new Set(wanted.map(({ name }) => name));
  plan.strays = own.filter(({ name }) => !names.has(name));
  return plan;
}

const asIs = (name: string): string =>
  `write into config.cfg what is there, choose another name, or delete it: npx zx scripts/teardown.ts --limit ${name}`;

function conflictOf(
  { name, region, size }: Wanted,
  called: readonly Droplet[],
  there: readonly Droplet[],
  tag: string,
): Problem | undefined {
  const ids = (droplets: readonly Droplet[]): string => droplets.map(({ id }) => id).join(', ');
  if (there.length > 1)
    return {
      what: `${name}: ${there.length} droplets of this name in ${region} have the tag ${tag} (${ids(there)}); which one is meant cannot be known`,
      next: `keep one of them: npx zx scripts/teardown.ts --limit ${there[1]?.id}`,
    };
  const [droplet] = there;
  const [elsewhere] = called.filter((one) => one.region !== region);
  if (elsewhere !== undefined)
    return {
      what: `${name}: a droplet of this name is in ${elsewhere.region} (${elsewhere.id}), and config.cfg wants it in ${region}`,
      next: asIs(name),
    };
  if (droplet === undefined) return undefined;
  if (droplet.size !== size)
    return {
      what: `${name}: the droplet ${droplet.id} has the size ${droplet.size}, and config.cfg wants ${size}`,
      next: asIs(name),
    };
  if (droplet.status === 'off' || droplet.status === 'archive')
    return {
      what: `${name}: the droplet ${droplet.id} is switched off`,
      next: `doctl compute droplet-action power-on ${droplet.id}, or the switch on DigitalOcean's page of it`,
    };
  return undefined;
}

/** What is not as wanted in a droplet that is taken nevertheless. */
function differences({ name, image }: Wanted, droplet: Droplet): string[] {
  if (droplet.image === image || String(droplet.image) === image) return [];
  return [`${name} (${droplet.id}) was made from ${droplet.image}, not from ${image}; it is kept`];
}
