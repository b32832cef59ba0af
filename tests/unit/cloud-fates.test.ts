import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../scripts/lib/poll.ts';
import { startCloud, type TestCloud } from '../cloud-fixture.ts';

const ORDER = { name: 'wgnet1', region: 'nyc3', size: 's-1vcpu-1gb', image: 'ubuntu-24-04-x64' };

const names = (api: TestCloud): string[] => api.cloud.droplets().map(({ name }) => name);

/** The droplet as it is once all that is to come to it has come. */
async function settled(api: TestCloud, name: string) {
  const other = `${name}-other`;
  for (const one of [name, other]) await api.call('POST', '/droplets', { ...ORDER, name: one });
  const find = (wanted: string) => api.cloud.droplets().find((one) => one.name === wanted);
  // The one made after it is as it should be: by then the first would be too.
  const done = () => find(other)?.status === 'active' && find(other)?.publicIp !== undefined;
  assert.ok(await until(60_000, done));
  const { json } = await api.call('GET', `/droplets/${find(name)?.id}/actions`);
  return { droplet: find(name), action: json.actions[0].status };
}

test('errored: the action errors, the droplet stays new, no machine boots', async () => {
  const api = await startCloud();
  api.cloud.addFault('errored=a');
  const { droplet } = await settled(api, 'a');
  assert.deepEqual([droplet?.status, droplet?.publicIp, droplet?.privateIp], ['new', undefined, undefined]);
  const path = `/droplets/${droplet?.id}/actions`;
  const errored = async () => (await api.call('GET', path)).json.actions[0].status === 'errored';
  assert.ok(await until(60_000, errored));
  assert.deepEqual(
    api.machines.orders.map(({ name }) => name),
    ['a-other'],
  );
});

test('never-active: it has its addresses, and its action goes on', async () => {
  const api = await startCloud();
  api.cloud.addFault('never-active');
  const { droplet, action } = await settled(api, 'a');
  assert.deepEqual([droplet?.status, action], ['new', 'in-progress']);
  assert.ok(await until(60_000, () => api.cloud.droplets()[0]?.publicIp !== undefined));
});

test('no-address: active, with a private address only', async () => {
  const api = await startCloud();
  api.cloud.addFault('no-address');
  const { droplet, action } = await settled(api, 'a');
  assert.deepEqual([droplet?.status, action, droplet?.publicIp], ['active', 'completed', undefined]);
  assert.match(droplet?.privateIp ?? '', /^10\.66\./);
});

test('late-address: active first, its public address after that', async () => {
  const seen: string[] = [];
  const api = await startCloud({
    save: ({ droplets: [one] }) =>
      seen.push(`${one?.status} ${one?.publicIp === undefined ? 'private' : 'public'}`),
  });
  api.cloud.addFault('late-address=wgnet1');
  await api.call('POST', '/droplets', ORDER);
  assert.ok(await until(60_000, () => api.cloud.droplets()[0]?.publicIp !== undefined));
  assert.deepEqual(seen.slice(-2), ['active private', 'active public']);
});

test('survives: its deletion is accepted, and it stays', async () => {
  const api = await startCloud();
  for (const name of ['a', 'b']) await api.call('POST', '/droplets', { ...ORDER, name, tags: ['x'] });
  api.cloud.addFault('survives=a');
  assert.ok(await until(60_000, () => api.cloud.droplets().every(({ status }) => status === 'active')));
  for (const { id } of api.cloud.droplets())
    assert.equal((await api.call('DELETE', `/droplets/${id}`)).status, 204);
  assert.ok(await until(60_000, () => names(api).length === 1));
  assert.deepEqual([names(api), api.cloud.droplets()[0]?.deleting], [['a'], false]);
  assert.equal((await api.call('DELETE', `/droplets/${api.cloud.droplets()[0]?.id}`)).status, 204);
  assert.ok(await until(60_000, () => names(api).length === 0));
});
