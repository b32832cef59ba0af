import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';

const read = (file: string): string => readFileSync(`client/${file}`, 'utf8');
const { wgclient } = parse(read('docker-compose.yml')).services;

test('docker-compose.yml: the capability and the device, nothing privileged', () => {
  assert.equal(wgclient.container_name, 'wgclient');
  assert.deepEqual(wgclient.cap_add, ['NET_ADMIN']);
  assert.deepEqual(wgclient.device_cgroup_rules, ['c 10:200 rwm']);
  for (const key of ['privileged', 'network_mode', 'pid', 'ipc', 'userns_mode', 'ports'])
    assert.equal(wgclient[key], undefined, key);
  // Only mounts that are named here, and all of the project's read-only but the folder for runs.
  const [device, scripts, files, runs, ...more] = wgclient.volumes;
  assert.equal(device, '/dev/net:/dev/net:ro');
  assert.deepEqual(
    [scripts, files].map(({ target, read_only }) => [target, read_only]),
    [
      ['/comps', true],
      ['/etc/wireguard', true],
    ],
  );
  // In the short form, by which Docker makes the folder where there is none.
  // biome-ignore lint/suspicious/noTemplateCurlyInString: compose's own placeholder
  assert.equal(runs, '${COMPS_RUNS:-./runs}:/runs');
  assert.deepEqual(more, []);
});

test('what runs is no part of git or of the image; what the Dockerfile copies is', () => {
  // The folder itself is there, so that it is its user's and not made by Docker.
  assert.match(readFileSync('client/runs/.gitignore', 'utf8'), /^[*]\n!\.gitignore$/m);
  const [all, ...kept] = read('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  assert.equal(all, '*');
  const copied = [...read('Dockerfile').matchAll(/^COPY (.*) \S+$/gm)].flatMap(([, names = '']) =>
    names.split(' '),
  );
  assert.deepEqual(kept.toSorted(), copied.map((name) => `!${name.replace(/\/$/, '')}`).toSorted());
});

test('the policies of Chromium end what no flag ends, and nothing else', () => {
  const texts = readdirSync('client/policies').map((name) => read(`policies/${name}`));
  const all = texts.map((text) => JSON.parse(text)).flatMap(Object.entries);
  assert.deepEqual(Object.fromEntries(all), {
    AlternateErrorPagesEnabled: false,
    DefaultSearchProviderEnabled: false,
    BrowserNetworkTimeQueriesEnabled: false,
  });
});

test('docker-compose.yml: comes back after a crash, and Chromium has the shared memory it wants', () => {
  assert.deepEqual([wgclient.restart, wgclient.init, wgclient.shm_size], ['unless-stopped', true, '1gb']);
});

test('docker-compose.yml: no version key, which old releases need and new ones complain of', () => {
  assert.equal(parse(read('docker-compose.yml')).version, undefined);
});

test("the image's packages are the project's own, of the same versions", () => {
  const own = JSON.parse(readFileSync('package.json', 'utf8')).dependencies;
  const { dependencies } = JSON.parse(read('package.json'));
  for (const [name, version] of Object.entries(dependencies)) assert.equal(version, own[name], name);
  const lock = read('package-lock.json');
  assert.doesNotMatch(lock, /"resolved"/);
});

test('what the scripts of the client import from packages is in its image', () => {
  const { dependencies } = JSON.parse(read('package.json'));
  // Runs on the user's own computer, in front of the demo's browser.
  const hostTools = ['open_website.ts', 'lib/webdriver.ts'];
  const files = readdirSync('client/scripts', { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !hostTools.includes(file),
  );
  assert.ok(files.length > 5);
  for (const file of files)
    for (const [, name = ''] of read(`scripts/${file}`).matchAll(/^(?:import|\}).*from '([^.'][^']*)'/gm))
      if (!name.startsWith('node:')) assert.ok(name in dependencies, `${file} imports ${name}`);
});

test('the seccomp profile refuses mounts and other namespaces, and leaves Chromium its own', () => {
  const { defaultAction, syscalls } = JSON.parse(read('seccomp.json'));
  assert.equal(defaultAction, 'SCMP_ACT_ALLOW');
  const refused = new Set(syscalls.flatMap(({ names }: { names: string[] }) => names));
  for (const name of [
    'mount',
    'umount2',
    'pivot_root',
    'setns',
    'bpf',
    'init_module',
    'kexec_load',
    'keyctl',
  ])
    assert.ok(refused.has(name), name);
  for (const name of ['clone', 'unshare', 'chroot']) assert.ok(!refused.has(name), name);
});

test('what the container runs can be run', () => {
  for (const name of readdirSync('client/container'))
    assert.equal(statSync(`client/container/${name}`).mode & 0o111, 0o111, name);
});
