import assert from 'node:assert/strict';
import { test } from 'node:test';
import { userData } from '../../scripts/lib/digitalocean/user-data.ts';
import { until } from '../../scripts/lib/poll.ts';
import { newHostKey } from '../../scripts/lib/transport/host-key.ts';
import { connectSsh, type SshOptions } from '../../scripts/lib/transport/ssh.ts';
import { makeKey, startCloud, type TestCloud } from '../cloud-fixture.ts';

const ORDER = { region: 'nyc3', size: 's-1vcpu-1gb', image: 'debian-13-x64' };
const HOST = newHostKey();

/** The address of a new droplet, once it is known. */
async function make(api: TestCloud, name: string): Promise<string> {
  const body = { ...ORDER, name, ssh_keys: [api.key.id], user_data: userData(HOST) };
  const { json } = await api.call('POST', '/droplets', body);
  const address = () => api.cloud.droplets().find(({ id }) => id === json.droplet.id)?.publicIp;
  assert.ok(await until(10_000, () => address() !== undefined));
  return address() ?? '';
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
    name === 'late' ? { refuse: 2 } : name === 'other' ? { otherHostKey: true } : { silent: true },
  );
  const late = await make(api, 'late');
  for (let i = 0; i < 2; i++) await assert.rejects(connect(api, late), /reset|closed/);
  (await connect(api, late)).close();
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
  assert.ok(await until(10_000, () => api.cloud.droplets().length === 0));
  assert.equal(await make(api, 'wgnet2'), address);
});
