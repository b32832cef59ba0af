/** Tags. */
import { isTag } from './order.ts';
import { badRequest, notFound, Refusal } from './refusal.ts';
import { type Call, lists, type Route, route, shows, type World } from './route.ts';
import type { DropletRecord } from './store.ts';
import { tagView } from './views.ts';

const TAG = '/v2/tags/{tag_id}';

/** The tag named in the path, as it is written. */
function tagOf({ ids: [id = ''] }: Call, { store }: World): string {
  const tag = store.findTag(id);
  if (tag === undefined) throw notFound();
  return tag;
}

/** The droplets that the body names; a droplet that is not there is a 404. */
function resourcesIn(body: unknown, { store }: World): DropletRecord[] {
  const { resources } = (body ?? {}) as Record<string, unknown>;
  if (!Array.isArray(resources)) throw badRequest('resources are needed');
  return resources.map(({ resource_id: id, resource_type: type }) => {
    const droplet = type === 'droplet' ? store.droplet(Number(id)) : undefined;
    if (droplet === undefined) throw notFound();
    return droplet;
  });
}

/** This path's refusals have a form of their own. */
class BadTag extends Refusal {
  override readonly body: unknown;
  constructor(name: unknown) {
    const error = `Error validating resource tag: "tag-name ${JSON.stringify(String(name).slice(0, 255))} contains invalid characters"`;
    super(400, 'bad_request', error);
    const cause = `rpc error: code = InvalidArgument desc = ${error}`;
    this.body = { error, messages: null, root_causes: [cause] };
  }
}

export const TAG_ROUTES: Route[] = [
  lists('/v2/tags', 'tag:read', 'tags', ({ base }, { store }) =>
    store.tags.map((tag) => tagView(store, tag, base)),
  ),
  route('POST', '/v2/tags', 'tag:create', ({ body, base }, { store }) => {
    const { name } = (body ?? {}) as Record<string, unknown>;
    if (!isTag(name)) throw new BadTag(name);
    return () => {
      const tag = store.tag(name);
      store.changed();
      return { status: 201, body: { tag: tagView(store, tag, base) } };
    };
  }),
  shows(TAG, 'tag:read', (call, world) => ({ tag: tagView(world.store, tagOf(call, world), call.base) })),
  route('DELETE', TAG, 'tag:delete', (call, world) => {
    const { store } = world;
    const tag = tagOf(call, world);
    return () => {
      for (const droplet of store.tagged(tag)) droplet.tags = droplet.tags.filter((one) => one !== tag);
      store.tags.splice(store.tags.indexOf(tag), 1);
      store.changed();
      return { status: 204 };
    };
  }),
  route('POST', `${TAG}/resources`, 'tag:create', (call, world) => {
    const tag = tagOf(call, world);
    const droplets = resourcesIn(call.body, world);
    return () => {
      for (const droplet of droplets) droplet.tags = [...new Set([...droplet.tags, tag])];
      world.store.changed();
      return { status: 204 };
    };
  }),
  route('DELETE', `${TAG}/resources`, 'tag:delete', (call, world) => {
    const tag = tagOf(call, world);
    const droplets = resourcesIn(call.body, world);
    return () => {
      for (const droplet of droplets) droplet.tags = droplet.tags.filter((one) => one !== tag);
      world.store.changed();
      return { status: 204 };
    };
  }),
];
