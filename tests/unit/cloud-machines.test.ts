import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../scripts/lib/cli.ts';
import { userData } from '../../scripts/lib/digitalocean/user-data.ts';
import { tellingOf } from '../../scripts/lib/lab/cloud/machines.ts';
import { until } from '../../scripts/lib/poll.ts';
import { newHostKey } from '../../scripts/lib/transport/host-key.ts';
import { connectSsh, type SshOptions } from '../../scripts/lib/transport/ssh.ts';
import { makeKey, startCloud, type TestCloud } from '../cloud-fixture.ts';

const ORDER = { region: 'nyc3', size: 's-1vcpu-1gb', image: 'debian-13-x64' };
const HOST = newHostKey();

/** The address of a new droplet, once it is active. */
async function make(api: TestCloud, name: string): Promise<string> {
  const body = { ...ORDER, name, ssh_keys: [api.key.id], user_data: userData(HOST) };
  const { json } = await api.call('POST', '/droplets', body);
  const seen = () => api.cloud.droplets().find(({ id }) => id === json.droplet.id);
  assert.ok(await until(60_000, () => seen()?.status === 'active'));
  return seen()?.publicIp ?? '';
}

const connect = (api: TestCloud, address: string, options: Partial<SshOptions> = {}) => {
  const [type = '', key = ''] = HOST.publicKey.split(' ');
  return connectSsh(
    { name: 'wgnet1', address, port: api.machines.port, user: 'root' },
    {
      keys: [{ file: 'id_ed25519', text: api.key.privateKey }],
      known: [{ type, key, revoked: false, at: 'known_hosts:1' }],
      ...{ knownHostsFile: 'known_hosts', timeout: 5, ...options },
    },
  );
};

test('a droplet is an SSH server: the host key of its user data, the keys of its order, scripts as told', async () => {
  const api = await startCloud();
  api.machines.behave(() => ({
    answer: ({ command, input, droplet }) => ({
      ...{ code: 3, stdout: `${droplet.name}: ${command}\n${input}`, stderr: 'no\n' },
    }),
  }));
  const address = await make(api, 'wgnet1');
  assert.match(address, /^127\.66\./);
  const ssh = await connect(api, address);
  assert.deepEqual(await ssh.run('echo hello\n'), {
    ...{ code: 3, stdout: 'wgnet1: /bin/sh -s\necho hello\n', stderr: 'no\n' },
  });
  ssh.close();
  const stranger = makeKey(api.folder).privateKey;
  await assert.rejects(connect(api, address, { keys: [{ file: 'other', text: stranger }] }), /login refused/);
});

test('by itself a script is good and says nothing', async () => {
  const api = await startCloud();
  const ssh = await connect(api, await make(api, 'wgnet1'));
  assert.deepEqual(await ssh.run('true'), { code: 0, stdout: '', stderr: '' });
  ssh.close();
});

test('on request: connections are broken off at first, another host key, no server at all', async () => {
  const api = await startCloud();
  api.machines.behave(({ name }) =>
    name === 'never'
      ? { refuse: Number.POSITIVE_INFINITY }
      : name === 'late'
        ? { refuse: 2 }
        : name === 'other'
          ? { otherHostKey: true }
          : { silent: true },
  );
  await assert.rejects(connect(api, await make(api, 'never'), { timeout: 1 }), /reset|closed/);
  // Tried again as often as it needs.
  (await connect(api, await make(api, 'late'))).close();
  await assert.rejects(connect(api, await make(api, 'other')), /its host key is now/);
  await assert.rejects(connect(api, await make(api, 'silent')), /connection refused/);
});

test('a destroyed droplet drops its connections, and its address is given again', async () => {
  const api = await startCloud();
  api.machines.behave(() => ({ answer: () => new Promise(() => {}) }));
  const address = await make(api, 'wgnet1');
  const ssh = await connect(api, address);
  const running = ssh.run('sleep 60');
  const lost = assert.rejects(running, /the connection was lost in the middle/);
  await api.call('DELETE', `/droplets/${api.cloud.droplets()[0]?.id}`);
  await lost;
  assert.ok(await until(60_000, () => api.cloud.droplets().length === 0));
  assert.equal(await make(api, 'wgnet2'), address);
});

test('power: off, it answers no more; on, it does at the same address', async () => {
  const api = await startCloud();
  const address = await make(api, 'wgnet1');
  const [{ id = 0 } = {}] = api.cloud.droplets();
  const act = (type: string) => api.call('POST', `/droplets/${id}/actions`, { type });
  const status = () => api.cloud.droplets()[0]?.status;
  const settled = (wanted: string) =>
    until(60_000, async () => {
      const { actions } = (await api.call('GET', `/droplets/${id}/actions`)).json;
      return status() === wanted && actions[0].status === 'completed';
    });
  for (const type of ['power_off', 'shutdown']) {
    assert.equal((await act(type)).status, 201);
    assert.ok(await settled('off'));
    await assert.rejects(connect(api, address), /connection refused/);
    assert.equal((await act('power_on')).status, 201);
    assert.ok(await settled('active'));
    (await connect(api, address)).close();
  }
  assert.equal((await act('power_cycle')).status, 201);
  assert.ok(await settled('active'));
  (await connect(api, address)).close();
});

test('a machine that cannot be switched: the action errors, and the droplet stays what it was', async () => {
  const api = await startCloud();
  await make(api, 'wgnet1');
  const [{ id = 0 } = {}] = api.cloud.droplets();
  await api.machines.destroy(id);
  const { json } = await api.call('POST', `/droplets/${id}/actions`, { type: 'power_off' });
  const path = `/actions/${json.action.id}`;
  assert.ok(await until(60_000, async () => (await api.call('GET', path)).json.action.status === 'errored'));
  assert.equal(api.cloud.droplets()[0]?.status, 'active');
});

test('what goes wrong with a machine is told, with its next step', async () => {
  const told: string[] = [];
  const fails = () => Promise.reject(new Fault({ at: 'droplet1', what: 'did not start', next: 'sysctl' }));
  const machines = tellingOf({ create: fails, destroy: async () => {}, power: fails }, (line) =>
    told.push(line),
  );
  const order = { ...ORDER, id: 7, name: 'a', userData: '', publicKeys: [] };
  await assert.rejects(machines.create(order), Fault);
  await assert.rejects(machines.power?.(7, 'on') ?? Promise.resolve(), Fault);
  await machines.destroy(7);
  const said = 'error: droplet1: did not start\n  next: sysctl';
  assert.deepEqual(told, [`droplet 7 (a): ${said}`, `droplet 7: ${said}`]);
  assert.equal(tellingOf({ create: fails, destroy: fails }, () => {}).power, undefined);
});

test('a droplet that is being switched is neither switched nor deleted', async () => {
  const api = await startCloud();
  await make(api, 'wgnet1');
  const [{ id = 0 } = {}] = api.cloud.droplets();
  let go = (): void => {};
  api.machines.power = () =>
    new Promise((resolve) => {
      go = resolve;
    });
  const act = (type: string) => api.call('POST', `/droplets/${id}/actions`, { type });
  assert.equal((await act('reboot')).status, 201);
  assert.equal((await act('power_off')).status, 422);
  assert.equal((await api.call('DELETE', `/droplets/${id}`)).status, 422);
  go();
  assert.ok(await until(60_000, async () => (await api.call('DELETE', `/droplets/${id}`)).status === 204));
});
