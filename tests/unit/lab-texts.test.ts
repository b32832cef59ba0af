import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../scripts/lib/config.ts';
import { networkOf, parseInventory } from '../../scripts/lib/inventory.ts';
import { lastLines } from '../../scripts/lib/lab/boot.ts';
import { causeIn } from '../../scripts/lib/lab/image.ts';
import { mirrorIn } from '../../scripts/lib/lab/mirror.ts';
import { missingFrom } from '../../scripts/lib/lab/packages.ts';
import { packagesIndex } from '../../scripts/lib/lab/pool.ts';
import { browserHash, debianWords, recipeHash, type SystemName } from '../../scripts/lib/lab/recipe.ts';
import { parseState } from '../../scripts/lib/lab/state.ts';
import { configCfg, hostsIni, knownHosts } from '../../scripts/lib/lab/workspace.ts';

test("a lab's hosts.ini reads back as its droplets, whatever the path of the key", () => {
  const key = '/home/a b/CoMPS (1)/.lab/id_ed25519';
  const network = networkOf(parseInventory(hostsIni({ vpn: 2, comp: 1 }, key), 'hosts.ini'));
  const all = [...network.vpn, network.comp];
  assert.deepEqual(
    all.map(({ address }) => address),
    ['198.51.100.11', '198.51.100.12', '198.51.100.201'],
  );
  for (const host of all) assert.deepEqual([host.user, host.privateKeyFile], ['root', key]);
});

test('with IPv6 the proxies are named by it, and known by both addresses; the comp server stays where the tunnels reach it', () => {
  const text = hostsIni({ vpn: 2, comp: 1 }, '/key', true);
  const { vpn, comp } = networkOf(parseInventory(text, 'hosts.ini'));
  assert.deepEqual(
    [...vpn, comp].map(({ address }) => address),
    ['2001:db8:100::11', '2001:db8:100::12', '198.51.100.201'],
  );
  assert.equal(
    knownHosts(new Map([['vpn1', 'ssh-ed25519 AAAA vpn1'] as const]), true),
    '198.51.100.11 ssh-ed25519 AAAA\n2001:db8:100::11 ssh-ed25519 AAAA\n',
  );
});

test("a lab's config.cfg is accepted without a notice, with and without comp servers", () => {
  for (const comp of [0, 1, 2]) {
    const { config, notices } = parseConfig(configCfg({ vpn: 3, comp }), 'config.cfg');
    assert.deepEqual(notices, []);
    assert.equal(config.dns, '203.0.113.53');
    assert.equal(config.vpns.length, 3);
    assert.equal(config.comps.length, comp);
  }
});

test('known_hosts has one line a droplet, without the comment of the key', () => {
  assert.equal(
    knownHosts(new Map([['vpn1', 'ssh-ed25519 AAAA vpn1'] as const, ['comp1', 'ssh-ed25519 BBBB'] as const])),
    '198.51.100.11 ssh-ed25519 AAAA\n198.51.100.201 ssh-ed25519 BBBB\n',
  );
});

test('the mirror is the one of Debian itself, not the one of its security updates', () => {
  const row = (origin: string, label: string, part: string, site: string): string =>
    [origin, label, part, site].join('|');
  const targets = [
    row('Debian', 'Debian-Security', 'main', 'http://mirror.example/security'),
    row('Other', 'Debian', 'main', 'http://mirror.example/other'),
    row('Debian', 'Debian', 'contrib', 'http://mirror.example/contrib'),
    row('Debian', 'Debian', 'main', 'http://mirror.example/debian'),
  ];
  assert.equal(mirrorIn(targets.join('\n')), 'http://mirror.example/debian');
  assert.equal(mirrorIn(''), undefined);
});

test('the same recipe is the same image, whatever mirror it comes from', () => {
  assert.match(recipeHash(), /^[0-9a-f]{12}$/);
  assert.equal(recipeHash(), recipeHash());
  const words = debianWords('bare', '/tree', 'http://mirror.example/debian');
  assert.deepEqual(words.slice(-3), ['trixie', '/tree', 'http://mirror.example/debian']);
  const included = (name: SystemName): string[] =>
    /--include=(\S+)/.exec(debianWords(name, '', '').join(' '))?.[1]?.split(',') ?? [];
  assert.doesNotMatch(included('bare').join(), /wireguard|nftables|python/);
  // The client with Chromium has all that the one without has, and is no part of the image.
  assert.match(browserHash(), /^browser-[0-9a-f]{12}$/);
  assert.deepEqual(
    included('world').filter((name) => !included('browser').includes(name)),
    [],
  );
  assert.ok(included('browser').includes('chromium') && !included('world').includes('chromium'));
});

test('a package that is configured is installed; one whose files were removed is not', () => {
  const listing = 'ii iproute2\nrc tcpdump\nii less\n';
  assert.deepEqual(missingFrom(listing, ['iproute2', 'tcpdump', 'mmdebstrap']), ['tcpdump', 'mmdebstrap']);
});

test('the index of a package folder has one paragraph a package', () => {
  const control = 'Package: a\nVersion: 1\nDescription: x\n more of x\n';
  const text = packagesIndex([{ control, file: 'a_1_all.deb', size: 12, sha256: 'ab' }]);
  assert.equal(
    text,
    'Package: a\nVersion: 1\nDescription: x\n more of x\nFilename: ./a_1_all.deb\nSize: 12\nSHA256: ab\n\n',
  );
  assert.equal(packagesIndex([]), '');
});

test("of mmdebstrap's errors the first is the cause", () => {
  const text = 'I: running apt-get update...\nE: Failed to fetch it\nE: mmdebstrap failed to run\n';
  assert.equal(causeIn(text), 'Failed to fetch it');
  assert.equal(causeIn('killed'), 'killed');
});

test('the last words of a console come without colours and empty lines', () => {
  const log = 'Welcome\r\n\u001b[0;1;31mFAILED\u001b[0m to start\r\n\r\n\u001b[2Klogin: \r\n';
  assert.deepEqual(lastLines(log, 2), ['FAILED to start', 'login: ']);
  assert.deepEqual(lastLines(''), []);
});

test('a state that is not whole is none', () => {
  const whole = { vpn: 3, comp: 1, image: '/cache/x', npm: '/npm' };
  for (const state of [whole, { ...whole, browser: '/cache/y' }, { ...whole, ipv6: true }])
    assert.deepEqual(parseState(JSON.stringify(state)), state);
  for (const text of ['', '{', '{"vpn":3', '[]', 'null', '{"vpn":-1,"comp":1,"image":"","npm":""}'])
    assert.equal(parseState(text), undefined, text);
});
