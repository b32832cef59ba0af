/** Droplets. */
import { CATALOGUE } from './catalogue.ts';
import { judgeOrder, type Order, scopesOf } from './order.ts';
import { badRequest, notFound, refuse, unprocessable } from './refusal.ts';
import { type Call, lists, type Route, route, shows, type World } from './route.ts';
import type { ActionRecord, DropletRecord, Store } from './store.ts';
import { dropletView } from './views.ts';

/** The droplet whose number stands in the path. */
export function dropletOf([id = '']: readonly string[], store: Store): DropletRecord {
  const droplet = /^[1-9]\d*$/.test(id) ? store.droplet(Number(id)) : undefined;
  if (droplet === undefined) throw notFound();
  return droplet;
}

function matching({ query }: Call, { store }: World): DropletRecord[] {
  const [tag, name] = [query.get('tag_name'), query.get('name')];
  if (tag && name) throw badRequest('name and tag_name cannot be combined');
  if (query.get('type') === 'gpus') return [];
  if (tag) return store.tagged(tag);
  return store.droplets.filter((one) => !name || one.name.toLowerCase() === name.toLowerCase());
}

/** One droplet of an order, and its create action; its machine begins to boot. */
function make(order: Order, name: string, { store, life, faults }: World): [DropletRecord, ActionRecord] {
  const { region, size, image, keys, userData } = order;
  const droplet: DropletRecord = {
    ...{ id: store.next.droplet++, name, region: region.slug, size: size.slug, image: image.id },
    ...{ status: 'new', created: Date.now(), deleting: false },
    tags: [...new Set(order.tags.map((tag) => store.tag(tag)))],
    features: [
      ...(order.backups ? ['backups'] : []),
      ...['droplet_agent', 'private_networking'],
      ...(order.ipv6 ? ['ipv6'] : []),
      ...(order.monitoring ? ['monitoring'] : []),
    ],
  };
  store.droplets.push(droplet);
  const action = store.newAction('create', droplet);
  const machine = {
    ...{ id: droplet.id, name, region: region.slug, size: size.slug, image: image.slug ?? String(image.id) },
    ...{ userData, publicKeys: keys.map(({ publicKey }) => publicKey) },
  };
  life.begin(droplet, action, machine, faults.takeFates('POST', '/v2/droplets', name));
  return [droplet, action];
}

const create = route(
  'POST',
  '/v2/droplets',
  ({ body }) => scopesOf(body),
  ({ body, base }, world) => {
    const { store, dropletLimit } = world;
    const order = judgeOrder(body, {
      ...{ catalogue: CATALOGUE, keys: store.keys, droplets: store.droplets.length, limit: dropletLimit() },
    });
    return () => {
      const made = order.names.map((name) => make(order, name, world));
      store.changed();
      const views = made.map(([droplet]) => dropletView(droplet));
      const actions = made.map(([, { id }]) => ({ id, rel: 'create', href: `${base}/actions/${id}` }));
      const shown = order.several ? { droplets: views } : { droplet: views[0] };
      return { status: 202, body: { ...shown, links: { actions } } };
    };
  },
);

/** Accepts the deletion of droplets; that of one which is still being made is refused, as users report it. */
function remove(droplets: readonly DropletRecord[], path: string, { store, life, faults }: World) {
  if (droplets.some(life.isPending)) throw refuse('pending');
  return () => {
    for (const droplet of droplets)
      life.remove(droplet, faults.takeFates('DELETE', path, droplet.name).has('survives'));
    store.changed();
    return { status: 204 };
  };
}

export const DROPLET_ROUTES: Route[] = [
  lists('/v2/droplets', 'droplet:read', 'droplets', (call, world) => matching(call, world).map(dropletView)),
  create,
  // The document names the second scope in its text alone.
  route(
    'DELETE',
    '/v2/droplets',
    () => ['droplet:delete', 'tag:read'],
    ({ query, path }, world) => {
      const tag = query.get('tag_name') ?? '';
      if (tag === '') throw unprocessable('tag_name must not be empty');
      if (world.store.findTag(tag) === undefined) throw notFound();
      return remove(
        world.store.tagged(tag).filter(({ deleting }) => !deleting),
        path,
        world,
      );
    },
  ),
  shows('/v2/droplets/{droplet_id}', 'droplet:read', ({ ids }, { store }) => ({
    droplet: dropletView(dropletOf(ids, store)),
  })),
  route('DELETE', '/v2/droplets/{droplet_id}', 'droplet:delete', ({ ids, path }, world) =>
    remove([dropletOf(ids, world.store)], path, world),
  ),
];
