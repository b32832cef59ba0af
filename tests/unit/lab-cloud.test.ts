import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Fault } from '../../scripts/lib/cli.ts';
import { parseConfig } from '../../scripts/lib/config.ts';
import { parseInventory } from '../../scripts/lib/inventory.ts';
import { nextFor } from '../../scripts/lib/lab/boot.ts';
import { dropletLimit } from '../../scripts/lib/lab/cloud/daemon.ts';
import { systemOfImage } from '../../scripts/lib/lab/cloud/machines.ts';
import { lackingOf } from '../../scripts/lib/lab/cloud-ask.ts';
import { isCloudOf, serverWords, variablesIn } from '../../scripts/lib/lab/cloud-seat.ts';
import { environmentText, inventoryText, settingsText, usage } from '../../scripts/lib/lab/cloud-texts.ts';
import { FIRST_BOOT_UNIT, hostNameFrom } from '../../scripts/lib/lab/droplet-boot.ts';
import {
  dropletsOfCloud,
  folderOf,
  freeRole,
  parseRecord,
  recordOf,
  takeRole,
} from '../../scripts/lib/lab/droplet-record.ts';
import { controllerEnvironment, withoutAccount } from '../../scripts/lib/lab/environment.ts';
import { orderFrom } from '../../scripts/lib/lab/exec.ts';
import { machineWords } from '../../scripts/lib/lab/machine.ts';
import { deviceLines } from '../../scripts/lib/lab/network-plan.ts';
import { startCommand } from '../../scripts/lib/lab/open.ts';
import { waitFor } from '../../scripts/lib/lab/patience.ts';
import { nameOf, type Place, placeOf, roleIn } from '../../scripts/lib/lab/place.ts';
import { bootedIn } from '../../scripts/lib/lab/processes.ts';
import { addressOf, CLOUD_ROLES, isOfCloud, roleNamed, rolesOf } from '../../scripts/lib/lab/roles.ts';
import { countsIn } from '../../scripts/lib/lab/setup.ts';
import { until } from '../../scripts/lib/poll.ts';

const directory = mkdtempSync(join(tmpdir(), 'lab-cloud-'));
after(() => rmSync(directory, { recursive: true }));
const place: Place = { ...placeOf('x'), directory };
const NONE = { vpn: 0, comp: 0 };

test("each of the cloud's droplets has a place that nobody else in a lab has, and is the lab's own", () => {
  const all = [...rolesOf({ vpn: 64, comp: 9 }), 'engine' as const, ...CLOUD_ROLES];
  assert.equal(new Set(all.map(addressOf)).size, all.length);
  assert.deepEqual(
    [CLOUD_ROLES.at(0), CLOUD_ROLES.at(-1)].map((role) => addressOf(role ?? 'net')),
    ['198.51.100.101', '198.51.100.180'],
  );
  for (const role of CLOUD_ROLES) assert.equal(roleIn(place, nameOf(place, role)), role);
  for (const other of ['droplet', 'droplet0', 'droplet81', 'droplet01', 'droplet1x', 'vpn1'])
    assert.ok(!isOfCloud(other), other);
  const lines = deviceLines('droplet7').join('\n');
  assert.match(lines, /addr add 198\.51\.100\.107\/24 dev ens3\naddr add 10\.110\.0\.107\/24 dev ens3/);
});

test('records: the first free place is taken, a freed one again; what is half is none', () => {
  const taken = ['a', 'b', 'b'].map((name, i) => takeRole(place, { id: i + 1, name, system: 'ready' }));
  assert.deepEqual(
    taken.map(({ role }) => role),
    ['droplet1', 'droplet2', 'droplet3'],
  );
  freeRole(place, 'droplet2');
  assert.deepEqual(
    dropletsOfCloud(place).map(({ id }) => id),
    [1, 3],
  );
  assert.equal(takeRole(place, { id: 4, name: 'c', system: 'bare' }).role, 'droplet2');
  assert.equal(recordOf(place, 'droplet2')?.system, 'bare');
  assert.equal(recordOf(place, 'droplet9'), undefined);
  assert.equal(statSync(folderOf(place, 'droplet1')).mode & 0o777, 0o700);
  for (const text of [
    '',
    '{"id":1',
    '{"id":0,"name":"a","system":"ready"}',
    '{"id":1,"name":"a","system":"x"}',
  ])
    assert.equal(parseRecord('droplet1', text), undefined, text);
  for (let i = 5; i <= 81; i++) takeRole(place, { id: i, name: 'd', system: 'ready' });
  assert.throws(() => takeRole(place, { id: 82, name: 'e', system: 'ready' }), Fault);
});

test('a machine of the cloud is called by role, address or name; the first of a name that two have', () => {
  const there = [
    { role: 'droplet4', name: 'wgnet1' },
    { role: 'droplet9', name: 'wgnet1' },
  ] as const;
  for (const word of ['droplet4', '198.51.100.104', 'wgnet1'])
    assert.equal(roleNamed(NONE, word, there), 'droplet4', word);
  assert.equal(roleNamed(NONE, 'droplet5', there), undefined);
  assert.equal(roleNamed(NONE, 'client', [{ role: 'droplet1', name: 'client' }]), 'client');
  assert.deepEqual(orderFrom(NONE, ['wgnet1', 'ls'], ['exec', 'wgnet1', 'ls'], there), {
    role: 'droplet4',
    words: ['ls'],
  });
  assert.throws(() => orderFrom(NONE, ['wgnet2'], ['exec', 'wgnet2'], there), /client, wgnet1/);
});

test('a droplet is started in its own namespace, under its own name, with its keys and no others', () => {
  const words = machineWords(place, 'droplet3', {
    ...{ tree: '/tree', npm: '/npm', browser: false, hostname: 'wgnet3' },
  });
  assert.deepEqual(words.slice(0, 3), [
    'nsenter',
    `--net=/run/netns/${nameOf(place, 'droplet3')}`,
    'systemd-nspawn',
  ]);
  assert.ok(words.includes('--hostname=wgnet3'));
  const own = folderOf(place, 'droplet3');
  assert.deepEqual(
    words.filter((word) => word.includes(directory)),
    [
      `--bind-ro=${own}/host_key:/etc/ssh/ssh_host_ed25519_key`,
      `--bind-ro=${own}/authorized_keys:/root/.ssh/authorized_keys`,
      `--load-credential=systemd.extra-unit.first-boot.service:${own}/first-boot.service`,
      `--load-credential=systemd.unit-dropin.sysinit.target:${own}/wants.conf`,
    ],
  );
  // systemd would expand these.
  assert.doesNotMatch(FIRST_BOOT_UNIT, /%|\$\{/);
});

test("a droplet's name becomes a host name whatever it holds", () => {
  assert.equal(hostNameFrom('wgnet1'), 'wgnet1');
  assert.equal(hostNameFrom('a.b-c.example.org'), 'a.b-c.example.org');
  assert.equal(hostNameFrom('-a-..b_c.'), 'a.bc');
  assert.equal(hostNameFrom('...'), 'droplet');
  assert.equal(hostNameFrom(`${'x'.repeat(63)}.y`), 'x'.repeat(63));
});

test('of the images one has WireGuard, and all others come without', () => {
  assert.equal(systemOfImage('debian-13-x64'), 'ready');
  for (const image of ['ubuntu-24-04-x64', 'debian-12-x64', '205000001'])
    assert.equal(systemOfImage(image), 'bare');
});

test("a lab's API is found by its process's words: of this project, of this name, and what it really runs", () => {
  const flags = { spec: '/d.json', fault: ['429', '500:GET /v2/regions:2'], delay: 0.5 };
  const line = (words: string[]): string => words.map((word) => `${word}\0`).join('');
  const words = serverWords(place, flags);
  assert.deepEqual(words.slice(-8), [
    ...['--spec', '/d.json', '--delay', '0.5', '--fault', '429', '--fault', '500:GET /v2/regions:2'],
  ]);
  assert.ok(isCloudOf(place, line(words)));
  assert.ok(isCloudOf(place, line(serverWords(place, {}))));
  assert.ok(!isCloudOf(placeOf('x2'), line(words)));
  assert.ok(!isCloudOf({ ...place, project: '/p' }, line(words)));
  assert.ok(!isCloudOf(place, line(['nsenter', '--net=x', ...words])));
  assert.ok(!isCloudOf(place, ''));
});

test("the account's files are what provisioning reads, without a notice", () => {
  const { config, notices } = parseConfig(settingsText('x'), 'cloud.cfg');
  assert.deepEqual(notices, []);
  // Whoever uses it outside the lab acts on no account, and on no other project's droplets.
  assert.deepEqual(
    [config.token, config.sshKeyId, config.tag],
    [{ env: 'LAB_DO_TOKEN' }, { env: 'LAB_SSH_KEY_ID' }, 'comps-lab-x'],
  );
  assert.deepEqual([config.vpns.length, config.comps.length], [3, 1]);
  const images = [...config.vpns, ...config.comps].map(({ image }) => systemOfImage(image));
  // One real installation is to be seen, and no more, as it takes its time.
  assert.deepEqual(images, ['ready', 'ready', 'bare', 'ready']);
  parseInventory(inventoryText('/home/a b/.lab/id_ed25519'), 'cloud.ini');
  assert.deepEqual(variablesIn(environmentText('dop_v1_abc')), {
    LAB_DO_TOKEN: 'dop_v1_abc',
    LAB_SSH_KEY_ID: '512190',
    DIGITALOCEAN_API_URL: 'http://127.0.0.1:8080/v2',
  });
  const lines = usage('lab.ts exec', { inventory: 'a b/i', settings: 'c', output: 'o' });
  for (const [, text] of lines.filter(([title]) => title !== 'look in'))
    assert.match(text, /-i 'a b\/i' -c c/);
  for (const script of ['wgnet-setup', 'main'])
    assert.ok(
      lines.some(([, text]) => text.endsWith(`${script}.ts -i 'a b/i' -c c -o o`)),
      script,
    );
});

test("the account's limit is what this computer can boot", () => {
  assert.deepEqual(
    ['128\n', '8192\n', '1\n', undefined].map((text) => dropletLimit(text, 0)),
    [18, 80, 1, 18],
  );
  assert.deepEqual(
    [4, 17, 18, 40].map((others) => dropletLimit('128\n', others)),
    [14, 1, 1, 1],
    'machines of other labs need theirs',
  );
});

test('recaps: a host that two of them name has the sums', () => {
  const row = (host: string, changed: number) =>
    `${host} : ok=1   changed=${changed}   unreachable=0   failed=0\n`;
  const counts = countsIn(`RECAP\n${row('wgnet1', 1)}${row('comp1', 0)}\nRECAP\n${row('wgnet1', 2)}`);
  assert.deepEqual(counts.get('wgnet1'), { ok: 2, changed: 3, unreachable: 0, failed: 0 });
  assert.equal(counts.get('comp1')?.ok, 1);
});

test('machines that count: those of labs that boot a system, each once', () => {
  const line = (...words: string[]): string => words.join('\0') + '\0';
  const booted = line('systemd-nspawn', '--machine=comps-x-0000-droplet1', '--boot');
  assert.deepEqual(
    [
      ...bootedIn([
        ...[booted, booted, line('systemd-nspawn', '--machine=comps-x-0000-client', '--as-pid2', 'sleep')],
        ...[line('systemd-nspawn', '--machine=mine', '--boot'), line('node', '--boot'), ''],
      ]),
    ],
    ['comps-x-0000-droplet1'],
  );
});

test('a machine that the kernel has no room for names the setting', () => {
  const words = ['Failed to create control group inotify object: Too many open files', 'Exiting PID 1...'];
  assert.match(nextFor(words).next ?? '', /fs\.inotify\.max_user_instances/);
  assert.deepEqual(nextFor(['Failed to mount']), {});
});

test('the account of the user is no process of a lab to know; the controller knows what leads to it', () => {
  const env = {
    PATH: '/bin',
    DO_TOKEN: 'a',
    SSH_KEY_ID: '1',
    DIGITALOCEAN_API_URL: 'b',
    DIGITALOCEAN_X: 'c',
  };
  assert.deepEqual(withoutAccount(env), { PATH: '/bin' });
  assert.deepEqual(controllerEnvironment(placeOf('x', '/p'), env), {
    ...{ PATH: '/bin', COMPS_LAB_EXEC: 'npx zx scripts/lab.ts exec --name x --' },
  });
  const { COMPS_LAB_EXEC } = controllerEnvironment(placeOf('lab', '/p'), {});
  assert.equal(COMPS_LAB_EXEC, 'npx zx scripts/lab.ts exec --');
});

test('what is down is started by the command that does it', () => {
  assert.equal(startCommand('x', NONE, 'droplet1'), 'npx zx scripts/lab.ts cloud --name x');
  assert.equal(startCommand('x', NONE, 'client'), 'npx zx scripts/lab.ts cloud --name x');
  assert.equal(startCommand('lab', { vpn: 3, comp: 1 }, 'vpn1'), 'npx zx scripts/lab.ts up');
  assert.equal(startCommand('lab', { vpn: 3, comp: 1 }, 'droplet1'), 'npx zx scripts/lab.ts cloud');
  assert.equal(
    startCommand('x', { vpn: 2, comp: 0 }, 'client'),
    'npx zx scripts/lab.ts up --name x --vpn 2 --comp 0',
  );
});

test('what the demo is to make are the names that are missing, whatever else is there', () => {
  assert.equal(lackingOf(['a', 'b'], []), 2);
  assert.equal(lackingOf(['a', 'b'], ['b', 'other', 'b']), 1);
  assert.equal(lackingOf(['a'], ['a', 'other']), 0);
});

test('who waits is told of it, and not of what is over at once', async (context) => {
  const told = context.mock.method(console, 'error', () => {});
  assert.equal(await waitFor('this', Promise.resolve(1), 60_000), 1);
  let end = (): void => {};
  const long = new Promise<void>((resolve) => {
    end = resolve;
  });
  const waited = waitFor('that', long, 1);
  assert.ok(await until(60_000, () => told.mock.callCount() > 0));
  end();
  await waited;
  assert.deepEqual(
    told.mock.calls.map((call) => call.arguments),
    [['still waiting for that']],
  );
});
