import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { State } from '../../scripts/lib/lab/cloud/store.ts';
import { until } from '../../scripts/lib/poll.ts';
import { startCloud, type TestCloud, TOKEN } from '../cloud-fixture.ts';

const ORDER = { name: 'wgnet1', region: 'nyc3', size: 's-1vcpu-1gb', image: 'ubuntu-24-04-x64' };

/** The droplet once this holds of it. */
// biome-ignore lint/suspicious/noExplicitAny: an API's JSON
async function droplet(api: TestCloud, id: number, holds: (it: any) => boolean): Promise<any> {
  let seen: unknown;
  const came = await until(60_000, async () => {
    const { status, json } = await api.call('GET', `/droplets/${id}`);
    seen = json.droplet;
    return status === 200 && holds(json.droplet);
  });
  assert.ok(came, `droplet ${id} came to ${JSON.stringify(seen)}`);
  return seen;
}

const isActive = (it: { status: string; networks: { v4: unknown[] } }): boolean =>
  it.status === 'active' && it.networks.v4.length === 2;

const gone = (api: TestCloud, id: number): Promise<boolean> =>
  until(60_000, async () => (await api.call('GET', `/droplets/${id}`)).status === 404);

test('a droplet: accepted, new and without addresses, then the private one, the public one, active', async () => {
  // Told of each change, so that none goes by unseen.
  const seen: string[] = [];
  const save = ({ droplets: [one] }: State): void => {
    const networks = [one?.privateIp && 'private', one?.publicIp && 'public'].filter(Boolean);
    seen.push([one?.status, ...networks].join(' '));
  };
  const api = await startCloud({ save, delays: { active: 0.2, address: 0.05 } });
  const body = {
    ...ORDER,
    ssh_keys: [api.key.id],
    tags: ['comps', 'env:prod'],
    user_data: '#cloud-config\n',
  };
  const { status, json } = await api.call('POST', '/droplets', { ...body, ipv6: true, monitoring: true });
  assert.equal(status, 202);
  const { id } = json.droplet;
  assert.deepEqual([json.droplet.status, json.droplet.networks], ['new', { v4: [], v6: [] }]);
  assert.deepEqual(json.droplet.tags, ['comps', 'env:prod']);
  const [link] = json.links.actions;
  assert.deepEqual([link.rel, link.href], ['create', `${api.url}/actions/${link.id}`]);

  const whole = await droplet(api, id, isActive);
  assert.deepEqual(seen, ['new', 'new private', 'new private public', 'active private public']);
  assert.deepEqual(
    whole.networks.v4.map((one: { type: string }) => one.type),
    ['private', 'public'],
  );
  assert.equal(whole.networks.v6.length, 1);
  assert.ok(whole.features.includes('monitoring'));
  assert.deepEqual(
    [whole.region.slug, whole.size_slug, whole.image.slug],
    ['nyc3', 's-1vcpu-1gb', 'ubuntu-24-04-x64'],
  );
  const { action } = (await api.call('GET', `/actions/${link.id}`)).json;
  assert.deepEqual([action.status, action.type, action.resource_id], ['completed', 'create', id]);
  assert.deepEqual(api.machines.orders, [
    { id, ...ORDER, userData: '#cloud-config\n', publicKeys: [api.key.publicKey] },
  ]);
});

test('a deletion: accepted, then locked and refused once more, then 404', async () => {
  const api = await startCloud({ delays: { gone: 60 } });
  const { id } = (await api.call('POST', '/droplets', ORDER)).json.droplet;
  await droplet(api, id, isActive);
  assert.equal((await api.call('DELETE', `/droplets/${id}`)).status, 204);
  const still = await api.call('GET', `/droplets/${id}`);
  assert.deepEqual([still.status, still.json.droplet.locked], [200, true], 'accepted, not gone yet');
  const again = await api.call('DELETE', `/droplets/${id}`);
  assert.deepEqual([again.status, again.json.message], [422, 'Droplet already has a pending event.']);

  const quick = await startCloud();
  const other = (await quick.call('POST', '/droplets', ORDER)).json.droplet;
  await droplet(quick, other.id, isActive);
  assert.equal((await quick.call('DELETE', `/droplets/${other.id}`)).status, 204);
  assert.ok(await gone(quick, other.id));
  assert.equal((await quick.call('DELETE', `/droplets/${other.id}`)).status, 404);
  assert.equal(quick.machines.running.size, 0);
  assert.deepEqual(quick.cloud.droplets(), []);
});

test('several names make as many droplets, each with its action', async () => {
  const api = await startCloud();
  const { name: _, ...rest } = ORDER;
  const names = ['a1', 'a2', 'a3'];
  const { status, json } = await api.call('POST', '/droplets', { ...rest, names });
  assert.equal(status, 202);
  assert.deepEqual(
    json.droplets.map((one: { name: string }) => one.name),
    names,
  );
  assert.equal(json.links.actions.length, 3);
  assert.equal(new Set(json.droplets.map((one: { id: number }) => one.id)).size, 3);
  for (const { id } of json.droplets) await droplet(api, id, isActive);
  assert.equal(new Set(api.machines.running.values()).size, 3);
});

test('a droplet that is being made is not deleted, alone or by its tag', async () => {
  const api = await startCloud({ delays: { active: 60, address: 0.01 } });
  const { json } = await api.call('POST', '/droplets', { ...ORDER, tags: ['comps'] });
  for (const path of [`/droplets/${json.droplet.id}`, '/droplets?tag_name=comps']) {
    const answer = await api.call('DELETE', path);
    assert.deepEqual([answer.status, answer.json.message], [422, 'Droplet already has a pending event.']);
  }
  assert.equal(api.cloud.droplets()[0]?.deleting, false);
});

test('one that never becomes active can be deleted; who waits for its create learns of the end', async () => {
  const api = await startCloud();
  api.cloud.addFault('never-active');
  const { json } = await api.call('POST', '/droplets', ORDER);
  const remove = async () => (await api.call('DELETE', `/droplets/${json.droplet.id}`)).status;
  assert.equal(await remove(), 422);
  assert.ok(await until(60_000, async () => (await remove()) === 204));
  assert.ok(await gone(api, json.droplet.id));
  const { action } = (await api.call('GET', `/actions/${json.links.actions[0].id}`)).json;
  assert.equal(action.status, 'errored');
  assert.equal(api.machines.running.size, 0);
});

test('a machine that does not boot: the action errors, the droplet stays new and can be deleted', async () => {
  const api = await startCloud();
  api.machines.behave(() => ({ fails: true }));
  const { json } = await api.call('POST', '/droplets', ORDER);
  const action = `/actions/${json.links.actions[0].id}`;
  assert.ok(
    await until(60_000, async () => (await api.call('GET', action)).json.action.status === 'errored'),
  );
  await droplet(api, json.droplet.id, (it) => it.status === 'new' && it.networks.v4.length === 0);
  assert.equal((await api.call('DELETE', `/droplets/${json.droplet.id}`)).status, 204);
  assert.ok(await gone(api, json.droplet.id));
});

test('actions of a droplet: power off and on, rename; none while one is pending', async () => {
  const api = await startCloud();
  const { id } = (await api.call('POST', '/droplets', ORDER)).json.droplet;
  const act = (body: unknown) => api.call('POST', `/droplets/${id}/actions`, body);
  await droplet(api, id, isActive);
  const { status, json } = await act({ type: 'power_off' });
  assert.deepEqual([status, json.action.status], [201, 'in-progress']);
  const path = `/droplets/${id}/actions/${json.action.id}`;
  await droplet(api, id, (it) => it.status === 'off');
  assert.equal((await api.call('GET', path)).json.action.status, 'completed');
  await act({ type: 'power_on' });
  await droplet(api, id, isActive);
  await act({ type: 'rename', name: 'renamed' });
  assert.equal((await droplet(api, id, isActive)).name, 'renamed');
  for (const body of [{ type: 'snapshot', name: 'x' }, { type: 'rename' }, { type: 'rename', name: 'a_b' }])
    assert.equal((await act(body)).status, 422, JSON.stringify(body));
  const all = (await api.call('GET', `/droplets/${id}/actions`)).json.actions;
  assert.deepEqual(
    all.map((one: { type: string }) => one.type),
    ['rename', 'power_on', 'power_off', 'create'],
  );
  assert.equal((await api.call('GET', '/actions?per_page=2')).json.actions.length, 2);
  const other = (await api.call('POST', '/droplets', { ...ORDER, name: 'other' })).json;
  assert.equal((await api.call('GET', `/droplets/${id}/actions/${other.links.actions[0].id}`)).status, 404);
  api.cloud.addFault('never-active=third');
  const third = (await api.call('POST', '/droplets', { ...ORDER, name: 'third' })).json.droplet.id;
  assert.equal((await api.call('POST', `/droplets/${third}/actions`, { type: 'reboot' })).status, 422);
});

test('after a restart it knows its droplets, goes on with deletions, and gives up creates', async () => {
  let state: State | undefined;
  const first = await startCloud({
    save: (told) => {
      state = told;
    },
    delays: { active: 0.02, address: 0.01, gone: 60 },
  });
  const { id } = (await first.call('POST', '/droplets', { ...ORDER, tags: ['comps'] })).json.droplet;
  await droplet(first, id, isActive);
  first.cloud.addFault('never-active=late');
  const late = (await first.call('POST', '/droplets', { ...ORDER, name: 'late', user_data: 'secret' })).json;
  const going = (await first.call('POST', '/droplets', { ...ORDER, name: 'going' })).json.droplet.id;
  await droplet(first, going, isActive);
  assert.equal((await first.call('DELETE', `/droplets/${going}`)).status, 204);
  await first.cloud.close();
  const kept = JSON.stringify(state);
  assert.ok(!kept.includes('secret') && !kept.includes(TOKEN));

  const second = await startCloud({ restored: JSON.parse(kept) });
  assert.equal((await second.call('GET', `/droplets/${id}`)).json.droplet.status, 'active');
  assert.equal((await second.call('GET', '/tags/comps')).json.tag.resources.count, 1);
  const { action } = (await second.call('GET', `/actions/${late.links.actions[0].id}`)).json;
  assert.equal(action.status, 'errored');
  assert.ok(await gone(second, going));
  const next = (await second.call('POST', '/droplets', { ...ORDER, name: 'next' })).json.droplet.id;
  assert.ok(next > going, 'numbers are not given twice');
});
