import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Fault } from '../../scripts/lib/cli.ts';
import { nameOf, placeOf, roleIn } from '../../scripts/lib/lab/place.ts';
import {
  address6Of,
  addressOf,
  dropletsIn,
  isOfCloud,
  isRole,
  roleNamed,
  rolesOf,
  shapeFrom,
  systemOf,
} from '../../scripts/lib/lab/roles.ts';

const SHAPE = { vpn: 3, comp: 1 };

test('a lab owns what its own prefix and a role make up, and nothing of a lab with a longer name', () => {
  const [one, two] = [placeOf('lab', '/srv/a'), placeOf('lab-2', '/srv/a')];
  for (const role of rolesOf({ vpn: 64, comp: 9 })) {
    assert.equal(roleIn(one, nameOf(one, role)), role);
    assert.equal(roleIn(one, nameOf(two, role)), undefined);
    assert.equal(roleIn(two, nameOf(one, role)), undefined);
    assert.equal(roleIn(one, nameOf(placeOf('lab', '/srv/b'), role)), undefined);
  }
  for (const foreign of [
    '',
    'vpn1',
    'comps-lab',
    `${one.prefix}vpn65`,
    `${one.prefix}vpn1x`,
    `${one.prefix}tmp`,
  ])
    assert.equal(roleIn(one, foreign), undefined, foreign);
});

test('no name of a lab can end in what makes another lab of the project own its machines', () => {
  const name = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?$/);
  fc.assert(
    fc.property(name, name, (a, b) => {
      fc.pre(a !== b);
      const [one, two] = [placeOf(a, '/srv/a'), placeOf(b, '/srv/a')];
      assert.equal(roleIn(one, nameOf(two, 'vpn1')), undefined);
      assert.ok(nameOf(one, 'client').length <= 64, 'longer than a host name may be');
    }),
  );
});

test('names that would not do as part of a path, a host name or a flag are refused', () => {
  for (const name of ['', '..', 'a/b', 'A', 'a b', '-a', 'a-', 'ä', 'x'.repeat(21)])
    assert.throws(() => placeOf(name), Fault, name);
});

test('the default lab has the folders that README names; another one keeps to its own', () => {
  const main = placeOf('lab', '/p');
  assert.deepEqual([main.directory, main.clientDirectory], ['/p/.lab', '/p/client/generated']);
  const other = placeOf('x', '/p');
  assert.deepEqual([other.directory, other.clientDirectory], ['/p/.lab-x', '/p/.lab-x/client']);
});

test('counts are read as typed and kept in range', () => {
  assert.deepEqual(shapeFrom({ vpn: '64', comp: '0' }), { vpn: 64, comp: 0 });
  for (const vpn of ['0', '65', '-1', '1.5', '1e1', '', ' 3', 'three'])
    assert.throws(() => shapeFrom({ vpn, comp: 1 }), Fault, `--vpn ${vpn}`);
  assert.throws(() => shapeFrom({ vpn: 1, comp: 10 }), Fault);
});

test('every role has an address of its own, and can be called by it', () => {
  const shape = { vpn: 64, comp: 9 };
  const roles = rolesOf(shape);
  assert.equal(new Set(roles.map(addressOf)).size, roles.length);
  assert.equal(new Set(roles.map(address6Of)).size, roles.length);
  for (const role of roles) {
    assert.ok(isRole(role));
    assert.equal(roleNamed(shape, addressOf(role)), role);
    assert.equal(roleNamed(shape, address6Of(role)), role);
    assert.equal(roleNamed(shape, role), role);
  }
  assert.deepEqual(dropletsIn(SHAPE, 'vpn').map(addressOf), [
    '198.51.100.11',
    '198.51.100.12',
    '198.51.100.13',
  ]);
  assert.deepEqual(dropletsIn(SHAPE, 'comp').map(addressOf), ['198.51.100.201']);
  assert.equal(roleNamed(SHAPE, 'site'), 'inet');
  assert.equal(roleNamed(SHAPE, 'vpn4'), undefined);
});

test('the last proxy, and no other droplet, comes without WireGuard', () => {
  assert.deepEqual(
    rolesOf(SHAPE).filter((role) => !isOfCloud(role) && systemOf(role, SHAPE) === 'bare'),
    ['vpn3'],
  );
  assert.equal(systemOf('client', SHAPE), 'world');
  assert.equal(systemOf('comp1', SHAPE), 'ready');
});
