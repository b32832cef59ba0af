/** provision, main and teardown as their users meet them: what they say, what they refuse, what they leave alone. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseInventory } from '../../scripts/lib/inventory.ts';
import { COMPS, type Provisioner, startProvisioner } from '../provisioner.ts';

const ALL = ['comp1', 'wgnet1', 'wgnet2'];

const posts = (user: Provisioner): number =>
  user.cloud.requests.filter(({ method }) => method === 'POST').length;

test('the commands: a plan with prices, droplets, the same again changes nothing, a list, and gone', async () => {
  const user = await startProvisioner();
  const plan = await user.run('provision', '--check');
  assert.equal(plan.code, 0, plan.said);
  assert.match(
    plan.stdout,
    /^ {2}create {2}wgnet1 {2}nyc1 {2}s-1vcpu-1gb {2}ubuntu-24-04-x64 {2}\$0.00893 an hour, \$6 a month$/m,
  );
  assert.match(plan.stdout, /^ {2}3 to create, 0 to keep: \$0.0268 an hour, \$18 a month$/m);
  assert.equal(posts(user), 0);

  const made = await user.run('provision');
  assert.equal(made.code, 0, made.said);
  assert.match(made.stdout, /^wgnet1 : ok=1 {3}changed=1 {3}unreachable=0 {3}failed=0$/m);
  assert.match(made.stdout, /^next: {4}npx zx scripts\/wgnet-setup.ts -i \S+hosts.ini -c \S+config.cfg$/m);
  user.requireTrue(...ALL);
  const files = ['hosts.ini', 'known_hosts', '.droplets/hosts.ini.json'];
  const texts = files.map(user.read);

  const again = await user.run('provision');
  assert.equal(again.code, 0, again.said);
  assert.doesNotMatch(again.stdout, /changed:|changed=1/);
  assert.deepEqual(files.map(user.read), texts);
  assert.equal(posts(user), 3);

  const listed = await user.run('teardown', '--check');
  assert.match(
    listed.stdout,
    /^ {2}wgnet1 +\d+ +nyc1 +s-1vcpu-1gb +127\.66\.\d+\.\d+ +\d+ (seconds?|minutes?) +under \$0.01$/m,
  );
  assert.equal(user.names().length, 3);
  const unasked = await user.run('teardown');
  assert.equal(unasked.code, 1);
  assert.match(
    unasked.stderr,
    /3 droplets are to be deleted, and there is no terminal to ask on\n {2}next: .*--yes/,
  );
  assert.equal(user.names().length, 3);

  const gone = await user.run('teardown', '--yes');
  assert.equal(gone.code, 0, gone.said);
  assert.deepEqual(user.names(), []);
  user.requireTrue();
  const nothing = await user.run('teardown', '--yes');
  assert.equal(nothing.code, 0);
  assert.match(nothing.stdout, /There is no droplet with the tag comps, and none on record/);
  await user.close();
});

/** Answers the question of teardown.ts on a terminal. */
function answer(user: Provisioner, text: string): Promise<{ code: number | null; said: string }> {
  const words = [
    'node',
    '--import=tsx',
    'scripts/teardown.ts',
    '-i',
    user.file('hosts.ini'),
    '-c',
    user.file('config.cfg'),
    '--api-url',
    user.url,
  ];
  const child = spawn('script', ['-qec', `exec ${words.join(' ')}`, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    if (!said.includes('[y/N]') && (said + part).includes('[y/N]')) child.stdin.write(text);
    said += part;
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, said })));
}

test('teardown asks on a terminal; anything but yes deletes nothing', async () => {
  const user = await startProvisioner();
  assert.equal((await user.provision()).code, 0);
  const no = await answer(user, '\n');
  assert.equal(no.code, 1, no.said);
  assert.match(no.said, /Delete these 3 droplets with all that is on them\?/);
  assert.match(no.said, /nothing was deleted/);
  assert.equal(user.names().length, 3);
  const yes = await answer(user, 'yes\n');
  assert.equal(yes.code, 0, yes.said);
  assert.deepEqual(user.names(), []);
  await user.close();
});

test('hosts.ini: comments, order, variables and hosts of the user’s stay; a link and its mode as well', async () => {
  const user = await startProvisioner();
  const text = [
    ...['# proxies of mine', '[vpn]', 'old ansible_host=192.0.2.11 # by hand', 'wgnet2 ansible_user=root'],
    ...['; the far end', '[comp]', '', '[all:vars]', `ansible_port=${user.machines.port}`],
    ...[`ansible_ssh_private_key_file=${user.key.file}`, ''],
  ];
  writeFileSync(user.file('hosts.ini'), text.join('\n'));
  chmodSync(user.file('hosts.ini'), 0o640);
  const made = await user.provision();
  assert.equal(made.code, 0, made.said);
  const address = (name: string) => user.cloud.droplets().find((one) => one.name === name)?.publicIp;
  const expected = [
    ...['# proxies of mine', '[vpn]', 'old ansible_host=192.0.2.11 # by hand'],
    ...[
      `wgnet1 ansible_host=${address('wgnet1')}`,
      `wgnet2 ansible_host=${address('wgnet2')} ansible_user=root`,
    ],
    ...['; the far end', '[comp]', `comp1 ansible_host=${address('comp1')}`, ...text.slice(6)],
  ];
  assert.equal(user.read('hosts.ini'), expected.join('\n'));
  assert.equal(statSync(user.file('hosts.ini')).mode & 0o777, 0o640);
  assert.equal((await user.tearDown()).code, 0);
  const left = text.filter((line) => !line.startsWith('wgnet2'));
  assert.equal(user.read('hosts.ini'), left.join('\n'));
  await user.close();
});

test('a droplet deleted by somebody else is made anew: its line, its pin and its number change', async () => {
  const user = await startProvisioner();
  assert.equal((await user.provision()).code, 0);
  const [first] = user.cloud.droplets();
  assert.ok(first);
  await user.call('DELETE', `/droplets/${first.id}`);
  const pins = user.read('known_hosts').split('\n');
  while (user.cloud.droplets().length > 2) await new Promise((resolve) => setTimeout(resolve, 20));
  const again = await user.provision();
  assert.equal(again.code, 0, again.said);
  assert.match(again.said, /1 to create, 2 to keep/);
  assert.ok(
    again.said.includes(
      `notice: ${first.name}: its droplet ${first.id} is on record here and not in this account; it is made anew`,
    ),
    again.said,
  );
  user.requireTrue(...ALL);
  const now = user.read('known_hosts').split('\n');
  assert.equal(now.length, pins.length);
  assert.equal(now.filter((line) => pins.includes(line)).length, pins.length - 1);
  await user.close();
});

test('adopted from another computer: its host key is not pinned here, so nobody connects unasked', async () => {
  const user = await startProvisioner();
  assert.equal((await user.provision()).code, 0);
  for (const name of ['known_hosts', '.droplets']) rmSync(user.file(name), { recursive: true });
  const met = await user.provision();
  assert.equal(met.code, 4, met.said);
  assert.match(
    met.said,
    /wgnet1 \(root@127\.66\.\d+\.\d+ port \d+\): its host key ssh-ed25519 SHA256:\S+ is not known yet/,
  );
  assert.equal(posts(user), 3);
  const taken = await user.provision({ acceptNew: true });
  assert.equal(taken.code, 0, taken.said);
  user.requireTrue(...ALL);
  await user.close();
});

test('a droplet that shows another host key than it was given is not logged in to', async () => {
  const user = await startProvisioner();
  let scripts = 0;
  user.machines.behave(({ name }) => ({
    otherHostKey: name === 'wgnet2',
    answer: () => {
      if (name === 'wgnet2') scripts++;
      return {};
    },
  }));
  user.settings('wait_timeout: 4');
  const met = await user.provision();
  assert.equal(met.code, 4, met.said);
  assert.match(met.said, /unreachable: \[wgnet2\] .*its host key is now .*not the one in \S*known_hosts:\d/);
  assert.equal(scripts, 0);
  user.requireTrue(...ALL);

  // As that says: out with the old key, in with the new one; and no later run takes it back.
  const pins = user.read('known_hosts');
  assert.match(pins, / wgnet2$/m);
  writeFileSync(user.file('known_hosts'), pins.replace(/^.* wgnet2\n/m, ''));
  const taken = await user.provision({ acceptNew: true });
  assert.equal(taken.code, 0, taken.said);
  const accepted = user.read('known_hosts');
  for (const more of [{}, { acceptNew: true }, {}]) {
    const again = await user.provision(more);
    assert.equal(again.code, 0, again.said);
    assert.equal(user.read('known_hosts'), accepted);
  }
  // One of those that were made with their keys is pinned again where its line is lost.
  writeFileSync(user.file('known_hosts'), accepted.replace(/^.* wgnet1\n/m, ''));
  assert.equal((await user.provision()).code, 0);
  assert.deepEqual(user.read('known_hosts').split('\n').sort(), accepted.split('\n').sort());
  await user.close();
});

test('SSH that does not answer at first, login keys that come late, packages being installed: waited for', async () => {
  const user = await startProvisioner();
  let busy = 0;
  user.machines.behave(({ name }) => ({
    refuse: name === 'wgnet1' ? 2 : 0,
    answer: ({ input }) => {
      assert.match(input, /cloud-init status --wait/);
      assert.match(input, /\/var\/lib\/dpkg\/lock-frontend/);
      return name === 'comp1' && busy++ === 0 ? { code: 9 } : {};
    },
  }));
  const met = await user.provision();
  assert.equal(met.code, 2, met.said);
  assert.match(met.said, /comp1: packages are still being installed there after 60 s \(wait_timeout\)/);
  const again = await user.provision();
  assert.equal(again.code, 0, again.said);
  await user.close();
});

test('a server that never answers SSH: unreachable, with its address in hosts.ini', async () => {
  const user = await startProvisioner();
  user.machines.behave(({ name }) => ({ silent: name === 'wgnet2' }));
  user.settings('wait_timeout: 3');
  const met = await user.provision();
  assert.equal(met.code, 4, met.said);
  assert.match(met.said, /unreachable: \[wgnet2\] wgnet2 \(root@127.* connection refused/);
  user.requireTrue(...ALL);
  await user.close();
});

test('droplets of others with the same tag are listed as such; --limit takes names and numbers, and nothing else', async () => {
  const user = await startProvisioner();
  const other = await user.call('POST', '/droplets', {
    name: 'theirs',
    region: 'nyc1',
    size: 's-1vcpu-1gb',
    image: 'debian-13-x64',
    tags: ['comps'],
  });
  const foreign = await user.call('POST', '/droplets', {
    name: 'foreign',
    region: 'nyc1',
    size: 's-1vcpu-1gb',
    image: 'debian-13-x64',
  });
  assert.deepEqual([other.status, foreign.status], [202, 202]);
  assert.match(
    (await user.provision()).said,
    /notice: the droplet theirs in nyc1 \(\d+\) is not in config.cfg, and costs money/,
  );
  const unknown = await user.tearDown({ limit: ['wgnet9'] });
  assert.equal(unknown.code, 1);
  assert.match(unknown.said, /--limit wgnet9: no droplet .*did you mean wgnet/);
  assert.equal((await user.tearDown({ limit: ['foreign'] })).code, 1);
  const listed = await user.tearDown({ check: true });
  assert.match(listed.said, /theirs .*not made from this hosts.ini/);
  assert.equal((await user.tearDown({ limit: ['wgnet1', String(other.json.droplet.id)] })).code, 0);
  assert.deepEqual(user.names(), ['comp1', 'foreign', 'wgnet2']);
  user.requireTrue('comp1', 'wgnet2');
  assert.equal((await user.tearDown()).code, 0);
  assert.deepEqual(user.names(), ['foreign']);
  await user.close();
});

test('fifty droplets in one run, within the documented limits', async () => {
  const user = await startProvisioner({ dropletLimit: 60 });
  const names = Array.from({ length: 49 }, (_, i) => `proxy${i + 1}`);
  user.configure({ vpns: names.map((name) => ({ name, region: 'nyc1' })), comps: COMPS });
  const made = await user.provision();
  assert.equal(made.code, 0, made.said);
  assert.equal(user.names().length, 50);
  user.requireTrue('comp1', ...names);
  // Proxies in the order of config.cfg, whatever the order in which they came up.
  const hosts = parseInventory(user.read('hosts.ini'), 'hosts.ini').groups.get('vpn')?.hosts;
  assert.deepEqual(hosts, names);
  const { requests } = user.cloud;
  assert.deepEqual(
    requests.filter(({ status }) => status >= 400),
    [],
  );
  assert.equal(posts(user), 50);
  const busiest = Math.max(
    ...requests.map(({ at }) => requests.filter((one) => one.at >= at && one.at < at + 60_000).length),
  );
  assert.ok(busiest <= 240, `${busiest} requests in a minute`);
  await user.close();
});

test('mode quic: comps are passed over with one notice, and a droplet of theirs that is there stays as it is', async () => {
  const user = await startProvisioner();
  const first = await user.provision({ mode: 'quic' });
  assert.equal(first.code, 0, first.said);
  assert.equal(first.said.split('passes over what is below comps').length, 2, first.said);
  assert.match(first.said, /^ {2}2 to create, 0 to keep: /m);
  user.requireTrue('wgnet1', 'wgnet2');
  assert.doesNotMatch(first.said, /comp1 +:/);

  // In the other mode it is made; back again, it is what costs money.
  const whole = await user.provision();
  assert.equal(whole.code, 0, whole.said);
  user.requireTrue(...ALL);
  const files = ['hosts.ini', 'known_hosts', '.droplets/hosts.ini.json'];
  const texts = files.map(user.read);
  const again = await user.provision({ mode: 'quic' });
  assert.equal(again.code, 0, again.said);
  assert.match(again.said, /^ {2}0 to create, 2 to keep: /m);
  assert.match(
    again.said,
    /the droplet comp1 in ams3 \(\d+\) has no part in mode quic, is left alone, and costs money: .*--limit comp1$/m,
  );
  assert.deepEqual(files.map(user.read), texts);
  assert.deepEqual(user.names(), ALL);

  // What flags of other commands make right, and what no command could use.
  user.settings('allow_tcp: sticky', 'wireguard_ipv6: true', 'dns: 2001:db8::1');
  const kept = await user.provision({ mode: 'quic', check: true });
  assert.match(kept.said, /^ {2}0 to create, 2 to keep: /m);
  user.settings('mode: qiuc', 'allow_tcp: perhaps', 'dns: none');
  assert.match((await user.provision({ check: true })).said, /mode is "qiuc": expected wireguard or quic/);
  const gone = await user.tearDown();
  assert.equal(gone.code, 0, gone.said);
  assert.deepEqual(user.names(), []);
  await user.close();
});
