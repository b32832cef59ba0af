/** What provisioning decides: the plan, what stands in its way, prices, the record. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import ssh2 from 'ssh2';
import { parse } from 'yaml';
import { parseConfig } from '../../scripts/lib/config.ts';
import type { Droplet, Image, Region, Size } from '../../scripts/lib/digitalocean/api.ts';
import { doubles, madeBy } from '../../scripts/lib/digitalocean/own.ts';
import { planOf } from '../../scripts/lib/digitalocean/plan.ts';
import { type Facts, problemsOf } from '../../scripts/lib/digitalocean/preflight.ts';
import { ageText, costSoFar, dollars, priceOf } from '../../scripts/lib/digitalocean/price.ts';
import { type Entry, openSaved } from '../../scripts/lib/digitalocean/saved.ts';
import { userData } from '../../scripts/lib/digitalocean/user-data.ts';
import { type Wanted, wantedOf } from '../../scripts/lib/digitalocean/wanted.ts';
import { newHostKey } from '../../scripts/lib/transport/host-key.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-droplets-'));
after(() => rmSync(folder, { recursive: true }));

const wanted = (name: string, over: Partial<Wanted> = {}): Wanted => ({
  name,
  group: 'vpn',
  region: 'nyc1',
  size: 's-1vcpu-1gb',
  image: 'ubuntu-24-04-x64',
  tags: ['comps'],
  ipv6: false,
  monitoring: false,
  ...over,
});

const droplet = (id: number, name: string, over: Partial<Droplet> = {}): Droplet => ({
  id,
  name,
  region: 'nyc1',
  size: 's-1vcpu-1gb',
  image: 'ubuntu-24-04-x64',
  status: 'active',
  tags: ['comps'],
  created: 1000,
  address: '192.0.2.7',
  priceHourly: 0.00893,
  ...over,
});

const size = (slug: string, over: Partial<Size> = {}): Size => ({
  slug,
  available: true,
  regions: ['nyc1', 'sfo3'],
  priceHourly: 0.00893,
  priceMonthly: 6,
  memory: 1024,
  vcpus: 1,
  disk: 25,
  ...over,
});
const region = (slug: string, available = true, sizes = ['s-1vcpu-1gb']): Region => ({
  slug,
  name: slug,
  available,
  sizes,
});
const image = (over: Partial<Image> = {}): Image => ({
  id: 1,
  slug: 'ubuntu-24-04-x64',
  name: '24.04',
  distribution: 'Ubuntu',
  regions: ['nyc1', 'nyc2', 'sfo3'],
  status: 'available',
  minDisk: 7,
  ...over,
});
const facts = (over: Partial<Facts> = {}): Facts => ({
  account: { status: 'active', statusMessage: '', dropletLimit: 10 },
  sshKey: { name: 'laptop', fingerprint: '00' },
  regions: [region('nyc1'), region('sfo3'), region('sfo1', false, []), region('nyc2', true, ['c-2'])],
  sizes: [size('s-1vcpu-1gb'), size('c-2', { regions: ['nyc2'] }), size('s-old', { available: false })],
  images: new Map([['ubuntu-24-04-x64', image()]]),
  droplets: 0,
  ...over,
});

const names = (list: readonly { name: string }[]): string[] => list.map(({ name }) => name);

test('wanted: vpns, then comps, each with the project’s tag once', () => {
  const { config } = parseConfig(
    'wireguard_subnet: 10.45.0\nwireguard_gateway_address: 10.45.0.2/32\ntag: mine\n' +
      'vpns:\n  - {name: a, region: nyc1, tags: [mine, x], ipv6: true}\ncomps:\n  - {name: b, region: sfo3}\n',
    'config.cfg',
  );
  assert.deepEqual(
    wantedOf(config).map(({ name, group, tags, ipv6 }) => [name, group, tags, ipv6]),
    [
      ['a', 'vpn', ['mine', 'x'], true],
      ['b', 'comp', ['mine'], false],
    ],
  );
});

test('plan: makes what is missing, keeps what is there, whatever its state', () => {
  const there = [droplet(1, 'a'), droplet(2, 'b', { status: 'new', address: undefined })];
  const plan = planOf([wanted('a'), wanted('b'), wanted('c')], there, 'comps', []);
  assert.deepEqual(names(plan.create), ['c']);
  assert.deepEqual(
    plan.adopt.map((one) => one.droplet.id),
    [1, 2],
  );
  assert.deepEqual([plan.conflicts, plan.notices, plan.strays], [[], [], []]);
});

const entry = (name: string, id?: number): Entry => ({ name, group: 'vpn', region: 'nyc1', asked: 1, id });

test('plan: a droplet is the project’s by its tag, in whatever capitals; one on record also without any tag', () => {
  const foreign = droplet(1, 'a', { tags: ['other'] });
  const plan = (list: Droplet[], entries: Entry[] = []) => planOf([wanted('a')], list, 'comps', entries);
  assert.deepEqual(names(plan([foreign]).create), ['a']);
  assert.match(plan([foreign]).notices.join(), /a droplet a in nyc1 \(1\) is not of this project/);
  assert.deepEqual(plan([droplet(1, 'a', { tags: ['COMPS'] })]).create, []);
  const bare = droplet(1, 'a', { tags: [] });
  assert.deepEqual(names(plan([bare]).create), ['a']);
  assert.deepEqual(plan([bare], [entry('a', 1)]).create, []);
});

test('plan: on record, and another project’s by its tags: neither kept nor made again', () => {
  const other = droplet(1, 'a', { tags: ['first', 'x'] });
  const { conflicts, adopt } = planOf([wanted('a')], [other], 'second', [entry('a', 1)]);
  assert.deepEqual(adopt, []);
  assert.match(
    conflicts[0]?.what ?? '',
    /the droplet a \(1\) is on record here, and has the tags first, x, not second/,
  );
  assert.match(conflicts[0]?.next ?? '', /tag: first/);
});

test('plan: a droplet that was given another name is not made a second time', () => {
  const { create, conflicts } = planOf([wanted('a')], [droplet(1, 'b')], 'comps', [entry('a', 1)]);
  assert.deepEqual(create, []);
  assert.match(conflicts[0]?.what ?? '', /a: its droplet 1 is called b now/);
});

test('plan: of two with one name, the one that is not in hosts.ini is to go', () => {
  for (const ids of [
    [1, 2],
    [2, 1],
  ]) {
    const list = ids.map((id) => droplet(id, 'a'));
    const { conflicts } = planOf([wanted('a')], list, 'comps', [entry('a', 2)]);
    assert.match(conflicts[0]?.what ?? '', /2 is the one in hosts.ini/);
    assert.match(conflicts[0]?.next ?? '', /delete the other: npx zx scripts\/teardown.ts --limit 1$/);
  }
});

test('whose a droplet is, that nobody answered for; those that are there twice', () => {
  const mark = 'comps-from-0123456789ab';
  const asked = { name: 'a', region: 'nyc1', mark };
  const marked = (id: number, name = 'a', over: Partial<Droplet> = {}) =>
    droplet(id, name, { tags: ['comps', mark], ...over });
  const list = [droplet(1, 'a'), marked(2, 'b'), marked(3, 'a', { region: 'sfo3' }), marked(4), marked(5)];
  assert.deepEqual(
    madeBy(asked, list, new Set([5])).map(({ id }) => id),
    [4],
  );
  assert.deepEqual(doubles(list), [{ name: 'a', region: 'nyc1', ids: [1, 4, 5] }]);
});

test('plan: conflicts are told and nothing is made of them', () => {
  const cases: [Droplet[], RegExp][] = [
    [[droplet(1, 'a', { size: 'c-2' })], /has the size c-2, and config.cfg wants s-1vcpu-1gb/],
    [[droplet(1, 'a', { region: 'sfo3' })], /is in sfo3 \(1\), and config.cfg wants it in nyc1/],
    [[droplet(1, 'a'), droplet(2, 'a')], /2 droplets of this project have this name in nyc1 \(1, 2\)/],
    [[droplet(1, 'a'), droplet(2, 'a', { region: 'sfo3' })], /is in sfo3 \(2\)/],
    [[droplet(1, 'a', { status: 'off' })], /is switched off/],
    [[droplet(1, 'a', { status: 'archive' })], /is switched off/],
  ];
  for (const [list, what] of cases) {
    const { create, adopt, conflicts } = planOf([wanted('a')], list, 'comps', []);
    assert.deepEqual([create, adopt], [[], []]);
    assert.match(conflicts.map((one) => one.what).join(), what);
    assert.ok(conflicts[0]?.next);
  }
});

test('plan: another image is only told; droplets that config.cfg does not name are told too', () => {
  const plan = planOf(
    [wanted('a')],
    [droplet(1, 'a', { image: 'debian-12-x64' }), droplet(2, 'old'), droplet(3, 'other', { tags: [] })],
    'comps',
    [],
  );
  assert.match(
    plan.notices.join(),
    /a \(1\) was made from debian-12-x64, not from ubuntu-24-04-x64; it is kept/,
  );
  assert.deepEqual(names(plan.strays), ['old']);
});

test('preflight: nothing is wrong with what can be made', () => {
  assert.deepEqual(problemsOf([wanted('a'), wanted('b', { region: 'sfo3' })], facts()), []);
});

test('preflight: each thing that DigitalOcean would refuse, with what to write instead', () => {
  const cases: [Partial<Wanted>, Partial<Facts>, RegExp, RegExp][] = [
    [
      {},
      { account: { status: 'locked', statusMessage: 'unpaid', dropletLimit: 9 } },
      /locked: unpaid/,
      /support/,
    ],
    [
      {},
      { account: { status: 'active', statusMessage: '', dropletLimit: 3 }, droplets: 3 },
      /may have 3 droplets and has 3/,
      /limit/,
    ],
    [{}, { sshKey: undefined }, /no SSH key/, /fingerprint/],
    [{ region: 'mars1' }, {}, /no region mars1/, /such as nyc1, sfo3 in config.cfg/],
    [{ region: 'nyc11' }, {}, /no region nyc11/, /region: nyc1 in config.cfg/],
    [{ region: 'sfo1' }, {}, /sfo1 takes no new droplets/, /region: sfo3 in config.cfg/],
    [{ region: 'nyc2' }, {}, /nyc2 has no droplets of the size s-1vcpu-1gb/, /one of the regions nyc1, sfo3/],
    [{ size: '1gb' }, {}, /no size 1gb/, /size: s-1vcpu-1gb in config.cfg/],
    [{ size: 's-old' }, {}, /sells no more droplets of the size s-old/, /size: /],
    [{ image: 'ubuntu-20-04-x64' }, {}, /no image ubuntu-20-04-x64/, /image: ubuntu-24-04-x64/],
    [
      {},
      { images: new Map([['ubuntu-24-04-x64', image({ status: 'retired' })]]) },
      /is retired/,
      /another image/,
    ],
    [
      {},
      { images: new Map([['ubuntu-24-04-x64', image({ regions: ['sfo3'] })]]) },
      /not in the region nyc1/,
      /copy it there/,
    ],
    [
      {},
      { images: new Map([['ubuntu-24-04-x64', image({ minDisk: 30 })]]) },
      /needs a disk of 30 GB/,
      /larger size/,
    ],
  ];
  for (const [over, more, what, next] of cases) {
    const problems = problemsOf([wanted('a', over)], facts(more));
    assert.equal(problems.length, 1, JSON.stringify([over, problems]));
    assert.match(problems[0]?.what ?? '', what);
    assert.match(problems[0]?.next ?? '', next);
  }
});

test('preflight: several problems at once, each once', () => {
  const both = [wanted('a', { region: 'sfo1', size: '1gb' }), wanted('b', { image: 'debian-10-x64' })];
  assert.deepEqual(
    problemsOf(both, facts()).map(({ next }) => next),
    ['region: sfo3 in config.cfg', 'size: s-1vcpu-1gb in config.cfg', 'image: debian-12-x64 in config.cfg'],
  );
});

test('prices: by the hour, never more than a month’s in a month', () => {
  assert.deepEqual(
    [dollars(24), dollars(0.00893), dollars(0.03572), dollars(12.5)],
    ['$24', '$0.00893', '$0.0357', '$12.50'],
  );
  const { hourly, monthly } = priceOf(['a', 'a', 'unknown'], [size('a')]);
  assert.deepEqual([hourly, monthly], [0.01786, 12]);
  const hour = 3600;
  assert.equal(costSoFar(2 * hour, 0.5), 1);
  assert.equal(costSoFar(672 * hour, 1), costSoFar(729 * hour, 1));
  assert.equal(costSoFar(731 * hour, 1), 673);
  assert.equal(costSoFar(-5, 1), 0);
  assert.deepEqual([3, 90, 7200, 90_000, 172_800].map(ageText), [
    '3 seconds',
    '1 minute',
    '2 hours',
    '1 day',
    '2 days',
  ]);
});

test('the record: written at each change, for its owner alone; a broken one is refused with what to do', () => {
  const inventory = join(folder, 'hosts.ini');
  const saved = openSaved(inventory);
  const one: Entry = { name: 'a', group: 'vpn', region: 'nyc1', asked: 5 };
  saved.put(one);
  saved.put({ ...one, name: 'b' });
  saved.put({ ...one, id: 12 });
  assert.equal(statSync(saved.file).mode & 0o777, 0o600);
  assert.equal(statSync(join(folder, '.droplets')).mode & 0o777, 0o700);
  const again = openSaved(inventory);
  assert.equal(again.mark, saved.mark);
  assert.match(saved.mark, /^comps-from-[0-9a-f]{12}$/);
  assert.deepEqual(again.entries, [
    { ...one, id: 12 },
    { ...one, name: 'b' },
  ]);
  again.drop('a');
  again.drop('nobody');
  assert.deepEqual(names(openSaved(inventory).entries), ['b']);
  const twice = JSON.stringify({ format: 1, mark: saved.mark, droplets: [one, one] });
  writeFileSync(saved.file, twice);
  assert.throws(() => openSaved(inventory), /has a name twice/);
  writeFileSync(saved.file, '{"format":2,"droplets":[]}');
  assert.throws(() => openSaved(inventory), /a newer version/);
  for (const text of ['', '{', '{"format":1,"droplets":[]}', '{"format":1,"droplets":[{"name":"a"}]}']) {
    writeFileSync(saved.file, text);
    assert.throws(() => openSaved(inventory), /hosts.ini.json: is not what provision.ts writes there/);
  }
});

test('host keys: each can be read, also one in 256 whose first byte is a zero', () => {
  for (let i = 0; i < 1500; i++) {
    const { privateKey, publicKey } = newHostKey();
    const parsed = ssh2.utils.parseKey(privateKey);
    assert.ok(!(parsed instanceof Error), String(parsed));
    assert.equal(parsed.getPublicSSH().toString('base64'), publicKey.split(' ')[1]);
  }
});

test('user data: cloud-config that gives the droplet exactly this host key', () => {
  const key = newHostKey();
  const text = userData(key);
  assert.match(text, /^#cloud-config\n/);
  const { ssh_keys, ssh_deletekeys, ssh_genkeytypes } = parse(text);
  assert.deepEqual(ssh_keys, { ed25519_private: key.privateKey, ed25519_public: key.publicKey });
  assert.deepEqual([ssh_deletekeys, ssh_genkeytypes], [true, []]);
  assert.match(key.publicKey, /^ssh-ed25519 \S+$/);
  assert.ok(text.length < 65_536);
  assert.notEqual(newHostKey().publicKey, key.publicKey);
  assert.equal(readFileSync('templates/user-data.mustache', 'utf8').includes('BEGIN'), false);
});
