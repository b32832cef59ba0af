import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { Fault } from '../../scripts/lib/cli.ts';
import {
  type Config,
  clientAddress,
  compClientAddress,
  MAX_PROXIES,
  parseConfig,
  Secret,
  secretOf,
} from '../../scripts/lib/config.ts';

/** What a droplet has unless config.cfg says otherwise. */
const USUAL = {
  size: 's-1vcpu-1gb',
  image: 'ubuntu-24-04-x64',
  ipv6: false,
  monitoring: false,
  tags: [] as string[],
};
const NETWORK = 'wireguard_subnet: 10.45.0\nwireguard_gateway_address: 10.45.0.2/32\n';
const read = (text: string): Config => parseConfig(text, 'config.cfg').config;
const noticesOf = (text: string): string[] => parseConfig(text, 'config.cfg').notices;

function faultOf(text: string): Fault {
  try {
    parseConfig(text, 'config.cfg');
  } catch (error) {
    assert.ok(error instanceof Fault, `not a Fault: ${inspect(error)}`);
    return error;
  }
  assert.fail(`accepted: ${text}`);
}

test('the shipped example is accepted without a notice', () => {
  const example = readFileSync(new URL('../../config.cfg.example', import.meta.url), 'utf8');
  const { config, notices } = parseConfig(example, 'config.cfg.example');
  assert.deepEqual(notices, []);
  assert.deepEqual(config.token, { env: 'DO_TOKEN' });
  assert.deepEqual(config.sshKeyId, { env: 'SSH_KEY_ID' });
  assert.deepEqual(
    config.vpns.map(({ name, region }) => [name, region]),
    [
      ['wgnet1', 'nyc1'],
      ['wgnet2', 'sfo3'],
      ['wgnet3', 'ams3'],
    ],
  );
  assert.equal(config.comps.length, 1);
});

test("the original's example is accepted, its slips with notices", () => {
  const { config, notices } = parseConfig(
    `---
host_key-checking: false
token: $DO_TOKEN
ssh_key_id: $SSH_KEY_ID
wait_timeout: 500
wireguard_subnet: 10.45.0
wireguard_gateway_address: 10.45.0.2/32
wireguard_port: 51820
vpns:
  - { name: wgnet1, region: nyc1 }
  - { name: wgnet2, region: sfo3 }
clients:
  - name: comps
    region: ams3
`,
    'config.cfg',
  );
  assert.deepEqual(notices, [
    'config.cfg:2: host_key-checking is ignored: host keys are always checked',
    'config.cfg:12: clients is read as comps, the name that this list has elsewhere',
  ]);
  assert.deepEqual(config, {
    token: { env: 'DO_TOKEN' },
    sshKeyId: { env: 'SSH_KEY_ID' },
    tag: 'comps',
    mode: 'wireguard',
    allowTcp: 'none',
    waitTimeout: 500,
    wireguardSubnet: '10.45.0',
    wireguardGatewayAddress: '10.45.0.2/32',
    wireguardPort: 51820,
    wireguardMtu: 1420,
    wireguardIpv6: false,
    dns: '9.9.9.9',
    vpns: [
      { name: 'wgnet1', region: 'nyc1', ...USUAL },
      { name: 'wgnet2', region: 'sfo3', ...USUAL },
    ],
    comps: [{ name: 'comps', region: 'ams3', ...USUAL }],
  });
});

test('everything but the network has a default', () => {
  assert.deepEqual(read(NETWORK), {
    tag: 'comps',
    mode: 'wireguard',
    allowTcp: 'none',
    waitTimeout: 500,
    wireguardSubnet: '10.45.0',
    wireguardGatewayAddress: '10.45.0.2/32',
    wireguardPort: 51820,
    wireguardMtu: 1420,
    wireguardIpv6: false,
    dns: '9.9.9.9',
    vpns: [],
    comps: [],
  });
});

test('what people write beside the example', () => {
  const accepted: [string, Partial<Config>][] = [
    ['wireguard_port: "51821"', { wireguardPort: 51821 }],
    ['wait_timeout: 0.5', { waitTimeout: 0.5 }],
    ['vpns:\ncomps: []', { vpns: [], comps: [] }],
    ['ssh_key_id: $' + '{KEY_ID}', { sshKeyId: { env: 'KEY_ID' } }],
    ['host_key_checking: yes', {}],
    ['dns: 10.45.0.2', { dns: '10.45.0.2' }],
    ['wireguard_mtu: "1280"', { wireguardMtu: 1280 }],
    ['wireguard_mtu: 8940', { wireguardMtu: 8940 }],
    ['wireguard_ipv6: yes\nwireguard_mtu: 1340', { wireguardIpv6: true, wireguardMtu: 1340 }],
    ['wireguard_ipv6: true\ndns: 2620:fe::fe', { wireguardIpv6: true, dns: '2620:fe::fe' }],
    [
      'vpns: [&a {name: a, region: nyc1, image: 12345}]\ncomps: [{<<: *a, name: b}]',
      { comps: [{ name: 'b', region: 'nyc1', ...USUAL, image: '12345' }] },
    ],
  ];
  for (const [text, expected] of accepted) {
    const config = read(`${NETWORK}${text}\n`);
    assert.deepEqual({ ...config, ...expected }, config, text);
  }
  assert.equal(read(`\uFEFF${NETWORK.replaceAll('\n', '\r\n')}`).wireguardSubnet, '10.45.0');
  assert.equal(
    read('wireguard_subnet: 100.64.7\nwireguard_gateway_address: 100.64.7.1').wireguardGatewayAddress,
    '100.64.7.1/32',
  );
});

test('IPv6, monitoring and tags of a droplet, and the tag of all', () => {
  const { tag, vpns } = read(`${NETWORK}tag: CoMPS:2
vpns:
- {name: a, region: nyc1, ipv6: true, monitoring: "yes", tags: [Web, 2024, web, x_y-z]}
- {name: b, region: nyc1, ipv6: off, tags: }
`);
  assert.equal(tag, 'CoMPS:2');
  assert.deepEqual(vpns, [
    { ...USUAL, name: 'a', region: 'nyc1', ipv6: true, monitoring: true, tags: ['Web', '2024', 'x_y-z'] },
    { ...USUAL, name: 'b', region: 'nyc1' },
  ]);
  assert.equal(read(`${NETWORK}tag: ${'t'.repeat(255)}`).tag.length, 255);
});

test('clients beside comps', () => {
  const both = `${NETWORK}comps: [{name: a, region: nyc1}]\nclients: nonsense\n`;
  assert.deepEqual(noticesOf(both), ['config.cfg:4: clients is ignored: the comps list stands beside it']);
  assert.equal(read(both).comps[0]?.name, 'a');
  assert.equal(read(`${NETWORK}comps:\nclients: [{name: a, region: nyc1}]`).comps[0]?.name, 'a');
});

test('files that are no set of keys are refused', () => {
  const refused: [string, RegExp][] = [
    ['', /^config\.cfg: this file is empty/],
    ['# nothing\n\n', /^config\.cfg: this file is empty/],
    ['---\n', /^config\.cfg: this file is empty/],
    ['- a\n- b\n', /^config\.cfg:1: a list stands here: `key: value` lines were expected/],
    ['# c\nhello\n', /^config\.cfg:2: a bare text stands here/],
    ['a: 1\nvpns:\n\t- name: x\n', /^config\.cfg:3: a tab stands where spaces are expected/],
    ['vpns:\n  - name: x\n\t  region: y\n', /^config\.cfg:3: a tab/],
    ['wait_timeout: 1\n---\nwait_timeout: 2\n', /^config\.cfg:2: a second document begins here/],
    [
      'dns: 9.9.9.9\nwait_timeout: 5\n\ndns: 1.1.1.1\n',
      /^config\.cfg:4: this key .* twice, first in line 1$/,
    ],
    ['vpns:\n- name: a\n  name: b\n', /^config\.cfg:3: this key .* twice, first in line 2$/],
    ['wait_timeout 5\ndns: 9.9.9.9\n', /^config\.cfg:1: no `key: value` line/],
    ['dns: "9.9.9.9\n', /^config\.cfg:\d: something is missing here: a closing quote/],
    ['dns: 9.9.9.9\nwait_timeout: !!int 5\n', /^config\.cfg:2: tags/],
    ['token: !vault |\n  616263\n', /^config\.cfg:1: tags/],
    ['token: {{ lookup }}\n', /^config\.cfg:1: a key must be a plain name; `\{\{ … \}\}` is not evaluated/],
    ['1: 2\n', /^config\.cfg:1: a key must be a plain name/],
    ['dns: *other\n', /^config\.cfg:1: .*alias/],
    ['{', /^config\.cfg:1: /],
  ];
  for (const [text, message] of refused) {
    const fault = faultOf(text);
    assert.match(fault.message, message, text);
    assert.ok(fault.next, text);
  }
});

test('values that do not fit are refused with line, key and what was expected', () => {
  const refused: [string, RegExp][] = [
    ['wireguard_port: 0', /:3: wireguard_port is the number 0: expected a port: .* from 1 to 65535/],
    ['wireguard_port: 51820.5', /:3: wireguard_port/],
    ['wireguard_port:', /:3: wireguard_port is empty/],
    ['wait_timeout: -1', /:3: wait_timeout is the number -1: expected seconds/],
    ['wait_timeout: .inf', /:3: wait_timeout/],
    ['wait_timeout: long', /:3: wait_timeout is "long"/],
    ['host_key-checking: 7', /:3: host_key-checking is the number 7: expected true or false/],
    ['dns: 9.9.9', /:3: dns is "9.9.9": expected the IPv4 address/],
    ['dns: 127.0.0.53', /:3: dns/],
    ['dns: 2620:fe::fe', /:3: dns is 2620:fe::fe: an IPv6 address needs wireguard_ipv6: true/],
    ['wireguard_ipv6: true\ndns: "::1"', /:4: dns is "::1"/],
    ['wireguard_ipv6: true\ndns: "0:0::1"', /:4: dns/],
    ['wireguard_ipv6: true\ndns: fe80::1%eth0', /:4: dns/],
    ['wireguard_ipv6: true\ndns: ff02::fb', /:4: dns/],
    ['wireguard_ipv6: true\ndns: fd00:10:45:0::100', /:4: dns is fd00:10:45:0::100: .* the client's own/],
    ['wireguard_mtu: 1279', /:3: wireguard_mtu is the number 1279: expected bytes: .* from 1280 to 9000/],
    ['wireguard_mtu: 9001', /:3: wireguard_mtu/],
    ['wireguard_mtu: 1420.5', /:3: wireguard_mtu/],
    ['wireguard_mtu: big', /:3: wireguard_mtu is "big"/],
    ['wireguard_ipv6: maybe', /:3: wireguard_ipv6 is "maybe": expected true or false/],
    [
      'wireguard_ipv6: true\nwireguard_mtu: 1339',
      /:4: wireguard_mtu is 1339: with wireguard_ipv6: true at least 1340 is expected/,
    ],
    ['dns: 10.45.0.100', /:3: dns is 10\.45\.0\.100: .* the client's own/],
    ['ssh_key_id: my key', /:3: ssh_key_id cannot be used \(not shown here\): expected \$SSH_KEY_ID/],
    ['token: $', /:3: token .* expected \$DO_TOKEN/],
    ['token: "{{ x }}"', /:3: token .*`\{\{ … \}\}` is not evaluated/],
    ['tag:', /:3: tag is empty: expected a tag: up to 255 letters/],
    ['tag: ""', /:3: tag is "": expected a tag/],
    ['tag: a b', /:3: tag is "a b": expected a tag/],
    [`tag: ${'t'.repeat(256)}`, /:3: tag is a text of 256 characters: expected a tag/],
    ['vpns:\n- {name: a, region: nyc1, ipv6: 6}', /:4: vpns, entry 1, ipv6 is the number 6: expected true/],
    ['vpns:\n- {name: a, region: nyc1, tags: web}', /:4: .*, tags is "web": expected a list of tags/],
    [
      'vpns:\n- name: a\n  region: nyc1\n  tags:\n  - web\n  - "ü"',
      /:8: vpns, entry 1, tags, entry 2 is "ü": expected a tag/,
    ],
    ['vpns: 3', /:3: vpns is the number 3: expected a list/],
    ['vpns:\n- wgnet1', /:4: vpns, entry 1 is "wgnet1": expected a list of/],
    ['vpns:\n- name: a', /:4: vpns, entry 1, region is missing: expected a region/],
    ['vpns:\n- {name: a_b, region: nyc1}', /:4: vpns, entry 1, name is "a_b": expected a name of letters/],
    [
      'vpns:\n- name: a\n  region: nyc1\n  sise: x',
      /:6: unknown key "sise" in vpns, entry 1: did you mean size\?/,
    ],
    [
      'vpns:\n- {name: a, region: nyc1}\ncomps:\n- name: A\n  region: nyc1',
      /:6: comps, entry 1, name is "A": vpns, entry 1 has that name already/,
    ],
    ['wait-timeout: 5', /:3: unknown key "wait-timeout": did you mean wait_timeout\? Known keys: .*dns/],
    ['quantum: 5', /:3: unknown key "quantum": Known keys: /],
    ['__proto__: {a: 1}', /:3: unknown key "__proto__"/],
  ];
  for (const [text, message] of refused) {
    const fault = faultOf(`${NETWORK}${text}\n`);
    assert.match(fault.message, message, text);
    assert.ok(fault.next, text);
  }
  const many = Array.from({ length: MAX_PROXIES + 1 }, (_, i) => `- {name: p${i}, region: nyc1}`).join('\n');
  assert.match(faultOf(`${NETWORK}vpns:\n${many}\n`).message, /:3: vpns .*95 entries or fewer/);
});

test('networks that cannot be', () => {
  const refused: [subnet: string, gateway: string, RegExp][] = [
    ['10.45', '10.45.0.2', /:1: wireguard_subnet is the number 10\.45: expected three numbers/],
    ['10.45.0.0', '10.45.0.2', /:1: wireguard_subnet/],
    ['10.45.256', '10.45.0.2', /:1: wireguard_subnet is "10\.45\.256": expected three numbers/],
    ['10.045.0', '10.45.0.2', /:1: wireguard_subnet/],
    ['8.8.8', '8.8.8.2', /:1: wireguard_subnet is "8\.8\.8": expected a private range/],
    ['172.32.0', '172.32.0.2', /private range/],
    ['10.45.0', '10.45.1.2/32', /:2: wireguard_gateway_address is 10\.45\.1\.2: .* from 10\.45\.0\.1/],
    ['10.45.0', '10.45.0.5/32', /:2: .* client's own/],
    ['10.45.0', '10.45.0.100/32', /:2: .* client's own/],
    ['10.45.0', '10.45.0.255/32', /:2: /],
    [
      '10.45.0',
      '10.45.0.2/24',
      /:2: wireguard_gateway_address is "10\.45\.0\.2\/24": .* such as 10\.45\.0\.2\/32/,
    ],
    ['10.45.0', '10.45.0.400', /:2: /],
  ];
  for (const [subnet, gateway, message] of refused)
    assert.match(
      faultOf(`wireguard_subnet: ${subnet}\nwireguard_gateway_address: ${gateway}\n`).message,
      message,
    );
});

test('all problems of a file come at once, in its order; missing keys last', () => {
  assert.deepEqual(
    faultOf('dns: x\nwireguard_port: 70000\nwireguard_subnet: 10.45.0\n').message.split('\n'),
    [
      'config.cfg:1: dns is "x": expected the IPv4 address of a resolver that your servers can reach, such as 9.9.9.9',
      '       config.cfg:2: wireguard_port is the number 70000: expected a port: a whole number from 1 to 65535',
      '       config.cfg: wireguard_gateway_address is missing: expected one address of wireguard_subnet, such as 10.45.0.2/32',
    ],
  );
});

test('no message repeats a token', () => {
  const token = `dop_v1_${'0123456789abcdef'.repeat(4)}`;
  for (const text of [
    `token: *${token}`,
    `token: ${token} ${token}`,
    `token: [${token}]`,
    `token: "${token}`,
    `token ${token}`,
    `token ${token}\ndns: 9.9.9.9`,
    `token=${token}: 1`,
    `token: !${token} x`,
    `token: $\{${token}`,
    `ssh_key_id: ${token}`,
    `${token}: token`,
    `dns: ${token}`,
    `vpns: [{name: ${token}_, region: ${token}}]`,
    `token: ${token}\ntoken: ${token}`,
  ])
    assert.ok(!inspect(faultOf(text)).includes(token.slice(0, 16)), text);
});

test('a secret shows itself nowhere', () => {
  const { token } = read(`${NETWORK}token: hush-hush`);
  assert.ok(token !== undefined);
  const secret = secretOf(token, {});
  assert.equal(secret.reveal(), 'hush-hush');
  for (const shown of [
    `${secret}`,
    String(secret),
    JSON.stringify({ token }),
    inspect(token),
    inspect([secret]),
  ])
    assert.ok(shown.includes('[redacted]') && !shown.includes('hush'), shown);
  assert.deepEqual(Object.getOwnPropertyNames(new Secret('hush')), []);
});

test('a reference is looked up when it is needed', () => {
  assert.equal(secretOf({ env: 'DO_TOKEN' }, { DO_TOKEN: 'abc\n' }).reveal(), 'abc');
  const unset = { name: 'Fault', message: /^\$DO_TOKEN: .*not set$/, next: /^export DO_TOKEN=/ };
  assert.throws(() => secretOf({ env: 'DO_TOKEN' }, {}), unset);
  assert.throws(() => secretOf({ env: 'DO_TOKEN' }, { DO_TOKEN: ' ' }), /it is empty/);
});

test("the client's addresses never wrap or meet", () => {
  const network = { wireguardSubnet: '10.45.0' };
  assert.equal(clientAddress(network, 1), '10.45.0.5');
  assert.equal(clientAddress(network, MAX_PROXIES), '10.45.0.99');
  assert.equal(compClientAddress(network), '10.45.0.100');
  assert.throws(() => clientAddress(network, MAX_PROXIES + 1), /^error: proxy 96 has no address left/);
  assert.throws(() => clientAddress(network, 0), RangeError);
});

test('any text is read or refused with a Fault', () => {
  const piece = fc.constantFrom(
    ...[
      'dns',
      'vpns',
      ': ',
      '\n',
      '- ',
      '  ',
      '\t',
      '*a',
      '&a ',
      '{',
      '}',
      '[',
      ']',
      ',',
      '"',
      "'",
      '#',
      '|',
      '!',
      '<<',
      '$X',
      '9',
      '---',
      '?',
      '%',
    ],
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
  );
  fc.assert(
    fc.property(text, (tail) => {
      for (const whole of [tail, NETWORK + tail])
        try {
          parseConfig(whole, 'config.cfg');
        } catch (error) {
          if (!(error instanceof Fault)) throw error;
        }
    }),
  );
});
