import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../scripts/lib/cli.ts';
import { decide } from '../../scripts/lib/lab/decide.ts';
import { orderFrom } from '../../scripts/lib/lab/exec.ts';
import { insideWords, machineWords } from '../../scripts/lib/lab/machine.ts';
import { placeOf } from '../../scripts/lib/lab/place.ts';
import { machineIn } from '../../scripts/lib/lab/processes.ts';
import { isMachine, rolesOf } from '../../scripts/lib/lab/roles.ts';

const SHAPE = { vpn: 3, comp: 1 };
const WANTED = { ...SHAPE, browser: false };
const ALL = rolesOf(SHAPE);
const MACHINES = ALL.filter(isMachine);

/** As commander does: it drops a `--` that comes first, and keeps a later one. */
function order(...typed: string[]) {
  const words = typed[0] === '--' ? typed.slice(1) : typed;
  return orderFrom(SHAPE, words, ['exec', '--name', 'x', ...typed]);
}

test('behind a leading -- everything is the command, also a word that is a machine', () => {
  assert.deepEqual(order('--', 'ip', 'route'), { role: 'ctl', words: ['ip', 'route'] });
  assert.deepEqual(order('--', 'vpn1', '--', '-x'), { role: 'ctl', words: ['vpn1', '--', '-x'] });
});

test('a machine comes first, by name or address, with -- or without', () => {
  assert.deepEqual(order('vpn1', '--', 'ls', '-l'), { role: 'vpn1', words: ['ls', '-l'] });
  assert.deepEqual(order('client', 'ip', '-4', 'route'), { role: 'client', words: ['ip', '-4', 'route'] });
  assert.deepEqual(order('198.51.100.201', 'ls'), { role: 'comp1', words: ['ls'] });
  assert.deepEqual(order('vpn1', '--', 'sh', '--', 'x'), { role: 'vpn1', words: ['sh', '--', 'x'] });
  assert.deepEqual(order('vpn1'), { role: 'vpn1', words: [] });
});

test('a machine that the lab does not have is refused, and so is nothing at all', () => {
  assert.throws(() => order('vpn4', 'ls'), /no such machine; there are net, ctl/);
  assert.throws(() => order('ls'), Fault);
  assert.throws(() => order(), /no command/);
});

test('up leaves a lab that is whole alone, and refuses to reshape it', () => {
  const present = { shape: SHAPE, browser: false, namespaces: ALL, machines: MACHINES };
  assert.deepEqual(decide('x', WANTED, present), { do: 'nothing' });
  assert.throws(() => decide('x', { ...WANTED, vpn: 2 }, present), Fault);
  assert.throws(() => decide('x', { ...WANTED, ipv6: true }, present), /is up without IPv6/);
  for (const ipv6 of [true, false])
    assert.deepEqual(decide('x', { ...WANTED, ipv6 }, { ...present, ipv6: true }), { do: 'nothing' });
});

test('up starts the machines that are down, and builds anew where more than that is missing', () => {
  const without = MACHINES.filter((role) => role !== 'vpn2');
  assert.deepEqual(
    decide('x', WANTED, { shape: SHAPE, browser: false, namespaces: ALL, machines: without }),
    {
      do: 'start',
      roles: ['vpn2'],
    },
  );
  const cut = ALL.filter((role) => role !== 'net');
  for (const present of [
    { shape: undefined, namespaces: [], machines: [] },
    { shape: undefined, namespaces: ALL, machines: MACHINES },
    { shape: SHAPE, namespaces: [], machines: [] },
    { shape: SHAPE, namespaces: cut, machines: MACHINES },
  ])
    assert.deepEqual(decide('x', WANTED, { browser: false, ...present }), { do: 'build' });
});

test('a client without Chromium is started anew where one is asked for; one that has it keeps it', () => {
  const present = { shape: SHAPE, namespaces: ALL, machines: MACHINES };
  const decided = (wanted: boolean, browser: boolean, machines = MACHINES) =>
    decide('x', { ...SHAPE, browser: wanted }, { ...present, browser, machines });
  assert.deepEqual(decided(true, false), { do: 'start', roles: ['client'] });
  for (const wanted of [true, false]) assert.deepEqual(decided(wanted, true), { do: 'nothing' });
  const without = MACHINES.filter((role) => role !== 'vpn1');
  assert.deepEqual(decided(true, false, without), { do: 'start', roles: ['client', 'vpn1'] });
});

test('a client with Chromium sees its policies one by one, any other client none', () => {
  const words = (browser: boolean) =>
    machineWords(placeOf('x', '/p'), 'client', {
      tree: '/tree',
      npm: '/npm',
      browser,
      hostname: 'client',
    }).filter((word) => word.includes('/chromium/'));
  assert.deepEqual(words(true), [
    '--bind-ro=/p/client/policies/comps.json:/etc/chromium/policies/managed/comps.json',
    '--bind-ro=/p/.lab-x/site-ca.json:/etc/chromium/policies/managed/site-ca.json',
  ]);
  assert.deepEqual(words(false), []);
});

test('only systemd-nspawn is taken for a machine, not a command that speaks of one', () => {
  const line = (...words: string[]): string => words.join('\0') + '\0';
  assert.equal(machineIn(line('systemd-nspawn', '-q', '--machine=comps-x')), 'comps-x');
  assert.equal(machineIn(line('pgrep', '-f', '--machine=comps-x')), undefined);
  assert.equal(machineIn(line('sh', '-c', 'systemd-nspawn --machine=comps-x')), undefined);
  assert.equal(machineIn(''), undefined);
});

test('a path with a colon stays one path in a bind', () => {
  const parts = { tree: '/tree', npm: '/usr/lib/node_modules/npm', browser: false, hostname: 'client' };
  const words = machineWords(placeOf('x', '/home/a:b'), 'client', parts);
  assert.ok(words.includes('--bind-ro=/home/a\\:b/client/scripts:/comps'));
});

test('files that hold keys are bound read-only, and each droplet sees its own', () => {
  const parts = { tree: '/tree', npm: '/npm', browser: false, hostname: 'x' };
  const words = machineWords(placeOf('x', '/p'), 'vpn2', parts).join(' ');
  assert.match(words, /--bind-ro=\/p\/\.lab-x\/keys\/vpn2:\/etc\/ssh\/ssh_host_ed25519_key/);
  assert.doesNotMatch(words, /vpn1|id_ed25519 /);
});

test('a command inside a machine gets its words as they are, and none of the environment outside', () => {
  const words = insideWords(42, ['echo', 'a  b', '$HOME', '--']);
  assert.deepEqual(words.slice(-4), ['echo', 'a  b', '$HOME', '--']);
  assert.ok(words.includes('42') && words.includes('-i'));
});
