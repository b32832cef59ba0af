import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../scripts/lib/config.ts';
import { networkOf, parseInventory } from '../../scripts/lib/inventory.ts';
import { choiceOf, unionOf } from '../../scripts/lib/runner/choice.ts';
import { unified } from '../../scripts/lib/runner/diff.ts';
import { readExtraVars } from '../../scripts/lib/steps/extra-vars.ts';
import { serverKeyOf } from '../../scripts/lib/steps/present-client.ts';
import { becomePassword, withFlags } from '../../scripts/lib/steps/set-up-access.ts';

const tasks = [
  { name: 'packages', tags: ['packages'] },
  { name: 'key pair', tags: ['keys'] },
  { name: 'wg0.conf', tags: ['files', 'interface'] },
  { name: 'running', tags: ['interface'] },
];

test('tags and names choose as in ansible-playbook', () => {
  const chosen = (flags: Parameters<typeof choiceOf>[1]): string =>
    tasks
      .filter(choiceOf(tasks, flags))
      .map(({ name }) => name)
      .join(', ');
  assert.equal(chosen({}), 'packages, key pair, wg0.conf, running');
  assert.equal(chosen({ tags: ['keys,interface'] }), 'key pair, wg0.conf, running');
  assert.equal(chosen({ tags: ['all'], skipTags: ['files'] }), 'packages, key pair, running');
  assert.equal(chosen({ tags: ['interface'], skipTags: ['files'] }), 'running');
  assert.equal(chosen({ startAtTask: 'wg0.conf' }), 'wg0.conf, running');
  assert.equal(chosen({ startAtTask: 'wg0.conf', tags: ['keys'] }), '');
  assert.throws(() => chosen({ tags: [','] }), /--tags: names no tag/);
  assert.throws(() => chosen({ skipTags: ['key'] }), /--skip-tags key: .*there are: keys, packages,/);
  assert.throws(
    () => chosen({ startAtTask: 'key pairs' }),
    /no task has this name; there are: key pair, packages/,
  );
});

test('hosts that differ have one list of tasks, each in its place', () => {
  const named = (names: string) => [...names].map((name) => ({ name }));
  const union = unionOf([named('bcd'), named('abcd'), named('bxd')]);
  assert.equal(union.map(({ name }) => name).join(''), 'abxcd');
});

test('-e takes words, JSON and files, the last one wins, and no value is repeated in a refusal', () => {
  const read = (path: string): string =>
    path === 'vars.yml' ? 'wireguard_mtu: 1400\nansible_port: 2222\n' : '{}';
  const { config, hosts } = readExtraVars(
    ["wireguard_port=1 dns='9.9.9.9'", '{"wireguard_port": 2, "ansible_user": "bob"}', '@vars.yml'],
    read,
  );
  assert.deepEqual(Object.fromEntries(config), { wireguard_port: 2, dns: '9.9.9.9', wireguard_mtu: 1400 });
  assert.deepEqual(Object.fromEntries(hosts), { ansible_user: 'bob', ansible_port: '2222' });
  for (const [text, message] of [
    ['hunter2', /a word without `=`/],
    ['{"a": hunter2', /no JSON object/],
    ["dns='hunter2", /opened and not closed/],
    ['anible_port=hunter2', /"anible_port": did you mean ansible_port\?/],
    ['{"ansible_user": ["hunter2"]}', /ansible_user holds no plain value/],
  ] as const)
    assert.throws(
      () => readExtraVars([text], read),
      (error) => message.test(String(error)) && !String(error).includes('hunter2'),
      text,
    );
});

test('-e of a variable that is nearly a known one is told; what Ansible knows is not', () => {
  const noticesOf = (text: string): string[] => readExtraVars([text], assert.fail).notices;
  assert.deepEqual(noticesOf('ansible_hots=1'), [
    '-e sets ansible_hots, which has no effect: did you mean ansible_host?',
  ]);
  for (const name of [
    'host',
    'ssh_port',
    'ssh_host',
    'become_user',
    'password',
    'ssh_extra_args',
    'hostname',
  ])
    assert.deepEqual(noticesOf(`ansible_${name}=1`), [], name);
});

test('--user, --private-key and the sudo password stand behind what the inventory says', async () => {
  const { vpn, comp } = networkOf(
    parseInventory(
      '[vpn]\n192.0.2.1 ansible_user=root ansible_ssh_private_key_file=own\n[comp]\n192.0.2.9\n',
      'i',
    ),
  );
  const flags = { user: 'bob', privateKey: '/keys/id', become: true };
  const named = withFlags(vpn[0] as NonNullable<(typeof vpn)[0]>, flags, new Secret('x'));
  assert.deepEqual([named.user, named.privateKeyFile], ['root', 'own']);
  const free = withFlags(comp, flags, new Secret('x'));
  assert.deepEqual(
    [free.user, free.privateKeyFile, free.become?.password?.reveal()],
    ['bob', '/keys/id', 'x'],
  );

  const nobody = { canAsk: () => false, askSecret: () => Promise.resolve(undefined) };
  await assert.rejects(
    becomePassword({ askBecomePass: true }, nobody),
    /asks on a terminal, and there is none/,
  );
  await assert.rejects(
    becomePassword({ becomePasswordFile: '/dev/null' }, nobody),
    /\/dev\/null: its first line is empty/,
  );
  const somebody = { canAsk: () => true, askSecret: () => Promise.resolve('pass-word') };
  assert.equal((await becomePassword({ askBecomePass: true }, somebody))?.reveal(), 'pass-word');
});

test('a diff names both sides and shows no private key, also where nothing else differs', () => {
  const conf = (key: string, port: number): string =>
    `[Interface]\nPrivateKey = ${key}\nListenPort = ${port}\n`;
  assert.equal(
    unified({ path: '/etc/x', before: conf('aaa', 1), after: conf('aaa', 2) }),
    '--- before: /etc/x\n+++ after: /etc/x\n@@ -1,3 +1,3 @@\n [Interface]\n PrivateKey = (hidden)\n-ListenPort = 1\n+ListenPort = 2\n',
  );
  assert.equal(
    unified({ path: '/etc/x', before: '', after: conf('(a new key) # mine', 1) }),
    '--- (none)\n+++ after: /etc/x\n@@ -0,0 +1,3 @@\n+[Interface]\n+PrivateKey = (hidden)\n+ListenPort = 1\n',
  );
  assert.match(
    unified({ path: '/etc/x', before: conf('aaa', 1), after: conf('bbb', 1) }),
    /only what is hidden/,
  );
  assert.match(
    unified({ path: '/etc/x', before: '', after: 'a\n' }),
    /^--- \(none\)\n\+\+\+ after: \/etc\/x\n/,
  );
});

test('a server’s key is taken from the client’s files only where name and endpoint are its own', () => {
  const key = 'yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=';
  const text = `# wgnet1: proxy vpn1. Written by x\nPublicKey = ${key}\nEndpoint = 192.0.2.1:51820\n`;
  const of = (name: string, address: string, port: number): string | undefined =>
    serverKeyOf(text, { server: { name, address }, port } as Parameters<typeof serverKeyOf>[1]);
  assert.equal(of('vpn1', '192.0.2.1', 51820), key);
  assert.equal(of('vpn11', '192.0.2.1', 51820), undefined);
  assert.equal(of('pn1', '192.0.2.1', 51820), undefined);
  assert.equal(of('vpn1', '192.0.2.2', 51820), undefined);
  assert.equal(of('vpn1', '192.0.2.1', 51821), undefined);
});
