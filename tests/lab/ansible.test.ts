/** The local API against a client that nobody here wrote: Debian's Ansible, with its modules for DigitalOcean. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ensurePackages } from '../../scripts/lib/lab/packages.ts';
import { attempt } from '../../scripts/lib/transport/local.ts';
import { startCloud, type TestCloud } from '../cloud-fixture.ts';

const NAMES = ['wgnet1', 'wgnet2', 'wgcomp'];

/** A droplet's whole life in a play's tasks; JSON, which is YAML too. */
const tasks = (api: TestCloud): object[] => {
  const door = { baseurl: api.url, oauth_token: '{{ lookup("env", "DO_API_TOKEN") }}' };
  const module = (name: string, wanted: object) => ({
    [`community.digitalocean.digital_ocean_${name}`]: { ...door, ...wanted },
  });
  const droplet = (wanted: object) => ({
    ...module('droplet', {
      ...{ name: '{{ item }}', unique_name: true, region: 'nyc3', size: 's-1vcpu-1gb' },
      ...{ image: 'ubuntu-24-04-x64', tags: ['comps'], ssh_keys: [api.key.fingerprint] },
      ...{ user_data: '#cloud-config\n', wait_timeout: 60, sleep_interval: 1, ...wanted },
    }),
    loop: NAMES,
  });
  return [
    { name: 'account', ...module('account_info', {}) },
    { name: 'regions', ...module('region_info', {}) },
    { name: 'sizes', ...module('size_info', {}) },
    { name: 'images', ...module('image_info', { image_type: 'distribution' }) },
    { name: 'keys', ...module('sshkey_info', {}) },
    { name: 'create', ...droplet({ state: 'present' }) },
    { name: 'create again', ...droplet({ state: 'present' }) },
    { name: 'list', ...module('droplet_info', {}) },
    { name: 'tags', ...module('tag_info', {}) },
    { name: 'delete', ...droplet({ state: 'absent' }) },
    // Deleted is accepted first; gone comes later.
    {
      ...{ name: 'list again', ...module('droplet_info', {}), register: 'left' },
      ...{ until: 'left.data | length == 0', retries: 20, delay: 1 },
    },
    { name: 'delete again', ...droplet({ state: 'absent' }) },
  ];
};

// biome-ignore lint/suspicious/noExplicitAny: Ansible's JSON
type Results = Record<string, any>;

/** Plays the tasks; what each came to, by its name. */
async function play(api: TestCloud): Promise<Results> {
  const playbook = join(api.folder, 'play.yml');
  writeFileSync(playbook, JSON.stringify([{ hosts: 'localhost', gather_facts: false, tasks: tasks(api) }]));
  const config = join(api.folder, 'ansible.cfg');
  writeFileSync(config, '');
  const words = ['/usr/bin/ansible-playbook', '-i', 'localhost,', '-c', 'local'];
  const { code, stdout, stderr } = await attempt(
    [...words, '-e', 'ansible_python_interpreter=/usr/bin/python3', playbook],
    {
      // Nothing of this process' own environment: no proxy, no configuration.
      env: {
        ...{ PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: api.folder, LC_ALL: 'C.UTF-8' },
        ...{ ANSIBLE_HOME: api.folder, ANSIBLE_LOCAL_TEMP: api.folder, ANSIBLE_REMOTE_TEMP: api.folder },
        ...{ ANSIBLE_CONFIG: config, ANSIBLE_LOCALHOST_WARNING: 'false', ANSIBLE_NOCOLOR: '1' },
        ...{ ANSIBLE_STDOUT_CALLBACK: 'ansible.posix.json', DO_API_TOKEN: api.token },
      },
    },
  );
  assert.equal(code, 0, stdout + stderr);
  const [{ tasks: done }] = JSON.parse(stdout).plays;
  return Object.fromEntries(done.map((one: Results) => [one.task.name, one.hosts.localhost]));
}

test('Ansible creates droplets, finds them again, lists and deletes them', { timeout: 300_000 }, async () => {
  await ensurePackages(['ansible']);
  // It sends its own parameters along, and nulls, which the real API does not mind.
  const api = await startCloud({ lenient: true, delays: { active: 0.5, address: 0.2, gone: 0.5 } });
  const done = await play(api);
  assert.equal(done.account.data.droplet_limit, 25);
  assert.ok(done.regions.data.some((one: Results) => one.slug === 'nyc3' && one.available));
  assert.ok(done.sizes.data.some((one: Results) => one.slug === 's-1vcpu-1gb'));
  assert.ok(done.images.data.some((one: Results) => one.slug === 'ubuntu-24-04-x64'));
  assert.deepEqual(
    done.keys.data.map((one: Results) => one.fingerprint),
    [api.key.fingerprint],
  );

  const made = done.create.results.map((one: Results) => one.data.droplet);
  assert.ok(done.create.results.every((one: Results) => one.changed));
  assert.deepEqual(
    made.map((one: Results) => one.name),
    NAMES,
  );
  for (const { status, networks, tags } of made) {
    assert.deepEqual([status, tags], ['active', ['comps']]);
    assert.deepEqual(
      networks.v4.map((one: Results) => one.type),
      ['private', 'public'],
    );
  }
  const again = done['create again'].results;
  assert.deepEqual(
    again.map((one: Results) => one.changed),
    [false, false, false],
  );
  const ids = made.map((one: Results) => one.id);
  assert.deepEqual(
    again.map((one: Results) => one.data.droplet.id),
    ids,
  );
  assert.deepEqual(
    done.list.data.map((one: Results) => one.id),
    ids,
  );
  assert.deepEqual(
    done.tags.data.map((one: Results) => one.name),
    ['comps'],
  );

  assert.deepEqual(
    done.delete.results.map((one: Results) => one.changed),
    [true, true, true],
  );
  assert.deepEqual(done['list again'].data, []);
  assert.deepEqual(
    done['delete again'].results.map((one: Results) => one.changed),
    [false, false, false],
  );
  assert.deepEqual(api.cloud.droplets(), []);
  assert.deepEqual(
    api.machines.orders.map(({ publicKeys }) => publicKeys),
    Array(3).fill([api.key.publicKey]),
  );
  assert.equal(api.machines.running.size, 0);
  await api.close();
});
