/** What provisioning has to do: config.cfg against the account's live state. */
import type { Droplet } from './api.ts';
import { splitOwn } from './own.ts';
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

/** Compares by name and region within the project's droplets (own.ts). */
export function planOf(
  wanted: readonly Wanted[],
  droplets: readonly Droplet[],
  tag: string,
  entries: readonly Entry[],
): Plan {
  const { own, others } = splitOwn(droplets, tag, entries);
  const plan: Plan = {
    create: [],
    adopt: [],
    conflicts: others.map(otherTags(tag)),
    notices: [],
    strays: [],
  };
  for (const one of wanted) {
    const called = own.filter(({ name }) => name === one.name);
    const there = called.filter(({ region }) => region === one.region);
    const entry = entries.find(({ name }) => name === one.name);
    const renamed = own.find(({ id, name }) => id === entry?.id && name !== one.name);
    const conflict =
      renamed === undefined ? conflictOf(one, called, there, entry) : otherName(one.name, renamed);
    if (conflict !== undefined) plan.conflicts.push(conflict);
    else if (there[0] === undefined) {
      plan.create.push(one);
      if (entry?.id !== undefined)
        plan.notices.push(
          `${one.name}: its droplet ${entry.id} is on record here and not in this account; it is made anew`,
        );
    } else {
      plan.adopt.push({ wanted: one, droplet: there[0] });
      plan.notices.push(...differences(one, there[0]));
    }
    const foreign = droplets.filter(
      (droplet) => droplet.name === one.name && !own.includes(droplet) && !others.includes(droplet),
    );
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

const otherTags =
  (tag: string) =>
  ({ id, name, tags }: Droplet): Problem => ({
    what: `the droplet ${name} (${id}) is on record here, and has the tags ${tags.join(', ')}, not ${tag}`,
    next: `write its project's tag into config.cfg (tag: ${tags[0]}), or where this folder is a copy of that project's, remove .droplets`,
  });

const otherName = (name: string, { id, name: now }: Droplet): Problem => ({
  what: `${name}: its droplet ${id} is called ${now} now`,
  next: `give it its name back, write ${now} into config.cfg, or delete it: npx zx scripts/teardown.ts --limit ${id}`,
});

const asIs = (name: string): string =>
  `write into config.cfg what is there, choose another name, or delete it: npx zx scripts/teardown.ts --limit ${name}`;

function conflictOf(
  { name, region, size }: Wanted,
  called: readonly Droplet[],
  there: readonly Droplet[],
  entry: Entry | undefined,
): Problem | undefined {
  if (there.length > 1) {
    const ids = there.map(({ id }) => id);
    const recorded = ids.find((id) => id === entry?.id);
    const other = ids.find((id) => id !== (recorded ?? ids[0]));
    const ours = recorded === undefined ? '' : `; ${recorded} is the one in hosts.ini`;
    return {
      what: `${name}: ${there.length} droplets of this project have this name in ${region} (${ids.join(', ')})${ours}`,
      next: `delete the other: npx zx scripts/teardown.ts --limit ${other}`,
    };
  }
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
