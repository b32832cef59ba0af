import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dockerEnvironment, engineSeat, engineWords, seatOf } from '../../scripts/lib/lab/engine-place.ts';
import { daemonJson, daemonWords, holderIn, isOfDaemon } from '../../scripts/lib/lab/engine-settings.ts';
import { waitingFor } from '../../scripts/lib/lab/engine-store.ts';
import { placeOf } from '../../scripts/lib/lab/place.ts';
import { addressOf, isMachine, isRole, roleNamed, rolesOf } from '../../scripts/lib/lab/roles.ts';

const place = placeOf('x', '/p');
const seat = engineSeat(place);
const line = (words: readonly string[]): string => words.map((word) => `${word}\0`).join('');
const LOCK = '/c/lock';

test('an engine is nobody that every lab has, but can be called by its name and by an address of its own', () => {
  const shape = { vpn: 64, comp: 9 };
  assert.ok(isRole('engine') && !isMachine('engine'));
  const roles = rolesOf(shape);
  assert.ok(!roles.includes('engine') && !roles.map(addressOf).includes(addressOf('engine')));
  for (const word of ['engine', addressOf('engine')]) assert.equal(roleNamed(shape, word), 'engine');
});

test('sockets fit into their 107 bytes, also in a lab with the longest name', () => {
  const { folder } = engineSeat(placeOf('x'.repeat(20), '/p'));
  assert.ok(`${folder}/exec/containerd/containerd.sock.ttrpc`.length <= 107);
});

test('docker means the lab’s engine, whatever the user’s environment says', () => {
  const given = {
    HOME: '/h',
    DOCKER_HOST: 'tcp://elsewhere',
    DOCKER_CONTEXT: 'far',
    COMPOSE_FILE: 'other.yml',
  };
  const environment = dockerEnvironment(seat, given);
  assert.equal(environment.DOCKER_HOST, `unix://${seat.socket}`);
  assert.equal(environment.HOME, '/h');
  for (const name of ['DOCKER_CONTEXT', 'COMPOSE_FILE']) assert.ok(!(name in environment), name);
  const words = engineWords(place, ['docker', 'ps']).join(' ');
  assert.match(
    words,
    /^nsenter --net=\/run\/netns\/comps-x-[0-9a-f]{4}-engine env .*-u DOCKER_CONTEXT .* docker ps$/,
  );
});

test('in this computer’s own network a daemon touches neither interfaces nor firewall', () => {
  for (const net of ['host', 'none'] as const) {
    const settings = JSON.parse(daemonJson(seat, '/d', net));
    assert.deepEqual(
      [settings.bridge, settings.iptables, settings.ip6tables, settings['ip-forward']],
      ['none', false, false, false],
    );
  }
});

test('the engine’s own networks overlap no address of the lab, of the tunnels and of the wg-migrate demo', () => {
  const settings = JSON.parse(daemonJson(seat, '/d', { namespace: 'n' }));
  const pools = [
    settings.bip,
    ...settings['default-address-pools'].map(({ base }: { base: string }) => base),
  ];
  const first16 = pools.map((pool) => pool.split('.').slice(0, 2).join('.'));
  assert.equal(new Set(first16).size, pools.length);
  const taken = [...rolesOf({ vpn: 64, comp: 9 }).map(addressOf), '10.45.0.5', '10.210.0.1'];
  for (const address of taken)
    assert.ok(!first16.includes(address.split('.').slice(0, 2).join('.')), address);
});

test('every process that holds a daemon is known by its command line, and no other', () => {
  const words = daemonWords(seat, LOCK, { namespace: 'n' });
  for (let at = 0; words[at] !== 'dockerd'; at++)
    assert.ok(isOfDaemon(line(words.slice(at)), seat), words[at]);
  assert.ok(isOfDaemon(line(words.slice(words.indexOf('dockerd'))), seat));
  const other = daemonWords(engineSeat(placeOf('xy', '/p')), LOCK, { namespace: 'n' });
  for (const foreign of [
    other,
    ['vi', seat.settings],
    ['dockerd'],
    ['docker', '--config-file', seat.settings],
  ])
    assert.ok(!isOfDaemon(line(foreign), seat), foreign.join(' '));
});

test('who holds the images is named, with the command that ends it', () => {
  const flock = (name: string) => {
    const words = daemonWords(seatOf(name), LOCK, 'none');
    return line(words.slice(words.indexOf('flock')));
  };
  assert.equal(holderIn(flock(seat.name), LOCK), seat.name);
  assert.equal(holderIn(flock(seat.name), '/other/lock'), undefined);
  assert.equal(holderIn(line(['flock', '--nonblock', LOCK, 'true']), LOCK), undefined);
  assert.match(waitingFor(seat.name), /the lab "x" .* down --name x\)/);
  assert.match(waitingFor(engineSeat(placeOf('a-b', '/p')).name), /the lab "a-b" /);
  for (const other of [undefined, 'comps-build-0123abcd'])
    assert.match(waitingFor(other), /^Another command/);
});
