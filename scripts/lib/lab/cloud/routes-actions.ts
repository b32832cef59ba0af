/** What was done to droplets, and what a user may do to one that is there: its power, and another name. */
import { isHostName } from './order.ts';
import { notFound, type Refusal, refuse, unprocessable } from './refusal.ts';
import { lists, type Route, route, shows } from './route.ts';
import { dropletOf } from './routes-droplets.ts';
import type { ActionRecord, Store } from './store.ts';
import type { Power } from './types.ts';
import { actionView } from './views.ts';

/** What each type does to the machine: a machine of a lab is never asked to shut down by itself. */
const POWER: Record<string, Power> = {
  ...{ power_on: 'on', power_off: 'off', shutdown: 'off', reboot: 'cycle', power_cycle: 'cycle' },
};

/** Why an action is refused; undefined where it is not. */
function refusalOf(type: string, name: unknown, hasPower: boolean): Refusal | undefined {
  if (type === 'rename') {
    if (typeof name !== 'string' || name === '') return refuse('name-missing');
    return isHostName(name) ? undefined : refuse('name');
  }
  if (Object.hasOwn(POWER, type) && hasPower) return undefined;
  return unprocessable(`The local API has no droplet action ${type.slice(0, 40)}.`);
}

const act = route(
  'POST',
  '/v2/droplets/{droplet_id}/actions',
  'droplet:update',
  ({ ids, body }, { store, life }) => {
    const droplet = dropletOf(ids, store);
    const { type: given, name } = (body ?? {}) as Record<string, unknown>;
    const type = String(given);
    const refusal = refusalOf(type, name, life.hasPower);
    if (refusal !== undefined) throw refusal;
    if (life.isPending(droplet) || store.open(droplet).length > 0) throw refuse('pending');
    return () => {
      const action = store.newAction(type, droplet);
      // Answered as it stands at this moment, in progress.
      const shown = { action: actionView(action) };
      const how = POWER[type];
      if (how !== undefined) life.power(droplet, action, how);
      else {
        droplet.name = String(name);
        store.finish(action, 'completed');
      }
      store.changed();
      return { status: 201, body: shown };
    };
  },
);

const actionOf = (store: Store, id: string | undefined, droplet?: number): ActionRecord => {
  const action = store.actions.find((one) => String(one.id) === id);
  if (action === undefined || (droplet !== undefined && action.droplet !== droplet)) throw notFound();
  return action;
};

/** The newest first. */
const newest = (actions: readonly ActionRecord[]): unknown[] => actions.map(actionView).reverse();

export const ACTION_ROUTES: Route[] = [
  shows('/v2/droplets/{droplet_id}/actions/{action_id}', 'droplet:read', ({ ids }, { store }) => ({
    action: actionView(actionOf(store, ids[1], dropletOf(ids, store).id)),
  })),
  act,
  lists('/v2/actions', 'actions:read', 'actions', (_, { store }) => newest(store.actions)),
  shows('/v2/actions/{action_id}', 'actions:read', ({ ids }, { store }) => ({
    action: actionView(actionOf(store, ids[0])),
  })),
  lists('/v2/droplets/{droplet_id}/actions', 'droplet:read', 'actions', ({ ids }, { store }) => {
    const { id } = dropletOf(ids, store);
    return newest(store.actions.filter(({ droplet }) => droplet === id));
  }),
];
